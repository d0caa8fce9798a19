import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, mediaPacket, videoTrack } from "../../test/support/media.ts";
import { concatBytes, totalBytes } from "../base/bytes.ts";
import type { TrackId } from "../media/ids.ts";
import { makeTrackSet } from "../media/track.ts";
import { measureBandwidth, measureFrameRate } from "./bandwidth.ts";
import { LiveWindow } from "./live-window.ts";
import { Segmenter } from "./segmenter.ts";
import type { Timeline } from "./presentation.ts";
import type { FinishedSegment } from "./segmenter.ts";

const video = videoTrack();
const audio = audioTrack();
const both = [video.id, audio.id] as TrackId[];
/** 2026-01-01T00:00:00Z: a multiple of every segment duration used here. */
const START_US = 1_767_225_600_000_000;
const FRAME_BYTES = 1000;

type Feed = { onTracks: Segmenter["onTracks"]; onPacket: Segmenter["onPacket"]; onPause(): void };

/** 25 fps video with a two-frame composition offset and 48 kHz AAC, interleaved, audio late by `audioLagUs`. */
function feedSeconds(
  feed: Feed,
  fromSecond: number,
  toSecond: number,
  options: { gopFrames?: number; audioLagUs?: number; epoch?: number; hasAudio?: boolean } = {},
): void {
  const { gopFrames = 50, audioLagUs = 0, epoch = 1, hasAudio = true } = options;
  const packets: { atUs: number; send(): void }[] = [];
  for (let frame = Math.ceil(fromSecond * 25); frame < toSecond * 25; frame++) {
    const dts = (START_US / 1e6) * 90_000 + frame * 3600;
    const startsGop = frame % gopFrames === 0;
    const payload = new Uint8Array(FRAME_BYTES).fill(frame & 255);
    packets.push({
      atUs: frame * 40_000,
      send: () =>
        feed.onPacket(
          mediaPacket({ track: video, dts, pts: dts + 7200, isSync: startsGop, startsGop, epoch, payload }),
        ),
    });
  }
  const endFrame = hasAudio ? toSecond * 46.875 : 0;
  for (let n = Math.ceil(fromSecond * 46.875); n < endFrame; n++) {
    const dts = (START_US / 1e6) * 48_000 + n * 1024;
    packets.push({
      atUs: Math.floor((n * 1024e6) / 48_000) + audioLagUs,
      send: () =>
        feed.onPacket(
          mediaPacket({
            track: audio,
            dts,
            isSync: true,
            startsGop: false,
            epoch,
            payload: new Uint8Array(100),
          }),
        ),
    });
  }
  packets.sort((a, b) => a.atUs - b.atUs);
  for (const packet of packets) packet.send();
}

function segmented(segmentSeconds: number, run: (feed: Segmenter) => void): FinishedSegment[] {
  const out: FinishedSegment[] = [];
  const segmenter = new Segmenter({
    segmentDurationUs: segmentSeconds * 1e6,
    maxDurationUs: () => Segmenter.MAX_SEGMENT_US,
    onSegment: (segment) => out.push(segment),
  });
  segmenter.onTracks(makeTrackSet(1, [video, audio]));
  run(segmenter);
  return out;
}

function window(segmentCount = 3): LiveWindow {
  const live = new LiveWindow({ segmentDurationUs: 2e6, segmentCount });
  live.onTracks(makeTrackSet(1, [video, audio]));
  return live;
}

test("segments are cut at the first GOP of each cell of the clock, whoever listens since when", () => {
  const early = segmented(4, (feed) => feedSeconds(feed, 0, 24));
  const late = segmented(4, (feed) => feedSeconds(feed, 6, 24));
  assert.deepEqual(
    early.map((segment) => segment.durationUs),
    [4e6, 4e6, 4e6, 4e6, 4e6],
  );
  const shared = late.slice(1).map((segment) => segment.startUs);
  assert.deepEqual(
    shared,
    early.slice(-shared.length).map((segment) => segment.startUs),
  );
});

test("with GOPs longer than a cell every GOP begins a segment", () => {
  const segments = segmented(2, (feed) => feedSeconds(feed, 0, 21, { gopFrames: 125 }));
  assert.deepEqual(
    segments.map((segment) => segment.durationUs),
    [5e6, 5e6, 5e6, 5e6],
  );
});

test("no frame is lost or doubled at a cut, and every track's times go on without a hole", () => {
  const segments = segmented(2, (feed) => {
    feedSeconds(feed, 0, 20);
    feed.onPause();
  });
  for (const [track, total] of [
    [video, 500],
    [audio, 938],
  ] as const) {
    let count = 0;
    let expectedDts: number | null = null;
    for (const segment of segments) {
      const table = segment.media.get(track.id)!.table;
      if (expectedDts !== null) assert.equal(table.baseDts, expectedDts, track.id);
      expectedDts = table.baseDts + table.durations.reduce((sum, ticks) => sum + ticks, 0);
      count += table.count;
      assert.equal(
        totalBytes(segment.media.get(track.id)!.blocks()),
        table.sizes.reduce((a, b) => a + b, 0),
      );
    }
    assert.equal(count, total);
  }
});

