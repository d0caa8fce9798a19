import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_REFERENCED_BYTES,
  MAX_SEGMENT_REFERENCES,
  buildSegmentIndex,
  segmentIndexBytes,
} from "./segment-index.ts";
import type { SegmentIndex } from "./segment-index.ts";

const TWO: SegmentIndex = {
  trackNumber: 101,
  timescale: 48_000,
  earliestTicks: 2 ** 33 + 5,
  firstOffsetBytes: 2 ** 32 + 52,
  sizes: Uint32Array.of(1000, MAX_REFERENCED_BYTES),
  durations: Uint32Array.of(96_000, 0xffff_ffff),
  startsWithSap: Uint8Array.of(1, 0),
};

/** Written by hand from ISO/IEC 14496-12 section 8.16.3. */
const EXPECTED = [
  "00000040 73696478 01000000 00000065 0000bb80",
  "0000000200000005 0000000100000034 0000 0002",
  "000003e8 00017700 80000000",
  "7fffffff ffffffff 00000000",
];

test("an index has its references one behind the other, the first one so far behind it", () => {
  const bytes = buildSegmentIndex(TWO);
  assert.equal(Buffer.from(bytes).toString("hex"), EXPECTED.join("").replaceAll(" ", ""));
  assert.equal(bytes.byteLength, segmentIndexBytes(2));
});

test("what an index cannot say is the caller's mistake", () => {
  const tooMany = new Uint32Array(MAX_SEGMENT_REFERENCES + 1);
  assert.throws(() => buildSegmentIndex({ ...TWO, sizes: tooMany }), RangeError);
  const tooLong = Uint32Array.of(MAX_REFERENCED_BYTES + 1, 1);
  assert.throws(() => buildSegmentIndex({ ...TWO, sizes: tooLong }), RangeError);
  const most = { ...TWO, sizes: tooMany.subarray(1), durations: tooMany, startsWithSap: new Uint8Array(0) };
  assert.equal(buildSegmentIndex(most).byteLength, segmentIndexBytes(MAX_SEGMENT_REFERENCES));
});
