import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet, videoTrack } from "../../test/support/media.ts";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import { offeredTracks, tracksOf } from "./offered-tracks.ts";

const [small, large] = [videoTrack({ width: 32 }), videoTrack({ width: 64 })];
const early = trackSet([small, audioTrack()], 1);
const late = trackSet([large], 2);
const segments = [segmentEntry(0, { tracks: early }), segmentEntry(1, { tracks: late })];

test("of a window the tracks of now are offered, of what stays all that there ever were", () => {
  assert.deepEqual(offeredTracks(timelineOf({ segments })), [large]);
  for (const mutability of ["event", "static"] as const) {
    const offered = offeredTracks(timelineOf({ segments, mutability }));
    assert.deepEqual(offered, [audioTrack(), large]);
  }
  const same = timelineOf({ segments: segments.slice(0, 1), mutability: "static" });
  assert.equal(offeredTracks(same), early.tracks);
});

test("of each id it is the newest track", () => {
  assert.deepEqual(tracksOf([...segments, segments[0]!]), [audioTrack(), small]);
  assert.deepEqual(tracksOf([]), []);
});
