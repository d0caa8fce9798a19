/** The types of the API's client, made from the API's own description. */
import type { JsonSchema, OpenApiDocument, OpenApiOperation } from "../../src/api/openapi.ts";

/** Where they stand. */
export const CLIENT_FILE = "ui/api/operations.ts";

const HEAD = `/** What the API answers, made by \`npm run docs\` from its schemas. */
`;

/** The text of that file. */
export function renderApiClient({ paths, components }: OpenApiDocument): string {
  const names = Object.entries(components.schemas).filter(([name]) => !name.endsWith("Part"));
  const types = names.map(
    ([name, schema]) => `/** Of the API: ${name}. */\nexport type ${name} = ${typeOf(schema, "")};\n`,
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const addresses = operations.map(
    ({ path, method, operation }) =>
      `  ${operation.operationId}: { method: "${method.toUpperCase()}", path: "${path}" },\n`,
  );
  const operationTypes = operations.map(({ operation }) => operationType(operation));
  return [
    HEAD,
    ...types,
    `/** Where each operation is asked for. */\nexport const ADDRESSES = {\n${addresses.join("")}} as const;\n`,
    `/** What each operation takes and answers. */\nexport type Operations = {\n${operationTypes.join("")}};\n`,
  ].join("\n");
}

function operationType({
  operationId,
  summary,
  parameters,
  requestBody,
  responses,
}: OpenApiOperation): string {
  const inside = (place: "path" | "query"): string => {
    const fields = parameters.filter((one) => one.in === place && one.name !== "filter");
    const isList = parameters.some(({ name }) => name === "filter");
    const told = fields.map((one) => `${one.name}${one.required ? "" : "?"}: ${typeOf(one.schema, "")}`);
    // Any field of the list may be one.
    if (place === "query" && isList) told.push("[filter: string]: string | number | undefined");
    return told.length === 0 ? "{}" : `{ ${told.join("; ")} }`;
  };
  const body = requestBody?.content["application/json"].schema;
  if (responses["200"]?.content?.["text/event-stream"] !== undefined)
    return operationText({ operationId, summary }, inside, "undefined", EVENTS);
  const replies = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([, { content }]) => (content?.["application/json"] ?? content?.["text/plain"])?.schema);
  const reply = replies.map((schema) => (schema === undefined ? "null" : typeOf(schema, "    ")));
  return operationText(
    { operationId, summary },
    inside,
    body === undefined ? "undefined" : typeOf(body, "    "),
    [...new Set(reply)].join(" | "),
  );
}

/** Events without an end, each as lists of events tell it. */
const EVENTS = 'AsyncIterable<Operations["eventSinkEvents"]["reply"]["events"][number]>';

function operationText(
  { operationId, summary }: Pick<OpenApiOperation, "operationId" | "summary">,
  inside: (place: "path" | "query") => string,
  body: string,
  reply: string,
): string {
  return [
    `  /** ${summary}. */`,
    `  ${operationId}: {`,
    `    path: ${inside("path")};`,
    `    query: ${inside("query")};`,
    `    body: ${body};`,
    `    reply: ${reply};`,
    "  };",
    "",
  ].join("\n");
}

const PLAIN: Readonly<Record<string, string>> = {
  integer: "number",
  number: "number",
  string: "string",
  boolean: "boolean",
  null: "null",
};

function typeOf(schema: JsonSchema, indent: string): string {
  return union(choicesOf(schema).map((one) => typeOfOne(one, indent)));
}

/** All that a schema may be, also by choices within choices. */
function choicesOf(schema: JsonSchema): readonly JsonSchema[] {
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined;
  if (choices === undefined) return [schema];
  // Who selects fields knows which there are; everybody else has whole objects.
  return choices.flatMap(choicesOf).filter((one) => !String(one["$ref"]).endsWith("Part"));
}

function typeOfOne(schema: JsonSchema, indent: string): string {
  const ref = schema["$ref"];
  if (typeof ref === "string") return ref.slice(ref.lastIndexOf("/") + 1);
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  const words = schema["enum"] as readonly unknown[] | undefined;
  if (words !== undefined) return union(words.map((word) => JSON.stringify(word)));
  const { type } = schema;
  if (Array.isArray(type)) return union((type as readonly string[]).map((one) => PLAIN[one] ?? "unknown"));
  if (type === "array") return arrayType(schema, indent);
  if (type === "object") return objectType(schema, indent);
  return PLAIN[String(type)] ?? "unknown";
}

function arrayType(schema: JsonSchema, indent: string): string {
  const tuple = schema["prefixItems"] as readonly JsonSchema[] | undefined;
  if (tuple !== undefined) return `[${tuple.map((one) => typeOf(one, indent)).join(", ")}]`;
  const item = typeOf((schema["items"] ?? {}) as JsonSchema, indent);
  return item.includes("|") ? `(${item})[]` : `${item}[]`;
}

function objectType(schema: JsonSchema, indent: string): string {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema["required"] ?? []) as readonly string[];
  const more = schema["additionalProperties"];
  const deeper = `${indent}  `;
  const fields = Object.entries(properties).map(([name, field]) => {
    const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
    return `${deeper}${key}${required.includes(name) ? "" : "?"}: ${typeOf(field, deeper)};\n`;
  });
  const isOpen = more !== undefined && more !== false;
  if (fields.length === 0)
    return isOpen ? `Record<string, ${typeOf((more === true ? {} : more) as JsonSchema, indent)}>` : "{}";
  if (isOpen) fields.push(`${deeper}[more: string]: unknown;\n`);
  return `{\n${fields.join("")}${indent}}`;
}

function union(types: readonly string[]): string {
  // Unions of plain words may have words twice.
  const words = types.flatMap((type) => (/^(?:[\w |"-]|\[\])+$/.test(type) ? type.split(" | ") : [type]));
  return [...new Set(words)].join(" | ");
}
