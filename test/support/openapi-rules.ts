/** What is wrong with a description of an API, by the rules that those who make clients of it rely on. Spec: OpenAPI 3.1.0. */

type Part = Readonly<Record<string, unknown>>;

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** Media types, as `application/json`. Spec: RFC 6838 section 4.2. */
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i;
const TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"];

/** Fields of each object, beside those that begin with `x-`. Required ones have a `!`. */
const FIELDS: Readonly<Record<string, string>> = {
  document: "openapi! info! servers security tags paths! components externalDocs",
  info: "title! version! description summary",
  operation: "operationId! summary! tags! description parameters security requestBody responses!",
  parameter: "name! in! required description style explode schema!",
  body: "content! required description",
  response: "description! content headers",
  media: "schema! example",
};

/** Keywords of schemas that the API uses; another one is more likely a slip than meant. Spec: JSON Schema 2020-12. */
const KEYWORDS =
  "$ref type const enum anyOf oneOf allOf properties required additionalProperties propertyNames items prefixItems " +
  "minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems pattern format default description";

/** Each fault with its place; none where all is well. */
export function openApiFaults(document: unknown): string[] {
  const root = document as Part;
  const faults = fieldFaults("document", root, "");
  if (!/^3\.1\.\d+$/.test(String(root["openapi"]))) faults.push("openapi: it is no 3.1");
  faults.push(...fieldFaults("info", part(root, "info"), "/info"));
  const ids = new Map<string, string>();
  const shapes = new Map<string, string>();
  for (const [path, methods] of Object.entries(part(root, "paths"))) {
    const shape = path.replaceAll(/\{[^}]*\}/g, "{}");
    if (!path.startsWith("/")) faults.push(`${path}: it does not begin with a slash`);
    if (shapes.has(shape)) faults.push(`${path}: it is the same as ${shapes.get(shape)}`);
    shapes.set(shape, path);
    for (const [method, operation] of Object.entries(methods as Part)) {
      const at = `${method.toUpperCase()} ${path}`;
      if (!METHODS.includes(method)) faults.push(`${at}: there is no such method`);
      const id = String((operation as Part)["operationId"]);
      if (!/^[a-zA-Z]\w*$/.test(id)) faults.push(`${at}: ${id} is no name of a function`);
      if (ids.has(id)) faults.push(`${at}: ${id} is also ${ids.get(id)}`);
      ids.set(id, at);
      faults.push(...operationFaults(path, operation as Part, root, at));
    }
  }
  const components = part(root, "components");
  faults.push(...securityFaults(root, root, "document"));
  for (const [name, schema] of Object.entries(part(components, "schemas"))) {
    if (!/^[\w.-]+$/.test(name)) faults.push(`${name}: it is no name of a component`);
    faults.push(...schemaRuleFaults(schema, root, `schemas/${name}`));
  }
  return faults;
}

function operationFaults(path: string, operation: Part, root: Part, at: string): string[] {
  const faults = [...fieldFaults("operation", operation, at), ...securityFaults(operation, root, at)];
  const parameters = (operation["parameters"] ?? []) as readonly Part[];
  const told = parameters.map((one) => `${String(one["in"])} ${String(one["name"])}`);
  if (new Set(told).size !== told.length) faults.push(`${at}: a parameter is there twice`);
  const inPath = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => `path ${name}`);
  for (const name of inPath) if (!told.includes(name)) faults.push(`${at}: ${name} is not declared`);
  for (const one of parameters) faults.push(...parameterFaults(one, inPath, root, at));
  const body = operation["requestBody"] as Part | undefined;
  if (body !== undefined)
    faults.push(
      ...fieldFaults("body", body, at),
      ...contentFaults(part(body, "content"), root, `${at} body`, true),
    );
  const responses = Object.entries(part(operation, "responses"));
  if (!responses.some(([status]) => status.startsWith("2"))) faults.push(`${at}: nothing is a success`);
  for (const [status, response] of responses) {
    if (!/^(?:[1-5]\d\d|default)$/.test(status)) faults.push(`${at}: ${status} is no status`);
    faults.push(...fieldFaults("response", response as Part, `${at} ${status}`));
    const content = (response as Part)["content"] as Part | undefined;
    if (status === "204" && content !== undefined) faults.push(`${at}: 204 has no body`);
    if (content !== undefined) faults.push(...contentFaults(content, root, `${at} ${status}`, true));
  }
  return faults;
}

function parameterFaults(one: Part, inPath: readonly string[], root: Part, at: string): string[] {
  const { name, in: place, required, schema } = one;
  const faults = fieldFaults("parameter", one, `${at} ${String(name)}`);
  if (!["path", "query", "header", "cookie"].includes(String(place)))
    faults.push(`${at}: ${String(name)} is nowhere`);
  if (place === "path" && !inPath.includes(`path ${String(name)}`))
    faults.push(`${at}: ${String(name)} is not in the path`);
  if (place === "path" && required !== true) faults.push(`${at}: ${String(name)} has to be required`);
  return [...faults, ...schemaRuleFaults(schema, root, `${at} ${String(name)}`)];
}

