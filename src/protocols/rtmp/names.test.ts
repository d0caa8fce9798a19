import assert from "node:assert/strict";
import { test } from "node:test";
import { applicationOfUrl, passwordOfUrl, resolveTarget, withQueryOf } from "./names.ts";

const cases: { name: string; app: string; stream: string; value: [string, string] | null }[] = [
  { name: "application and stream are joined", app: "pub", stream: "camera", value: ["pub/camera", ""] },
  { name: "a long application", app: "chats/my", stream: "room", value: ["chats/my/room", ""] },
  { name: "a long stream", app: "chats", stream: "my/room", value: ["chats/my/room", ""] },
  { name: "static is taken off", app: "static", stream: "camera", value: ["camera", ""] },
  { name: "static with more behind it", app: "static/pub", stream: "camera", value: ["pub/camera", ""] },
  { name: "static alone is a name", app: "static", stream: "", value: ["static", ""] },
  { name: "static elsewhere stays", app: "pub", stream: "static", value: ["pub/static", ""] },
  { name: "slashes at the ends", app: "/pub/", stream: "/camera/", value: ["pub/camera", ""] },
  { name: "no application", app: "", stream: "camera", value: ["camera", ""] },
  { name: "no stream", app: "camera", stream: "", value: ["camera", ""] },
  { name: "the default instance", app: "pub/_definst_", stream: "camera", value: ["pub/camera", ""] },
  { name: "a container prefix", app: "vod", stream: "mp4:film.mp4", value: ["vod/film.mp4", ""] },
  {
    name: "a token after the stream",
    app: "pub",
    stream: "camera?token=a/b",
    value: ["pub/camera", "token=a/b"],
  },
  {
    name: "a token after the application",
    app: "pub?token=1",
    stream: "camera",
    value: ["pub/camera", "token=1"],
  },
  { name: "queries on both", app: "pub?a=1", stream: "camera?b=2", value: ["pub/camera", "b=2&a=1"] },
  { name: "nothing at all", app: "", stream: "", value: null },
  { name: "slashes only", app: "/", stream: "//", value: null },
  { name: "a path that climbs", app: "pub", stream: "../secret", value: null },
  { name: "an empty segment inside", app: "pub", stream: "a//b", value: null },
  { name: "percent encoding", app: "pub", stream: "a%2Fb", value: null },
  { name: "letters beyond ASCII", app: "pub", stream: "cam\u00e9ra", value: null },
  { name: "a NUL", app: "pub", stream: "a\u0000b", value: null },
  { name: "a name that is too long", app: "pub", stream: "a".repeat(252), value: null },
];

for (const { name, app, stream, value } of cases) {
  test(`the name of "${app.slice(0, 20)}" and "${stream.slice(0, 20)}": ${name}`, () => {
    const target = resolveTarget(app, stream);
    assert.deepEqual(target === null ? null : [target.name, target.query], value);
  });
}

test("the container that a player names is kept, for files whose extension it took off", () => {
  assert.equal(resolveTarget("vod", "mp4:sub/film")?.container, "mp4");
  assert.equal(resolveTarget("vod", "sub/film.mp4")?.container, null);
});

test("a password stands in front of the host of a tcUrl", () => {
  const rows: [string, string | null][] = [
    ["rtmp://user:pass@host/app", "pass"],
    ["rtmp://:pass@host:1935/app", "pass"],
    ["rtmps://user:p%40ss@host/app", "p@ss"],
    ["rtmp://user:%zz@host/app", "%zz"],
    ["rtmp://user:@host/app", ""],
    ["rtmp://user@host/app", null],
    [`rtmp://${":".repeat(1_000_000)}`, null],
    ["rtmp://host:1935/app", null],
    ["rtmp://host/app?a=b:c@d", null],
    ["nonsense", null],
  ];
  for (const [url, password] of rows) assert.equal(passwordOfUrl(url), password, url);
});

test("an application has the query of its tcUrl, unless it has one", () => {
  assert.equal(withQueryOf("pub", "rtmp://host/pub?token=1"), "pub?token=1");
  assert.equal(withQueryOf("pub?a=1", "rtmp://host/pub?token=1"), "pub?a=1");
  assert.equal(withQueryOf("pub", "rtmp://host/pub"), "pub");
});

test("the application is found in a tcUrl", () => {
  assert.equal(applicationOfUrl("rtmp://host:1935/pub/my?x=1"), "pub/my?x=1");
  assert.equal(applicationOfUrl("rtmp://host"), "");
  assert.equal(applicationOfUrl("nonsense"), "");
});
