/** Which fields the objects of a list have, by dotted path: known from the schema that documents them. */

/** As much of a JSON Schema as tells fields. Spec: JSON Schema 2020-12 Core section 10.3, Validation section 6.1. */
export type FieldSchema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: boolean | FieldSchema;
  readonly items?: FieldSchema | readonly FieldSchema[];
  readonly anyOf?: readonly FieldSchema[];
};

/** What a field holds. `any`: the schema does not say; `object`: more fields. */
export type FieldKind = "number" | "string" | "boolean" | "object" | "any";

/** Looks fields up. */
export type KnownFields = {
  /** `null`: there is no such field. Lists are looked through: `inputs.url` is a field of each input. */
  kindOf(path: string): FieldKind | null;
};

const KINDS: Readonly<Record<string, FieldKind>> = {
  integer: "number",
  number: "number",
  string: "string",
  boolean: "boolean",
  object: "object",
};

/** Paths of more parts name nothing. */
const MAX_DEPTH = 10;

/** The fields of a schema. */
export function knownFields(schema: FieldSchema): KnownFields {
  return {
    kindOf: (path) => {
      const parts = path.split(".");
      if (parts.length > MAX_DEPTH || parts.includes("")) return null;
      let found: readonly FieldSchema[] = [schema];
      for (const part of parts) found = found.flatMap(plain).flatMap((one) => inside(one, part));
      return kindOfAll(found.flatMap(plain));
    },
  };
}

/** Choices and lists are looked through. */
function plain(schema: FieldSchema): readonly FieldSchema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(plain);
  const { items } = schema;
  if (items === undefined || schema.type !== "array") return [schema];
  return Array.isArray(items)
    ? (items as readonly FieldSchema[]).flatMap(plain)
    : plain(items as FieldSchema);
}

function inside({ properties, additionalProperties }: FieldSchema, part: string): readonly FieldSchema[] {
  if (properties !== undefined && Object.hasOwn(properties, part)) return [properties[part]!];
  if (additionalProperties === undefined || additionalProperties === false) return [];
  return [additionalProperties === true ? {} : additionalProperties];
}

function kindOfAll(schemas: readonly FieldSchema[]): FieldKind | null {
  const kinds = new Set(
    schemas.flatMap(({ type }) => {
      const names = type === undefined ? ["any"] : typeof type === "string" ? [type] : type;
      return names.filter((name) => name !== "null").map((name) => KINDS[name] ?? "any");
    }),
  );
  const [only] = kinds;
  if (only === undefined) return schemas.length === 0 ? null : "any";
  return kinds.size === 1 ? only : "any";
}
