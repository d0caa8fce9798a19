import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { av1CodecString, buildAv1Config, parseAv1Config } from "./av1-config.ts";
import { isAv1RandomAccess, stripTemporalDelimiters } from "./obu.ts";
import { parseAv1SequenceHeader } from "./sequence-header.ts";

/** av1C records, sequence headers and temporal units. */
export const fuzz: CodecFuzzTarget = {
  name: "av1",
  seeds: [
    fromHex("81010c00 0a0b 0000000cc4ff6736be4010"),
    fromHex("81084c00 0a0e 00000042a67fd9e6d7ca84880482"),
    fromHex("1200 0a0b 0000000cc4ff6736be4010 3202 1000"),
    fromHex("1200 3202 3000 1200 1a01 80"),
    fromHex("0000000cc4ff6736be4010"),
  ],
  run(input) {
    const config = orRefused(() => parseAv1Config(input));
    if (config !== null) {
      assert.match(
        av1CodecString(config),
        /^av01\.\d\.\d\d[MH]\.\d\d(?:\.[01]\.\d{3}(?:\.\d{2,3}){3}\.[01])?$/,
      );
    }
    const sequence = orRefused(() => parseAv1SequenceHeader(input));
    if (sequence !== null)
      assert.ok(sequence.width <= 65_536 && sequence.height <= 65_536 && sequence.frameRate <= 1000);
    const built = orRefused(() => buildAv1Config(input));
    if (built !== null) assert.notEqual(parseAv1Config(built).sequence, null);
    isAv1RandomAccess(input);
    const stripped = orRefused(() => stripTemporalDelimiters(input));
    if (stripped !== null) assert.equal(stripTemporalDelimiters(stripped).byteLength, stripped.byteLength);
  },
};
