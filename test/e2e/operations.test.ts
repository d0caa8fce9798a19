/** Starting, probing, stopping, and being told what is wrong. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import { eventually } from "../support/eventually.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");

function weir(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, stdout, stderr };
}

test("probes answer without credentials on both base paths, and not where the API is off", async (t) => {
  const second = await freePort();
  const server = await startWeir(t, {
    config: (ports) =>
      `http 127.0.0.1:${ports.http}; http 127.0.0.1:${second} { api false; } edit_auth root secret;`,
  });
  for (const base of ["flussonic", "streamer"]) {
    for (const probe of ["liveness", "readiness"]) {
      const path = `/${base}/api/v3/monitoring/${probe}`;
      const reply = await fetch(server.url(path), { headers: { authorization: "Bearer wrong" } });
      assert.equal(reply.status, 200, path);
      const body = (await reply.json()) as Record<string, unknown>;
      assert.deepEqual(Object.keys(body).toSorted(), ["build", "now", "server_version", "started_at"]);
      assert.equal((await fetch(`http://127.0.0.1:${second}${path}`)).status, 404, "api false");
    }
  }
  assert.ok(server.log.every((line) => !JSON.stringify(line).includes("secret")));
});

test(
  "SIGINT ends the server in order, in seconds, while a publisher and a player are on it",
  { skip: needs("ffmpeg"), timeout: 60_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const server = await startWeir(t, {
      config: "template pub { prefix pub; input publish://; segment_duration 2; }",
    });
    const publisher = publish(t, server.rtmpUrl("pub/x"), clip, { loop: true });
    await server.onAir("pub/x");
    assert.equal((await fetch(server.url("/pub/x/index.m3u8"))).status, 200);
    const player = startProgram(t, "ffmpeg", [
      "-nostdin",
      "-v",
      "error",
      "-i",
      server.rtmpUrl("pub/x"),
      "-c",
      "copy",
      "-f",
      "null",
      "-",
    ]);
    await sleep(2000);
    await server.stop();
    await Promise.all([publisher.ended, player.ended]);
    assert.equal(server.log.at(-1)!["msg"], "stopped");
  },
);

test("a broken config is refused whole, named, with line and caret, by serve and by check", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-broken-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "publish.conf");
  await writeFile(
    file,
    'rtmp 1935;\n\ntemplat pub {\n  prefix pub;\n}\nvod vod { storage "/tmp"; }\nhttp eighty;\n',
  );
  const check = weir("check", file);
  assert.equal(check.code, 1);
  assert.match(
    check.stdout + check.stderr,
    /error: unknown directive "templat"[^\n]*\n +--> [^\n]*publish\.conf:3:1\n +\|\n +3 \| templat pub \{\n +\| \^{7} did you mean "template"\?/,
  );
  assert.match(check.stdout + check.stderr, /publish\.conf:7:/, "all errors, not only the first");
  const json = JSON.parse(weir("check", file, "--format", "json").stdout) as unknown;
  assert.ok(JSON.stringify(json).includes('"line":3'));
  const serve = weir("serve", "--config", file);
  assert.equal(serve.code, 1);
  assert.match(serve.stderr, /did you mean "template"\?/);
  assert.match(serve.stderr, /not started/);
});

test("a directive that would protect is refused until it works, a harmless one warned about", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "weir-warn-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "a.conf"), "template pub { prefix pub; input publish://; drm widevine; }");
  assert.equal(weir("check", folder).code, 1);
  await writeFile(
    join(folder, "a.conf"),
    "template pub { prefix pub; input publish://; logo path=/a.png; }",
  );
  const { code, stdout, stderr } = weir("check", folder);
  assert.equal(code, 0);
  assert.match(stdout + stderr, /warning/);
});

test("a taken port is said in words", async (t) => {
  const server = await startWeir(t);
  const folder = await mkdtemp(join(tmpdir(), "weir-port-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "a.conf"), `http 127.0.0.1:${server.ports.http};`);
  const { code, stderr } = weir("serve", "--config", folder);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`EADDRINUSE.*${server.ports.http}`));
});

test("npm start's server says what to open, how to publish and the password", async (t) => {
  const [http, rtmp] = [await freePort(), await freePort()];
  const lines: string[] = [];
  const program = startProgram(
    t,
    process.execPath,
    [MAIN, "serve", "--demo", "--http-port", String(http), "--rtmp-port", String(rtmp)],
    {
      onLine: (line) => lines.push(line),
    },
  );
  await eventually(
    () =>
      assert.ok(
        lines.some((line) => line.includes('"ready"')),
        lines.join("\n"),
      ),
    { timeoutMs: 15_000 },
  );
  const text = lines.join("\n");
  assert.match(text, new RegExp(`http://localhost:${http}/`));
  assert.match(text, new RegExp(`ffmpeg -re -i FILE -c copy -f flv rtmp://localhost:${rtmp}/pub/NAME`));
  assert.match(text, /admin {3}[A-Za-z0-9_-]{12}/);
  const streams = (await (await fetch(`http://127.0.0.1:${http}/-/streams`)).json()) as {
    streams: { name: string }[];
  };
  assert.deepEqual(
    streams.streams.map((stream) => stream.name),
    ["demo"],
  );
  // Its clip is opened as the server starts, which takes a moment on a busy machine.
  await eventually(
    async () => assert.equal((await fetch(`http://127.0.0.1:${http}/demo/index.m3u8`)).status, 200),
    { timeoutMs: 15_000 },
  );
  assert.equal((await fetch(`http://127.0.0.1:${http}/vod/sample.mp4/index.m3u8`)).status, 200);
  assert.deepEqual(await program.stop(10_000), { code: 0, signal: null });
});

test("weir --help and the help of each command say what they take", () => {
  const { code, stdout } = weir("--help");
  assert.equal(code, 0);
  for (const word of [
    "serve",
    "check",
    "print",
    "--config",
    "FLUSSONIC_EDIT_AUTH",
    "rtmp://localhost/pub/NAME",
  ]) {
    assert.ok(stdout.includes(word), word);
  }
  for (const command of ["serve", "check", "print"]) assert.equal(weir(command, "--help").code, 0);
  assert.notEqual(weir("serv").code, 0);
});
