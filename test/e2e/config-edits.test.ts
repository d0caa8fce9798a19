import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rename, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const LOGIN = "edit_auth root secret;\n";
const AUTHORIZATION = `Basic ${Buffer.from("root:secret").toString("base64")}`;
const MAIN = "flussonic.conf";

type Reply = { readonly status: number; readonly json: Record<string, unknown> };

async function call(weir: Weir, method: string, path: string, body?: unknown): Promise<Reply> {
  const isText = typeof body === "string";
  const reply = await fetch(weir.url(`/streamer/api/v3${path}`), {
    method,
    headers: {
      authorization: AUTHORIZATION,
      ...(body === undefined ? {} : { "content-type": isText ? "text/plain" : "application/json" }),
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await reply.text();
  return { status: reply.status, json: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** The first error of a reply. */
function errorOf({ json }: Reply): Record<string, unknown> {
  return (json["errors"] as Record<string, unknown>[])[0]!;
}

function main(weir: Weir): Promise<string> {
  return readFile(join(weir.configFolder, MAIN), "utf8");
}

test(
  "a stream that is made by API takes a publisher, is kept over a restart, and can be changed and taken away",
  { skip: needs("ffmpeg") },
  async (t) => {
    const text = `# the head\n${LOGIN}stream other { # not touched\n\tinput   publish://;\n}\n# the tail\n`;
    const weir = await startWeir(t, { config: text });
    const made = await call(weir, "PUT", "/streams/api/cam", {
      inputs: [{ url: "publish://" }],
      title: "A",
    });
    assert.equal(made.status, 200, JSON.stringify(made.json));
    assert.deepEqual(made.json["config_on_disk"], {
      name: "api/cam",
      inputs: [{ url: "publish://" }],
      title: "A",
    });
    assert.equal(await main(weir), `${text}\nstream api/cam {\n  input publish://;\n  title A;\n}\n`);

    publish(t, weir.rtmpUrl("api/cam"), await makeClip({ durationS: 4 }), { loop: true });
    await weir.onAir("api/cam");

    const changed = await call(weir, "PUT", "/streams/api%2Fcam", { title: "B c", position: 3 });
    assert.equal(changed.status, 200);
    assert.match(await main(weir), / {2}title "B c";\n {2}position 3;\n}\n$/);
    await weir.onAir("api/cam");

    await weir.stop();
    await weir.start(t);
    assert.equal((await call(weir, "PUT", "/streams/api/cam", { position: null })).status, 200);
    assert.match(await main(weir), / {2}title "B c";\n}\n$/);

    assert.equal((await call(weir, "DELETE", "/streams/api/cam")).status, 204);
    assert.equal(await main(weir), text);
    assert.equal((await call(weir, "DELETE", "/streams/api/cam")).status, 404);
  },
);

test("what would not check is refused with its place, and nothing is changed", async (t) => {
  const text = `${LOGIN}stream a { input publish://; }\n`;
  const weir = await startWeir(t, { config: text });
  const refused = await call(weir, "PUT", "/streams/a", { template: "gone" });
  assert.equal(refused.status, 400);
  const { code, meta } = errorOf(refused) as {
    code: string;
    meta: { config_error: Record<string, unknown> };
  };
  assert.equal(code, "edit_rejected");
  const { error, line, col, path } = meta.config_error;
  assert.deepEqual([error, line, col], ["config_unknown_template", 2, 39]);
  assert.deepEqual(path, [join(weir.configFolder, MAIN), "stream", "a"]);
  const unknown = errorOf(await call(weir, "PUT", "/streams/a", { titel: "x" }));
  assert.deepEqual([unknown["code"], unknown["source"]], ["edit_bad_field", { pointer: "/titel" }]);
  assert.equal(await main(weir), text);
});

test("a stream that runs by a template gets lines of its own and keeps the template", async (t) => {
  const text = `${LOGIN}template live {\n  prefix live;\n  input publish://;\n}\n`;
  const weir = await startWeir(t, { config: text });
  const made = await call(weir, "PUT", "/streams/live/a", { title: "A" });
  assert.equal(made.status, 200);
  assert.deepEqual(made.json, {
    ...(await call(weir, "GET", "/streams/live/a")).json,
    ...{ template: "live", stats: made.json["stats"] },
  });
  const { who, method, path, address } = await weir.logged("changed by API");
  assert.deepEqual([who, method, path, address], ["root", "PUT", "/streams/live/a", "127.0.0.1"]);
  assert.equal(await main(weir), `${text}\nstream live/a {\n  template live;\n  title A;\n}\n`);
});

test("a whole configuration is checked and taken as text, and settings as JSON", async (t) => {
  const text = `${LOGIN}stream a { input publish://; }\n`;
  const weir = await startWeir(t, { config: text });
  const bad = await call(weir, "POST", "/config", `${text}strem b {}\n`);
  assert.deepEqual([bad.status, bad.json["error"], bad.json["line"]], [400, "config_unknown_directive", 3]);
  assert.equal((await call(weir, "POST", "/config", text)).json["error"], null);
  assert.equal((await call(weir, "PUT", "/config", { loglevel: "debug" })).status, 200);
  assert.equal(await main(weir), `${LOGIN}loglevel debug;\nstream a { input publish://; }\n`);
  assert.equal((await call(weir, "PUT", "/config", `${text}stream b { input publish://; }\n`)).status, 200);
  assert.equal(await main(weir), `${text}stream b { input publish://; }\n`);
});

test("what a ConfigMap or a variable says is refused with the reason", async (t) => {
  const weir = await startWeir(t, {
    config: { [MAIN]: LOGIN, "flussonic.conf.d/a.conf": "stream a { input publish://; }\n" },
    env: { STREAMER_LOG_LEVEL: "info" },
  });
  const folder = join(weir.configFolder, "flussonic.conf.d");
  const payload = join(folder, "..2026_01_01");
  await mkdir(payload);
  await rename(join(folder, "a.conf"), join(payload, "a.conf"));
  await symlink("..2026_01_01", join(folder, "..data"));
  await symlink("..data/a.conf", join(folder, "a.conf"));
  const refused = await call(weir, "PUT", "/streams/a", { title: "A" });
  assert.equal(refused.status, 409, JSON.stringify(refused.json));
  assert.equal(errorOf(refused)["code"], "edit_read_only");
  assert.match(String(errorOf(refused)["title"]), /key "a\.conf" of a ConfigMap/);
  const variable = errorOf(await call(weir, "PUT", "/config", { loglevel: "debug" }));
  assert.equal(variable["code"], "edit_from_environment");
  assert.match(String(variable["title"]), /STREAMER_LOG_LEVEL/);
  // The main file is the server's own.
  assert.equal((await call(weir, "PUT", "/streams/b", { inputs: [{ url: "publish://" }] })).status, 200);
  assert.match(await main(weir), /stream b/);
});

test("a change that cannot be put in force is taken back", async (t) => {
  const weir = await startWeir(t, { config: LOGIN });
  const port = weir.ports.rtmp;
  const refused = await call(weir, "PUT", "/config", { listeners: { http: [{ port }] } });
  assert.ok(refused.status >= 400, JSON.stringify(refused.json));
  assert.equal(await main(weir), LOGIN);
});

test("changes that come all at once are made one after the other, and the file's mode stays", async (t) => {
  const weir = await startWeir(t, { config: LOGIN });
  const file = join(weir.configFolder, MAIN);
  await chmod(file, 0o640);
  const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const puts = names.map((name) =>
    call(weir, "PUT", `/streams/${name}`, { inputs: [{ url: "publish://" }] }),
  );
  const replies = await Promise.all(puts);
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
  const text = await main(weir);
  for (const name of names) assert.ok(text.includes(`stream ${name} {`), name);
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.deepEqual((await readdir(weir.configFolder)).toSorted(), [MAIN, `${MAIN}.d`]);
});

test("a configuration of two thousand streams is checked, replaced and given back whole", async (t) => {
  const weir = await startWeir(t, { config: LOGIN });
  const streams = Array.from(
    { length: 2000 },
    (_, i) => `stream s${i} { input publish://; title "Stream ${i}"; }\n`,
  );
  const text = `${LOGIN}${streams.join("")}`;
  assert.ok(text.length > 100_000);
  assert.deepEqual((await call(weir, "POST", "/config", text)).status, 200);
  const wrong = await call(weir, "POST", "/config", `${text}strem x { }\n`);
  assert.deepEqual([wrong.status, wrong.json["line"]], [400, 2002]);
  assert.equal((await call(weir, "PUT", "/config", text)).status, 200);
  assert.equal(await main(weir), text);

  const whole = (await call(weir, "GET", "/config?full=true")).json;
  const told = whole["streams"] as Record<string, unknown>[];
  assert.equal(told.length, 2000);
  told[1999]!["title"] = "Other";
  assert.equal((await call(weir, "PUT", "/config", whole)).status, 200);
  assert.equal(await main(weir), text.replace('"Stream 1999"', "Other"));

  const long = "x".repeat(70_000);
  assert.equal(await statusOf(weir, "/streams/s1", { comment: long }), 413, "one object is small");
  assert.equal(await statusOf(weir, "/config", { hostname: "x".repeat(4 * 1024 * 1024) }), 413);
});

/** Of a refusal in plain text. */
async function statusOf(weir: Weir, path: string, body: unknown): Promise<number> {
  const reply = await fetch(weir.url(`/streamer/api/v3${path}`), {
    method: "PUT",
    headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  await reply.arrayBuffer();
  return reply.status;
}