test("late audio is waited for: it lies in the segment whose pictures it belongs to", () => {
  const prompt = segmented(2, (feed) => feedSeconds(feed, 0, 20));
  const late = segmented(2, (feed) => feedSeconds(feed, 0, 20, { audioLagUs: 400_000 }));
  assert.deepEqual(
    late.map((segment) => segment.media.get(audio.id)!.table.baseDts),
    prompt.slice(0, late.length).map((segment) => segment.media.get(audio.id)!.table.baseDts),
  );
});

test("audio that never comes holds a segment up for a second at most", () => {
  const segments = segmented(2, (feed) => feedSeconds(feed, 0, 20, { hasAudio: false }));
  assert.equal(segments.length, 9);
  assert.ok(segments.every((segment) => !segment.media.has(audio.id)));
});

test("a stream that never sends a key frame again is cut by its bounds, and says that it is not independent", () => {
  const segments = segmented(2, (feed) => feedSeconds(feed, 0, 140, { gopFrames: 100_000 }));
  assert.ok(segments.length >= 2);
  assert.ok(segments.every((segment) => segment.durationUs <= Segmenter.MAX_SEGMENT_US + 100_000));
  assert.deepEqual(
    segments.map((segment) => segment.isIndependent),
    [true, false],
  );
});

test("audio goes on alone when the pictures stop, within the same bound", () => {
  const segments = segmented(2, (feed) => {
    feedSeconds(feed, 0, 4);
    for (let n = 188; n < 188 + 47 * 130; n++) {
      const dts = (START_US / 1e6) * 48_000 + n * 1024;
      feed.onPacket(
        mediaPacket({
          track: audio,
          dts,
          isSync: true,
          startsGop: false,
          epoch: 1,
          payload: new Uint8Array(10),
        }),
      );
    }
  });
  assert.ok(segments.length >= 3, `${segments.length} segments`);
});

test("the window is ready with one and a half segment durations, and lists only the newest", () => {
  const live = window();
  feedSeconds(live, 0, 3);
  assert.equal(live.isReady, false);
  feedSeconds(live, 3, 20.5);
  const { segments, targetDurationUs } = live.timeline();
  assert.equal(segments.length, 3);
  assert.equal(targetDurationUs, 2e6);
  assert.deepEqual(
    segments.map((segment) => [segment.name, segment.sequence]),
    [14, 16, 18].map((second) => [
      String(START_US / 1000 + second * 1000 + 80),
      START_US / 1e6 + second / 2,
    ]),
  );
});

test("numbers go on where the clock stands after a restart, without overlap", () => {
  const before = window();
  feedSeconds(before, 0, 12.5);
  const after = window();
  feedSeconds(after, 30, 42.5);
  const last = before.timeline().segments.at(-1)!.sequence;
  assert.ok(after.timeline().segments[0]!.sequence > last);
});

test("numbers never go back over a restart, however often the publisher came back before", () => {
  const before = window();
  for (let epoch = 1; epoch <= 20; epoch++) {
    before.onTracks(makeTrackSet(epoch, [video, audio]));
    feedSeconds(before, epoch * 0.8, epoch * 0.8 + 0.6, { epoch, gopFrames: 5 });
    before.onPause();
  }
  before.onTracks(makeTrackSet(21, [video, audio]));
  feedSeconds(before, 17, 24, { epoch: 21 });
  const { segments, discontinuitySequence } = before.timeline();
  const after = window();
  feedSeconds(after, 25, 32);
  const first = after.timeline();
  assert.ok(first.segments[0]!.sequence > segments.at(-1)!.sequence, "a number was used twice");
  assert.notEqual(first.discontinuitySequence, discontinuitySequence);
  assert.ok(first.discontinuitySequence < 2000, "hls.js keeps an array of that length");
});

test("segments that left the playlist stay for players that hold an older one, then go", () => {
  const live = window();
  feedSeconds(live, 0, 12.5);
  const old = live.timeline().segments[0]!.name;
  feedSeconds(live, 12.5, 16.5);
  assert.ok(!live.timeline().segments.some((segment) => segment.name === old));
  assert.notEqual(live.segment(old, both), null);
  feedSeconds(live, 16.5, 30.5);
  assert.equal(live.segment(old, both), null);
  assert.ok(live.bytes < 6 * 2.2 * (25 * FRAME_BYTES + 4700) + 1, `${live.bytes} bytes held`);
});

