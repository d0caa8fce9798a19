/** The description of the API that programs read. Spec: OpenAPI 3.1.0. */
import { z } from "zod";
import type { ApiOperation } from "./operation.ts";
import { errorReply } from "./operations/shared-schemas.ts";

/** A JSON Schema, as a part of a description. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A parameter of a path or a query. */
export type OpenApiParameter = {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly description?: string;
  readonly style?: "form";
  readonly explode?: boolean;
  readonly schema: JsonSchema;
};

/** One operation of the description. */
export type OpenApiOperation = {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly OpenApiParameter[];
  readonly security?: readonly [];
  readonly requestBody?: {
    readonly required: true;
    readonly content: {
      readonly "application/json": { readonly schema: JsonSchema };
      readonly "text/plain"?: { readonly schema: JsonSchema };
    };
  };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
  /** Scopes of tokens that reach it, beside `edit`. */
  readonly "x-scope": readonly string[];
};

/** A reply of the description. */
export type OpenApiResponse = {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
};

/** The whole description. */
export type OpenApiDocument = {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
};

const TEXT = { type: "string" } as const;
const ERRORS: Readonly<Record<number, string>> = {
  400: "The request is not what it may be",
  401: "Who asks is not known",
  403: "Who asks may not",
  404: "There is no such thing",
  409: "It does not go together with what is there",
  413: "The body is too long",
  429: "Too much is under way already",
  503: "The server cannot do it now",
};

/** Describes operations. */
export function openApiDocument(
  operations: readonly ApiOperation[],
  options: { readonly version: string },
): OpenApiDocument {
  const items = new Map<unknown, string>();
  for (const { list } of operations) if (list !== undefined) items.set(list.item, list.name);
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of operations) {
    const methods = (paths[operation.path] ??= {});
    methods[operation.method.toLowerCase()] = describe(operation, items);
  }
  const named = [...items].map(([item, name]) => [name, jsonSchema(item as z.ZodType)] as const);
  return {
    openapi: "3.1.0",
    info: {
      title: "Weir",
      version: options.version,
      description: "The API of the media server Weir; see docs/api.md.",
    },
    servers: [{ url: "/streamer/api/v3" }, { url: "/flussonic/api/v3" }],
    security: [{ basic: [] }, { bearer: [] }],
    paths,
    components: {
      schemas: {
        ...Object.fromEntries(named),
        ...Object.fromEntries(named.map(([name, schema]) => [`${name}Part`, partOf(schema) as JsonSchema])),
        Error: jsonSchema(errorReply),
      },
      securitySchemes: {
        basic: { type: "http", scheme: "basic" },
        bearer: { type: "http", scheme: "bearer" },
      },
    },
  };
}

type Names = ReadonlyMap<unknown, string>;

function describe(operation: ApiOperation, names: Names): OpenApiOperation {
  const { id, summary, tag, body, scope, isPublic } = operation;
  const changes = operation.changes ?? operation.method !== "GET";
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(isPublic === true ? { security: [] } : {}),
    parameters: [...pathParameters(operation), ...queryParameters(operation)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              "application/json": { schema: jsonSchema(body, "input") },
              ...(operation.takesText === true ? { "text/plain": { schema: TEXT } } : {}),
            },
          },
        }),
    responses: { ...replies(operation, names), ...errors(operation) },
    "x-scope": [...new Set([scope, ...(changes ? [] : ["view"])])],
  };
}

function pathParameters({ path }: ApiOperation): OpenApiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name: name!,
    in: "path",
    required: true,
    schema: name === "i" ? { type: "integer", minimum: 0 } : { ...TEXT, minLength: 1 },
  }));
}

function queryParameters({ query, list }: ApiOperation): OpenApiParameter[] {
  return [...(list === undefined ? [] : LIST_PARAMETERS), ...ownParameters(query)];
}

function ownParameters(query: z.ZodObject | undefined): OpenApiParameter[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(query, "input") as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
}

const LIST_PARAMETERS: readonly OpenApiParameter[] = [
  {
    name: "limit",
    in: "query",
    required: false,
    description: "Objects of a page; 100 unless given",
    schema: { type: "integer", minimum: 1, maximum: 10_000 },
  },
  {
    name: "cursor",
    in: "query",
    required: false,
    description: "`next` or `prev` of another page",
    schema: TEXT,
  },
  {
    name: "sort",
    in: "query",
    required: false,
    description: "Fields with commas between, dotted; `-` in front: the greatest first",
    schema: TEXT,
  },
  {
    name: "select",
    in: "query",
    required: false,
    description: "Fields that are told, with commas between, dotted",
    schema: TEXT,
  },
  { name: "q", in: "query", required: false, description: "A text to look for", schema: TEXT },
  {
    name: "filter",
    in: "query",
    required: false,
    description:
      "Any field, dotted, with `_ne`, `_gt`, `_gte`, `_lt`, `_lte`, `_like`, `_is` or `_is_not` behind it or " +
      "nothing; commas between values mean or",
    style: "form",
    explode: true,
    schema: { type: "object", additionalProperties: TEXT },
  },
];

