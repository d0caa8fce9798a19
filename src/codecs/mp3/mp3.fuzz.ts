import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { mp3CodecString, parseMp3Header } from "./frame-header.ts";

/** MPEG audio frame headers. */
export const fuzz: CodecFuzzTarget = {
  name: "mp3",
  seeds: [
    fromHex("fffb9264"),
    fromHex("fff580c0"),
    fromHex("ffe318c0"),
    fromHex("ffffe800"),
    fromHex("fffb0064"),
  ],
  run(input) {
    const header = orRefused(() => parseMp3Header(input));
    if (header === null) return;
    assert.ok(header.sampleRate >= 8000 && header.sampleRate <= 48_000);
    assert.ok([384, 576, 1152].includes(header.frameSamples));
    assert.ok(header.frameBytes >= 0 && header.frameBytes <= 2881);
    assert.match(mp3CodecString(header), /^mp4a\.40\.3[234]$/);
  },
};
