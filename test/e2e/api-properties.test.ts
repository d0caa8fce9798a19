/** Whatever is asked of the API, it answers as its own description says: no 500, and no reply that is not described. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { OpenApiDocument, OpenApiOperation, OpenApiParameter } from "../../src/api/openapi.ts";
import { schemaFaults } from "../support/json-schema.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const AUTHORIZATION = `Basic ${Buffer.from("root:secret").toString("base64")}`;
const RUNS = Number(process.env["WEIR_API_RUNS"] ?? 40);
const SEED = Number(process.env["WEIR_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

type Asked = { readonly path: string; readonly query: string; readonly body: string | undefined };
type Schema = Readonly<Record<string, unknown>>;

/** Names that are there, and others. */
const name = fc.oneof(
  fc.constantFrom("clip", "news", "rec/one", "live", "films", "disk", "portal", "out", "nothing", "a/b/c"),
  fc.stringMatching(/^[\w.-]{1,20}$/),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }),
);
const word = fc.oneof(
  fc.constantFrom(
    "",
    "null",
    "name",
    "-name",
    "stats.bitrate",
    "1",
    "0",
    "-1",
    "1e9",
    "true",
    "a,b",
    "%00",
  ),
  fc.string({ maxLength: 20 }),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
);

/** Texts of which a random one is hardly ever right. */
const KNOWN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  inputs: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom([{ url: "publish://" }], [{ url: "fake://fake", priority: 2 }]),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  ),
  url: fc.constantFrom(
    "publish://",
    "http://127.0.0.1:1/x",
    "auth://portal",
    "true",
    "log://",
    "***",
    "\n",
  ),
  template: fc.constantFrom("live", "rec", "nothing"),
  reference: fc.constantFrom("disk", "nothing"),
};

/** Settings that would end the conversation. */
const KEPT = [
  "listeners",
  "http",
  "https",
  "rtmp",
  "rtmps",
  "edit_auth",
  "edit_auth_file",
  "api_allowed_from",
  // With it passwords that everybody knows, as the one here, let nobody in.
  "production",
];

/** Values as a schema wants them, and now and then others. */
function valueOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const choices = schema["anyOf"] as readonly Schema[] | undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => valueOf(one, depth)));
  const words = schema["enum"] as readonly unknown[] | undefined;
  if (words !== undefined) return fc.constantFrom(...words);
  // dispatch
  switch (schema["type"]) {
    case "integer":
    case "number": {
      const limits = schema as { minimum?: number; maximum?: number };
      const min = Math.ceil(Math.max(limits.minimum ?? 0, -1e12));
      return fc.integer({ min, max: Math.floor(Math.min(limits.maximum ?? 1e12, 1e15)) });
    }
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valueOf((schema["items"] ?? {}) as Schema, depth + 1), { maxLength: 3 });
    case "object": {
      const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
      const required = (schema["required"] ?? []) as string[];
      const told = (key: string): fc.Arbitrary<unknown> =>
        KNOWN[key] ?? (key === "name" ? name : sometimesOther(valueOf(properties[key]!, depth + 1)));
      const free = Object.keys(properties).filter((key) => !required.includes(key) && !KEPT.includes(key));
      // A few of many: with a wrong one among dozens nothing would ever be taken.
      return fc
        .subarray(free, { maxLength: Math.min(4, free.length) })
        .chain((chosen) =>
          fc.record(Object.fromEntries([...required, ...chosen].map((key) => [key, told(key)]))),
        );
    }
    default:
      return typeof schema["pattern"] === "string" && !schema["pattern"].includes("(?")
        ? fc.oneof(fc.stringMatching(new RegExp(schema["pattern"])), word)
        : word;
  }
}

function sometimesOther(wanted: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: wanted },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
}

function parameterText({ name: parameter, schema }: OpenApiParameter): fc.Arbitrary<string> {
  const said = valueOf(schema).map(String);
  const isName = parameter === "name" || parameter === "prefix";
  return fc.oneof({ weight: 4, arbitrary: isName ? name : said }, { weight: 1, arbitrary: word });
}

function filters(item: Schema): fc.Arbitrary<[string, string]> {
  const properties = Object.keys(item["properties"] ?? {});
  const field = fc.oneof(
    fc.constantFrom(...properties),
    fc.constantFrom("stats.status", "stats.bitrate"),
    word,
  );
  const suffix = fc.constantFrom(
    "",
    "_ne",
    "_gt",
    "_gte",
    "_lt",
    "_lte",
    "_like",
    "_is",
    "_is_not",
    "_odd",
  );
  return fc.tuple(
    fc.tuple(field, suffix).map(([one, end]) => one + end),
    word,
  );
}

