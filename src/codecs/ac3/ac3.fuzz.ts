import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import {
  ac3UnitSamples,
  buildAc3Config,
  buildEac3Config,
  parseAc3Config,
  parseEac3Config,
  readAc3Frames,
} from "./ac3-config.ts";

/** Syncframes, dac3 and dec3. */
export const fuzz: CodecFuzzTarget = {
  name: "ac3",
  seeds: [
    fromHex("0b77547f0040ebf8403efe261fc3c3c3"),
    fromHex(`0b77000f3f87c000 20f82000 20040000 ${"00".repeat(16)}`),
    fromHex(`0b77000f3f87c00020f82000${"00".repeat(20)} 0b77400f3487e00f${"00".repeat(24)}`),
    fromHex("1010c0"),
    fromHex("0300200f00"),
    fromHex("0080200f0202"),
  ],
  run(input) {
    const frames = orRefused(() => readAc3Frames(input)) ?? [];
    for (const frame of frames)
      assert.ok(frame.frameBytes >= 16 && frame.channels >= 1 && frame.sampleRate >= 16_000);
    orRefused(() => ac3UnitSamples(input));
    const plain = orRefused(() => buildAc3Config(input));
    if (plain !== null) assert.equal(plain.byteLength, 3);
    const enhanced = orRefused(() => buildEac3Config(input));
    if (enhanced !== null) assert.ok(parseEac3Config(enhanced).channels <= 32);
    const heard = orRefused(() => parseAc3Config(input)) ?? orRefused(() => parseEac3Config(input));
    if (heard !== null) assert.ok(heard.channels >= 1 && heard.channels <= 24);
  },
};
