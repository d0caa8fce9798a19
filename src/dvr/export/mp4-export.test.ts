import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { settle } from "../../../test/support/film.ts";
import { audioTrack, livePackets, videoTrack } from "../../../test/support/media.ts";
import { MemoryArchive, RECORDED_US, listedRange } from "../../../test/support/memory-archive.ts";
import { concatBytes, readFourCc, readU16, readU32, readU64 } from "../../base/bytes.ts";
import { usToTicks } from "../../base/time.ts";
import { readSegmentSamples } from "../../containers/mp4/segment-samples.ts";
import type { TrackId } from "../../media/ids.ts";
import { Mp4Export } from "./mp4-export.ts";
import { parameterSets } from "./parameter-sets.ts";
import { EXPORT_LIMITS } from "./range-plan.ts";
import type { StoredRange, StoredSegment } from "./stored-range.ts";

const SECOND_US = 1_000_000;

async function bytesOf(made: Mp4Export, from?: number, to?: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of made.read(from, to)) pieces.push(piece);
  return concatBytes(pieces);
}

/** The boxes at the top of a file: type, and where each begins. */
function boxesOf(bytes: Uint8Array): [type: string, at: number][] {
  const boxes: [string, number][] = [];
  for (let at = 0; at < bytes.byteLength; at += readU32(bytes, at))
    boxes.push([readFourCc(bytes, at + 4), at]);
  return boxes;
}

/** Where a box that contains the text of its type begins, from a place on. */
function placeOf(bytes: Uint8Array, type: string, from = 0): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(type, from) - 4;
}

let archive: MemoryArchive;

beforeEach(() => {
  archive = new MemoryArchive();
});

function recordSmall(durationMs = 2000, startUs = RECORDED_US): void {
  archive.record(livePackets({ durationMs, payloadBytes: 8 }), startUs);
}

