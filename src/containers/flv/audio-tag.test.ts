import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAudioTag } from "./audio-tag.ts";
import type { FlvCodec, TagUnit } from "./tag-unit.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const ascii = (text: string): string => Buffer.from(text).toString("hex");

function frame(codec: FlvCodec, payload: string, changes: object = {}): TagUnit {
  const base = { type: "frame", codec, trackIndex: 0, isKey: true, ctsOffsetMs: 0, nanoOffset: 0 } as const;
  return { ...base, payload: hex(payload), ...changes };
}

function config(codec: FlvCodec, bytes: string, trackIndex = 0): TagUnit {
  return { type: "config", codec, trackIndex, config: hex(bytes) };
}

const cases: { name: string; bytes: Uint8Array; value: TagUnit[] }[] = [
  { name: "an AAC sequence header", bytes: hex("af 00 1190"), value: [config("aac", "1190")] },
  { name: "an AAC frame", bytes: hex("af 01 2110"), value: [frame("aac", "2110")] },
  { name: "an AAC frame of no bytes", bytes: hex("af 01"), value: [] },
  { name: "an MP3 frame", bytes: hex("2f fffb"), value: [frame("mp3", "fffb")] },
  { name: "an MP3 frame of 8 kHz", bytes: hex("e2 ffe3"), value: [frame("mp3", "ffe3")] },
  { name: "an empty message", bytes: hex(""), value: [] },
  { name: "an MP3 tag of no bytes", bytes: hex("2f"), value: [] },
  {
    name: "an enhanced AAC sequence start",
    bytes: hex(`90 ${ascii("mp4a")} 1190`),
    value: [config("aac", "1190")],
  },
  { name: "an enhanced AC-3 frame", bytes: hex(`91 ${ascii("ac-3")} 0b77`), value: [frame("ac3", "0b77")] },
  {
    name: "an enhanced E-AC-3 frame",
    bytes: hex(`91 ${ascii("ec-3")} 0b77`),
    value: [frame("eac3", "0b77")],
  },
  { name: "an enhanced MP3 frame", bytes: hex(`91 ${ascii(".mp3")} fffb`), value: [frame("mp3", "fffb")] },
  {
    name: "an Opus sequence start",
    bytes: hex(`90 ${ascii("Opus")} 4f70`),
    value: [config("opus", "4f70")],
  },
  { name: "an end of sequence", bytes: hex(`92 ${ascii("Opus")}`), value: [] },
  { name: "a channel layout", bytes: hex(`94 ${ascii("Opus")} 0102`), value: [] },
  {
    name: "a nanosecond offset in front",
    bytes: hex(`97 02 00000a 01 ${ascii("Opus")} aa`),
    value: [frame("opus", "aa", { nanoOffset: 10 })],
  },
  {
    name: "one track of several",
    bytes: hex(`95 01 ${ascii("Opus")} 03 aa`),
    value: [frame("opus", "aa", { trackIndex: 3 })],
  },
  {
    name: "many tracks of many codecs",
    bytes: hex(`95 21 ${ascii("mp4a")} 00 000001 aa ${ascii("Opus")} 01 000001 bb`),
    value: [frame("aac", "aa"), frame("opus", "bb", { trackIndex: 1 })],
  },
];

for (const { name, bytes, value } of cases) {
  test(`reads ${name}`, () => {
    assert.deepEqual(parseAudioTag(bytes), value);
  });
  test(`cut anywhere, ${name} is refused or gives less`, () => {
    for (let cut = 0; cut < bytes.byteLength; cut++) {
      try {
        assert.ok(parseAudioTag(bytes.subarray(0, cut)).length <= 1, `cut at ${cut}`);
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "FLV_TAG_TRUNCATED", `cut at ${cut}`);
      }
    }
  });
}

const refused = [
  { name: "Speex", bytes: hex("b2 00"), code: "FLV_CODEC_UNSUPPORTED" },
  { name: "FLAC by FourCC", bytes: hex(`90 ${ascii("fLaC")}`), code: "FLV_CODEC_UNSUPPORTED" },
  { name: "an unknown AAC packet type", bytes: hex("af 07"), code: "FLV_PACKET_UNSUPPORTED" },
  { name: "a reserved packet type", bytes: hex(`93 ${ascii("Opus")}`), code: "FLV_PACKET_UNSUPPORTED" },
] as const;

for (const { name, bytes, code } of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => parseAudioTag(bytes), { code });
  });
}
