import assert from "node:assert/strict";
import { test } from "node:test";
import type { TagUnit } from "./tag-unit.ts";
import { parseVideoTag } from "./video-tag.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const ascii = (text: string): string => Buffer.from(text).toString("hex");
const AVC1 = ascii("avc1");
const HVC1 = ascii("hvc1");
const AV01 = ascii("av01");

function frame(codec: "h264" | "h265" | "av1", payload: string, changes: object = {}): TagUnit {
  const base = {
    type: "frame",
    codec,
    trackIndex: 0,
    isKey: false,
    ctsOffsetMs: 0,
    nanoOffset: 0,
  } as const;
  return { ...base, payload: hex(payload), ...changes };
}

function config(codec: "h264" | "h265" | "av1", bytes: string, trackIndex = 0): TagUnit {
  return { type: "config", codec, trackIndex, config: hex(bytes) };
}

/** `exact`: no shorter body is good. */
const cases: { name: string; bytes: Uint8Array; value: TagUnit[] }[] = [
  {
    name: "a legacy AVC sequence header",
    bytes: hex("17 00 000000 0164"),
    value: [config("h264", "0164")],
  },
  {
    name: "a legacy key frame",
    bytes: hex("17 01 000050 aabb"),
    value: [frame("h264", "aabb", { isKey: true, ctsOffsetMs: 80 })],
  },
  {
    name: "a negative composition time",
    bytes: hex("27 01 ffffd8 aa"),
    value: [frame("h264", "aa", { ctsOffsetMs: -40 })],
  },
  { name: "a legacy end of sequence", bytes: hex("17 02 000000"), value: [] },
  { name: "a seek command", bytes: hex("57 00"), value: [] },
  {
    name: "H.265 under the unofficial codec id 12",
    bytes: hex("1c 01 000000 aa"),
    value: [frame("h265", "aa", { isKey: true })],
  },
  { name: "an enhanced sequence start", bytes: hex(`90 ${HVC1} 0102`), value: [config("h265", "0102")] },
  {
    name: "enhanced coded frames with a composition time",
    bytes: hex(`a1 ${HVC1} 000028 aa`),
    value: [frame("h265", "aa", { ctsOffsetMs: 40 })],
  },
  {
    name: "enhanced coded frames without one",
    bytes: hex(`93 ${HVC1} aa`),
    value: [frame("h265", "aa", { isKey: true })],
  },
  {
    name: "AV1, which has no composition time",
    bytes: hex(`91 ${AV01} aabbcc`),
    value: [frame("av1", "aabbcc", { isKey: true })],
  },
  {
    name: "AVC in enhanced form",
    bytes: hex(`a1 ${AVC1} fffff6 aa`),
    value: [frame("h264", "aa", { ctsOffsetMs: -10 })],
  },
  { name: "an enhanced end of sequence", bytes: hex(`92 ${HVC1}`), value: [] },
  { name: "enhanced metadata", bytes: hex(`94 ${HVC1} 0200`), value: [] },
  { name: "an enhanced command", bytes: hex("d1 00"), value: [] },
  {
    name: "a nanosecond offset in front",
    bytes: hex(`97 02 07a120 01 ${AV01} aa`),
    value: [frame("av1", "aa", { isKey: true, nanoOffset: 500_000 })],
  },
  {
    name: "an unknown prefix of more than 255 bytes, then a nanosecond offset",
    bytes: hex(`97 ff 0100 ${"00".repeat(257)} 17 02 000001 03 ${HVC1} aa`),
    value: [frame("h265", "aa", { isKey: true, nanoOffset: 1 })],
  },
  {
    name: "one track of a multitrack stream",
    bytes: hex(`96 01 ${AV01} 02 aabb`),
    value: [frame("av1", "aabb", { isKey: true, trackIndex: 2 })],
  },
  {
    name: "many tracks of one codec",
    bytes: hex(`96 10 ${HVC1} 00 000002 0102 01 000001 03`),
    value: [config("h265", "0102", 0), config("h265", "03", 1)],
  },
  {
    name: "many tracks of many codecs",
    bytes: hex(`96 23 ${AVC1} 00 000001 aa ${AV01} 05 000002 bbcc`),
    value: [frame("h264", "aa", { isKey: true }), frame("av1", "bbcc", { isKey: true, trackIndex: 5 })],
  },
];

for (const { name, bytes, value } of cases) {
  test(`reads ${name}`, () => {
    assert.deepEqual(parseVideoTag(bytes), value);
  });
  test(`cut anywhere, ${name} is refused or gives less`, () => {
    for (let cut = 0; cut < bytes.byteLength; cut++) {
      try {
        const units = parseVideoTag(bytes.subarray(0, cut));
        assert.ok(units.length <= value.length, `cut at ${cut}`);
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "FLV_TAG_TRUNCATED", `cut at ${cut}`);
      }
    }
  });
}

const refused = [
  { name: "an empty body", bytes: hex(""), code: "FLV_TAG_TRUNCATED" },
  { name: "Sorenson H.263", bytes: hex("22 00"), code: "FLV_CODEC_UNSUPPORTED" },
  { name: "VP6", bytes: hex("14 00"), code: "FLV_CODEC_UNSUPPORTED" },
  { name: "VP9 by FourCC", bytes: hex(`90 ${ascii("vp09")}`), code: "FLV_CODEC_UNSUPPORTED" },
  { name: "an unknown AVC packet type", bytes: hex("17 03 000000"), code: "FLV_PACKET_UNSUPPORTED" },
  {
    name: "the MPEG-2 TS form of a sequence start",
    bytes: hex(`95 ${AV01} 00`),
    code: "FLV_PACKET_UNSUPPORTED",
  },
  {
    name: "a multitrack inside a multitrack",
    bytes: hex(`96 06 ${AV01} 00`),
    code: "FLV_PACKET_UNSUPPORTED",
  },
  { name: "a reserved multitrack layout", bytes: hex(`96 31 ${AV01} 00`), code: "FLV_PACKET_UNSUPPORTED" },
  {
    name: "more than 16 tracks",
    bytes: hex(`96 11 ${AV01} ${"00000000".repeat(17)}`),
    code: "FLV_PACKET_UNSUPPORTED",
  },
  {
    name: "a track that claims more than there is",
    bytes: hex(`96 11 ${AV01} 00 ffffff aa`),
    code: "FLV_TAG_TRUNCATED",
  },
  {
    name: "a track too short for its composition time",
    bytes: hex(`96 11 ${HVC1} 00 000002 0000`),
    code: "FLV_TAG_TRUNCATED",
  },
  { name: "prefixes without end", bytes: hex(`97 ${"000007".repeat(50)}`), code: "FLV_TAG_TRUNCATED" },
] as const;

for (const { name, bytes, code } of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseVideoTag(bytes), { code });
  });
}
