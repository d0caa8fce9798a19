import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  MAX_CONFIG_BYTES,
  MAX_CONFIG_FILE_BYTES,
  MAX_CONFIG_FILES,
  readConfigFiles,
} from "./config-files.ts";
import type { ConfigFiles } from "./config-files.ts";

let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "weir-config-"));
});

after(async () => {
  await rm(root, { recursive: true });
});

/** Makes a directory with files; a name that ends in "/" is a directory, `-> target` a link. */
async function tree(name: string, entries: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  for (const [path, content] of Object.entries(entries)) {
    const full = join(directory, path);
    if (path.endsWith("/")) await mkdir(full);
    else if (content.startsWith("-> ")) await symlink(content.slice(3), full);
    else await writeFile(full, content);
  }
  return directory;
}

function names({ files }: ConfigFiles, directory: string): string[] {
  return files.map((one) => one.file.slice(directory.length + 1));
}

test("the main file is read first, then the parts in the order of their names", async () => {
  const directory = await tree("both", {
    "flussonic.conf": "main",
    "flussonic.conf.d/": "",
    "flussonic.conf.d/b.conf": "b",
    "flussonic.conf.d/a.conf": "a",
    "flussonic.conf.d/10.conf": "10",
    "flussonic.conf.d/Z.conf": "Z",
    "flussonic.conf.d/notes.txt": "no",
    "flussonic.conf.d/a.conf.bak": "no",
    "other.conf": "no",
  });
  const read = await readConfigFiles(directory);
  assert.deepEqual(read.problems, []);
  assert.equal(read.found, true);
  assert.deepEqual(
    read.files.map((one) => one.text),
    ["main", "10", "Z", "a", "b"],
  );
  assert.deepEqual(names(read, directory)[1], "flussonic.conf.d/10.conf");
  assert.deepEqual(await readConfigFiles(join(directory, "flussonic.conf")), read);
});

test("a directory may have parts alone, or be a directory of parts", async () => {
  const directory = await tree("parts", { "flussonic.conf.d/": "", "flussonic.conf.d/ports.conf": "p" });
  assert.deepEqual(names(await readConfigFiles(directory), directory), ["flussonic.conf.d/ports.conf"]);
  const parts = join(directory, "flussonic.conf.d");
  assert.deepEqual(names(await readConfigFiles(parts), parts), ["ports.conf"]);
});

test("the article's directory of three parts is read", async () => {
  const directory = new URL("../../test/vectors/config/article", import.meta.url).pathname;
  const read = await readConfigFiles(directory);
  assert.deepEqual(read.problems, []);
  assert.deepEqual(names(read, directory), ["ports.conf", "publish.conf", "vod.conf"]);
});

test("a file of another name has its own directory of parts", async () => {
  const directory = await tree("named", { "my.conf": "main", "my.conf.d/": "", "my.conf.d/a.conf": "a" });
  assert.deepEqual(
    (await readConfigFiles(join(directory, "my.conf"))).files.map((one) => one.text),
    ["main", "a"],
  );
  const alone = join(directory, "my.conf.d", "a.conf");
  assert.deepEqual((await readConfigFiles(alone)).files, [{ file: alone, text: "a" }]);
});

test("a mounted ConfigMap is read through its links, once", async () => {
  const directory = await tree("mounted", {
    "..2026_01_01/": "",
    "..2026_01_01/ports.conf": "rtmp 1935;",
    "..2026_01_01/vod.conf": "vod",
    "..data": "-> ..2026_01_01",
    "ports.conf": "-> ..data/ports.conf",
    "vod.conf": "-> ..data/vod.conf",
    ".hidden.conf": "no",
  });
  const read = await readConfigFiles(directory);
  assert.deepEqual(read.problems, []);
  assert.deepEqual(
    read.files.map((one) => one.text),
    ["rtmp 1935;", "vod"],
  );
});

test("nothing at the path is told apart from a config that cannot be read", async () => {
  const path = join(root, "missing");
  const read = await readConfigFiles(path);
  assert.deepEqual([read.found, read.files], [false, []]);
  assert.deepEqual(
    read.problems.map((one) => [one.code, one.file, one.line]),
    [["CONFIG_FILE_UNREADABLE", path, 0]],
  );
});

