import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { exportPath } from "../export-path.ts";
import { diskExportFiles } from "./disk-export-files.ts";

async function makeFolder(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "weir-exports-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  return join(root, ".exports");
}

async function write(folder: string, id: string, path: string, overwrites = false): Promise<void> {
  const part = await diskExportFiles.begin(folder, id, 5);
  try {
    await part.write(Buffer.from(id));
    await part.finish();
    await part.publish(path, overwrites);
  } finally {
    await part.discard();
  }
}

test("a file has its name when it is whole, in folders that are made", async (t) => {
  const folder = await makeFolder(t);
  const part = await diskExportFiles.begin(folder, "one", 5);
  await part.write(Buffer.from("first"));
  await part.write(Buffer.from("second"));
  assert.equal(await diskExportFiles.exists(folder, "a/b/c.mp4"), false);
  await part.finish();
  await part.publish("a/b/c.mp4", false);
  await part.discard();
  assert.equal(await readFile(join(folder, "a/b/c.mp4"), "utf8"), "firstsecond");
  assert.equal(await diskExportFiles.exists(folder, "a/b/c.mp4"), true);
  assert.deepEqual(await readdir(join(folder, ".part")), []);
});

test("a file that is there stays, unless it is to be overwritten", async (t) => {
  const folder = await makeFolder(t);
  await write(folder, "one", "a.mp4");
  await assert.rejects(write(folder, "two", "a.mp4"), { code: "DVR_EXPORT_EXISTS" });
  assert.equal(await readFile(join(folder, "a.mp4"), "utf8"), "one");
  await write(folder, "three", "a.mp4", true);
  assert.equal(await readFile(join(folder, "a.mp4"), "utf8"), "three");
  assert.deepEqual(await readdir(join(folder, ".part")), []);
});

test("no link leads out of the folder", async (t) => {
  const folder = await makeFolder(t);
  const outside = join(folder, "..", "outside");
  await mkdir(outside, { recursive: true });
  await mkdir(folder, { recursive: true });
  await symlink(outside, join(folder, "way"));
  await symlink(join(outside, "kept.mp4"), join(folder, "name.mp4"));
  await assert.rejects(write(folder, "one", "way/a.mp4"), { code: "DVR_EXPORT_BAD_PATH" });
  await assert.rejects(write(folder, "two", "way/new/a.mp4", true), { code: "DVR_EXPORT_BAD_PATH" });
  await assert.rejects(write(folder, "three", "name.mp4"), { code: "DVR_EXPORT_EXISTS" });
  await write(folder, "four", "name.mp4", true);
  assert.deepEqual(await readdir(outside), []);
});

test("a file where a folder should be is told of", async (t) => {
  const folder = await makeFolder(t);
  await write(folder, "one", "a.mp4");
  await assert.rejects(write(folder, "two", "a.mp4/b.mp4"), { code: "DVR_EXPORT_BAD_PATH" });
  await writeFile(join(folder, "file"), "");
  await assert.rejects(diskExportFiles.begin(join(folder, "file"), "three", 5), {
    code: "DVR_EXPORT_UNWRITABLE",
  });
});

test("what has no room is not begun", async (t) => {
  const folder = await makeFolder(t);
  await assert.rejects(diskExportFiles.begin(folder, "one", 2 ** 52), { code: "DVR_EXPORT_NO_ROOM" });
  assert.deepEqual(await readdir(join(folder, ".part")), []);
});

test("what a killed process has left goes, and what is being written stays", async (t) => {
  const folder = await makeFolder(t);
  await diskExportFiles.sweep(folder, Date.now());
  const going = await diskExportFiles.begin(folder, "going", 5);
  await writeFile(join(folder, ".part", "old.mp4"), "half");
  await utimes(join(folder, ".part", "old.mp4"), 1000, 1000);
  await diskExportFiles.sweep(folder, 2_000_000);
  assert.deepEqual(await readdir(join(folder, ".part")), ["going.mp4"]);
  await going.discard();
  assert.deepEqual(await readdir(join(folder, ".part")), []);
});

test("paths are those of files below the folder, and no others", () => {
  assert.equal(exportPath("/clips/goal.mp4"), "clips/goal.mp4");
  assert.equal(exportPath("goal-1_a.b.mp4"), "goal-1_a.b.mp4");
  const refused = [
    ...[
      "",
      "/",
      ".mp4",
      "a",
      "a.ts",
      "../a.mp4",
      "a/../b.mp4",
      "./a.mp4",
      "a//b.mp4",
      "//a.mp4",
      "a/b.mp4/",
    ],
    ...[
      "a\\b.mp4",
      "a b.mp4",
      "\u0000.mp4",
      ".part/x.mp4",
      "a/.b.mp4",
      `${"a".repeat(130)}.mp4`,
      "a/".repeat(16) + "a.mp4",
    ],
  ];
  for (const text of refused)
    assert.throws(() => exportPath(text), { code: "DVR_EXPORT_BAD_PATH" }, JSON.stringify(text));
});
