/** What a cluster may give a server that is wrong: each has a message, and a state that makes sense. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/weir.js");
const READINESS = "/streamer/api/v3/monitoring/readiness";

type Env = Readonly<Record<string, string>>;

/** A folder of its own for a test. */
async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-bad-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a server that is not to start. `before`: what to run it by. Returns: what it says. */
function refusal(config: string, env: Env = {}, before: readonly string[] = []): string {
  const [program, ...args] = [...before, process.execPath, MAIN, "serve", "--config", config];
  const { status, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  assert.equal(status, 1, stderr);
  return stderr;
}

/** Runs a server by a shell's command line in which "$@" is the server, until it is ready; then ends it: with 0. */
async function runs(t: TestContext, line: string, env: Env = {}): Promise<void> {
  const port = await freePort();
  const folder = await folderOf(t);
  const command = [process.execPath, MAIN, "serve", "--config", folder];
  const child = spawn("sh", ["-c", line, "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FLUSSONIC_HTTP: `127.0.0.1:${port}`, ...env },
  });
  // Nobody reads what is written there; the system tells whoever writes.
  child.stdout.destroy();
  const ended = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const look = async (): Promise<void> => {
    const url = `http://127.0.0.1:${port}${READINESS}`;
    const reply = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(2000) });
    assert.equal(reply.status, 200, await reply.text());
  };
  await eventually(look, { timeoutMs: 30_000 });
  // More lines than the first, that failed: each is tried again.
  for (let i = 0; i < 3; i++) child.kill("SIGHUP");
  await look();
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
}

describe("a server that is not started says why and ends with 1", { timeout: 120_000 }, () => {
  const CONFIGS: readonly [name: string, text: string | Buffer, says: RegExp][] = [
    ["malformed", "http 80;\r\nstrem a {}\r\n", /"strem".*\n.*a\.conf:2:1/],
    ["base64 twice", btoa("edit_auth root secret;"), /base64 of a configuration\n.*a\.conf/],
    ["UTF-16", Buffer.from("\uFEFFhttp 80;", "utf16le"), /it is UTF-16, save it as UTF-8\n.*a\.conf/],
    [
      "of two files with byte order marks",
      "\uFEFFhttp 80;\n\uFEFFrtmp 1935;",
      /a\.conf:2:1[^]*order mark[^]*: delete it/,
    ],
  ];
  for (const [name, text, says] of CONFIGS) {
    test(`when a part of its configuration is ${name}`, async (t) => {
      const folder = await folderOf(t);
      await writeFile(join(folder, "a.conf"), text);
      const said = refusal(folder);
      assert.match(said, says);
      assert.match(said, /weir: not started: the configuration in .* has errors\n$/);
      assert.doesNotMatch(said, /secret|ZWRpdF9hdXRo/);
    });
  }

  test("when its configuration is not there", () => {
    const said = refusal("/nowhere/at/all");
    assert.match(
      said,
      /no such file or directory[^]*not started: the configuration in \/nowhere\/at\/all has errors/,
    );
  });

  const SECRETS: readonly [name: string, value: string, says: RegExp][] = [
    ["malformed", "secret", /there is no ":" between login and password/],
    ["base64 twice", btoa("root:secret"), /base64 twice: encode it once under `data`/],
    ["begun by a byte order mark", "\uFEFFroot:secret", /byte order mark: save it as UTF-8 without one/],
    ["of two lines", "root\r\nsecret", /more than one line/],
  ];
  for (const [name, value, says] of SECRETS) {
    test(`when its administrator's Secret is ${name}`, async (t) => {
      const said = refusal(await folderOf(t), { FLUSSONIC_EDIT_AUTH: value });
      assert.match(said, says);
      assert.match(said, /FLUSSONIC_EDIT_AUTH=\*\*\*/);
      assert.doesNotMatch(said, /secret|cm9vdDpzZWNyZXQ/);
    });
  }

  for (const threads of [1, 3]) {
    test(`when a port is in use, with ${threads} media thread(s)`, async (t) => {
      const holder = createServer().listen(0, "127.0.0.1");
      t.after(() => holder.close());
      await new Promise((done) => holder.once("listening", done));
      const { port } = holder.address() as AddressInfo;
      const folder = await folderOf(t);
      await writeFile(join(folder, "a.conf"), `threads ${threads};\nhttp 127.0.0.1:${port};\n`);
      const says = `not started: .*EADDRINUSE.*:${port} .*a\\.conf:2\\): another program, .* has the port`;
      assert.match(refusal(folder), new RegExp(says));
    });
  }

  test("when it may not read its configuration", { skip: whyNotRoot() }, async (t) => {
    const folder = await folderOf(t);
    await writeFile(join(folder, "a.conf"), "http 80;", { mode: 0o600 });
    await chown(join(folder, "a.conf"), 65_534, 65_534);
    // A root that may not read what belongs to others.
    const said = refusal(folder, {}, ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]);
    assert.match(said, /there is no permission to read it\n.*a\.conf[^]*not started/);
  });
});

describe("a server goes on", { timeout: 120_000 }, () => {
  test("when its log is a file on a full volume", (t) => runs(t, 'exec "$@" >/dev/full'));

  test("when nobody reads its log any more", (t) => runs(t, 'exec "$@"'));

  test("when it has no standard output", (t) => runs(t, 'exec "$@" >&-'));

  for (const [name, options] of [
    ["read-only", "ro"],
    ["full", "size=4k"],
  ] as const) {
    test(`when the volume for compiled code is ${name}`, { skip: whyNotRoot() }, async (t) => {
      const volume = join(await folderOf(t), "volume");
      await mkdir(volume);
      const mount = `mount -t tmpfs -o ${options} tmpfs ${volume}`;
      const fill = options === "ro" ? "true" : `head -c 4096 /dev/zero > ${volume}/full`;
      await runs(t, `exec unshare --mount sh -c '${mount} && ${fill} && exec "$@"' sh "$@"`, {
        NODE_COMPILE_CACHE: volume,
      });
    });
  }
});

function whyNotRoot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "volumes and owners need root on Linux";
  const probes = [
    ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", "true"],
  ];
  const fails = probes.find(([program, ...args]) => spawnSync(program!, args).status !== 0);
  return fails === undefined ? false : `this machine allows no ${fails[0]}`;
}
