import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, trackSet } from "../../test/support/media.ts";
import { segmentEntry, timelineOf } from "../../test/support/presentation.ts";
import { muxTsSegment } from "../containers/mpegts/segment.ts";
import { measureBandwidth } from "./bandwidth.ts";

const AUDIO = audioTrack();
const FRAME_TICKS = 1024;

/** Bytes of a transport stream of sound alone, whose frames have all the same length. */
function tsBytes(frames: number, frameBytes: number): number {
  const packets = Array.from({ length: frames }, (_, index) => {
    const at = index * FRAME_TICKS;
    return { track: AUDIO, dts: at, pts: at, isSync: true, payload: new Uint8Array(frameBytes) };
  });
  return muxTsSegment(packets, trackSet([AUDIO]), { originTicks: 90_000 }).byteLength;
}

for (const frameBytes of [50, 100, 186, 340, 500, 900]) {
  for (const seconds of [1, 2, 4, 10]) {
    test(`${seconds} s of sound alone in frames of ${frameBytes} bytes take what is said, with MPEG-TS`, () => {
      const frames = Math.round((seconds * AUDIO.timescale) / FRAME_TICKS);
      const segment = segmentEntry(0, {
        tracks: trackSet([AUDIO]),
        durationUs: seconds * 1e6,
        trackBytes: () => frames * frameBytes,
        trackSamples: () => frames,
      });
      const { peakBps } = measureBandwidth(timelineOf({ segments: [segment] }), [AUDIO.id], "ts");
      const takenBps = (tsBytes(frames, frameBytes) * 8) / seconds;
      assert.ok(takenBps <= peakBps && peakBps < takenBps * 1.25, `${takenBps} of ${peakBps} bit/s`);
    });
  }
}
