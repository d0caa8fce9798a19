import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import { editFiles, MAX_OBJECTS_AT_ONCE } from "../config/edit/edit-files.ts";
import type { ConfigEdit } from "../config/edit/edit-files.ts";
import { configErrorStatus } from "../config/edit/error-status.ts";
import type { ConfigErrorStatus } from "../config/edit/error-status.ts";
import { loadConfig } from "../config/load.ts";
import type { SourceFile } from "../config/place.ts";
import { configRoutes } from "./config-routes.ts";
import { OBJECT_KINDS, objectSchema, settingsSchema } from "./config-schemas.ts";
import { ApiRoutes } from "./routes.ts";

/** What replies of these routes have in them. */
type Told = {
  readonly errors: readonly { code: string; source: object; meta: { config_error: ConfigErrorStatus } }[];
  readonly config_on_disk: Readonly<Record<string, unknown>>;
  readonly error: string | null;
  readonly col: number;
};

/** A configuration in memory. */
class World {
  files: readonly SourceFile[];
  readonly edits: ConfigEdit[] = [];
  readonly routes: ApiRoutes;

  constructor(text: string) {
    this.files = [{ file: "a.conf", text }];
    const editor = {
      edit: (edit: ConfigEdit) => {
        this.edits.push(edit);
        const { text: next } = editFiles(this.files, edit, () => "a.conf");
        const loaded = loadConfig([{ file: "a.conf", text: next }]);
        if (loaded.config === undefined) {
          return Promise.resolve({ kind: "bad" as const, status: configErrorStatus(loaded) });
        }
        this.files = [{ file: "a.conf", text: next }];
        return Promise.resolve({ kind: "changed" as const, files: this.files });
      },
      check: (checked: string) =>
        Promise.resolve(configErrorStatus(loadConfig([{ file: "a.conf", text: checked }]))),
    };
    this.routes = new ApiRoutes(configRoutes({ editor, config: () => loadConfig(this.files).config! }));
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<{ status: number; json: Told }> {
    const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
    const reply = (await this.routes.answer(request(method, path, text, type), path, "edit"))!;
    return { status: reply.status, json: jsonOf(reply) as Told };
  }
}

function request(method: string, path: string, body: string, type: string): HttpRequest {
  return {
    method,
    path,
    query: new URLSearchParams(),
    header: (name) => (name === "content-type" ? type : undefined),
    remoteAddress: "127.0.0.1",
    ...(body === "" ? {} : { body: new TextEncoder().encode(body) }),
  };
}

function jsonOf({ body }: HttpReply): unknown {
  const text = Buffer.concat(body).toString();
  return text === "" ? null : JSON.parse(text);
}

const STREAM = "stream a/b { input publish://; }\n";

test("objects of every kind are made, changed and taken away at their addresses", async () => {
  const world = new World("");
  const made: readonly [string, object][] = [
    ["/streams/a/b", { inputs: [{ url: "publish://" }] }],
    ["/templates/live", { prefix: ["live"], inputs: [{ url: "publish://" }] }],
    ["/vods/movies/old", { storages: [{ url: "/media" }] }],
    ["/dvrs/disk", { root: "/rec" }],
  ];
  for (const [path, body] of made) {
    const put = await world.call("PUT", path, body);
    assert.equal(put.status, 200, JSON.stringify(put.json));
    assert.deepEqual((await world.call("PUT", path, {})).json, put.json);
  }
  for (const [path] of made.toReversed()) assert.equal((await world.call("DELETE", path)).status, 204);
  assert.equal(world.files[0]!.text.trim(), "");
});

test("a refused change tells the line and the column", async () => {
  const world = new World(STREAM);
  const { status, json } = await world.call("PUT", "/streams/a/b", { template: "gone" });
  assert.equal(status, 400);
  assert.equal(json.errors[0]!.code.toUpperCase(), "EDIT_REJECTED");
  const { error, line, col, path, detail } = json.errors[0]!.meta.config_error;
  assert.deepEqual(
    [error, line, col, path],
    ["config_unknown_template", 1, 41, ["a.conf", "stream", "a/b"]],
  );
  assert.match(detail ?? "", /there is no template "gone"/);
});

test("an error names the property by a JSON pointer", async () => {
  const { json } = await new World(STREAM).call("PUT", "/streams/a/b", {
    inputs: [{ url: "publish://", x: 1 }],
  });
  assert.deepEqual(
    [json.errors[0]!.code, json.errors[0]!.source],
    ["edit_bad_field", { pointer: "/inputs/0/x" }],
  );
});

test("a body that is nested too deep is refused", async () => {
  let body: unknown = 1;
  for (let depth = 0; depth < 40; depth++) body = { a: body };
  const { status, json } = await new World(STREAM).call("PUT", "/streams/a/b", body);
  assert.deepEqual([status, json.errors[0]!.code], [400, "api_bad_field"]);
});

test("a stream that runs by a template takes it along, unless it says otherwise", async () => {
  const world = new World("template live { prefix live; input publish://; }\n");
  const put = async (name: string, body: object): Promise<unknown> =>
    (await world.call("PUT", `/streams/live/${name}`, body)).json.config_on_disk["template"];
  assert.equal(await put("a", { title: "A" }), "live");
  assert.equal(await put("b", { template: null, inputs: [{ url: "publish://" }] }), undefined);
  assert.equal(await put("c", { $reset: true, inputs: [{ url: "publish://" }] }), undefined);
});

test("a configuration is checked as text, or as JSON with the text in it", async () => {
  const world = new World(STREAM);
  assert.equal((await world.call("POST", "/config", STREAM, "text/plain")).json.error, null);
  assert.equal((await world.call("POST", "/config", { config: STREAM })).json.error, null);
  const bad = await world.call("POST", "/config", "strem a {}", "text/plain; charset=utf-8");
  assert.deepEqual([bad.status, bad.json.error, bad.json.col], [400, "config_unknown_directive", 1]);
  assert.deepEqual(world.edits, []);
  assert.equal((await world.call("PUT", "/streams/a", "x", "text/plain")).status, 415);
});

test("settings and objects of lists are changed by one request, and errors say where they stand in it", async () => {
  const world = new World(STREAM);
  const streams = [{ name: "two", inputs: [{ url: "publish://" }] }];
  const { status } = await world.call("PUT", "/config", { threads: 2, streams, vods: null });
  assert.equal(status, 200);
  assert.match(world.files[0]!.text, /threads 2;/);
  assert.match(world.files[0]!.text, /stream two \{\n {2}input publish:\/\/;\n\}/);
  const pointerOf = async (body: object): Promise<unknown> => {
    const { json } = await world.call("PUT", "/config", body);
    return json.errors[0]!.source;
  };
  assert.deepEqual(await pointerOf({ streams: {} }), { pointer: "/streams" });
  assert.deepEqual(await pointerOf({ streams: [{ title: "A" }] }), { pointer: "/streams/0/name" });
  const badTitle = [{ name: "two" }, { name: "one", title: [] }, { name: "two", titel: "A" }];
  assert.deepEqual(await pointerOf({ streams: badTitle }), { pointer: "/streams/2/titel" });
  const masked = [{ name: "new", inputs: [{ url: "rtmp://***@host/x" }] }];
  assert.deepEqual(await pointerOf({ streams: masked }), { pointer: "/streams/0/inputs/0/url" });
  const many = Array.from({ length: MAX_OBJECTS_AT_ONCE + 1 }, (_, i) => ({ name: `s${i}` }));
  assert.deepEqual(await pointerOf({ streams: many }), { pointer: "" });
});

test("a server without files refuses with the reason", async () => {
  const routes = new ApiRoutes(configRoutes({ editor: null, config: () => loadConfig([]).config! }));
  const reply = await routes.answer(request("DELETE", "/streams/a", "", ""), "/streams/a", "edit");
  assert.equal(reply?.status, 409);
  const denied = await routes.answer(request("DELETE", "/streams/a", "", ""), "/streams/a", "view");
  assert.equal(denied?.status, 403);
});

test("the schemas take what the API shows, and become a document", () => {
  const stream = objectSchema("stream");
  const shown = {
    name: "a",
    inputs: [{ url: "publish://", priority: 1 }],
    dvr: { reference: "disk", expiration: 86_400 },
    segment_duration: 4000,
    labels: { a: "1" },
    title: null,
  };
  assert.deepEqual(stream.parse(shown), shown);
  assert.equal(stream.safeParse({ titel: "x" }).success, false);
  for (const [kind] of OBJECT_KINDS)
    assert.equal(z.toJSONSchema(objectSchema(kind), { unrepresentable: "any" }).type, "object");
  assert.equal(
    settingsSchema().safeParse({ loglevel: "debug", listeners: { http: [{ port: 80 }] } }).success,
    true,
  );
});
