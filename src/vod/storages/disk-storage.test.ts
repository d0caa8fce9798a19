import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { DiskStorage } from "./disk-storage.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-disk-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, "media");
const clock = new FakeClock();
const storage = new DiskStorage(root, clock);

mkdirSync(join(root, "films", "old"), { recursive: true });
mkdirSync(join(folder, "media-of-others"));
writeFileSync(join(root, "one.mp4"), "0123456789");
writeFileSync(join(root, "films", "two.MP4"), "two");
writeFileSync(join(root, "films", "old", "three.m4a"), "three");
writeFileSync(join(root, "caf\u00e9 %2e%2e.mp4"), "cafe");
writeFileSync(join(root, ".hidden.mp4"), "hidden");
writeFileSync(join(root, "notes.txt"), "notes");
writeFileSync(join(folder, "secret.mp4"), "secret");
writeFileSync(join(folder, "media-of-others", "secret.mp4"), "secret");
symlinkSync(join(folder, "secret.mp4"), join(root, "out.mp4"));
symlinkSync("../media-of-others", join(root, "neighbour"));
symlinkSync("films/two.MP4", join(root, "inside.mp4"));
symlinkSync("circle.mp4", join(root, "circle.mp4"));
symlinkSync("nowhere.mp4", join(root, "dangling.mp4"));
execFileSync("mkfifo", [join(root, "pipe.mp4")]);

async function contentsOf(path: string): Promise<string | null> {
  const source = await storage.open(path);
  if (source === null) return null;
  const bytes = await source.read(0, 100);
  source.release();
  return Buffer.from(bytes).toString();
}

describe("DiskStorage opens", () => {
  for (const [path, contents] of [
    ["one.mp4", "0123456789"],
    ["films/two.MP4", "two"],
    ["caf\u00e9 %2e%2e.mp4", "cafe"],
    ["inside.mp4", "two"],
  ] as const) {
    test(path, async () => assert.equal(await contentsOf(path), contents));
  }
});

describe("DiskStorage has no file", () => {
  const absent = [
    "nothing.mp4",
    "films",
    "one.mp4/more.mp4",
    "pipe.mp4",
    "circle.mp4",
    "dangling.mp4",
    "films/none/x.mp4",
    `${"x".repeat(300)}.mp4`,
  ];
  for (const path of absent) {
    test(path.slice(0, 40), async () => {
      assert.equal(await storage.open(path), null);
      assert.equal(await storage.versionOf(path), null);
    });
  }

  test("when its root is not there", async () => {
    assert.equal(await new DiskStorage(join(folder, "none"), clock).open("one.mp4"), null);
  });
});

describe("DiskStorage refuses", () => {
  for (const path of [
    "../secret.mp4",
    "films/../../secret.mp4",
    "films/../one.mp4",
    "..",
    ".",
    "./one.mp4",
    "",
    "/etc/passwd",
    "//one.mp4",
    "films//two.MP4",
    "one.mp4/",
    "one.mp4\0.txt",
    "..\\secret.mp4",
    "films\\two.MP4",
    "out.mp4",
    "neighbour/secret.mp4",
    `${"x/".repeat(600)}a.mp4`,
  ]) {
    test(JSON.stringify(path).slice(0, 40), async () => {
      await assert.rejects(storage.open(path), { code: "VOD_BAD_PATH", httpStatus: 403 });
      await assert.rejects(storage.versionOf(path), { code: "VOD_BAD_PATH" });
    });
  }

  test("a file without permission", async () => {
    const path = join(root, "locked.mp4");
    writeFileSync(path, "locked");
    chmodSync(path, 0);
    chmodSync(root, 0o755);
    await asOrdinaryUser(() =>
      assert.rejects(storage.open("locked.mp4"), { code: "VOD_UNREADABLE", httpStatus: 403 }),
    );
  });
});

describe("a file of a DiskStorage", () => {
  test("is read at any place, and not beyond its end", async () => {
    const source = (await storage.open("one.mp4"))!;
    assert.equal(source.sizeBytes, 10);
    const at = async (offset: number, length: number) =>
      Buffer.from(await source.read(offset, length)).toString();
    assert.equal(await at(3, 4), "3456");
    assert.equal(await at(8, 100), "89");
    assert.equal(await at(10, 5), "");
    assert.equal(await at(1_000_000, 2 ** 40), "");
    source.release();
  });

  test("has another version when it changes", async () => {
    const path = join(root, "changing.mp4");
    writeFileSync(path, "aaaa");
    const first = await storage.versionOf("changing.mp4");
    assert.equal(
      (await storage.open("changing.mp4").then((source) => (source!.release(), source!)))?.version,
      first,
    );
    writeFileSync(path, "bbbb");
    assert.notEqual(await storage.versionOf("changing.mp4"), first);
  });

  test("is read after its release with a descriptor for that time only", async () => {
    const source = (await storage.open("one.mp4"))!;
    source.release();
    source.release();
    const reads = await Promise.all([source.read(0, 2), source.read(2, 2), source.read(4, 2)]);
    assert.deepEqual(
      reads.map((bytes) => Buffer.from(bytes).toString()),
      ["01", "23", "45"],
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(openDescriptors().length, 0, openDescriptors().join());
  });

  test("is not another one of the same name after its release", async () => {
    const path = join(root, "replaced.mp4");
    writeFileSync(path, "first");
    const source = (await storage.open("replaced.mp4"))!;
    source.release();
    rmSync(path);
    await assert.rejects(source.read(0, 5), { code: "VOD_CHANGED" });
    writeFileSync(path, "second");
    await assert.rejects(source.read(0, 5), { code: "VOD_CHANGED", httpStatus: 503 });
  });
});

/** Paths below the root that this process has open. */
function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = execFileSync("readlink", [`/proc/${process.pid}/fd/${descriptor}`])
        .toString()
        .trim();
      return path.startsWith(root) ? [path] : [];
    } catch {
      return [];
    }
  });
}

test("a DiskStorage of everything follows links anywhere", async () => {
  const everything = new DiskStorage("/", clock);
  const source = (await everything.open(join(root, "out.mp4").slice(1)))!;
  assert.equal(Buffer.from(await source.read(0, 10)).toString(), "secret");
  source.release();
});

describe("DiskStorage lists", () => {
  const limits = { files: 100, entries: 1000, depth: 8, deadlineUs: Infinity };
  const extensions = [".mp4", ".m4a"];

  test("media files, without hidden files and links", async () => {
    const files = await storage.list(extensions, limits);
    const usual = files.filter((path) => !/changing|replaced|locked/.test(path));
    assert.deepEqual(usual, ["caf\u00e9 %2e%2e.mp4", "films/old/three.m4a", "films/two.MP4", "one.mp4"]);
  });

  test("no deeper, no more and no longer than it may", async () => {
    assert.ok(!(await storage.list(extensions, { ...limits, depth: 1 })).includes("films/old/three.m4a"));
    assert.equal((await storage.list(extensions, { ...limits, files: 1 })).length, 1);
    assert.equal((await storage.list(extensions, { ...limits, entries: 0 })).length, 0);
    assert.equal((await storage.list(extensions, { ...limits, deadlineUs: -1 })).length, 0);
  });

  test("nothing of a root that is not there", async () => {
    assert.deepEqual(await new DiskStorage(join(folder, "none"), clock).list(extensions, limits), []);
  });
});

/** Root may read everything: where the tests run as root, this runs as somebody else. */
async function asOrdinaryUser(run: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}
