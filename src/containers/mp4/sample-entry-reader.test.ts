import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  audioSampleEntry,
  avcSampleEntry,
  box,
  bytes,
  fullBox,
  SMALL_AVC_CONFIG,
  text,
  u16,
  u32,
  u8,
} from "../../../test/support/mp4-boxes.ts";
import type { TrackKind } from "../../media/track.ts";
import { wrapBox } from "./box-reader.ts";
import { readSampleEntry } from "./sample-entry-reader.ts";

function read(kind: TrackKind, ...entries: readonly Uint8Array[]) {
  const stsd = fullBox("stsd", 0, 0, u32(entries.length), ...entries);
  return readSampleEntry(wrapBox("stsd", stsd, 8, 0), kind);
}

/** An esds with long lengths, as many writers make it. */
function esds(objectType: number, specific: Uint8Array, esFlags = 0, extra: Uint8Array = u8()): Uint8Array {
  const info =
    specific.byteLength === 0 ? u8() : bytes(u8(5, 0x80, 0x80, 0x80, specific.byteLength), specific);
  const decoder = bytes(u8(objectType, 0x15), new Uint8Array(11), info);
  const config = bytes(u8(4, 0x80, 0x80, 0x80, decoder.byteLength), decoder);
  const es = bytes(u16(1), u8(esFlags), extra, config, u8(6, 1, 2));
  return fullBox("esds", 0, 0, bytes(u8(3, es.byteLength), es));
}

const ASC = u8(0x11, 0x90);
const HVCC = (lengthByte: number): Uint8Array =>
  Uint8Array.from({ length: 23 }, (_, i) => (i === 21 ? lengthByte : i));
const OPUS_HEAD = bytes(text("OpusHead"), u8(1, 2, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 1, 0));

const table = [
  { name: "avc1", kind: "video", entry: avcSampleEntry(), codec: "h264", config: SMALL_AVC_CONFIG },
  {
    name: "avc3",
    kind: "video",
    entry: avcSampleEntry("avc3"),
    codec: "h264",
    config: SMALL_AVC_CONFIG,
    inBandSets: true,
  },
  {
    name: "hvc1",
    kind: "video",
    entry: avcSampleEntry("hvc1", box("hvcC", HVCC(3))),
    codec: "h265",
    config: HVCC(3),
  },
  {
    name: "hev1",
    kind: "video",
    entry: avcSampleEntry("hev1", box("hvcC", HVCC(3))),
    codec: "h265",
    config: HVCC(3),
    inBandSets: true,
  },
  {
    name: "av01",
    kind: "video",
    entry: avcSampleEntry("av01", box("av1C", u8(0x81, 4, 12, 0))),
    codec: "av1",
    config: u8(0x81, 4, 12, 0),
  },
  {
    name: "an entry whose configuration comes after other boxes",
    kind: "video",
    entry: avcSampleEntry("avc1", box("pasp", u32(1, 1)), box("avcC", SMALL_AVC_CONFIG)),
    codec: "h264",
    config: SMALL_AVC_CONFIG,
  },
  {
    name: "mp4a with AAC",
    kind: "audio",
    entry: audioSampleEntry("mp4a", esds(0x40, ASC)),
    codec: "aac",
    config: ASC,
  },
  {
    name: "mp4a with AAC of MPEG-2",
    kind: "audio",
    entry: audioSampleEntry("mp4a", esds(0x67, ASC)),
    codec: "aac",
    config: ASC,
  },
  {
    name: "mp4a with every optional field",
    kind: "audio",
    entry: audioSampleEntry("mp4a", esds(0x40, ASC, 0xe0, bytes(u16(7), u8(3), text("url"), u16(9)))),
    codec: "aac",
    config: ASC,
  },
  {
    name: "mp4a with MP3",
    kind: "audio",
    entry: audioSampleEntry("mp4a", esds(0x6b, u8())),
    codec: "mp3",
    config: u8(),
  },
  {
    name: "mp4a with MP3 of MPEG-2",
    kind: "audio",
    entry: audioSampleEntry("mp4a", esds(0x69, u8())),
    codec: "mp3",
    config: u8(),
  },
  { name: ".mp3", kind: "audio", entry: audioSampleEntry(".mp3"), codec: "mp3", config: u8() },
  { name: "ms\\0U", kind: "audio", entry: audioSampleEntry("ms\0U"), codec: "mp3", config: u8() },
  {
    name: "mp4a of QuickTime, version 1",
    kind: "audio",
    entry: box(
      "mp4a",
      u32(0),
      u16(0, 1, 1, 0),
      u32(0),
      u16(2, 16),
      u32(0, 0),
      u32(1024, 1, 2, 2),
      box("wave", box("frma", text("mp4a")), esds(0x40, ASC), u32(8, 0)),
    ),
    codec: "aac",
    config: ASC,
  },
  {
    name: "mp4a of QuickTime, version 2",
    kind: "audio",
    entry: box(
      "mp4a",
      u32(0),
      u16(0, 1, 2, 0),
      u32(0),
      u16(2, 16),
      u32(0, 0),
      new Uint8Array(36),
      esds(0x40, ASC),
    ),
    codec: "aac",
    config: ASC,
  },
  {
    name: "Opus, its numbers turned round",
    kind: "audio",
    entry: audioSampleEntry("Opus", box("dOps", u8(0, 2), u16(312), u32(48_000), u16(0x100), u8(0))),
    codec: "opus",
    config: OPUS_HEAD,
  },
  {
    name: "AC-3",
    kind: "audio",
    entry: audioSampleEntry("ac-3", box("dac3", u8(0x10, 0x3d, 0x80))),
    codec: "ac3",
    config: u8(0x10, 0x3d, 0x80),
  },
  {
    name: "E-AC-3",
    kind: "audio",
    entry: audioSampleEntry("ec-3", box("dec3", u8(1, 2, 3, 4, 5))),
    codec: "eac3",
    config: u8(1, 2, 3, 4, 5),
  },
] as const;

