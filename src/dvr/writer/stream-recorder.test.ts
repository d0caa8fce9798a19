import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { mediaPacket, trackSet } from "../../../test/support/media.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { RecordedSegment } from "../../packaging/segment-recorder.ts";
import type { RecordedGroup } from "./recorded-group.ts";
import { StreamRecorder } from "./stream-recorder.ts";

const tracks = trackSet();
const [VIDEO, AUDIO] = tracks.tracks;

/** A segment that a test fills. */
class Growing implements RecordedSegment {
  readonly tracks = tracks;
  readonly isIndependent = true;
  readonly discontinuity = false;
  readonly sequence: number;
  readonly startUs: number;
  readonly packets: MediaPacket[] = [];

  constructor(sequence: number, startUs: number) {
    this.sequence = sequence;
    this.startUs = startUs;
  }

  packetsOf(id: TrackId): readonly MediaPacket[] {
    return this.packets.filter(({ track }) => track.id === id);
  }

  /** Seconds of both tracks from a time on. */
  fill(fromS: number, seconds: number): this {
    for (let i = 0; i < seconds * 25; i++)
      this.packets.push(
        mediaPacket({ track: VIDEO!, dts: Math.round((fromS + i / 25) * 90_000), isSync: i % 25 === 0 }),
      );
    for (let n = Math.ceil(fromS * 46.875); n < (fromS + seconds) * 46.875; n++)
      this.packets.push(mediaPacket({ track: AUDIO!, dts: n * 1024, isSync: true }));
    return this;
  }
}

const next = (atS: number): MediaPacket => mediaPacket({ track: VIDEO!, dts: atS * 90_000, isSync: true });

function setUp(schedule: { isRecordingAt(ms: number): boolean } | null = null): {
  readonly clock: FakeClock;
  readonly groups: RecordedGroup[];
  readonly recorder: StreamRecorder;
} {
  const clock = new FakeClock();
  const groups: RecordedGroup[] = [];
  const recorder = new StreamRecorder({ write: (group) => void groups.push(group) }, clock, schedule);
  return { clock, groups, recorder };
}

const END = (endS: number): { endUs: number; nextDts: () => null } => ({
  endUs: endS * 1e6,
  nextDts: () => null,
});

describe("a recorder", () => {
  test("gives each GOP once, in order, and the end with what came behind it", () => {
    const { clock, groups, recorder } = setUp();
    const segment = new Growing(7, 1e6).fill(1, 1);
    recorder.onGop(segment, next(2));
    clock.advance(1000);
    segment.fill(2, 1);
    recorder.onGop(segment, next(3));
    clock.advance(100);
    recorder.onSegment(segment, END(3));
    const shares = groups.flatMap((group) => group.shares);
    assert.deepEqual(
      shares.map(({ isStart, durationUs }) => [isStart, durationUs]),
      [
        [true, null],
        [false, null],
        [false, 2_000_000],
      ],
    );
    const samples = shares.map(({ chunks }) => chunks.map((chunk) => [chunk.trackNumber, chunk.samples]));
    assert.deepEqual(samples[0]![0], [1, 25]);
    assert.equal(shares[2]!.chunks.length, 0);
    let sound = 0;
    for (const { chunks } of shares)
      for (const { trackNumber, samples: n } of chunks) sound += trackNumber === 101 ? n : 0;
    assert.equal(sound, segment.packetsOf(AUDIO!.id).length);
    assert.equal(groups[0]!.utcUs, clock.wallUs() - 1_100_000);
  });

  test("writes GOPs shorter than a quarter of a second together, and a complete segment at once", () => {
    const { clock, groups, recorder } = setUp();
    const segment = new Growing(1, 1e6);
    for (let i = 0; i < 20; i++) {
      segment.packets.push(mediaPacket({ track: VIDEO!, dts: (1 + i / 20) * 90_000, isSync: true }));
      recorder.onGop(segment, next(1 + (i + 1) / 20));
      clock.advance(50);
    }
    assert.equal(groups.length, 4);
    recorder.onSegment(segment, END(2));
    assert.equal(groups.length, 5);
    assert.equal(groups[4]!.shares[0]!.durationUs, 1_000_000);
  });

  test("leaves out whole segments by their schedule", () => {
    const { groups, recorder } = setUp({ isRecordingAt: (ms) => ms >= 3000 });
    for (const atS of [1, 3]) {
      const segment = new Growing(atS, atS * 1e6).fill(atS, 2);
      recorder.onGop(segment, next(atS + 2));
      recorder.onSegment(segment, END(atS + 2));
    }
    assert.deepEqual(
      [...new Set(groups.flatMap((group) => group.shares.map(({ sequence }) => sequence)))],
      [3],
    );
  });

  test("goes on elsewhere, and by another schedule, from the next segment on", () => {
    const { clock, groups, recorder } = setUp({ isRecordingAt: () => true });
    const elsewhere: RecordedGroup[] = [];
    let changes = 0;
    const sequences = (of: readonly RecordedGroup[]): number[] => [
      ...new Set(of.flatMap(({ shares }) => shares.map(({ sequence }) => sequence))),
    ];
    const writer = { write: (group: RecordedGroup) => void elsewhere.push(group) };
    const schedule = { isRecordingAt: (ms: number) => ms < 5000 };
    for (const atS of [1, 3, 5]) {
      const segment = new Growing(atS, atS * 1e6).fill(atS, 1);
      recorder.onGop(segment, next(atS + 1));
      if (atS === 1)
        recorder.recordOtherwise({ writer: { write: () => assert.fail() }, schedule }, assert.fail);
      if (atS === 1) recorder.recordOtherwise({ writer, schedule }, () => changes++);
      clock.advance(2000);
      recorder.onSegment(segment.fill(atS + 1, 1), END(atS + 2));
      assert.equal(changes, atS === 1 ? 0 : 1);
    }
    assert.deepEqual([sequences(groups), sequences(elsewhere)], [[1], [3]]);
    assert.equal(
      groups.at(-1)!.shares.at(-1)!.durationUs,
      2_000_000,
      "the segment is complete where it began",
    );
  });

  test("begins and ends recording with a segment, and holds nothing meanwhile", () => {
    const groups: RecordedGroup[] = [];
    const clock = new FakeClock();
    const recorder = new StreamRecorder(null, clock);
    const writer = { write: (group: RecordedGroup) => void groups.push(group) };
    for (const atS of [1, 3, 5, 7]) {
      const segment = new Growing(atS, atS * 1e6).fill(atS, 1);
      clock.advance(1000);
      recorder.onGop(segment, next(atS + 1));
      if (atS === 1) recorder.recordOtherwise({ writer, schedule: null }, () => {});
      if (atS === 5) recorder.recordOtherwise(null, () => {});
      recorder.onSegment(segment.fill(atS + 1, 1), END(atS + 2));
      recorder.onBreak();
    }
    const shares = groups.flatMap((group) => group.shares);
    assert.deepEqual(
      shares.map(({ sequence, durationUs }) => [sequence, durationUs]),
      [3, 3, 5, 5].map((sequence, i) => [sequence, i % 2 === 0 ? null : 2_000_000]),
    );
  });

  test("gives nothing of a segment that has nothing", () => {
    const { groups, recorder } = setUp();
    recorder.onSegment(new Growing(1, 1e6), END(2));
    recorder.onBreak();
    assert.deepEqual(groups, []);
  });
});