function contentFaults(content: Part, root: Part, at: string, isWanted: boolean): string[] {
  const entries = Object.entries(content);
  const faults = isWanted && entries.length === 0 ? [`${at}: it has no type`] : [];
  for (const [type, media] of entries) {
    if (!MEDIA_TYPE.test(type)) faults.push(`${at}: ${type} is no media type`);
    faults.push(...fieldFaults("media", media as Part, `${at} ${type}`));
    faults.push(...schemaRuleFaults((media as Part)["schema"], root, `${at} ${type}`));
  }
  return faults;
}

function securityFaults(of: Part, root: Part, at: string): string[] {
  const schemes = Object.keys(part(part(root, "components"), "securitySchemes"));
  const named = ((of["security"] ?? []) as readonly Part[]).flatMap((one) => Object.keys(one));
  return named
    .filter((name) => !schemes.includes(name))
    .map((name) => `${at}: ${name} is no security scheme`);
}

function fieldFaults(kind: string, object: Part, at: string): string[] {
  const known = FIELDS[kind]!.split(" ");
  const names = known.map((name) => name.replace("!", ""));
  const missing = known.filter((name) => name.endsWith("!")).map((name) => name.slice(0, -1));
  return [
    ...missing.filter((name) => object[name] === undefined).map((name) => `${at}: ${name} is missing`),
    ...Object.keys(object)
      .filter((name) => !names.includes(name) && !name.startsWith("x-"))
      .map((name) => `${at}: ${name} is no field of a ${kind}`),
  ];
}

/** A schema as such, whatever it is of. */
function schemaRuleFaults(schema: unknown, root: Part, at: string): string[] {
  if (typeof schema === "boolean") return [];
  if (typeof schema !== "object" || schema === null) return [`${at}: there is no schema`];
  const one = schema as Part;
  const faults = Object.keys(one)
    .filter((keyword) => !KEYWORDS.split(" ").includes(keyword))
    .map((keyword) => `${at}: ${keyword} is no keyword`);
  faults.push(...referenceFaults(one, root, at), ...valueFaults(one, at));
  const properties = part(one, "properties");
  for (const name of (one["required"] ?? []) as readonly string[])
    if (properties[name] === undefined) faults.push(`${at}: ${name} is required and no property`);
  const inside: [string, unknown][] = Object.entries(properties);
  for (const keyword of ["anyOf", "oneOf", "allOf", "prefixItems"]) {
    const list = one[keyword] as readonly unknown[] | undefined;
    if (list?.length === 0) faults.push(`${at}: ${keyword} is empty`);
    inside.push(...(list ?? []).map((each, i): [string, unknown] => [`${keyword}/${i}`, each]));
  }
  for (const keyword of ["items", "additionalProperties", "propertyNames"])
    if (one[keyword] !== undefined) inside.push([keyword, one[keyword]]);
  return [...faults, ...inside.flatMap(([name, each]) => schemaRuleFaults(each, root, `${at}/${name}`))];
}

function referenceFaults({ $ref: ref }: Part, root: Part, at: string): string[] {
  if (ref === undefined) return [];
  if (typeof ref !== "string" || !ref.startsWith("#/"))
    return [`${at}: ${JSON.stringify(ref)} leads elsewhere`];
  let found: unknown = root;
  for (const name of ref.slice(2).split("/")) found = (found as Part | undefined)?.[name];
  return found === undefined ? [`${at}: ${ref} leads nowhere`] : [];
}

function valueFaults(one: Part, at: string): string[] {
  const faults: string[] = [];
  const types = one["type"] === undefined ? [] : [one["type"]].flat();
  for (const type of types)
    if (!TYPES.includes(type as string)) faults.push(`${at}: ${JSON.stringify(type)} is no type`);
  const words = one["enum"] as readonly unknown[] | undefined;
  if (words !== undefined && (words.length === 0 || new Set(words).size !== words.length))
    faults.push(`${at}: its words are none, or one is there twice`);
  for (const [least, most] of [
    ["minimum", "maximum"],
    ["minLength", "maxLength"],
    ["minItems", "maxItems"],
  ] as const)
    if (Number(one[least] ?? -Infinity) > Number(one[most] ?? Infinity))
      faults.push(`${at}: ${least} is above ${most}`);
  if (types.includes("array") && one["items"] === undefined && one["prefixItems"] === undefined)
    faults.push(`${at}: nobody says what is in the array`);
  if (typeof one["pattern"] === "string" && !compiles(one["pattern"]))
    faults.push(`${at}: its pattern is none`);
  return faults;
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

function part(of: Part, name: string): Part {
  return (of[name] ?? {}) as Part;
}
