import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { readSubRip, readWebVtt } from "./reader.ts";
import { writeWebVtt } from "./writer.ts";

const seeds = [
  "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<i>one</i>\ntwo\n\nNOTE x\n\nid\n01:00:00.000 --> 01:00:01.000\nthree\n",
  "1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}one & two\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\ntwo\r\n",
].map((text) => new TextEncoder().encode(text));

/** Subtitles as text: whatever is read is written, and read again the same. */
export const fuzz: FuzzTarget = {
  name: "webvtt",
  seeds,
  dictionary: ["-->", "WEBVTT", "00:", ",000", "\r\n\r\n", "align:end"].map((word) => Buffer.from(word)),
  run(input) {
    const isVtt = input.byteLength > 6 && input[0] === 0x57;
    const { cues } = isVtt ? readWebVtt(input) : readSubRip(input);
    const again = readWebVtt(new TextEncoder().encode(writeWebVtt(cues, 0)));
    assert.deepEqual(again.cues, cues);
  },
};