test("a publisher's return is a discontinuity, counted on when it leaves the list", () => {
  const live = window();
  feedSeconds(live, 0, 9);
  live.onPause();
  live.onTracks(makeTrackSet(2, [video, audio]));
  feedSeconds(live, 20, 27, { epoch: 2 });
  const { segments, discontinuitySequence } = live.timeline();
  assert.deepEqual(
    segments.map((segment) => segment.discontinuity),
    [true, false, false],
  );
  const first = Math.floor(START_US / 1e7) % 1000;
  assert.equal(discontinuitySequence, first);
  const sequences = segments.map((segment) => segment.sequence);
  assert.deepEqual(sequences, [sequences[0], sequences[0]! + 1, sequences[0]! + 2]);
  feedSeconds(live, 27, 29, { epoch: 2 });
  assert.equal(live.timeline().discontinuitySequence, first + 1);
});

test("any selection of tracks is the same media under another header", () => {
  const live = window();
  feedSeconds(live, 0, 8.5);
  const { name } = live.timeline().segments[0]!;
  const size = (selection: readonly string[]) =>
    concatBytes(live.segment(name, selection as TrackId[])!).byteLength;
  const [v, a, va] = [size(["v1"]), size(["a1"]), size(["v1", "a1"])];
  assert.ok(va < v + a && va > v + a - 200, `${v} + ${a} against ${va}`);
  assert.equal(
    live.segment(name, both)![1],
    live.segment(name, ["v1"] as TrackId[])![1],
    "blocks are shared",
  );
  assert.equal(live.segment(name, ["a9"] as TrackId[]), null);
  assert.equal(live.segment("123", both), null);
});

test("init segments are named by their content and found by it", () => {
  const one = window();
  const other = window();
  feedSeconds(one, 0, 8.5);
  const tracks = one.timeline().tracks;
  const name = one.initName(tracks, both);
  assert.equal(other.initName(makeTrackSet(9, [video, audio]), both), name);
  assert.notEqual(one.initName(tracks, ["v1"] as TrackId[]), name);
  assert.notEqual(one.initSegment(name, both), null);
  assert.equal(one.initSegment("000000000000", both), null);
});

test("who asks before the window is ready waits; the end of the stream wakes all", async () => {
  const live = window();
  const waiting = live.whenReady();
  feedSeconds(live, 0, 8.5);
  await waiting;
  const never = window();
  const woken = never.whenReady();
  never.onEnd();
  await woken;
  assert.equal(never.isReady, false);
});

test("waiters beyond the bound are not kept", async () => {
  const live = window();
  for (let i = 0; i < LiveWindow.MAX_WAITERS; i++) void live.whenReady();
  await live.whenReady();
  assert.equal(live.isReady, false);
});

test("bandwidth and frame rate are measured from the segments", () => {
  const live = window();
  feedSeconds(live, 0, 12.5);
  const timeline = live.timeline();
  const { peakBps, averageBps } = measureBandwidth(timeline, both);
  let worst = 0;
  for (const segment of timeline.segments) {
    const bytes = concatBytes(live.segment(segment.name, both)!).byteLength;
    worst = Math.max(worst, (bytes * 8e6) / segment.durationUs);
  }
  assert.ok(peakBps >= worst && peakBps < worst * 1.05, `${peakBps} against ${worst}`);
  assert.ok(averageBps <= peakBps);
  assert.equal(measureFrameRate(timeline, video.id), 25);
});

for (const rate of [23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60]) {
  test(`${rate} pictures a second are not taken for a neighbour`, () => {
    const silent = videoTrack({ frameRate: 0 });
    const exact = Number.isInteger(rate) ? rate : (Math.round(rate) * 1000) / 1001;
    const segment = {
      durationUs: (100 / exact) * 1e6,
      trackSamples: () => 100,
      trackUs: () => (100 / exact) * 1e6,
    };
    const timeline = {
      tracks: makeTrackSet(1, [silent]),
      segments: [segment, segment],
    } as unknown as Timeline;
    assert.ok(Math.abs(measureFrameRate(timeline, silent.id) - exact) < 1e-9);
  });
}

test("earlier segments are told as far as they are to be had after the next one, eight with the listed ones", () => {
  const told = (live: LiveWindow): number[] => {
    const { earlier = [], segments } = live.timeline();
    const all = [...earlier, ...segments];
    assert.deepEqual(
      all.map(({ sequence }) => sequence),
      all.map((_, i) => all[0]!.sequence + i),
    );
    for (const { name } of all) assert.ok(live.segment(name, both) !== null, name);
    return [earlier.length, segments.length];
  };
  const live = window(3);
  feedSeconds(live, 0, 6.5);
  assert.deepEqual(told(live), [0, 3]);
  feedSeconds(live, 6.5, 40.5);
  assert.deepEqual(told(live), [2, 3]);
  const before = live.timeline().earlier![0]!.name;
  feedSeconds(live, 40.5, 42.5);
  assert.ok(live.segment(before, both) !== null, "who holds the timeline before may still ask");
  const long = window(20);
  feedSeconds(long, 0, 100.5);
  assert.deepEqual(told(long), [0, 20]);
  const short = window(1);
  feedSeconds(short, 0, 20.5);
  assert.deepEqual(told(short), [0, 1]);
});
