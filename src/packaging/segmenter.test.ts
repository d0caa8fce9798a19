import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { audioTrack, mediaPacket, videoTrack } from "../../test/support/media.ts";
import { makeTrackSet } from "../media/track.ts";
import type { Timeline } from "./presentation.ts";
import { LiveWindow } from "./live-window.ts";

const video = videoTrack();
const audio = audioTrack();
const START_US = 1_767_225_600_000_000;
const CELL_US = 2_000_000;

/** A stretch of a source: how many tenths of a second, with which tracks, key frames how often. */
type Stretch = { tenths: number; hasVideo: boolean; hasAudio: boolean; gopFrames: number; breaks: boolean };

/** Plays stretches into a window at 20 pictures and 50 frames of sound a second; gives every timeline that it showed. */
function play(stretches: readonly Stretch[]): Timeline[] {
  const live = new LiveWindow({ segmentDurationUs: CELL_US, segmentCount: 4 });
  const shown: Timeline[] = [];
  let epoch = 1;
  let frame = 0;
  let atTenth = 0;
  live.onTracks(makeTrackSet(epoch, [video, audio]));
  for (const stretch of stretches) {
    if (stretch.breaks) {
      live.onPause();
      live.onTracks(makeTrackSet(++epoch, [video, audio]));
      frame = 0;
    }
    for (const end = atTenth + stretch.tenths; atTenth < end; atTenth++) {
      for (let part = 0; part < 5; part++) {
        const us = START_US + atTenth * 100_000 + part * 20_000;
        if (stretch.hasVideo && part < 2) {
          const dts = ((START_US + atTenth * 100_000 + part * 50_000) / 1e6) * 90_000;
          const startsGop = frame++ % stretch.gopFrames === 0;
          live.onPacket(
            mediaPacket({
              track: video,
              dts,
              isSync: startsGop,
              startsGop,
              epoch,
              payload: new Uint8Array(100),
            }),
          );
        }
        if (stretch.hasAudio) {
          const dts = Math.round((us / 1e6) * 48_000);
          live.onPacket(
            mediaPacket({
              track: audio,
              dts,
              isSync: true,
              startsGop: false,
              epoch,
              payload: new Uint8Array(10),
            }),
          );
        }
      }
      if (live.isReady && shown.at(-1) !== live.timeline()) shown.push(live.timeline());
    }
  }
  return shown;
}

function allSegments(timelines: readonly Timeline[]): Timeline["segments"][number][] {
  const bySequence = new Map<number, Timeline["segments"][number]>();
  for (const { segments } of timelines)
    for (const segment of segments) bySequence.set(segment.sequence, segment);
  return [...bySequence.values()];
}

const normal: Stretch = { tenths: 200, hasVideo: true, hasAudio: true, gopFrames: 20, breaks: false };

test("a frozen camera with a live microphone goes on: segments are cut by the sound, and say how long they are", () => {
  const shown = play([normal, { ...normal, tenths: 300, hasVideo: false }, normal]);
  const segments = allSegments(shown);
  assert.ok(segments.every((segment) => Math.round(segment.durationUs / 1e6) <= 2));
  const covered = segments.reduce((sum, segment) => sum + segment.durationUs, 0);
  assert.ok(covered > 62e6, `${covered / 1e6} s of 70 are in the playlist`);
  assert.ok(segments.every((segment) => segment.trackUs(audio.id) <= segment.durationUs + 100_000));
  assert.ok(segments.every((segment) => !segment.discontinuity));
});

test("once shown, the target duration stays: a GOP that is longer is cut within, and not called independent", () => {
  const shown = play([normal, { ...normal, gopFrames: 10_000 }]);
  assert.equal(new Set(shown.map((timeline) => timeline.targetDurationUs)).size, 1);
  const segments = allSegments(shown);
  assert.ok(segments.some((segment) => !segment.isIndependent));
  assert.ok(segments.every((segment) => Math.round(segment.durationUs / 1e6) <= 2));
});

test("a target duration is what the first GOPs ask for", () => {
  const shown = play([{ ...normal, tenths: 400, gopFrames: 100 }]);
  assert.deepEqual(
    new Set(shown.map((timeline) => Math.round(timeline.targetDurationUs / 1e6))),
    new Set([5]),
  );
});

test("whatever tracks do, playlists keep the rules of RFC 8216", () => {
  const stretch = fc.record({
    tenths: fc.integer({ min: 1, max: 120 }),
    hasVideo: fc.boolean(),
    hasAudio: fc.boolean(),
    gopFrames: fc.constantFrom(5, 20, 47, 300),
    breaks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 8 }), (stretches) => {
      const shown = play([normal, ...stretches]);
      for (const [i, timeline] of shown.entries()) {
        const target = Math.round(timeline.targetDurationUs / 1e6);
        const { segments } = timeline;
        for (const [k, segment] of segments.entries()) {
          assert.equal(segment.sequence, segments[0]!.sequence + k);
          assert.ok(
            Math.round(segment.durationUs / 1e6) <= target,
            `${segment.durationUs} us over ${target} s`,
          );
          const next = segments[k + 1];
          if (next?.discontinuity === false)
            assert.ok(next.startUs >= segment.startUs + segment.durationUs - 1);
        }
        const before = shown[i - 1];
        if (before === undefined) continue;
        assert.equal(timeline.targetDurationUs, before.targetDurationUs);
        assert.ok(segments[0]!.sequence >= before.segments[0]!.sequence);
        assert.ok(timeline.discontinuitySequence >= before.discontinuitySequence);
        for (const segment of segments) {
          const same = before.segments.find((candidate) => candidate.sequence === segment.sequence);
          assert.ok(same === undefined || same === segment);
        }
      }
    }),
    { seed: 17, numRuns: 150 },
  );
});
