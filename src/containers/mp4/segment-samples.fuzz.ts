import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { concatBytes } from "../../base/bytes.ts";
import { buildFragmentHeader } from "./fragment.ts";
import { readSegmentSamples } from "./segment-samples.ts";

const TRACKS = [videoTrack(), audioTrack()];
const columns = { count: 2, sizes: Uint32Array.of(6, 3), ctsOffsets: Int32Array.of(3600, 0), dataBytes: 9 };
const tables = TRACKS.map((track) => ({
  ...columns,
  track,
  baseDts: track.timescale,
  durations: Uint32Array.of(3600, 3600),
  syncFlags: Uint8Array.of(1, 0),
}));

/** Segments of two tracks: every payload is a view of the input. */
export const fuzz: FuzzTarget = {
  name: "mp4-segment-samples",
  seeds: [concatBytes([buildFragmentHeader(1, tables, { styp: true, utcUs: 7 }), new Uint8Array(18)])],
  dictionary: ["moof", "traf", "tfhd", "tfdt", "trun", "mdat"].map((type) => Buffer.from(type)),
  run(input) {
    for (const { payload, dts, pts } of readSegmentSamples([input], TRACKS)) {
      assert.ok(payload.byteLength === 0 || payload.buffer === input.buffer);
      assert.ok(Number.isSafeInteger(dts) && Number.isSafeInteger(pts));
    }
  },
};
