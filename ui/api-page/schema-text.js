// @ts-check
/** A JSON Schema in a few words, for people. */

/** @typedef {{ readonly [keyword: string]: any }} Schema */

/** Objects in objects are shown so deep. */
const MAX_DEPTH = 6;

/**
 * The shape of what a schema describes, as TypeScript would have it.
 *
 * @param {Schema | undefined} schema
 * @param {Schema} root where `$ref` leads
 * @param {number} [depth]
 * @returns {string}
 */
export function schemaText(schema, root, depth = 0) {
  if (schema === undefined) return "nothing";
  if (typeof schema["$ref"] === "string") return schemaText(followed(schema["$ref"], root), root, depth);
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices)) {
    // What `select` leaves of an object is the same in less.
    const whole = choices.filter((one) => !String(one["$ref"]).endsWith("Part"));
    return [...new Set(whole.map((one) => schemaText(one, root, depth)))].join(" | ");
  }
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  if (Array.isArray(schema["enum"])) return schema["enum"].map((word) => JSON.stringify(word)).join(" | ");
  if (schema["type"] === "array") return `${schemaText(schema["items"] ?? {}, root, depth)}[]`;
  if (schema["type"] === "object") return objectText(schema, root, depth);
  const limits = [schema["minimum"], schema["maximum"]];
  const isNear = limits.some((limit) => typeof limit === "number" && Math.abs(limit) < 1e6 && limit !== 0);
  const range = isNear ? ` ${limits[0] ?? ""}..${limits[1] ?? ""}` : "";
  return `${schema["type"] ?? "anything"}${range}`;
}

/**
 * @param {Schema} schema
 * @param {Schema} root
 * @param {number} depth
 */
function objectText(schema, root, depth) {
  const fields = Object.entries(schema["properties"] ?? {});
  if (fields.length === 0) return "{ ... }";
  if (depth >= MAX_DEPTH) return "{ ... }";
  const indent = "  ".repeat(depth + 1);
  const required = schema["required"] ?? [];
  const lines = fields.map(
    ([name, field]) =>
      `${indent}${name}${required.includes(name) ? "" : "?"}: ${schemaText(field, root, depth + 1)}`,
  );
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

/**
 * @param {string} ref
 * @param {Schema} root
 * @returns {Schema}
 */
function followed(ref, root) {
  /** @type {any} */
  let found = root;
  for (const part of ref.replace(/^#\//, "").split("/")) found = found?.[part];
  return found ?? {};
}
