import type { ZodType, output } from "zod";
import { apiErrors } from "./errors.ts";

/** The body as a schema has it. Throws: API_BAD_FIELD, which names the first field that is wrong. */
export function readBodyFields<Schema extends ZodType>(schema: Schema, body: unknown): output<Schema> {
  return read(schema, body ?? {}, (field) => ({ pointer: field === "" ? "" : `/${field}` }));
}

/** The query as a schema has it; parameters that it does not know are passed over. Throws: as `readBodyFields`. */
export function readQueryFields<Schema extends ZodType>(
  schema: Schema,
  query: URLSearchParams,
): output<Schema> {
  return read(schema, Object.fromEntries(query), (parameter) => ({ parameter }));
}

function read<Schema extends ZodType>(
  schema: Schema,
  value: unknown,
  place: (field: string) => Readonly<Record<string, string>>,
): output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join("/");
  const reason = unknown === undefined ? (issue?.message ?? "it is not right") : "there is no such field";
  throw apiErrors.error("API_BAD_FIELD", {
    field: field === "" ? "the body" : field,
    reason,
    ...place(field),
  });
}