function replies(
  { reply, otherReplies = {}, list }: ApiOperation,
  names: Names,
): Readonly<Record<string, OpenApiResponse>> {
  const main = reply.schema === null ? null : namedSchema(reply.schema, names, list?.item);
  const type = reply.type ?? "application/json";
  const types = [type, ...(reply.otherTypes ?? [])];
  const others = Object.entries(otherReplies).map(([status, schema]) => [
    status,
    { description: "Another answer", content: json(orError(Number(status), namedSchema(schema, names))) },
  ]);
  return {
    [reply.status]: {
      description: main === null ? "It is done" : "The answer",
      ...(main === null
        ? {}
        : { content: Object.fromEntries(types.map((one) => [one, { schema: main }])) }),
    },
    ...(Object.fromEntries(others) as Readonly<Record<string, OpenApiResponse>>),
  };
}

/** What answers with a status of errors does not take the place of the error that any operation may be answered with. */
function orError(status: number, schema: JsonSchema): JsonSchema {
  return status < 400 ? schema : { anyOf: [schema, REFERENCE("Error")] };
}

function errors(operation: ApiOperation): Readonly<Record<string, OpenApiResponse>> {
  const { isPublic, query, list, body, path, otherReplies = {} } = operation;
  const statuses = [
    // 429: who has guessed too often.
    ...(isPublic === true ? [] : [401, 403, 429]),
    ...((query ?? list ?? body) === undefined ? [] : [400]),
    ...(path.includes("{") ? [400, 404] : []),
    ...(body === undefined ? [] : [413, 415]),
    ...(operation.errors ?? []),
    503,
  ].filter((status) => !(status in otherReplies));
  const told = [...new Set(statuses)]
    .toSorted((a, b) => a - b)
    .map((status) => [
      String(status),
      {
        description: ERRORS[status] ?? "The body is not what it may be",
        content: json(REFERENCE("Error")),
      },
    ]);
  return Object.fromEntries(told) as Readonly<Record<string, OpenApiResponse>>;
}

function json(schema: JsonSchema): OpenApiResponse["content"] & object {
  return { "application/json": { schema } };
}

const REFERENCE = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** Objects of lists are told once, under their names. */
function namedSchema(schema: z.ZodType, names: Names, item?: z.ZodType): JsonSchema {
  const name = names.get(schema);
  if (name !== undefined) return REFERENCE(name);
  const whole = jsonSchema(schema);
  const { properties } = whole as { readonly properties?: Readonly<Record<string, JsonSchema>> };
  if (item === undefined || properties === undefined) return whole;
  const found = names.get(item)!;
  const told = Object.entries(properties).map(([key, value]) => [
    key,
    value["type"] === "array"
      ? { type: "array", items: { anyOf: [REFERENCE(found), REFERENCE(`${found}Part`)] } }
      : value,
  ]);
  return { ...whole, properties: Object.fromEntries(told) };
}

/** What `select` leaves of an object: the same with nothing required. */
function partOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(partOf);
  if (typeof schema !== "object" || schema === null) return schema;
  const isObject = (schema as JsonSchema)["type"] === "object";
  const told = Object.entries(schema).filter(([keyword]) => !(isObject && keyword === "required"));
  return Object.fromEntries(told.map(([keyword, value]) => [keyword, partOf(value)]));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output" = "output"): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  return withSizes(rest) as JsonSchema;
}

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Makers of clients take an integer for one of 32 bits unless it says otherwise: times in milliseconds and bytes are more.
 * The bounds of what JavaScript counts exactly are no bounds that anybody has to know.
 */
function withSizes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withSizes);
  if (typeof schema !== "object" || schema === null) return schema;
  const { type, minimum, maximum } = schema as JsonSchema;
  const isInteger = type === "integer";
  const told = Object.entries(schema).filter(
    ([keyword, value]) =>
      !(isInteger && keyword === "maximum" && value === Number.MAX_SAFE_INTEGER) &&
      !(isInteger && keyword === "minimum" && value === Number.MIN_SAFE_INTEGER),
  );
  const fits =
    typeof maximum === "number" &&
    maximum <= MAX_INT32 &&
    typeof minimum === "number" &&
    minimum >= -MAX_INT32;
  return {
    ...Object.fromEntries(told.map(([keyword, value]) => [keyword, withSizes(value)])),
    ...(isInteger && !fits ? { format: "int64" } : {}),
  };
}
