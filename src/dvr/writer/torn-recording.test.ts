/** What is left of a recording that ended suddenly: its process at any byte that it wrote, or the power with all of its disk. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/fuzz/random.ts";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { archiveFaults } from "../../../test/support/archive-judge.ts";
import { SOURCE_START_US } from "../../../test/support/live-source.ts";
import { MemoryRecording, RECORDED_FOLDER } from "../../../test/support/memory-recording.ts";
import { HOUR_US, hourOf, indexFile } from "../format/hour.ts";
import { HourIndex } from "../format/hour-index.ts";
import type { FsyncPolicy } from "./archive-writer.ts";

type Append = { readonly path: string; readonly bytes: Uint8Array };

/** Files, and what was appended to them, in order. */
function journaled(): { readonly files: MemoryFiles; readonly journal: Append[] } {
  const files = new MemoryFiles();
  const journal: Append[] = [];
  files.onAppend = (path, bytes) => void journal.push({ path, bytes: new Uint8Array(bytes) });
  return { files, journal };
}

const byPath = ([a]: [string, Uint8Array], [b]: [string, Uint8Array]): number => (a < b ? -1 : 1);

/** Where the newest segment of an archive ends. Units: microseconds of the media clock; `null` when there is none. */
function endOf(files: MemoryFiles): number | null {
  const indexes = [...files.contents]
    .filter(([path]) => path.endsWith(".idx"))
    .toSorted(byPath)
    .toReversed();
  for (const [, bytes] of indexes) {
    const index = HourIndex.parse(bytes);
    if (index.segmentCount === 0) continue;
    const { startUs, durationUs } = index.segment(index.segmentCount - 1);
    return startUs + durationUs;
  }
  return null;
}

const begins = (bytes: Uint8Array | undefined, start: Uint8Array): boolean =>
  bytes !== undefined && Buffer.from(bytes.subarray(0, start.byteLength)).equals(start);

/** A process comes back to the files, and records on. */
async function recordOn(files: MemoryFiles, atUs: number): Promise<MemoryRecording> {
  const recording = new MemoryRecording({ files, atUs });
  await recording.writer.prepare();
  await recording.playSlowly({ seconds: 2.4, frameRate: 5, gopFrames: 5 });
  await recording.close();
  return recording;
}

describe("a recording whose process is killed", () => {
  test("at any byte keeps every group that was whole, and goes on behind it", async () => {
    const { files: whole, journal } = journaled();
    const first = new MemoryRecording({ files: whole });
    const rates = { frameRate: 5, gopFrames: 5 };
    await first.playSlowly({ seconds: 3.4, ...rates });
    await first.playSlowly({ seconds: 2, ...rates, begins: "track-change", hasAudio: false });
    first.window.onEnd();
    await first.writer.close();
    const index = `${RECORDED_FOLDER}/${indexFile(hourOf(SOURCE_START_US))}`;
    const left = new MemoryFiles();
    let promised = 0;
    for (const { path, bytes } of journal) {
      // At each byte of an append its record of what was before is the same; of media, a choice of bytes is enough.
      const before = left.contents.get(path) ?? new Uint8Array(0);
      const step = path === index ? 1 : 11;
      for (let cut = 0; cut < bytes.byteLength; cut += step) {
        const torn = new MemoryFiles(Object.fromEntries(left.contents));
        torn.contents.set(path, Buffer.concat([before, bytes.subarray(0, cut)]));
        const kept = whole.contents.get(index)!.subarray(0, promised);
        await recordOn(torn, SOURCE_START_US + 20e6);
        assert.deepEqual(archiveFaults(torn.contents), [], `${path} at ${before.byteLength + cut}`);
        assert.ok(begins(torn.contents.get(index), kept), `${path} at ${before.byteLength + cut}`);
        assert.ok(endOf(torn)! >= SOURCE_START_US + 22e6);
      }
      left.contents.set(path, Buffer.concat([before, bytes]));
      if (path === index) promised = before.byteLength + bytes.byteLength;
    }
  });
});

test("a segment that a kill cut short has no hole at its end, though its sound comes later than its pictures", async () => {
  const files = new MemoryFiles();
  const recording = new MemoryRecording({ files });
  await recording.play({ seconds: 3.2, gopFrames: 25, audioLagUs: 280_000 });
  const kept = recording.given.at(-1)!;
  await recordOn(files, SOURCE_START_US + 20e6);
  assert.deepEqual(archiveFaults(files.contents, { hasNoHoles: true }), []);
  const lostUs = kept.endUs - segmentEnds(files).findLast((us) => us < SOURCE_START_US + 10e6)!;
  assert.ok(lostUs > 250_000 && lostUs < 310_000, `${lostUs} us of pictures stand alone`);
});

/** Seeds of one policy. */
const RUNS = 60;

