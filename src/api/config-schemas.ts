/**
 * Schemas of what changes the configuration, made from the specs of its directives: for the document of the API. Bodies
 * are checked by what writes them (`config/json/to-text.ts`), which says where they are wrong.
 */
import { z } from "zod";
import type { ZodType } from "zod";
import { findDirective } from "../config/directives.ts";
import { RESET } from "../config/edit/merge.ts";
import { COLLECTIONS, isInMilliseconds, keyOf, propertiesOf, propertyName } from "../config/json/shape.ts";
import type { Property } from "../config/json/shape.ts";
import { isListener } from "../config/json/to-json.ts";
import type { ArgumentSpec, DirectiveSpec, Scope } from "../config/schema.ts";
import type { ValueType } from "../config/values.ts";

/** What a PUT of an object of this kind may have in it: everything is optional, `null` takes away. */
export function objectSchema(kind: string): ZodType {
  const block = findDirective("server", kind)?.block;
  const scope = typeof block === "object" ? block.scope : undefined;
  const fields = scope === undefined ? {} : scopeFields(scope);
  const key = z.string().optional().describe("As in the address; it does not change.");
  return z.strictObject({ ...fields, [keyOf(kind)]: key, [RESET]: RESET_FIELD, ...SHOWN_FIELDS });
}

/** What a PUT of the server's settings may have in it. */
export function settingsSchema(): ZodType {
  const entries = Object.entries(scopeFields("server"));
  const listeners = Object.fromEntries(entries.filter(([name]) => isListener(name)));
  const others = Object.fromEntries(entries.filter(([name]) => !isListener(name)));
  return z.strictObject({
    ...others,
    listeners: z.strictObject(listeners).optional(),
    ...Object.fromEntries(
      OBJECT_KINDS.map(([kind, plural]) => [plural, z.array(objectSchema(kind)).nullish()]),
    ),
    [RESET]: RESET_FIELD,
    config_on_disk: z.unknown().optional(),
  });
}

/** What is said of a configuration that was checked. */
export const configErrorStatusSchema = z.object({
  error: z.string().nullable().describe("The code of the first error; null: the configuration is good."),
  line: z.number().int().nullable(),
  col: z.number().int().nullable(),
  first_error_line: z.number().int().nullable(),
  first_error_col: z.number().int().nullable(),
  path: z.array(z.string()),
  detail: z.string().nullable(),
  problems: z.array(
    z.object({
      code: z.string(),
      severity: z.enum(["error", "warning", "note"]),
      file: z.string(),
      line: z.number().int(),
      col: z.number().int(),
      detail: z.string(),
      hint: z.string().optional(),
    }),
  ),
});

/** The kinds of objects that have addresses of their own, each with the name of its list. */
export const OBJECT_KINDS: readonly (readonly [kind: string, plural: string])[] =
  Object.entries(COLLECTIONS);

const RESET_FIELD = z
  .boolean()
  .optional()
  .describe(
    "True: what is not given is taken away. Without it what is given is merged into what is there.",
  );

/** Replies have them, and requests may give them back. */
const SHOWN_FIELDS = {
  stats: z.unknown().optional(),
  config_on_disk: z.unknown().optional(),
  named_by: z.unknown().optional(),
  server_id: z.unknown().optional(),
};

function scopeFields(scope: Scope): Record<string, ZodType> {
  const fields = [...propertiesOf(scope).values()].map((property): [string, ZodType] => [
    property.name,
    propertySchema(property),
  ]);
  if (scope === "dvr") fields.push(["reference", z.string().nullish()]);
  return Object.fromEntries(fields);
}

function propertySchema(property: Property): ZodType {
  const { form, spec, isList } = property;
  const element = elementSchema(property);
  const isRepeated = isList || (form.kind === "words" && spec.arguments === "unchecked");
  const list = isRepeated ? z.array(element) : element;
  const schema = isRepeated && form.kind === "words" ? z.union([element, list]) : list;
  const note = spec.status === "works" ? "" : " It has no effect yet, or is refused.";
  return schema.nullish().describe(`${spec.doc}${note}`);
}

