import assert from "node:assert/strict";
import { test } from "node:test";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import { trackId } from "../media/ids.ts";
import { measureBandwidth, measureFrameRate } from "./bandwidth.ts";
import { TrackFigures } from "./track-figures.ts";

const [V1, A1] = [trackId("video", 1), trackId("audio", 1)];

test("figures are those of the timeline, and each track is measured once", () => {
  let asked = 0;
  const trackSamples = (id: string): number => {
    asked++;
    return id === V1 ? 100 : 188;
  };
  const segments = Array.from({ length: 20 }, (_, index) => segmentEntry(index, { trackSamples }));
  const timeline = timelineOf({ segments });
  const figures = new TrackFigures(timeline);
  assert.deepEqual(figures.bandwidth(V1), measureBandwidth(timeline, [V1]));
  assert.deepEqual(figures.bandwidth(A1), measureBandwidth(timeline, [A1]));
  assert.equal(figures.frameRate(V1), measureFrameRate(timeline, V1));
  assert.equal(figures.frameRate(V1), 25);
  asked = 0;
  for (let again = 0; again < 10; again++) {
    figures.bandwidth(V1);
    figures.bandwidth(A1);
    figures.frameRate(V1);
  }
  assert.equal(asked, 0);
});
