import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { MemoryVolume } from "../../../../test/support/memory-volume.ts";
import type { KeepFiles } from "../keep-files.ts";
import { diskKeepFiles } from "./disk-keep-files.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-keep-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = async (files: KeepFiles, path: string): Promise<string | null> => {
  const read = await files.read(path, 1000);
  return read === null ? null : new TextDecoder().decode(read);
};

/** The volume in memory that other tests use has to behave as the disk does. */
const volumes: Readonly<Record<string, { readonly files: KeepFiles; readonly root: string }>> = {
  "a disk": { files: diskKeepFiles, root: join(folder, "archive") },
  "the volume of the tests": { files: new MemoryVolume().seenBy(), root: "/archive" },
};

for (const [name, { files, root }] of Object.entries(volumes)) {
  describe(`the files of ${name}`, () => {
    test("are made once", async () => {
      await files.makeFolder(`${root}/a/b`);
      await files.makeFolder(`${root}/a/b`);
      assert.equal(await files.create(`${root}/a/b/one`, bytes("first")), true);
      assert.equal(await files.create(`${root}/a/b/one`, bytes("second")), false);
      assert.equal(await textOf(files, `${root}/a/b/one`), "first");
      await assert.rejects(files.create(`${root}/none/one`, bytes("x")), { code: "ENOENT" });
    });

    test("are on a device, also in a folder that is not there", async () => {
      const devices = await files.devices(`${root}/a/b`);
      assert.ok(devices.length > 0 && devices.every((device) => Number.isInteger(device)));
      assert.equal((await files.devices(`${root}/none/none`))[0], devices[0]);
    });

    test("are written over in place", async () => {
      assert.equal(await files.overwrite(`${root}/a/b/one`, bytes("FIR")), true);
      assert.equal(await textOf(files, `${root}/a/b/one`), "FIRst");
      assert.equal(await files.overwrite(`${root}/a/b/none`, bytes("x")), false);
      assert.equal(await files.facts(`${root}/a/b/none`), null);
    });

    test("are added to behind what is kept of them", async () => {
      const path = `${root}/log`;
      await files.append(path, 0, bytes("one\n"));
      await files.append(path, 4, bytes("two\nthr"));
      await files.append(path, 8, bytes("four\n"));
      assert.equal(await textOf(files, path), "one\ntwo\nfour\n");
      await files.append(path, 4, bytes(""));
      assert.equal(await textOf(files, path), "one\n");
      assert.equal((await files.facts(path))?.bytes, 4);
      assert.equal(Buffer.from((await files.read(path, 2))!).toString(), "on");
    });

    test("are replaced in one step", async () => {
      await files.write(`${root}/log.new`, bytes("a long first version"));
      await files.write(`${root}/log.new`, bytes("new"));
      assert.equal(await files.rename(`${root}/log.new`, `${root}/log`), true);
      assert.equal(await textOf(files, `${root}/log`), "new");
      assert.equal(await files.rename(`${root}/log.new`, `${root}/log`), false);
      await files.syncFolder(root);
    });

    test("are listed, with folders told apart, and not more than wanted", async () => {
      const entries = (await files.list(root, 100)) ?? [];
      const named = entries.map((entry) => `${entry.name}${entry.isFolder ? "/" : ""}`);
      assert.deepEqual(named.sort(), ["a/", "log"]);
      assert.equal((await files.list(root, 1))?.length, 1);
      assert.equal(await files.list(`${root}/none`, 100), null);
    });

    test("are removed, and folders only when they are empty", async () => {
      assert.equal(await files.removeFolder(`${root}/a/b`), false);
      assert.equal(await files.remove(`${root}/a/b/one`), true);
      assert.equal(await files.remove(`${root}/a/b/one`), false);
      assert.equal(await files.removeFolder(`${root}/a/b`), true);
      assert.equal(await files.removeFolder(`${root}/a/b`), false);
      assert.equal(await files.read(`${root}/a/b/one`, 10), null);
    });

    test("change, and that shows", async () => {
      const path = `${root}/log`;
      await files.write(path, bytes("one"));
      const before = await files.facts(path);
      await files.append(path, 3, bytes("more"));
      assert.notDeepEqual(await files.facts(path), before);
    });

    test("stand on a volume with so much room", async () => {
      const { totalBytes, usedBytes } = await files.space(root);
      assert.ok(usedBytes >= 0 && totalBytes >= usedBytes);
    });
  });
}

describe("a disk", () => {
  test("has links, which are no folders", async () => {
    const place = join(folder, "links");
    mkdirSync(place);
    symlinkSync(folder, join(place, "up"));
    writeFileSync(join(place, "file"), "x");
    const entries = (await diskKeepFiles.list(place, 10)) ?? [];
    assert.deepEqual(
      entries.filter(({ isFolder }) => isFolder),
      [],
    );
    assert.equal(entries.length, 2);
  });

  test("has a file where a folder is looked for", async () => {
    writeFileSync(join(folder, "plain"), "x");
    assert.equal(await diskKeepFiles.list(join(folder, "plain"), 10), null);
    assert.equal(await diskKeepFiles.facts(join(folder, "plain", "below")), null);
    assert.equal(readFileSync(join(folder, "plain"), "utf8"), "x");
  });

  test("makes a file in one of many hands only", async () => {
    const path = join(folder, "race");
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) => diskKeepFiles.create(path, bytes(`${i}`))),
    );
    assert.equal(made.filter(Boolean).length, 1);
    assert.equal(readFileSync(path, "utf8"), String(made.indexOf(true)));
  });
});

test(
  "what is mounted has another device than what is above it",
  { skip: process.platform !== "linux" },
  async () => {
    const [mounted, above] = await diskKeepFiles.devices("/proc");
    assert.notEqual(mounted, above);
  },
);
