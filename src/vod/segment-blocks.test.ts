import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { MemorySource } from "../../test/support/memory-source.ts";
import { concatBytes } from "../base/bytes.ts";
import { parseTrackSelection } from "../packaging/presentation.ts";
import type { LentBody } from "../packaging/presentation.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import { FilePresentation } from "./file-presentation.ts";
import { readMediaFile } from "./media-file.ts";
import { BlockCache } from "./segment-reading.ts";

const SAMPLE = readFileSync(new URL("../../samples/sample.mp4", import.meta.url));
const BOTH = parseTrackSelection("v1a1")!;
const VIDEO = parseTrackSelection("v1")!;
const AUDIO = parseTrackSelection("a1")!;

/** Reads wait for `open`, those that are told to fail do. */
class SlowSource extends MemorySource {
  failingReads: ReadonlySet<number> = new Set();
  gate: Promise<void> | null = null;

  override async read(offset: number, length: number): Promise<Uint8Array> {
    const number = this.reads.length;
    const bytes = await super.read(offset, length);
    await this.gate;
    if (this.failingReads.has(number)) throw new Error("the disk is gone");
    return bytes;
  }
}

async function present(cacheBytes = 0, limits = { running: 100, waiting: 0 }) {
  const source = new SlowSource(SAMPLE);
  const file = await readMediaFile(source);
  source.reads.length = 0;
  const pool = new BlockPool(2 ** 30);
  const blocks = new BlockCache({ bytes: cacheBytes, items: 1000 });
  const work = new BoundedWork(limits, vodBusy);
  const presentation = new FilePresentation({
    file,
    segmentDurationMs: 1000,
    reading: { blocks, work, pool },
    cacheKey: "k",
  });
  const names = presentation.timeline().segments.map(({ name }) => name);
  return { source, pool, blocks, presentation, names };
}

const lend = async (presentation: FilePresentation, name: string, selection = BOTH): Promise<LentBody> =>
  (await presentation.lendSegment(name, selection))!;

/** What each segment is when nothing is used twice. */
async function expectedOf(selection = BOTH): Promise<ReadonlyMap<string, Uint8Array>> {
  const { presentation, names } = await present();
  const all = new Map<string, Uint8Array>();
  for (const name of names) all.set(name, concatBytes((await presentation.segment(name, selection))!));
  return all;
}