describe("an export as MP4", () => {
  test("is a head, an index of segments, and the chunks with their samples", async () => {
    recordSmall(3000);
    const made = new Mp4Export(archive);
    assert.equal(archive.reads.length, 0, "nothing is read before somebody asks");
    const whole = await bytesOf(made);
    assert.equal(whole.byteLength, made.bytes);
    const boxes = boxesOf(whole);
    const fragments = archive.chunks.flatMap(() => ["moof", "mdat"]);
    assert.deepEqual(
      boxes.map(([type]) => type),
      ["ftyp", "moov", "sidx", "sidx", ...fragments],
    );
    const tracks = [...archive.mediaFiles.values()][0]!;
    const samples = readSegmentSamples([whole.subarray(boxes[4]![1])], tracks);
    const recorded = [...archive.recorded.values()].flat();
    assert.equal(samples.length, recorded.length);
    for (const { track, dts, pts, isSync, payload } of samples) {
      const moved = usToTicks(RECORDED_US, track.timescale);
      const source = recorded.find((packet) => packet.track === track && packet.dts === dts + moved);
      assert.deepEqual([source?.pts, source?.isSync], [pts + moved, isSync]);
      assert.deepEqual(payload, source?.payload);
    }
  });

  test("counts its fragments, and has the places and times of its segments in the index", async () => {
    recordSmall(3000);
    const made = new Mp4Export(archive);
    const whole = await bytesOf(made);
    const boxes = boxesOf(whole);
    const moofs = boxes.filter(([type]) => type === "moof").map(([, at]) => at);
    assert.deepEqual(
      moofs.map((at) => readU32(whole, at + 20)),
      moofs.map((_, i) => i + 1),
    );
    const [sidx, ofSound] = [boxes[2]![1], boxes[3]![1]];
    const references = readU16(whole, sidx + 38);
    assert.equal(references, archive.segments.length);
    const first = boxes[4]![1];
    assert.deepEqual(
      [sidx, ofSound].map((each) => [readU32(whole, each + 12), readU16(whole, each + 38)]),
      [
        [1, references],
        [101, references],
      ],
    );
    assert.equal(ofSound + readU64(whole, sidx + 28), first, "behind the index of the other track");
    assert.equal(readU64(whole, ofSound + 28), 0);
    let at = first;
    let us = 0;
    for (const [i, { chunks, durationUs }] of archive.segments.entries()) {
      assert.ok(moofs.includes(at), `segment ${i} begins with a moof`);
      const entry = sidx + 40 + i * 12;
      const sizeBytes = [...chunks].reduce((sum, { size }) => sum + size, 0);
      assert.deepEqual([readU32(whole, entry), readU32(whole, entry + 8)], [sizeBytes, 0x8000_0000]);
      assert.ok(Math.abs((readU32(whole, entry + 4) * 1e6) / 90_000 - durationUs) <= 50, `segment ${i}`);
      const sound = ofSound + 40 + i * 12;
      assert.equal(readU32(whole, sound), sizeBytes, "each index has the segments whole");
      assert.ok(Math.abs((readU32(whole, sound + 4) * 1e6) / 48_000 - durationUs) <= 50, `segment ${i}`);
      at += sizeBytes;
      us += durationUs;
    }
    assert.equal(at, whole.byteLength);
    assert.ok(Math.abs(us - made.durationUs) < 50);
    assert.equal(readU64(whole, placeOf(whole, "mehd") + 12), Math.floor(made.durationUs / 1000));
  });

  test("gives the bytes of any range, byte by byte and over every border", async () => {
    recordSmall(1500);
    recordSmall(600, RECORDED_US + 60 * SECOND_US);
    const made = new Mp4Export(archive);
    const whole = await bytesOf(made);
    assert.ok(whole.byteLength < 20_000);
    for (let from = 0; from < whole.byteLength; from += 7) {
      const to = Math.min(whole.byteLength, from + 7 + (from % 400));
      assert.deepEqual(
        await made.piece(from, to),
        Buffer.from(whole.subarray(from, to)),
        `${from} to ${to}`,
      );
    }
    const firstMoof = boxesOf(whole)[3]![1];
    for (let cut = firstMoof - 10; cut < firstMoof + 700; cut++) {
      const pieces = [await bytesOf(made, firstMoof - 20, cut), await bytesOf(made, cut, firstMoof + 800)];
      assert.deepEqual(concatBytes(pieces), whole.slice(firstMoof - 20, firstMoof + 800), `cut at ${cut}`);
    }
  });

  test("is the same in pieces that were cut anywhere, of several megabytes and a part of the tracks", async () => {
    archive.record(livePackets({ durationMs: 4000, payloadBytes: 12_000 }), RECORDED_US);
    for (const tracks of [undefined, ["a1" as TrackId]]) {
      const made = new Mp4Export(archive, { tracks });
      const whole = Buffer.from(await bytesOf(made));
      const place = fc.integer({ min: 0, max: made.bytes });
      await fc.assert(
        fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 6 }), async (places) => {
          const cuts = [0, ...places.toSorted((a, b) => a - b), made.bytes];
          const pieces: Uint8Array[] = [];
          for (let i = 1; i < cuts.length; i++) pieces.push(await bytesOf(made, cuts[i - 1], cuts[i]));
          assert.ok(whole.equals(concatBytes(pieces)), `cut at ${cuts.join(", ")}`);
        }),
        { numRuns: 12 },
      );
    }
  });

  test("reads what a range touches and no more", async () => {
    archive.record(livePackets({ durationMs: 4000, payloadBytes: 4000 }), RECORDED_US);
    const made = new Mp4Export(archive);
    await made.piece(0, 100);
    assert.equal(archive.reads.length, 0, "the head is in memory");
    const { size, headerBytes, offset } = archive.chunks[0]!;
    const headBytes = made.bytes - archive.chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    await made.piece(headBytes + size - 50, headBytes + size - 40);
    const lengths = archive.reads.map(({ length }) => length);
    assert.deepEqual(lengths, [10]);
    archive.reads.length = 0;
    // In the middle of what is changed: the rest of that is needed to change it.
    await made.piece(headBytes + 60, headBytes + 70);
    assert.ok(archive.reads.every(({ length }) => length <= headerBytes && length <= 256));
    assert.ok(archive.reads.some((read) => read.offset === offset));
  });

  test("as the file of a reply gives at most what is asked for, up to its end", async () => {
    recordSmall();
    const { file, bytes } = new Mp4Export(archive);
    assert.equal(file.sizeBytes, bytes);
    assert.equal((await file.read(10, 5)).byteLength, 5);
    assert.equal((await file.read(bytes - 3, 1000)).byteLength, 3);
  });

  test("has another version when it has other bytes, and the same for the same", () => {
    recordSmall();
    const { version } = new Mp4Export(archive);
    assert.match(version, /^[0-9a-f]{32}$/);
    assert.equal(new Mp4Export(archive).version, version);
    assert.notEqual(new Mp4Export(archive, { tracks: ["a1" as TrackId] }).version, version);
    const moved = archive.segments.map((segment) => ({
      ...segment,
      chunks: [...segment.chunks].map((chunk) => ({ ...chunk, offset: chunk.offset + 1 })),
    }));
    assert.notEqual(new Mp4Export(ofSegments(moved)).version, version);
  });

  test("refuses ranges that it does not have", async () => {
    recordSmall();
    const made = new Mp4Export(archive);
    for (const [from, to] of [
      [-1, 5],
      [6, 5],
      [0, made.bytes + 1],
    ] as const)
      await assert.rejects(made.piece(from, to), RangeError);
    assert.equal((await bytesOf(made, made.bytes)).byteLength, 0);
  });
});

