/** Missing sound, from the source to the segments and parts of a live window. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { LiveSource } from "../../../test/support/live-source.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { trackId } from "../../media/ids.ts";
import type { LiveWindowOptions } from "../live-window.ts";
import { LiveWindow } from "../live-window.ts";

const SHAPE = { segmentDurationUs: 2e6, segmentCount: 20, chunkDurationUs: 200_000 };

const AUDIO = trackId("audio", 1);
const VIDEO = trackId("video", 1);

function windowOf(more: Partial<LiveWindowOptions> = {}): LiveWindow {
  return new LiveWindow({ ...SHAPE, clock: new FakeClock(), ...more });
}

/** Asserts that every listed segment has sound and pictures, and every part where the sound did not stop at that moment. */
function assertWhole(window: LiveWindow, stopsIn: string): void {
  for (const segment of window.timeline().segments) {
    assert.ok(segment.trackSamples(AUDIO) > 80, `${segment.name} has too little sound`);
    assert.equal(segment.trackSamples(VIDEO), 50, segment.name);
    const parts = segment.parts ?? [];
    const samples = parts.flatMap(({ tracks }) => tracks.map((track) => track.samples));
    if (parts.length > 0)
      assert.equal(
        samples.reduce((sum, count) => sum + count, 0),
        segment.trackSamples(AUDIO) + 50,
        "a late frame of sound is in a later part",
      );
    // Parts are not held back for a track that has not begun in their segment.
    if (segment.name === stopsIn) continue;
    for (const part of parts) assert.equal(part.tracks.length, 2, segment.name);
  }
}

test("sound that stops leaves no segment and no part without it", () => {
  const log = new RecordingLog();
  const window = windowOf({ log });
  const source = new LiveSource(window);
  source.play({ seconds: 10 });
  source.play({ seconds: 10, hasAudio: false });
  source.play({ seconds: 10 });
  assert.equal(window.timeline().segments.length, 14);
  assertWhole(window, window.timeline().segments[5]!.name);
  assert.equal(log.lines.length, 2);
});

test("while silence is filled, parts come as early as with sound", () => {
  const window = windowOf();
  const source = new LiveSource(window);
  source.play({ seconds: 8 });
  const partsAfter = (seconds: number, hasAudio: boolean): number => {
    source.play({ seconds, hasAudio });
    const { timeline, open } = window.edge!.now()!;
    return timeline.segments.reduce((sum, { parts = [] }) => sum + parts.length, open!.parts.length);
  };
  const [first, second] = [partsAfter(2, true), partsAfter(2, true)];
  partsAfter(4, false);
  const [third, fourth] = [partsAfter(2, false), partsAfter(2, false)];
  assert.equal(second - first, fourth - third);
  const edge = window.edge!.now()!;
  const last = edge.timeline.segments.at(-1)!;
  const endUs = edge.open!.parts.reduce(
    (sum, { durationUs }) => sum + durationUs,
    last.startUs + last.durationUs,
  );
  assert.ok(source.atUs - endUs <= 240_000, `${source.atUs - endUs} us behind the source`);
});

test("a publisher that comes back without sound has the same init segment, and sound in every segment", () => {
  const window = windowOf();
  const source = new LiveSource(window);
  source.play({ seconds: 10 });
  const selection = [source.video.id, source.audio.id];
  const before = window.initName(window.timeline().tracks, selection);
  source.play({ seconds: 10, hasAudio: false, begins: "break" });
  const { tracks, segments } = window.timeline();
  assert.equal(window.initName(tracks, selection), before);
  assert.equal(segments.filter(({ discontinuity }) => discontinuity).length, 1);
  assert.ok(segments.at(-1)!.trackSamples(source.audio.id) > 90);
});

test("a window that takes the place of another one keeps its sound", () => {
  const first = windowOf();
  const source = new LiveSource(first);
  source.play({ seconds: 10 });
  first.onEnd();
  const second = windowOf({ after: first.end });
  new LiveSource(second).play({ seconds: 10, hasAudio: false });
  assert.deepEqual(second.timeline().tracks.tracks.at(-1), source.audio);
  assert.ok(second.timeline().segments.every((segment) => segment.trackSamples(source.audio.id) > 80));
  assert.deepEqual(windowOf({ after: first.end }).end.heard, [source.audio]);
});
