import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FolderNames } from "./folder-names.ts";

/** A time long before that of the fake clock. Units: seconds since 1970. */
const LONG_AGO_S = 1_000_000_000;

describe("FolderNames", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "weir-names-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function folderOf(name: string, files: readonly string[]): Promise<string> {
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
    for (const file of files) await writeFile(join(place, file), "");
    await utimes(place, LONG_AGO_S, LONG_AGO_S);
    return place;
  }

  test("gives files and links, and neither folders nor what is hidden", async () => {
    const place = await folderOf("kinds", ["a", ".b"]);
    await mkdir(join(place, "c"));
    await symlink("a", join(place, "d"));
    assert.deepEqual([...(await new FolderNames(new FakeClock()).of(place))].sort(), ["a", "d"]);
  });

  test("reads a folder again when its time is another one, and only then", async () => {
    const place = await folderOf("changes", ["a"]);
    const names = new FolderNames(new FakeClock());
    const first = await names.of(place);
    assert.deepEqual(first, ["a"]);
    assert.equal(await names.of(place), first, "the same array: nothing was read");
    await writeFile(join(place, "b"), "");
    assert.deepEqual([...(await names.of(place))].sort(), ["a", "b"]);
    await rm(join(place, "a"));
    assert.deepEqual(await names.of(place), ["b"]);
  });

  test("keeps nothing of a folder that changed just now: it may change again at the same time", async () => {
    const place = await folderOf("fresh", ["a"]);
    const names = new FolderNames(new FakeClock(LONG_AGO_S * 1e6 + 2_000_000));
    await names.of(place);
    assert.equal(names.size, 0);
    await folderOf("fresh", ["b"]);
    assert.deepEqual([...(await names.of(place))].sort(), ["a", "b"], "with the time as it was");
    const later = new FolderNames(new FakeClock(LONG_AGO_S * 1e6 + 3_000_001));
    await later.of(place);
    assert.equal(later.size, 1);
  });

  test("keeps no more folders and bytes than it may", async () => {
    const places = [await folderOf("1", ["a"]), await folderOf("2", ["a"]), await folderOf("3", ["a"])];
    const few = new FolderNames(new FakeClock(), { bytes: 10_000, items: 2 });
    const small = new FolderNames(new FakeClock(), { bytes: 150, items: 10 });
    for (const place of places) {
      assert.deepEqual(await few.of(place), ["a"]);
      assert.deepEqual(await small.of(place), ["a"]);
    }
    assert.deepEqual([few.size, small.size], [2, 1]);
  });

  test("says what the file system says", async () => {
    await assert.rejects(new FolderNames(new FakeClock()).of(join(folder, "nowhere")), { code: "ENOENT" });
  });
});
