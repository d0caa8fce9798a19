import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../test/support/media.ts";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import { trackId } from "../media/ids.ts";
import type { TrackId } from "../media/ids.ts";
import { noticePlayback } from "./playback-notices.ts";
import type { SegmentEntry } from "./presentation.ts";
import { ALWAYS_RANDOM_ACCESS, dependentTracks, isRandomAccess, withSegment } from "./random-access.ts";

const OTHER = videoTrack({ id: trackId("video", 2), width: 32, height: 18 });
const TRACKS = trackSet([videoTrack(), OTHER, audioTrack()]);
const [V1, V2, A1] = ["v1", "v2", "a1"] as [TrackId, TrackId, TrackId];

const segment = (dependent: TrackId[], changes: Partial<SegmentEntry> = {}): SegmentEntry =>
  segmentEntry(0, { tracks: TRACKS, dependent, ...changes });

test("only pictures depend on what came before, and only where there are some", () => {
  const first = new Map([
    [V1, true],
    [A1, false],
  ]);
  assert.deepEqual(
    dependentTracks(TRACKS.tracks, (id) => first.get(id)),
    [],
  );
  assert.deepEqual(
    dependentTracks(TRACKS.tracks, () => false),
    [V1, V2],
  );
});

const histories = [
  { name: "all begin with key frames", of: [[], []], dependent: [], unaligned: [] },
  { name: "all are cut in a GOP together", of: [[], [V1, V2], []], dependent: [V1, V2], unaligned: [] },
  { name: "one begins elsewhere, once", of: [[V2], [], []], dependent: [V2], unaligned: [V2] },
  { name: "one has a key frame where the first has none", of: [[V1]], dependent: [V1], unaligned: [V2] },
];
for (const { name, of, dependent, unaligned } of histories) {
  test(`what is remembered when ${name}`, () => {
    const known = of.map((ids) => segment(ids)).reduce(withSegment, ALWAYS_RANDOM_ACCESS);
    assert.deepEqual(known, { dependent, unaligned });
    assert.equal(withSegment(known, segment([])), known);
  });
}

test("a track without media says nothing of how it is cut, nor does a reference without", () => {
  for (const missing of [V1, V2]) {
    const trackSamples = (id: TrackId): number => (id === missing ? 0 : 10);
    assert.deepEqual(withSegment(ALWAYS_RANDOM_ACCESS, segment([], { trackSamples })).unaligned, []);
  }
});

test("what was promised and taken back stays so, for that track alone", () => {
  const randomAccess = { dependent: [V2], unaligned: [V2] };
  const timeline = timelineOf({ segments: [segment([])], randomAccess });
  const holds = (...ids: TrackId[]): boolean => isRandomAccess(timeline, timeline.segments, ids);
  assert.deepEqual([holds(V1), holds(V2), holds(A1), holds(V2, A1)], [true, false, true, false]);
  assert.equal(isRandomAccess(timeline, timeline.segments, null), false);
});

test("where segments tell of the reference alone, that is what pictures go by", () => {
  const { dependent: _, ...entry } = segment([]);
  const timeline = timelineOf({ segments: [{ ...entry, isIndependent: false }] });
  const holds = (id: TrackId): boolean => isRandomAccess(timeline, timeline.segments, [id]);
  assert.deepEqual([holds(V1), holds(V2), holds(A1)], [false, false, true]);
});

test("the log has a line for each quality whose key frames are elsewhere, and none for others", () => {
  const said: string[] = [];
  const notice = (message: string): void => void said.push(message);
  noticePlayback(timelineOf({ segments: [segment([])] }), { notice });
  assert.deepEqual(said, []);
  const randomAccess = { dependent: [V1, V2], unaligned: [V2] };
  noticePlayback(timelineOf({ segments: [segment([])], randomAccess }), { notice });
  assert.equal(said.length, 1);
  assert.match(said[0]!, /^quality v2 \(32x18\) has no key frame where v1 is cut/);
});