/** The archive with another list. */
function ofSegments(segments: readonly StoredSegment[]): StoredRange {
  return { segments, mediaFiles: archive.mediaFiles, read: archive.read };
}

describe("a download", () => {
  /** More than any bound on what is in memory. */
  beforeEach(() => archive.record(livePackets({ durationMs: 4000, payloadBytes: 16_000 }), RECORDED_US));

  test("holds two pieces in memory, however slow the client is", async () => {
    const made = new Mp4Export(archive);
    assert.ok(made.bytes > 4 * 2 ** 20);
    let taken = 0;
    let most = 0;
    for await (const piece of made.read()) {
      await settle();
      const given = archive.reads.reduce((sum, { length }) => sum + length, 0);
      most = Math.max(most, given - taken);
      taken += piece.byteLength;
    }
    assert.equal(taken, made.bytes);
    assert.ok(most <= 1.1 * 2 ** 20, `${most} bytes`);
  });

  test("that is ended early leaves no read behind", async () => {
    for await (const _ of new Mp4Export(archive).read()) break;
    assert.equal(archive.running, 0);
    const reads = archive.reads.length;
    await settle();
    assert.equal(archive.reads.length, reads);
  });

  test("ends with the error of the storage, and so does one whose next piece fails while the client is slow", async () => {
    const pieces = new Mp4Export(archive).read();
    await pieces.next();
    archive.failure = new Error("the disk is gone");
    await settle();
    await assert.rejects(pieces.next(), /the disk is gone/);
    await assert.rejects(bytesOf(new Mp4Export(archive)), /the disk is gone/);
    assert.equal(archive.running, 0);
  });

  test("ends where a media file was cut off", async () => {
    const [file] = archive.mediaFiles.keys();
    const made = new Mp4Export(archive);
    archive.replace(file!, archive.bytesOf(file!).slice(0, -100));
    await assert.rejects(bytesOf(made), {
      code: "DVR_EXPORT_BAD_CHUNK",
      message: /of "08\.0\.mp4" is not what the index says: the file ends 100 bytes before/,
    });
  });

  test("ends at a chunk that is not what the index says", async () => {
    const [file] = archive.mediaFiles.keys();
    const made = new Mp4Export(archive);
    const damaged = archive.bytesOf(file!).slice();
    damaged[archive.chunks[3]!.offset + 4] = 0;
    archive.replace(file!, damaged);
    await assert.rejects(bytesOf(made), { code: "DVR_EXPORT_BAD_CHUNK", message: /there is no "moof"/ });
  });
});

