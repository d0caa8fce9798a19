import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { concatBytes } from "../../base/bytes.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { keyFrameOfSegment } from "./key-frame-file.ts";

const track = videoTrack();
const header = buildFragmentHeader(1, [
  {
    ...{ track, baseDts: 900_000, count: 3, dataBytes: 9 },
    sizes: Uint32Array.of(4, 2, 3),
    durations: Uint32Array.of(3600, 3600, 1800),
    ctsOffsets: Int32Array.of(7200, -3600, 0),
    syncFlags: Uint8Array.of(0, 1, 0),
  },
]);

/** Segments of which a picture is made: what comes out is within what went in. */
export const fuzz: FuzzTarget = {
  name: "dvr-key-frame-file",
  seeds: [concatBytes([header, new Uint8Array(9)])],
  dictionary: ["moof", "traf", "tfhd", "tfdt", "trun", "mdat", "styp"].map((type) => Buffer.from(type)),
  run(input) {
    const file = keyFrameOfSegment(input, track);
    assert.ok(file === null || file.byteLength < input.byteLength + 2000);
  },
};