function elementSchema({ form, spec, name }: Property): ZodType {
  switch (form.kind) {
    case "value":
      return valueSchema(form.argument.type, name);
    case "list": {
      const value = valueSchema(form.argument.type, name);
      const element =
        form.key === undefined ? value : z.union([value, z.strictObject({ [form.key]: value })]);
      return z.union([z.array(element), z.string()]);
    }
    case "pairs":
      return z.record(
        z.string(),
        z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
      );
    case "words":
      return z.union([z.string(), z.boolean(), z.number()]);
    case "record":
      return recordSchema(form.keys, spec, form.isOpen === true);
  }
}

function recordSchema(keys: readonly string[], spec: DirectiveSpec, isOpen: boolean): ZodType {
  if (isOpen) return z.looseObject({ [keys[0] ?? "value"]: z.string(), stats: z.unknown().optional() });
  const fields: Record<string, ZodType> = { stats: z.unknown().optional(), [RESET]: RESET_FIELD };
  const checked = spec.arguments === "unchecked" ? [] : spec.arguments;
  for (const [index, key] of keys.entries()) fields[key] = argumentSchema(checked[index], key);
  const [first] = checked;
  if (first?.type.kind === "address") fields["address"] = z.string().nullish();
  if (first?.type.kind === "recording-root") fields["reference"] = z.string().nullish();
  if (typeof spec.block === "object") Object.assign(fields, scopeFields(spec.block.scope));
  for (const { name, type, doc, flag } of spec.options ?? []) {
    const value = optionSchema(type ?? { kind: "text" }, name);
    fields[propertyName(name)] = (
      flag === true && type?.kind !== "duration" ? z.union([value, z.boolean()]) : value
    )
      .nullish()
      .describe(doc);
  }
  const record = z.strictObject(fields);
  if (spec.name === "dvr") return z.union([record, z.literal(false)]);
  return keys.length === 1 ? z.union([record, z.string()]) : record;
}

/** Texts may be lists, which stand in a file with commas between. */
function optionSchema(type: ValueType, name: string): ZodType {
  const value = valueSchema(type, name);
  return type.kind === "text" || type.kind === "access" ? z.union([value, z.array(z.string())]) : value;
}

/** Merged into what is there, an object need not have them. */
function argumentSchema(argument: ArgumentSpec | undefined, name: string): ZodType {
  return valueSchema(argument?.type ?? { kind: "text" }, name).nullish();
}

/** Numbers in the units of the API, and whatever a file could have there as a string. */
function valueSchema(type: ValueType, name: string): ZodType {
  switch (type.kind) {
    case "boolean":
      return z.union([z.boolean(), z.enum(["true", "false"])]);
    case "integer":
      return z.union([z.number().int().min(type.min).max(type.max), z.string()]);
    case "address":
      return z.number().int().min(0).max(65_535);
    case "percent":
      return z.union([
        z
          .number()
          .min(type.min ?? 0)
          .max(100),
        z.string(),
      ]);
    case "size":
      return z.union([z.number().int().min(type.minBytes).describe("Bytes"), z.string()]);
    case "bitrate":
      return z.union([z.number().min(type.minBps).describe("Bits per second"), z.string()]);
    case "duration": {
      const isMs = type.bareUnit === "ms" || isInMilliseconds(name);
      return z.union([
        z
          .number()
          .min(0)
          .describe(isMs ? "Milliseconds" : "Seconds"),
        z.string(),
        z.boolean(),
      ]);
    }
    case "choice":
      return z.enum([...type.values, ...(type.aliases?.keys() ?? [])]);
    default:
      return z.union([z.string(), z.boolean(), z.number()]);
  }
}
