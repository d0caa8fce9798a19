import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "./fuzz-support.ts";
import { fromHex, orRefused } from "./fuzz-support.ts";
import {
  annexBToLengthPrefixed,
  isLengthPrefixed,
  lengthPrefixedToAnnexB,
  toFourByteLengths,
  unescapeRbsp,
} from "./nal-units.ts";

/** NAL unit forms: what is converted is whole, and never grows beyond its bound. */
export const fuzz: CodecFuzzTarget = {
  name: "nal-units",
  seeds: [
    fromHex("00000001 6764000cacd94141 000001 68ebe3cb 00000001 65888400"),
    fromHex("00000004 67640029 00000002 68ce 00000003 658884"),
    fromHex("0004 67640029 0002 68ce"),
    fromHex("0000030000030100000302"),
  ],
  run(input) {
    const prefixed = orRefused(() => annexBToLengthPrefixed(input));
    if (prefixed !== null) {
      assert.ok(isLengthPrefixed(prefixed));
      assert.ok(prefixed.byteLength <= (input.byteLength * 5) / 4 + 1);
      assert.equal(lengthPrefixedToAnnexB(prefixed).byteLength, prefixed.byteLength);
    }
    const annexB = orRefused(() => lengthPrefixedToAnnexB(input));
    assert.equal(annexB !== null && input.byteLength > 0, isLengthPrefixed(input));
    for (const size of [1, 2, 4]) {
      const widened = orRefused(() => toFourByteLengths(input, size));
      if (widened !== null && size < 4 && input.byteLength > 0) assert.ok(isLengthPrefixed(widened));
    }
    const rbsp = unescapeRbsp(input, 0, input.byteLength, 64);
    assert.ok(rbsp.byteLength <= Math.min(64, input.byteLength));
  },
};