describe("a recording whose machine loses its power", () => {
  const run = async (seed: number, fsync: FsyncPolicy, isOrdered: boolean): Promise<void> => {
    const random = new Random(seed);
    const share = (): number => random.below(1_000_000) / 1_000_000;
    const files = new MemoryFiles();
    // A third of them go over the end of an hour.
    const atUs = SOURCE_START_US + (random.below(3) === 0 ? HOUR_US - 6e6 : 0);
    const recording = new MemoryRecording({ files, fsync, atUs });
    const rates = { frameRate: 10, gopFrames: 10 };
    await recording.playSlowly({ ...rates, seconds: 1 + random.below(40) / 5 });
    if (random.below(3) === 0)
      await recording.playSlowly({ ...rates, seconds: 2.2, begins: "track-change", hasAudio: false });
    else await recording.playSlowly({ ...rates, seconds: random.below(20) / 5 });
    const endUs = atUs + recording.clock.nowUs();
    const torn = files.afterPowerLoss(share, isOrdered);
    await recordOn(torn, endUs + 10e6);
    const name = `seed ${seed}, fsync=${fsync}`;
    // Where nothing is forced to the disk, the end of an hour can be missing though the next one is there.
    assert.deepEqual(archiveFaults(torn.contents, { mayLackOrdinals: fsync === "none" }), [], name);
    for (const [path, bytes] of files.durable)
      if (path.endsWith(".idx"))
        assert.ok(begins(torn.contents.get(path), wholeRecords(bytes)), `${name}: ${path}`);
    // What is listed is what was written, wherever files end early or are forced to the disk in order.
    if (isOrdered || fsync === "fragment") assertSameMedia(files, torn, name);
    // Every group is kept that came so long ago, and the pieces in which the writer gets time to write; of the last one a picture may stand alone, behind its sound.
    const unsureUs = { none: Infinity, interval: 2_200_000, fragment: -1 }[fsync];
    const sureUs =
      recording.given.findLast((given) => given.atUs < recording.clock.nowUs() - unsureUs)?.endUs ?? atUs;
    const lastUs = segmentEnds(torn).findLast((us) => us <= endUs + 1e6) ?? atUs;
    assert.ok(sureUs - lastUs <= 150_000, `${name}: ${sureUs - lastUs} us are lost`);
  };

  const cases = [
    { fsync: "fragment", isOrdered: true },
    { fsync: "fragment", isOrdered: false },
    { fsync: "interval", isOrdered: true },
    { fsync: "interval", isOrdered: false },
    { fsync: "none", isOrdered: true },
  ] as const;
  for (const { fsync, isOrdered } of cases) {
    const how = isOrdered ? "files end early" : "blocks are missing anywhere";
    test(`with fsync=${fsync}, where ${how}, keeps what was on the disk, and promises nothing else`, async () => {
      for (let seed = 1; seed <= RUNS; seed++) await run(seed, fsync, isOrdered);
    });
  }
});

/** An index up to its last whole record. */
function wholeRecords(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.byteLength - (bytes.byteLength % 64));
}

function indexesOf(files: MemoryFiles): [string, HourIndex][] {
  return [...files.contents]
    .filter(([path, bytes]) => path.endsWith(".idx") && bytes.byteLength > 0)
    .toSorted(byPath)
    .map(([path, bytes]) => [path, HourIndex.parse(bytes)]);
}

function segmentEnds(files: MemoryFiles): number[] {
  return indexesOf(files).flatMap(([, index]) =>
    [...index.segments()].map(({ startUs, durationUs }) => startUs + durationUs),
  );
}

/** Chunks that both promise at one place are the same bytes. */
function assertSameMedia(before: MemoryFiles, after: MemoryFiles, name: string): void {
  for (const [path, index] of indexesOf(after)) {
    const old = before.contents.get(path);
    if (old === undefined) continue;
    const known = new Set(chunksOf(HourIndex.parse(old)));
    for (const [place, offset, size, file] of chunksWithPlaces(index)) {
      if (!known.has(place)) continue;
      const media = path.replace(/idx$/, file === 0 ? "mp4" : `${file}.mp4`);
      const bytes = (files: MemoryFiles): Buffer =>
        Buffer.from(files.contents.get(media)!.subarray(offset, offset + size));
      assert.ok(bytes(after).equals(bytes(before)), `${name}: ${media} at ${offset}`);
    }
  }
}

function chunksOf(index: HourIndex): string[] {
  return chunksWithPlaces(index).map(([place]) => place);
}

function chunksWithPlaces(index: HourIndex): [string, number, number, number][] {
  const found: [string, number, number, number][] = [];
  for (let i = 0; i < index.segmentCount; i++) {
    const { file } = index.segment(i);
    for (const { offset, size, startUs, trackNumber } of index.chunks(i))
      found.push([`${file} ${offset} ${size} ${startUs} ${trackNumber}`, offset, size, file]);
  }
  return found;
}
