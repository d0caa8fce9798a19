import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ProjectedVolume } from "../../../test/support/projected-volume.ts";
import { gzipSync } from "node:zlib";
import {
  configFolder,
  MAX_CONFIG_BYTES,
  MAX_CONFIG_FILE_BYTES,
  MAX_CONFIG_FILES,
  readConfigFiles,
  volumesState,
} from "./files.ts";
import type { ConfigFiles } from "./files.ts";

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
  const directory = new URL("../../../test/vectors/config/article", import.meta.url).pathname;
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

test("a directory whose files have other names is a warning that names them, the first three", async () => {
  const directory = await tree("keys", {
    ports: "http 80;",
    vod: "",
    publish: "",
    zzz: "",
    "..data": "-> .",
  });
  const { problems } = await readConfigFiles(directory);
  assert.deepEqual(problems.length, 1);
  assert.match(
    problems[0]!.hint ?? "",
    /"ports", "publish", "vod" do not: name the keys of a ConfigMap so, or mount/,
  );
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const LONG = "template pub { prefix pub; input publish://; }\n".repeat(9);
const NOT_TEXT: readonly [name: string, bytes: string | Buffer, says: string | null][] = [
  [
    "UTF-16",
    Buffer.from("\uFEFFhttp 80;\r\n", "utf16le"),
    "the file is not UTF-8 text: it is UTF-16, save it as UTF-8",
  ],
  [
    "UTF-16, the other way round",
    Buffer.from([0xfe, 0xff, 0, 0x3b]),
    "the file is not UTF-8 text: it is UTF-16, save it as UTF-8",
  ],
  ["compressed", gzipSync("http 80;"), "the file is not UTF-8 text: it is compressed by gzip"],
  ["base64", base64("http 80;"), "the file is base64 of a configuration"],
  [
    "base64 in lines",
    base64(LONG).replaceAll(/(.{76})/g, "$1\r\n"),
    "the file is base64 of a configuration",
  ],
  [
    "base64 with a line end",
    `${base64("edit_auth root secret;")}\n`,
    "the file is base64 of a configuration",
  ],
  ["base64 of something else", base64("root:password"), null],
  ["one word", "disabled", null],
  ["a directive", "http 80;", null],
  ["spaces", " ".repeat(1_000_000), null],
  ["a megabyte of letters with an end", `${"a ".repeat(500_000)};`, null],
];
for (const [name, bytes, says] of NOT_TEXT) {
  test(`a file that is ${name} is ${says === null ? "read" : "told of, and its content is not"}`, async () => {
    const directory = await tree(`coded ${name}`, {});
    await writeFile(join(directory, "a.conf"), bytes);
    const { files, problems } = await readConfigFiles(directory);
    assert.deepEqual(
      [files.length, problems.map(({ code, message }) => [code, message])],
      says === null ? [1, []] : [0, [["CONFIG_FILE_NOT_TEXT", says]]],
    );
  });
}

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

/** Reads while `between` runs in front of each file but the first; it is told how many were opened before. */
function readWhile(path: string, between: (opened: number) => Promise<void>): Promise<ConfigFiles> {
  let opened = 0;
  const openLater: typeof open = async (...given) => {
    if (opened > 0) await between(opened);
    opened++;
    return open(...given);
  };
  return readConfigFiles(path, { open: openLater });
}

function texts({ files }: ConfigFiles): string[] {
  return files.map(({ text }) => text);
}

for (const mount of ["", "flussonic.conf.d"]) {
  test(`a volume written anew in the middle is read as it is then, as a whole: mounted at "${mount}"`, async () => {
    const directory = await tree(`torn${mount.length}`, {});
    const volume = new ProjectedVolume(join(directory, mount));
    await volume.write({ "a.conf": "old a", "b.conf": "old b", "c.conf": "old c" });
    const read = await readWhile(directory, async (opened) => {
      if (opened === 1) await volume.write({ "a.conf": "new a", "b.conf": "new b", "d.conf": "new d" });
    });
    assert.deepEqual(read.problems, []);
    assert.deepEqual(texts(read), ["new a", "new b", "new d"]);
    assert.equal(read.volumes, await volumesState(directory));
  });
}

test("two volumes are each read as a whole", async () => {
  const directory = await tree("two", {});
  const [main, parts] = [
    new ProjectedVolume(directory),
    new ProjectedVolume(join(directory, "flussonic.conf.d")),
  ];
  await main.write({ "flussonic.conf": "old main" });
  await parts.write({ "a.conf": "old a", "b.conf": "old b" });
  const read = await readWhile(directory, async (opened) => {
    if (opened === 1) await parts.write({ "a.conf": "new a", "b.conf": "new b" });
    if (opened === 4) await main.write({ "flussonic.conf": "new main" });
  });
  assert.deepEqual(texts(read), ["new main", "new a", "new b"]);
});

test("names that the kubelet has not linked yet are read, and those that it has not taken away are not", async () => {
  const directory = await tree("gap", {});
  const volume = new ProjectedVolume(join(directory, "flussonic.conf.d"));
  await volume.write({ "a.conf": "a", "old.conf": "old" });
  let inGap: ConfigFiles | null = null;
  await volume.write({ "a.conf": "a2", "new.conf": "new" }, async () => {
    inGap = await readConfigFiles(directory);
  });
  const behind = await readConfigFiles(directory);
  assert.deepEqual(names(behind, directory), ["flussonic.conf.d/a.conf", "flussonic.conf.d/new.conf"]);
  assert.deepEqual(inGap, behind);
});

test("parts below a path of the volume's items are read from where the volume stands", async () => {
  const directory = await tree("items", {
    "..2026_1/": "",
    "..2026_1/flussonic.conf": "main",
    "..2026_1/flussonic.conf.d/": "",
    "..2026_1/flussonic.conf.d/a.conf": "a",
    "..2026_2/": "",
    "..data": "-> ..2026_1",
    "flussonic.conf": "-> ..data/flussonic.conf",
    "flussonic.conf.d": "-> ..data/flussonic.conf.d",
  });
  const read = await readConfigFiles(directory);
  assert.deepEqual(names(read, directory), ["flussonic.conf", "flussonic.conf.d/a.conf"]);
  assert.deepEqual(texts(read), ["main", "a"]);
});

test("files mounted over a volume, and links of its owner's, are read too", async () => {
  const directory = await tree("over", { "elsewhere.txt": "linked" });
  const volume = new ProjectedVolume(join(directory, "flussonic.conf.d"));
  await volume.write({ "a.conf": "a", "b.conf": "b" });
  await writeFile(join(volume.folder, "c.conf"), "mounted");
  await symlink("../elsewhere.txt", join(volume.folder, "d.conf"));
  assert.deepEqual(texts(await readConfigFiles(directory)), ["a", "b", "mounted", "linked"]);
});

test("a volume that never rests is a problem, and is read again by whoever watches", async () => {
  const directory = await tree("restless", {});
  const volume = new ProjectedVolume(directory);
  await volume.write({ "a.conf": "a", "b.conf": "b" });
  const read = await readWhile(directory, () => volume.write({ "a.conf": "a", "b.conf": "b" }));
  assert.match(read.problems[0]!.message, /again and again/);
  assert.notEqual(read.volumes, await volumesState(directory));
});

test("the folder of a config is where its certificates are looked for", () => {
  for (const [path, folder] of [
    ["/etc/flussonic", "/etc/flussonic"],
    ["/etc/weir/", "/etc/weir"],
    ["/etc/weir/flussonic.conf", "/etc/weir"],
    ["/etc/weir/flussonic.conf.d", "/etc/weir"],
    ["/a/../etc/weir", "/etc/weir"],
  ] as const) {
    assert.equal(configFolder(path), folder);
  }
});
