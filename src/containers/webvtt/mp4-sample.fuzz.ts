import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { readTx3gSample, readWvttSample } from "./mp4-sample.ts";
import { readWebVtt } from "./reader.ts";
import { writeWebVtt } from "./writer.ts";

const seed = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

/** Samples of text tracks: whatever they show, WebVTT can say it. */
export const fuzz: FuzzTarget = {
  name: "webvtt-mp4-sample",
  seeds: [
    seed("000548656c6c6f"),
    seed("0000002576747463000000096964656e37000000 0b73747467613a62000000097061796c61".replace(" ", "")),
  ],
  dictionary: ["vttc", "vtte", "payl", "sttg", "-->"].map((word) => Buffer.from(word)),
  run(input) {
    for (const shown of [...readTx3gSample(input), ...readWvttSample(input)]) {
      const text = writeWebVtt([{ startUs: 0, endUs: 1_000_000, text: shown.text, settings: "" }]);
      const { cues, skipped } = readWebVtt(new TextEncoder().encode(text));
      assert.deepEqual([cues.map((cue) => cue.text), skipped], [[shown.text], 0]);
    }
  },
};
