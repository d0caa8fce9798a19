import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { buildOpusHead, buildOpusSpecificBox, parseOpusHead, parseOpusSpecificBox } from "./opus-head.ts";
import { opusPacketSamples } from "./packet-duration.ts";

/** OpusHead, dOps and packets. */
export const fuzz: CodecFuzzTarget = {
  name: "opus",
  seeds: [
    fromHex("4f70757348656164 01 02 3801 80bb0000 0000 00"),
    fromHex("4f707573486561640106380180bb00000000010402000401020305"),
    fromHex("00 02 0138 0000bb80 0000 00"),
    fromHex("fc 00"),
    fromHex("ff 83 00"),
  ],
  run(input) {
    const head = orRefused(() => parseOpusHead(input));
    if (head !== null) assert.deepEqual(parseOpusHead(buildOpusHead(head)), head);
    const box = orRefused(() => parseOpusSpecificBox(input));
    if (box !== null) assert.deepEqual(parseOpusSpecificBox(buildOpusSpecificBox(box)), box);
    const samples = opusPacketSamples(input);
    assert.ok(samples >= 0 && samples <= 5760);
  },
};