describe("a segment that is lent", () => {
  test("is the same as one that is not, in memory that serves again", async () => {
    const { presentation, pool, names } = await present();
    const expected = await expectedOf();
    const memories = new Set<ArrayBufferLike>();
    for (let round = 0; round < 3; round++) {
      for (const name of names) {
        const lent = await lend(presentation, name);
        assert.deepEqual(concatBytes(lent.body), expected.get(name));
        for (const { buffer } of lent.body.slice(1)) memories.add(buffer);
        lent.release();
      }
    }
    assert.ok(names.length > 4);
    assert.ok(memories.size <= names.length, `${memories.size} pieces for ${3 * names.length} segments`);
    assert.ok(pool.freeBytes > 0);
  });

  test("stays as it is until it is released, whatever else is lent", async () => {
    const { presentation, names } = await present();
    const expected = await expectedOf();
    const kept = await lend(presentation, names[1]!);
    for (let round = 0; round < 3; round++) {
      for (const name of names) (await lend(presentation, name)).release();
      assert.deepEqual(concatBytes(kept.body), expected.get(names[1]!));
    }
    kept.release();
  });

  test("is released by the first of several calls alone", async () => {
    const { presentation, pool, names } = await present();
    const lent = await lend(presentation, names[0]!);
    lent.release();
    const freeBytes = pool.freeBytes;
    const next = await lend(presentation, names[0]!);
    assert.ok(pool.freeBytes < freeBytes);
    lent.release();
    assert.ok(pool.freeBytes < freeBytes, "the next one still holds the memory");
    next.release();
    assert.equal(pool.freeBytes, freeBytes);
  });

  test("is held apart by each who waits for the same read", async () => {
    const { source, presentation, pool, names } = await present();
    const expected = await expectedOf();
    const [one, two, video] = await Promise.all([
      lend(presentation, names[2]!),
      lend(presentation, names[2]!),
      lend(presentation, names[2]!, VIDEO),
    ]);
    assert.equal(source.reads.length, 1);
    one.release();
    two.release();
    const freeBytes = pool.freeBytes;
    assert.ok(freeBytes > 0, "the sound is held by nobody");
    for (const name of names) (await lend(presentation, name, AUDIO)).release();
    const other = await lend(presentation, names[3]!);
    assert.deepEqual(concatBytes(other.body), expected.get(names[3]!));
    const expectedVideo = (await expectedOf(VIDEO)).get(names[2]!);
    assert.deepEqual(concatBytes(video.body), expectedVideo);
    other.release();
    video.release();
    assert.ok(pool.freeBytes > freeBytes);
  });

  test("is held by the cache as well, and its memory comes back when it goes from there", async () => {
    const { source, presentation, pool, blocks, names } = await present(2 ** 26);
    for (let i = 0; i < 2; i++) (await lend(presentation, names[0]!)).release();
    assert.ok(blocks.size === 2 && pool.freeBytes === 0);
    const lent = await lend(presentation, names[0]!);
    assert.equal(source.reads.length, 2);
    blocks.deleteWhere(() => true);
    assert.equal(pool.freeBytes, 0);
    lent.release();
    assert.ok(pool.freeBytes > 0);
  });

  test("gives its memory back when it cannot be read", async () => {
    const { source, presentation, pool, names } = await present();
    source.failingReads = new Set([0]);
    await assert.rejects(lend(presentation, names[0]!));
    assert.ok(pool.freeBytes > 0);
    const lent = await lend(presentation, names[0]!);
    assert.equal(pool.freeBytes, 0);
    lent.release();
  });

  test("holds no track when another one cannot be read", async () => {
    const { source, presentation, pool, names } = await present();
    const { promise, resolve } = Promise.withResolvers<void>();
    source.gate = promise;
    const audio = lend(presentation, names[0]!, AUDIO);
    const video = lend(presentation, names[0]!, VIDEO);
    const both = lend(presentation, names[0]!);
    const settled = Promise.allSettled([audio, video, both]);
    while (source.reads.length < 2) await Promise.resolve();
    source.failingReads = new Set([1]);
    resolve();
    const [first, second, third] = await settled;
    assert.deepEqual([first.status, second.status, third.status], ["fulfilled", "rejected", "rejected"]);
    const freeBytes = pool.freeBytes;
    assert.ok(freeBytes > 0, "the video's");
    (await audio).release();
    assert.ok(pool.freeBytes > freeBytes, "nobody else holds the sound");
  });

  test("is refused when too many reads wait, and is there when it is asked for again", async () => {
    const { source, presentation, pool, names } = await present(0, { running: 1, waiting: 0 });
    const { promise, resolve } = Promise.withResolvers<void>();
    source.gate = promise;
    const first = lend(presentation, names[0]!);
    await assert.rejects(lend(presentation, names[1]!), { code: "VOD_BUSY" });
    resolve();
    (await first).release();
    (await lend(presentation, names[1]!)).release();
    assert.equal(source.reads.length, 2);
    assert.ok(pool.freeBytes > 0);
  });
});

test("a segment that is not lent stays as it is for ever, also where its memory is shared with those who lend", async () => {
  const { presentation, names } = await present();
  const expected = await expectedOf();
  const [kept, lent] = await Promise.all([
    presentation.segment(names[0]!, BOTH),
    lend(presentation, names[0]!),
  ]);
  lent.release();
  for (let round = 0; round < 3; round++) {
    for (const name of names) (await lend(presentation, name)).release();
  }
  assert.deepEqual(concatBytes(kept!), expected.get(names[0]!));
});
