import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { asMediaError } from "../../base/errors.ts";
import { DiskHours } from "./hours-storage.ts";

const HERE = { location: "memory://here", limit: 1000, after: null };

async function room(context: TestContext, files: readonly string[], open: readonly string[] = []) {
  const root = await mkdtemp(join(tmpdir(), "weir-hours-"));
  context.after(async () => await rm(root, { recursive: true, force: true }));
  for (const path of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), path);
  }
  const hours = new DiskHours({ root, isOpen: ({ stream, path }) => open.includes(`${stream}/${path}`) });
  const uncopied = async (stream: string, search: Partial<typeof HERE> | { after: string } = {}) =>
    (await hours.uncopied(stream, { ...HERE, ...search })).map(({ path }) => path);
  return { root, hours, uncopied };
}

const codeOf = (code: string) => (caught: unknown) => asMediaError(caught)?.code === code;

test("hours are found in order of time, over days, months and years", async (context) => {
  const paths = ["2025/12/31/23", "2026/01/01/00", "2026/01/01/01", "2026/01/02/00", "2026/10/01/00"];
  const files = paths.toReversed().flatMap((path) => [`tv/${path}.idx`, `tv/${path}.mp4`]);
  const { uncopied } = await room(context, files, ["tv/2026/01/01/01"]);
  const finished = paths.filter((path) => path !== "2026/01/01/01");
  assert.deepEqual(await uncopied("tv"), finished);
  assert.deepEqual(await uncopied("tv", { limit: 2 }), finished.slice(0, 2));
  for (const [i, after] of finished.entries())
    assert.deepEqual(await uncopied("tv", { after }), finished.slice(i + 1), `after ${after}`);
  assert.deepEqual(await uncopied("tv", { after: "2026/01/01/05" }), finished.slice(2));
  assert.deepEqual(await uncopied("radio"), []);
});

test("what is no hour is passed over, and so are streams below a stream", async (context) => {
  const { uncopied } = await room(context, [
    "tv/2026/01/01/08.idx",
    "tv/2026/01/01/9.idx",
    "tv/2026/01/01/008.idx",
    "tv/2026/01/01/10.mp4",
    "tv/2026/01/01/11.idx.tmp",
    "tv/2026/01/1/08.idx",
    "tv/26/01/01/08.idx",
    "tv/2026/01/notes.txt",
    "tv/2026/02",
    "tv/2027",
    "tv/.writer",
    "tv/hd/2026/01/01/08.idx",
  ]);
  assert.deepEqual(await uncopied("tv"), ["2026/01/01/08"]);
  assert.deepEqual(await uncopied("tv/hd"), ["2026/01/01/08"]);
});

test("hours that are noted as copied to the same place are passed over", async (context) => {
  const paths = ["2026/01/01/07", "2026/01/01/08", "2026/01/01/09"];
  const { hours, uncopied } = await room(
    context,
    paths.flatMap((path) => [`tv/${path}.idx`, `tv/${path}.mp4`]),
  );
  const [first, second, third] = paths.map((path) => ({ stream: "tv", path }));
  const files = [{ name: "x", bytes: 1 }];
  await hours.markCopied(first!, "memory://here", files);
  await hours.markCopied(second!, "memory://elsewhere", files);
  assert.deepEqual(await uncopied("tv"), paths.slice(1));
  assert.deepEqual(
    await Promise.all(
      [first!, second!, third!].map(async (hour) => await hours.isCopied(hour, "memory://here")),
    ),
    [true, false, false],
  );
});

test("an hour that was deleted leaves no note behind", async (context) => {
  const { root, hours } = await room(context, ["tv/2026/01/01/07.idx", "tv/2026/01/01/07.mp4"]);
  await rm(join(root, "tv/2026/01/01/07.idx"));
  const hour = { stream: "tv", path: "2026/01/01/07" };
  await hours.markCopied(hour, "memory://here", [{ name: "x", bytes: 1 }]);
  assert.deepEqual(await readdir(join(root, "tv/2026/01/01")), ["07.mp4"]);
});

test("the files of an hour are its media by their numbers and then its index, and those of no other hour", async (context) => {
  const names = [
    "08.idx",
    "08.10.mp4",
    "08.2.mp4",
    "08.mp4",
    "08.copied",
    "08.jpg",
    "08.1.2.mp4",
    "09.mp4",
    "18.mp4",
  ];
  const { hours } = await room(
    context,
    names.map((name) => `tv/2026/01/01/${name}`),
  );
  const files = await hours.filesOf({ stream: "tv", path: "2026/01/01/08" });
  assert.deepEqual(
    files.map(({ name }) => name),
    ["08.mp4", "08.2.mp4", "08.10.mp4", "08.idx"],
  );
  assert.deepEqual(
    files.map(({ bytes }) => bytes),
    files.map(({ name }) => `tv/2026/01/01/${name}`.length),
  );
  for (const path of ["2026/01/01/09", "2026/01/01/8", "2026/01/01/../01/08", "", "2026/01/02/08"])
    assert.deepEqual(await hours.filesOf({ stream: "tv", path }), [], path);
});

test("a disk that cannot be read is an error, not an archive without hours", async (context) => {
  const { root, hours } = await room(context, ["tv/2026/01/01/07.idx"]);
  await mkdir(join(root, "tv/2026/01/01/07.mp4"));
  await assert.rejects(
    hours.filesOf({ stream: "tv", path: "2026/01/01/07" }),
    codeOf("OBJECT_FILE_UNREADABLE"),
  );
  const tooLong = "x".repeat(300);
  await assert.rejects(hours.uncopied(tooLong, HERE), codeOf("OBJECT_FILE_UNREADABLE"));
});
