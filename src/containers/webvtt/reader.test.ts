import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asMediaError } from "../../base/errors.ts";
import type { Cue } from "./cue.ts";
import { SUBTITLE_LIMITS, readSubRip, readWebVtt } from "./reader.ts";
import { cuesBetween, writeWebVtt } from "./writer.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const cue = (startS: number, endS: number, text: string, settings = ""): Cue => ({
  startUs: startS * 1e6,
  endUs: endS * 1e6,
  text,
  settings,
});

const vtt: [string, string, readonly Cue[], number][] = [
  ["nothing but its header", "WEBVTT", [], 0],
  ["one cue", "WEBVTT\n\n00:01.500 --> 00:02.000\nHello\n", [cue(1.5, 2, "Hello")], 0],
  [
    "hours, names, settings and two lines",
    "WEBVTT - a title\r\n\r\nfirst\r\n01:00:01.000 --> 01:00:02.250 line:0 align:start bad=1\r\n<i>a</i>\r\nb & c\r\n",
    [cue(3601, 3602.25, "<i>a</i>\nb & c", "line:0 align:start")],
    0,
  ],
  [
    "notes, styles and regions",
    "WEBVTT\nKind: captions\n\nNOTE a\nb\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:x\n\n00:00.000 --> 00:01.000\nx",
    [cue(0, 1, "x")],
    0,
  ],
  ["a byte order mark", "\ufeffWEBVTT\n\n00:00.000 --> 00:01.000\n\u00e9", [cue(0, 1, "\u00e9")], 0],
  ["a cue that ends before it begins", "WEBVTT\n\n00:02.000 --> 00:01.000\nx\n", [], 1],
  [
    "a cue without text, and one right behind it",
    "WEBVTT\n\n00:00.000 --> 00:01.000\n00:01.000 --> 00:02.000\ny",
    [cue(1, 2, "y")],
    1,
  ],
  ["times that are none", "WEBVTT\n\n0 --> 1\nx\n\n00:61.000 --> 00:62.000\ny\n", [], 2],
  [
    "cues out of order",
    "WEBVTT\n\n00:05.000 --> 00:06.000\nb\n\n00:01.000 --> 00:02.000\na\n",
    [cue(1, 2, "a"), cue(5, 6, "b")],
    0,
  ],
];

describe("WebVTT", () => {
  for (const [name, text, cues, skipped] of vtt) {
    test(`with ${name}`, () => assert.deepEqual(readWebVtt(bytesOf(text)), { cues, skipped }));
  }

  for (const text of ["", "webvtt", "WEBVTTX", "1\n00:00:00,000 --> 00:00:01,000\nx", " WEBVTT"]) {
    test(`"${text.slice(0, 12)}" is WEBVTT_NO_HEADER`, () =>
      assert.throws(() => readWebVtt(bytesOf(text)), { code: "WEBVTT_NO_HEADER" }));
  }

  test("what is written is read again", () => {
    const cues = [cue(0, 1.25, "a\nb"), cue(3599.999, 36_000.5, "c", "align:end")];
    assert.deepEqual(readWebVtt(bytesOf(writeWebVtt(cues, 900_000))), { cues, skipped: 0 });
  });

  test("cut anywhere, it is the cues before the cut, the last one perhaps shorter", () => {
    const text =
      "WEBVTT\n\n00:00.000 --> 00:01.000\none\n\n00:01.000 --> 00:02.000 align:end\n<b>two</b>\n";
    const whole = readWebVtt(bytesOf(text)).cues;
    for (let cut = 0; cut <= text.length; cut++) {
      try {
        const { cues } = readWebVtt(bytesOf(text.slice(0, cut)));
        for (const [i, { text: got }] of cues.entries()) assert.ok(whole[i]!.text.startsWith(got));
      } catch (caught) {
        assert.equal(asMediaError(caught)?.code, "WEBVTT_NO_HEADER");
        assert.ok(cut < 6, `cut at ${cut}`);
      }
    }
  });
});

const srt: [string, string | Uint8Array, readonly Cue[]][] = [
  [
    "numbers and commas",
    "1\r\n00:00:01,500 --> 00:00:02,000\r\nHello\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nYou\r\n",
    [cue(1.5, 2, "Hello"), cue(3, 4, "You")],
  ],
  [
    "fonts and places",
    '1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color="red"><i>A</i></font> & B\n',
    [cue(1, 2, "<i>A</i> &amp; B")],
  ],
  [
    "no empty line between cues",
    "1\n00:00:01,000 --> 00:00:02,000\nA\n2\n00:00:02,000 --> 00:00:03,000\nB",
    [cue(1, 2, "A"), cue(2, 3, "B")],
  ],
  [
    "Windows-1252",
    Uint8Array.from([...bytesOf("1\n00:00:01,000 --> 00:00:02,000\nd"), 0xe9, 0x6a]),
    [cue(1, 2, "d\u00e9j")],
  ],
  [
    "UTF-16",
    Uint8Array.from(Buffer.from("\ufeff1\n00:00:01,000 --> 00:00:02,000\nA\n", "utf16le")),
    [cue(1, 2, "A")],
  ],
  ["an arrow that cleaning makes", "1\n00:00:01,000 --> 00:00:02,000\n--<font>>\n", [cue(1, 2, "--&gt;")]],
  ["nothing", "", []],
];

describe("SubRip", () => {
  for (const [name, text, cues] of srt) {
    test(`with ${name}`, () =>
      assert.deepEqual(readSubRip(typeof text === "string" ? bytesOf(text) : text).cues, cues));
  }
});

describe("subtitles have bounds", () => {
  test("of the file", () => {
    const text = new Uint8Array(SUBTITLE_LIMITS.fileBytes + 1).fill(10);
    for (const read of [readSubRip, readWebVtt]) assert.throws(() => read(text), { code: "WEBVTT_LIMIT" });
  });

  test("of the number of cues", () => {
    const text = "0:00.000 --> 0:01.000\nx\n\n".repeat(SUBTITLE_LIMITS.cues + 1);
    assert.throws(() => readSubRip(bytesOf(text)), { code: "WEBVTT_LIMIT", message: /50001/ });
  });

  test("of one cue's text", () => {
    const lines = `${"x".repeat(1000)}\n`.repeat(10);
    const { cues } = readWebVtt(bytesOf(`WEBVTT\n\n00:00.000 --> 00:01.000\n${lines}`));
    assert.equal(cues[0]!.text.length, 4 * 1001 - 1);
  });
});

test("the cues of a time are those that are shown in it", () => {
  const cues = [cue(0, 4, "a"), cue(3, 5, "b"), cue(5, 6, "c")];
  const texts = (startS: number, endS: number) =>
    cuesBetween(cues, startS * 1e6, endS * 1e6).map(({ text }) => text);
  assert.deepEqual([texts(0, 3), texts(3, 4), texts(4, 5), texts(6, 9)], [["a"], ["a", "b"], ["b"], []]);
});

test("a segment says what its times are on the clock of the media", () => {
  assert.equal(
    writeWebVtt([cue(3661.5, 3662, "a\nb", "line:0")], 0),
    "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n01:01:01.500 --> 01:01:02.000 line:0\na\nb\n",
  );
});
