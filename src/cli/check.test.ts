import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { checkCommand } from "./check.ts";
import { printCommand } from "./print.ts";
import { REFERENCE_PATH, writeReference } from "./reference.ts";
import { renderConfigReference } from "../config/reference.ts";
import { readFile } from "node:fs/promises";
import type { CliIo } from "./io.ts";

const ARTICLE = new URL("../../test/vectors/config/article", import.meta.url).pathname;

let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "weir-check-"));
});

after(async () => {
  await rm(root, { recursive: true });
});

type Recording = { io: CliIo; out: () => string; err: () => string };

function record(env: CliIo["env"] = {}, isTty = false): Recording {
  const out: string[] = [];
  const err: string[] = [];
  const io: CliIo = { stdout: (text) => out.push(text), stderr: (text) => err.push(text), env, isTty };
  return { io, out: () => out.join(""), err: () => err.join("") };
}

async function config(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, text);
  return path;
}

test("weir check of a good config says so and exits with 0", async () => {
  const { io, out, err } = record();
  assert.equal(await checkCommand({ paths: [ARTICLE], format: "text" }, io), 0);
  assert.equal(out(), "3 files: the config is good\n");
  assert.equal(err(), "");
});

test("weir check prints warnings and exits with 0", async () => {
  const path = relative(process.cwd(), await config("warn.conf", "rtsp 554;\n"));
  const { io, out } = record();
  assert.equal(await checkCommand({ paths: [path], format: "text" }, io), 0);
  const expected = [
    'warning: directive "rtsp" has no effect yet',
    `  --> ${path}:1:1`,
    "   |",
    " 1 | rtsp 554;",
    "   | ^^^^",
    "",
    "1 file: 1 warning; the config is good",
    "",
  ];
  assert.equal(out(), expected.join("\n"));
});

test("weir check prints every error and exits with 1", async () => {
  const path = await config("bad.conf", "templat pub {}\nrtmp abc;\n");
  const { io, out } = record();
  assert.equal(await checkCommand({ paths: [path], format: "text" }, io), 1);
  assert.match(out(), /unknown directive "templat"/);
  assert.match(out(), /rtmp: "abc" is not a port/);
  assert.match(out(), /\n1 file: 2 errors; the config is refused\n$/);
});

test("weir check takes several paths as one config", async () => {
  const one = await config("one.conf", "stream a { input publish://; }");
  const two = await config("two.conf", "stream a { input publish://; }");
  const { io, out } = record();
  assert.equal(await checkCommand({ paths: [one, two], format: "text" }, io), 1);
  assert.match(out(), /stream "a" is defined twice/);
});

test("weir check of a path that is not there exits with 1", async () => {
  const { io, out } = record();
  assert.equal(await checkCommand({ paths: [join(root, "missing")], format: "text" }, io), 1);
  assert.match(out(), /^error: no such file or directory\n {2}--> .*missing\n/);
});

test("weir check --format json prints the same as data", async () => {
  const path = await config("json.conf", "rtmp abc;\n");
  const { io, out } = record();
  assert.equal(await checkCommand({ paths: [path], format: "json" }, io), 1);
  assert.deepEqual(JSON.parse(out()), {
    ok: false,
    files: [path],
    problems: [
      {
        severity: "error",
        code: "CONFIG_BAD_VALUE",
        file: path,
        line: 1,
        column: 6,
        length: 3,
        message: 'rtmp: "abc" is not a port',
        hint: "a number up to 65535, or ADDRESS:PORT",
      },
    ],
  });
  const good = record();
  assert.equal(await checkCommand({ paths: [ARTICLE], format: "json" }, good.io), 0);
  assert.equal((JSON.parse(good.out()) as { ok: boolean }).ok, true);
});

test("weir check checks the environment with the config", async () => {
  const { io, out } = record({ STREAMER_CONFIG_EXTERNAL: "http://host" });
  assert.equal(await checkCommand({ paths: [ARTICLE], format: "text" }, io), 1);
  assert.match(out(), /variable STREAMER_CONFIG_EXTERNAL does not work yet/);
});

test("colours are for terminals", async () => {
  const path = await config("colour.conf", "rtmp abc;\n");
  for (const isTty of [true, false]) {
    const { io, out } = record({}, isTty);
    await checkCommand({ paths: [path], format: "text" }, io);
    assert.equal(out().includes("\u001b["), isTty);
  }
});

test("weir print prints the config without its passwords", async () => {
  const path = await config("print.conf", "edit_auth root hunter2;\nrtsp 554;\n");
  const { io, out, err } = record();
  assert.equal(await printCommand({ path }, io), 0);
  assert.match(out(), /^http 80;\nloglevel info;\n# edit_auth root /);
  assert.doesNotMatch(out(), /hunter/);
  assert.match(err(), /"rtsp" has no effect yet/);
  const shown = record();
  assert.equal(await printCommand({ path, showSecrets: true }, shown.io), 0);
  assert.match(shown.out(), /^edit_auth root hunter2;$/m);
});

test("weir print of a broken config prints its problems and exits with 1", async () => {
  const path = await config("broken.conf", "edit_auth root hunter2 x;\n");
  const { io, out, err } = record();
  assert.equal(await printCommand({ path }, io), 1);
  assert.equal(out(), "");
  assert.match(err(), /takes 2 arguments, not 3/);
  assert.doesNotMatch(err(), /hunter/);
});

test("the reference is written where the docs are", async () => {
  assert.match(REFERENCE_PATH, /\/docs\/config\.md$/);
  const path = join(root, "config.md");
  await writeReference(path);
  assert.equal(await readFile(path, "utf8"), renderConfigReference());
});