/** Requests for one operation: right ones, and such that are wrong somewhere. */
function requests(
  path: string,
  operation: OpenApiOperation,
  document: OpenApiDocument,
): fc.Arbitrary<Asked> {
  const inPath = operation.parameters.filter((one) => one.in === "path");
  const inQuery = operation.parameters.filter((one) => one.in === "query" && one.name !== "filter");
  const isList = operation.parameters.some((one) => one.name === "filter");
  const item = Object.values(document.components.schemas)[0]!;
  const body = operation.requestBody?.content["application/json"].schema;
  return fc
    .record({
      values: fc.tuple(
        ...inPath.map((one) =>
          one.name === "i" ? fc.constantFrom("0", "1", "x", "-1") : parameterText(one),
        ),
      ),
      query: fc.tuple(
        ...inQuery.map((one) =>
          fc
            .option(parameterText(one), { nil: null, freq: one.required ? 20 : 2 })
            .map((text) => [one.name, text] as const),
        ),
      ),
      more: isList ? fc.array(filters(item), { maxLength: 3 }) : fc.constant([]),
      body:
        body === undefined
          ? fc.constant(undefined)
          : sometimesOther(valueOf(body)).map((one) => JSON.stringify(one)),
    })
    .map(({ values, query, more, body: text }) => {
      let filled = path;
      for (const [i, { name: parameter }] of inPath.entries())
        filled = filled.replace(`{${parameter}}`, encodeURIComponent(values[i] ?? ""));
      const search = new URLSearchParams();
      for (const [key, value] of query) if (value !== null) search.append(key, value);
      for (const [key, value] of more) search.append(key, value);
      return { path: filled, query: search.toString(), body: text };
    });
}

/** Operations whose changes were taken. */
const taken = new Set<string>();

async function check(
  weir: Weir,
  method: string,
  operation: OpenApiOperation,
  document: OpenApiDocument,
  asked: Asked,
) {
  const url = weir.url(`/streamer/api/v3${asked.path}${asked.query === "" ? "" : `?${asked.query}`}`);
  // A name of dots alone never arrives: who asks takes it out, and asks at the address of something else.
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(asked.path)) return;
  const reply = await fetch(url, {
    method,
    headers: {
      authorization: AUTHORIZATION,
      ...(asked.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(asked.body === undefined ? {} : { body: asked.body }),
  });
  // Events go on without an end.
  const isEndless = reply.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (isEndless) {
    await reply.body?.cancel();
    return;
  }
  const text = await reply.text();
  if (method === "PUT" && reply.status === 200) taken.add(operation.operationId);
  const told = `${method} ${url} ${asked.body ?? ""}: ${reply.status} ${text.slice(0, 500)}`;
  assert.ok(reply.status < 500 || reply.status === 503, told);
  // A path that is none is refused before anybody knows whose it is, and a name may be the address of something else.
  const code = reply.headers.get("x-error-code");
  if (code === "API_NOT_FOUND" || code === "API_METHOD" || code?.startsWith("HTTP_") === true) return;
  const type = reply.headers.get("content-type");
  const response = operation.responses[String(reply.status)];
  assert.ok(response !== undefined, `not described: ${told}`);
  const contents = Object.entries(response.content ?? {});
  const [media, content] = contents.find(([one]) => one === type?.split(";")[0]) ?? contents[0] ?? [];
  if (content === undefined) {
    assert.equal(text, "", told);
    return;
  }
  assert.equal(media, type?.split(";")[0], `its type is not described: ${told}`);
  assert.equal(reply.headers.get("cache-control"), "no-store", told);
  const faults = schemaFaults(
    media === "application/json" ? JSON.parse(text) : text,
    content.schema,
    document,
  );
  assert.deepEqual(faults.slice(0, 5), [], told);
}

test(
  "every operation answers as it is described, whatever it is asked",
  { timeout: 300_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), "weir-api-properties-"));
    t.after(() => rm(root, { recursive: true, force: true }));
    await writeFile(join(root, "a.mp4"), "no film");
    const config = `threads 2; edit_auth root secret;
    dvr disk { root ${root}/dvr; }
    template live { prefix live; input publish://; }
    template rec { prefix rec; input publish://; dvr @disk 1d; }
    stream clip { input fake://fake; title "A clip"; }
    stream news { input publish://; dvr @disk 1d; position 3; labels a=b; }
    auth_backend portal { allow token aaa; allow default; }
    event_sink out { url http://127.0.0.1:1/; only event=nothing; }
    vod films { storage ${root}; }`;
    const weir = await startWeir(t, { config, readyTimeoutMs: 60_000 });
    const headers = { authorization: AUTHORIZATION };
    const document = (await (
      await fetch(weir.url("/streamer/api/v3/openapi.json"), { headers })
    ).json()) as OpenApiDocument;
    t.diagnostic(`WEIR_FUZZ_SEED=${SEED} WEIR_API_RUNS=${RUNS}`);
    let operations = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        operations++;
        const property = fc.asyncProperty(requests(path, operation, document), (asked) =>
          check(weir, method.toUpperCase(), operation, document, asked),
        );
        await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
      }
    }
    // Not only what is refused is tried.
    t.diagnostic(`changes that were taken: ${[...taken].join(", ")}`);
    assert.ok(taken.size >= 3, [...taken].join());
    assert.ok(operations >= 35, `${operations} operations`);
    assert.deepEqual(
      weir.log.filter(({ level }) => level === "error" || Number(level) >= 50),
      [],
    );
  },
);
