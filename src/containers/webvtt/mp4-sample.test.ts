import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { box, bytes, text, u16 } from "../../../test/support/mp4-boxes.ts";
import { readTx3gSample, readWvttSample } from "./mp4-sample.ts";
import type { SampleText } from "./mp4-sample.ts";
import { SUBTITLE_LIMITS } from "./reader.ts";

const shown = (value: string, settings = ""): SampleText => ({ text: value, settings });
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const tx3g = (value: string, ...rest: Uint8Array[]): Uint8Array =>
  bytes(u16(utf8(value).byteLength), utf8(value), ...rest);

const timed: [string, Uint8Array, SampleText[]][] = [
  ["a text", tx3g("Hello"), [shown("Hello")]],
  ["two lines and what WebVTT writes otherwise", tx3g("a < b\r\nc & d"), [shown("a &lt; b\nc &amp; d")]],
  ["styles behind the text", tx3g("x", box("styl", u16(0))), [shown("x")]],
  ["UTF-16", bytes(u16(6), Uint8Array.of(0xfe, 0xff, 0, 0x41, 0, 0xe9)), [shown("A\u00e9")]],
  ["nothing", tx3g(""), []],
  ["an arrow and an empty line", tx3g("a --> b\n\nc"), [shown("a --&gt; b\nc")]],
  ["no length at all", Uint8Array.of(0), []],
  ["a length beyond its end", bytes(u16(9), text("abc")), []],
];

describe("samples of tx3g", () => {
  for (const [name, sample, want] of timed)
    test(`with ${name}`, () => assert.deepEqual(readTx3gSample(sample), want));

  test("cut anywhere show nothing, or all", () => {
    const whole = tx3g("Hello");
    for (let cut = 0; cut < whole.byteLength; cut++)
      assert.deepEqual(readTx3gSample(whole.subarray(0, cut)), [], `cut at ${cut}`);
  });

  test("have a bound on their text", () => {
    const [cue] = readTx3gSample(tx3g("x".repeat(60_000)));
    assert.equal(cue!.text.length, SUBTITLE_LIMITS.textLength);
  });
});

const vttc = (payload: string, settings = ""): Uint8Array =>
  box("vttc", box("iden", utf8("7")), box("sttg", utf8(settings)), box("payl", utf8(payload)));

const webvtt: [string, Uint8Array, SampleText[]][] = [
  ["a cue", vttc("<i>a</i>", "line:0"), [shown("<i>a</i>", "line:0")]],
  ["two cues", bytes(vttc("a"), vttc("b")), [shown("a"), shown("b")]],
  ["an empty cue", box("vtte"), []],
  ["a cue without text", box("vttc", box("iden", utf8("1"))), []],
  ["something else between", bytes(box("vtta", utf8("x")), vttc("a")), [shown("a")]],
  ["a box that is too long", bytes(vttc("a"), Uint8Array.of(0, 0, 1, 0, 118, 116, 116, 99)), [shown("a")]],
  ["settings over two lines", vttc("a", "line:0\nalign:end"), [shown("a", "line:0 align:end")]],
];

describe("samples of wvtt", () => {
  for (const [name, sample, want] of webvtt)
    test(`with ${name}`, () => assert.deepEqual(readWvttSample(sample), want));

  test("cut anywhere show the cues before the cut", () => {
    const whole = bytes(vttc("a"), vttc("b"));
    for (let cut = 0; cut < whole.byteLength; cut++) {
      const want = cut < whole.byteLength / 2 ? [] : [shown("a")];
      assert.deepEqual(readWvttSample(whole.subarray(0, cut)), want, `cut at ${cut}`);
    }
  });

  test("have a bound on their cues", () => {
    assert.equal(readWvttSample(bytes(...Array.from({ length: 40 }, () => vttc("a")))).length, 16);
  });
});