describe("readSampleEntry reads", () => {
  for (const { name, kind, entry, codec, config, ...rest } of table) {
    test(name, () => {
      const read1 = read(kind, entry);
      assert.equal(read1.codec, codec);
      assert.deepEqual(read1.config, new Uint8Array(config));
      assert.equal(read1.inBandSets, "inBandSets" in rest);
    });
  }
});

describe("readSampleEntry refuses", () => {
  const shortLengths = SMALL_AVC_CONFIG.slice();
  shortLengths[4] = 0xfd;
  for (const { name, kind, entry, code, message } of [
    {
      name: "NAL units with lengths of 2 bytes",
      kind: "video",
      entry: avcSampleEntry("avc1", box("avcC", shortLengths)),
      code: "MP4_UNSUPPORTED",
      message: /lengths of 2 bytes/,
    },
    {
      name: "HEVC with lengths of 1 byte",
      kind: "video",
      entry: avcSampleEntry("hvc1", box("hvcC", HVCC(0))),
      code: "MP4_UNSUPPORTED",
      message: /lengths of 1 bytes/,
    },
    {
      name: "an avcC of 3 bytes",
      kind: "video",
      entry: avcSampleEntry("avc1", box("avcC", u8(1, 2, 3))),
      code: "MP4_BAD_BOX",
      message: /"avcC" has 3 bytes/,
    },
    {
      name: "an hvcC of 3 bytes",
      kind: "video",
      entry: avcSampleEntry("hvc1", box("hvcC", u8(1, 2, 3))),
      code: "MP4_BAD_BOX",
      message: /"hvcC" has 3 bytes/,
    },
    {
      name: "sound in a video track",
      kind: "video",
      entry: audioSampleEntry("mp4a", esds(0x40, ASC)),
      code: "MP4_UNSUPPORTED",
      message: /video of the kind "mp4a"/,
    },
    {
      name: "an object type that is not known",
      kind: "audio",
      entry: audioSampleEntry("mp4a", esds(0xdd, u8())),
      code: "MP4_UNSUPPORTED",
      message: /object type 0xdd/,
    },
    {
      name: "AAC without its configuration",
      kind: "audio",
      entry: audioSampleEntry("mp4a", esds(0x40, u8())),
      code: "MP4_BAD_BOX",
      message: /no descriptor 5/,
    },
    {
      name: "a dOps that is too short",
      kind: "audio",
      entry: audioSampleEntry("Opus", box("dOps", u8(0, 2))),
      code: "MP4_BAD_BOX",
      message: /too short/,
    },
    {
      name: "encrypted sound",
      kind: "audio",
      entry: audioSampleEntry("enca"),
      code: "MP4_ENCRYPTED",
      message: /"enca"/,
    },
    {
      name: "a name of every object",
      kind: "video",
      entry: avcSampleEntry("toSt"),
      code: "MP4_UNSUPPORTED",
      message: /"toSt"/,
    },
    {
      name: "a code that cannot be printed",
      kind: "video",
      entry: avcSampleEntry("\x01\x02\xffz"),
      code: "MP4_UNSUPPORTED",
      message: /"\?\?\?z"/,
    },
  ] as const) {
    test(name, () => assert.throws(() => read(kind, entry), { code, message }));
  }

  test("an empty description", () =>
    assert.throws(() => read("video"), { code: "MP4_BAD_BOX", message: /describes nothing/ }));
});