describe("tracks of an export that change", () => {
  test("get a sample description for each configuration, and back again the first one", async () => {
    const packets = livePackets({ durationMs: 1000, audio: null, payloadBytes: 8 });
    const wide = videoTrack({ width: 128 });
    const other = packets.map((packet) => ({ ...packet, track: wide }));
    for (const [i, part] of [packets, other, packets].entries())
      archive.record(part, RECORDED_US + i * 60 * SECOND_US);
    const whole = await bytesOf(new Mp4Export(archive));
    const stsd = placeOf(whole, "stsd");
    assert.equal(readU32(whole, stsd + 12), 2);
    const moofs = boxesOf(whole).flatMap(([type, at]) => (type === "moof" ? [at] : []));
    const descriptions = moofs.map((at) => readU32(whole, placeOf(whole, "tfhd", at) + 16));
    assert.deepEqual(descriptions, [1, 2, 1]);
    assert.equal(placeOf(whole, "cmfc"), -5, "it is no CMAF track any more");
  });

  test("have the parameter sets of each configuration in front of its pictures, in a file that can be cut anywhere", async () => {
    const other = {
      config: Uint8Array.of(...videoTrack().config.subarray(0, 3), 12, ...videoTrack().config.subarray(4)),
    };
    for (const [i, changes] of [{}, other].entries()) {
      const packets = livePackets({ durationMs: 1000, video: videoTrack(changes), payloadBytes: 8 });
      // One of them is longer, so that lengths stand in the chunk.
      packets[3] = { ...packets[3]!, payload: new Uint8Array(20) };
      archive.record(packets, RECORDED_US + i * 60 * SECOND_US);
    }
    const made = new Mp4Export(archive);
    const whole = await bytesOf(made);
    assert.equal(whole.byteLength, made.bytes);
    const sets = parameterSets(videoTrack());
    const firstMoof = boxesOf(whole)[3]![1];
    const tracks = [...archive.mediaFiles.values()][0]!;
    const samples = readSegmentSamples([whole.subarray(firstMoof)], tracks);
    for (const id of ["v1", "a1"]) {
      const recorded = archive.recorded.get(id as TrackId)!;
      const own = samples.filter(({ track }) => track.id === id);
      assert.equal(own.length, recorded.length);
      for (const [i, { payload }] of own.entries()) {
        const isFirst = id === "v1" && i % 25 === 0;
        assert.deepEqual(
          payload,
          isFirst ? concatBytes([sets, recorded[i]!.payload]) : recorded[i]!.payload,
        );
      }
    }
    for (let from = firstMoof - 5; from < whole.byteLength; from++) {
      const to = Math.min(whole.byteLength, from + 1 + (from % 300));
      assert.deepEqual(
        await made.piece(from, to),
        Buffer.from(whole.subarray(from, to)),
        `${from} to ${to}`,
      );
    }
  });

  for (const [name, changes, message] of [
    [
      "codec",
      { codec: "mp3", config: new Uint8Array(0) },
      /track a1 changes at 2026-11-23T08:01:00\.000Z from aac/,
    ],
    ["timescale", { timescale: 44_100 }, /from aac with 48000 ticks a second to aac with 44100/],
  ] as const) {
    test(`cannot change their ${name}, which is said before the first byte, and is nothing to those who leave them out`, () => {
      recordSmall(1000);
      const audio = audioTrack(changes);
      archive.record(
        livePackets({ durationMs: 1000, audio, payloadBytes: 8 }),
        RECORDED_US + 60 * SECOND_US,
      );
      assert.throws(() => new Mp4Export(archive), { code: "DVR_EXPORT_CODEC_CHANGE", message });
      assert.equal(archive.reads.length, 0);
      assert.ok(new Mp4Export(archive, { tracks: ["v1" as TrackId] }).bytes > 0);
    });
  }

  test("to more configurations than one track may have are refused", () => {
    const tracks = Array.from({ length: EXPORT_LIMITS.configs + 1 }, (_, i) =>
      videoTrack({ width: 16 + i }),
    );
    const list = [...listedRange({ tracks: [videoTrack()], segments: tracks.length }).segments];
    const range = {
      segments: list.map((segment, i) => ({
        ...segment,
        chunks: [...segment.chunks].map((chunk) => ({ ...chunk, mediaFileKey: `${i}.mp4` })),
      })),
      mediaFiles: new Map(tracks.map((track, i) => [`${i}.mp4`, [track]])),
      read: archive.read,
    };
    assert.throws(() => new Mp4Export(range), {
      code: "DVR_EXPORT_LIMIT",
      message: /configurations of track v1/,
    });
  });
});

describe("an export of a long list", () => {
  const tracks = [videoTrack(), audioTrack()];
  const headOf = async (made: Mp4Export, bytes: number): Promise<Uint8Array> => await made.piece(0, bytes);

  test("of ten hours is planned without a read", () => {
    const made = new Mp4Export(listedRange({ tracks, segments: 18_000 }));
    assert.equal(made.durationUs, 36_000 * SECOND_US);
    const mediaBytes = 36_000 * 100_000;
    const indexBytes = 2 * 18_000 * 12;
    assert.ok(made.bytes > mediaBytes + indexBytes && made.bytes < mediaBytes + indexBytes + 4000);
  });

  test("names several segments at a time where an index cannot count them", async () => {
    const segments = 2 * 0xffff + 1;
    const made = new Mp4Export(listedRange({ tracks: [audioTrack()], segments, chunkBytes: 1000 }));
    const head = await headOf(made, 4000);
    const sidx = placeOf(head, "sidx");
    const references = Math.ceil(segments / 3);
    assert.equal(readU16(head, sidx + 38), references);
    assert.deepEqual([readU32(head, sidx + 40), readU32(head, sidx + 44)], [3000, 6 * 48_000]);
    assert.equal(made.bytes, sidx + 40 + references * 12 + segments * 1000);
  });

  test("has no index where one entry of it would be too long", async () => {
    const [segment] = listedRange({ tracks, segments: 1 }).segments;
    const [chunk] = segment!.chunks;
    const chunks = Array.from({ length: 17 }, (_, i) => ({
      ...chunk!,
      size: EXPORT_LIMITS.chunkBytes,
      offset: i * EXPORT_LIMITS.chunkBytes,
    }));
    const range = { ...listedRange({ tracks, segments: 1 }), segments: [{ ...segment!, chunks }] };
    const made = new Mp4Export(range);
    const headBytes = made.bytes - 17 * EXPORT_LIMITS.chunkBytes;
    const slow = new Mp4Export(listedRange({ tracks, segments: 1, segmentUs: 50_000 * SECOND_US }));
    assert.deepEqual(
      boxesOf(await headOf(slow, slow.bytes - 200_000)).map(([type]) => type),
      ["ftyp", "moov"],
    );
    assert.deepEqual(
      boxesOf(await headOf(made, headBytes)).map(([type]) => type),
      ["ftyp", "moov"],
    );
  });
});
