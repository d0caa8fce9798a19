/** Checks JSON against the parts of JSON Schema that the API's description uses. Spec: JSON Schema 2020-12. */

type Schema = Readonly<Record<string, unknown>>;

/** What is wrong with a value, each with its place; nothing where it is valid. `root`: where `$ref` leads. */
export function schemaFaults(value: unknown, schema: unknown, root: unknown, at = ""): string[] {
  if (schema === true) return [];
  if (schema === false) return [`${at}: nothing may be here`];
  const one = schema as Schema;
  const ref = one["$ref"];
  if (typeof ref === "string") return schemaFaults(value, followed(ref, root), root, at);
  const choices = (one["anyOf"] ?? one["oneOf"]) as readonly unknown[] | undefined;
  if (choices !== undefined) {
    const isAny = choices.some((choice) => schemaFaults(value, choice, root, at).length === 0);
    return isAny ? [] : [`${at}: ${JSON.stringify(value)} is none of ${choices.length} choices`];
  }
  const said = JSON.stringify(value)?.slice(0, 100);
  if ("const" in one && value !== one["const"])
    return [`${at}: ${said} is not ${JSON.stringify(one["const"])}`];
  const words = one["enum"] as readonly unknown[] | undefined;
  if (words !== undefined && !words.includes(value))
    return [`${at}: ${said} is none of ${JSON.stringify(words)}`];
  const types =
    typeof one["type"] === "string" ? [one["type"]] : (one["type"] as readonly string[] | undefined);
  if (types !== undefined && !types.some((type) => isOfType(value, type)))
    return [`${at}: ${said} is no ${types.join()}`];
  if (Array.isArray(value)) return arrayFaults(value, one, root, at);
  if (typeof value === "number") return numberFaults(value, one, at);
  if (typeof value === "string") return stringFaults(value, one, at);
  if (typeof value === "object" && value !== null) return objectFaults(value, one, root, at);
  return [];
}

function followed(ref: string, root: unknown): unknown {
  let found = root;
  for (const part of ref.replace(/^#\//, "").split("/")) found = (found as Schema)[part];
  if (found === undefined) throw new Error(`${ref} leads nowhere`);
  return found;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function arrayFaults(value: readonly unknown[], schema: Schema, root: unknown, at: string): string[] {
  const tuple = schema["prefixItems"] as readonly unknown[] | undefined;
  const { items = true } = schema;
  return value.flatMap((item, i) => schemaFaults(item, tuple?.[i] ?? items, root, `${at}/${i}`));
}

function numberFaults(value: number, schema: Schema, at: string): string[] {
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number };
  return value < minimum || value > maximum ? [`${at}: ${value} is not from ${minimum} to ${maximum}`] : [];
}

function stringFaults(value: string, schema: Schema, at: string): string[] {
  const { minLength = 0, maxLength = Infinity } = schema as { minLength?: number; maxLength?: number };
  const isLong = value.length < minLength || value.length > maxLength;
  const isOdd = typeof schema["pattern"] === "string" && !new RegExp(schema["pattern"], "u").test(value);
  return isLong || isOdd ? [`${at}: ${JSON.stringify(value.slice(0, 100))} is not as it may be`] : [];
}

function objectFaults(value: object, schema: Schema, root: unknown, at: string): string[] {
  const properties = (schema["properties"] ?? {}) as Schema;
  const { additionalProperties: more = true } = schema;
  const missing = ((schema["required"] ?? []) as readonly string[])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${at}: there is no ${name}`);
  const wrong = Object.entries(value).flatMap(([name, field]) =>
    schemaFaults(field, Object.hasOwn(properties, name) ? properties[name] : more, root, `${at}/${name}`),
  );
  return [...missing, ...wrong];
}