test("an empty directory is a warning", async () => {
  const directory = await tree("empty", { "readme.txt": "x" });
  const read = await readConfigFiles(directory);
  assert.deepEqual(
    read.problems.map((one) => [one.severity, one.code]),
    [["warning", "CONFIG_NO_FILES"]],
  );
});

test("what cannot be read is a problem that names it, and the others are read", async () => {
  const directory = await tree("odd", {
    "a.conf": "a",
    "broken.conf": "-> nowhere",
    "circle.conf": "-> circle.conf",
    "directory.conf/": "",
    "latin.conf": "",
    "z.conf": "z",
  });
  await writeFile(join(directory, "latin.conf"), Buffer.from([0x63, 0xe9]));
  execFileSync("mkfifo", [join(directory, "pipe.conf")]);
  const read = await readConfigFiles(directory);
  assert.deepEqual(names(read, directory), ["a.conf", "z.conf"]);
  assert.deepEqual(
    read.problems.map((one) => [one.file.slice(directory.length + 1), one.code, one.message]),
    [
      [
        "broken.conf",
        "CONFIG_FILE_UNREADABLE",
        "cannot be read: it is not there, or is a link to what is not there",
      ],
      ["circle.conf", "CONFIG_FILE_UNREADABLE", "cannot be read: its links go round in a circle"],
      ["directory.conf", "CONFIG_FILE_UNREADABLE", "this is not a file"],
      ["latin.conf", "CONFIG_FILE_NOT_TEXT", "the file is not UTF-8 text"],
      ["pipe.conf", "CONFIG_FILE_UNREADABLE", "this is not a file"],
    ],
  );
});

test("a path through a file is no config", async () => {
  const directory = await tree("through", { "a.conf": "a" });
  assert.equal((await readConfigFiles(join(directory, "a.conf", "b"))).found, false);
});

test("a main file that cannot be read does not hide the parts", async () => {
  const directory = await tree("halves", {
    "flussonic.conf/": "",
    "flussonic.conf.d/": "",
    "flussonic.conf.d/a.conf": "a",
  });
  const read = await readConfigFiles(directory);
  assert.deepEqual(
    read.problems.map((one) => one.message),
    ["this is not a file"],
  );
  assert.deepEqual(
    read.files.map((one) => one.text),
    ["a"],
  );
});

test("a file may be as big as the limit and no bigger", async () => {
  const directory = await tree("big", {
    "a.conf": "#".repeat(MAX_CONFIG_FILE_BYTES),
    "b.conf": "#".repeat(MAX_CONFIG_FILE_BYTES + 1),
  });
  const read = await readConfigFiles(directory);
  assert.deepEqual(names(read, directory), ["a.conf"]);
  assert.deepEqual(
    read.problems.map((one) => one.code),
    ["CONFIG_FILE_TOO_BIG"],
  );
});

test("all files together are bounded", async () => {
  const count = MAX_CONFIG_BYTES / MAX_CONFIG_FILE_BYTES;
  const directory = await tree("heavy", { "000.conf": "#".repeat(MAX_CONFIG_FILE_BYTES) });
  for (let index = 1; index <= count; index++)
    await symlink("000.conf", join(directory, `${100 + index}.conf`));
  const read = await readConfigFiles(directory);
  assert.equal(read.files.length, count);
  assert.deepEqual(
    read.problems.map((one) => one.code),
    ["CONFIG_FILE_TOO_BIG"],
  );
});

test("no more files are read than the limit", async () => {
  const directory = await tree("many", { "a.conf": "a" });
  for (let index = 0; index < MAX_CONFIG_FILES; index++)
    await symlink("a.conf", join(directory, `b${index}.conf`));
  const read = await readConfigFiles(directory);
  assert.equal(read.files.length, MAX_CONFIG_FILES);
  assert.deepEqual(
    read.problems.map((one) => one.code),
    ["CONFIG_TOO_MANY_FILES"],
  );
});

test("an empty file and one with a byte order mark are good files", async () => {
  const directory = await tree("small", { "a.conf": "", "b.conf": "\uFEFFrtmp 1;" });
  const read = await readConfigFiles(directory);
  assert.deepEqual(read.problems, []);
  assert.deepEqual(
    read.files.map((one) => one.text),
    ["", "rtmp 1;"],
  );
});
