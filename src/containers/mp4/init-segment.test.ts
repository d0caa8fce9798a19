import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVector } from "../../../test/vectors/codecs/load.ts";
import { readFourCc, readU32 } from "../../base/bytes.ts";
import type { TrackOptions } from "../../codecs/track.ts";
import { buildTrack } from "../../codecs/track.ts";
import { trackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { buildInitSegment } from "./init-segment.ts";

const NOTHING = new Uint8Array(0);

function trackOf(vector: string, options: Partial<TrackOptions> = {}): Track {
  const { codec, bytes } = loadCodecVector(vector);
  const isFrame = codec === "mp3" || codec === "ac3" || codec === "eac3";
  const id = trackId(codec.startsWith("h26") || codec === "av1" ? "video" : "audio", 1);
  return buildTrack({
    id,
    codec,
    config: isFrame ? NOTHING : bytes,
    ...(isFrame ? { firstFrame: bytes } : {}),
    ...options,
  });
}

const video = trackOf("avcc-high-1080-sar");
const audio = trackOf("asc-lc-48000-stereo", { language: "en" });
const text = buildTrack({ id: trackId("text", 1), codec: "webvtt", config: NOTHING, language: "pt-BR" });

type Box = { type: string; path: string; content: Uint8Array };

const CONTAINERS: Readonly<Record<string, number>> = {
  moov: 0,
  trak: 0,
  mdia: 0,
  minf: 0,
  dinf: 0,
  stbl: 0,
  mvex: 0,
  stsd: 8,
  dref: 8,
  avc1: 78,
  hvc1: 78,
  av01: 78,
  mp4a: 28,
  Opus: 28,
  "ac-3": 28,
  "ec-3": 28,
  wvtt: 8,
};

/** Takes a file apart by the sizes of its boxes, which must fill each other exactly. */
function boxesOf(bytes: Uint8Array, path = ""): Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = readU32(bytes, at);
    const type = readFourCc(bytes, at + 4);
    assert.ok(
      size >= 8 && at + size <= bytes.length,
      `${path}/${type} of ${size} bytes at ${at} of ${bytes.length}`,
    );
    const content = bytes.subarray(at + 8, at + size);
    boxes.push({ type, path: `${path}/${type}`, content });
    const skipped = CONTAINERS[type];
    if (skipped !== undefined) boxes.push(...boxesOf(content.subarray(skipped), `${path}/${type}`));
    at += size;
  }
  return boxes;
}

const hexOf = (boxes: readonly Box[], type: string) =>
  boxes.filter((box) => box.type === type).map(({ content }) => Buffer.from(content).toString("hex"));

test("an init segment has the boxes of a fragmented file, in order and without samples", () => {
  const paths = boxesOf(buildInitSegment([video, audio])).map(({ path }) => path);
  const trak = (media: string, entry: readonly string[]) => [
    "/moov/trak",
    "/moov/trak/tkhd",
    "/moov/trak/mdia",
    "/moov/trak/mdia/mdhd",
    "/moov/trak/mdia/hdlr",
    "/moov/trak/mdia/minf",
    `/moov/trak/mdia/minf/${media}`,
    "/moov/trak/mdia/minf/dinf",
    "/moov/trak/mdia/minf/dinf/dref",
    "/moov/trak/mdia/minf/dinf/dref/url ",
    "/moov/trak/mdia/minf/stbl",
    "/moov/trak/mdia/minf/stbl/stsd",
    ...entry.map((box) => `/moov/trak/mdia/minf/stbl/stsd/${box}`),
    ...["stts", "stsc", "stsz", "stco"].map((box) => `/moov/trak/mdia/minf/stbl/${box}`),
  ];
  assert.deepEqual(paths, [
    "/ftyp",
    "/moov",
    "/moov/mvhd",
    ...trak("vmhd", ["avc1", "avc1/avcC", "avc1/pasp"]),
    ...trak("smhd", ["mp4a", "mp4a/esds"]),
    "/moov/mvex",
    "/moov/mvex/trex",
    "/moov/mvex/trex",
  ]);
});

test("a track's boxes are the same in every selection", () => {
  const traks = (tracks: readonly Track[]) => hexOf(boxesOf(buildInitSegment(tracks)), "trak");
  const both = traks([video, audio]);
  assert.deepEqual([...traks([video]), ...traks([audio])], both);
  assert.deepEqual(traks([audio, video]), both.toReversed());
});

const entries = [
  { vector: "avcc-baseline-360", entry: "avc1", config: "avcC" },
  { vector: "hvcc-main-1080", entry: "hvc1", config: "hvcC" },
  { vector: "av1c-main-360", entry: "av01", config: "av1C" },
  { vector: "ac3-44100-5.1", entry: "ac-3", config: "dac3" },
  { vector: "eac3-48000-5.1", entry: "ec-3", config: "dec3" },
];
for (const { vector, entry, config } of entries) {
  test(`${vector} has the entry ${entry} with its configuration in ${config}`, () => {
    const track = trackOf(vector);
    const boxes = boxesOf(buildInitSegment([track]));
    assert.deepEqual(hexOf(boxes, config), [Buffer.from(track.config).toString("hex")]);
    const { content } = boxes.find(({ type }) => type === entry)!;
    if (track.kind === "video")
      assert.deepEqual([readU32(content, 24)], [track.width * 65_536 + track.height]);
    else assert.deepEqual([content[17], readU32(content, 24)], [track.channels, track.sampleRate * 65_536]);
  });
}

test("AAC's esds holds its configuration", () => {
  const esds =
    "00000000 03 80808025 0000 00 04 80808017 40 15 000000 00000000 00000000 05 80808005 119056e500 06 80808001 02";
  assert.deepEqual(hexOf(boxesOf(buildInitSegment([audio])), "esds"), [esds.replaceAll(" ", "")]);
});

test("MP3 is told by its object type indication, by MPEG version", () => {
  const indication = (track: Track) => hexOf(boxesOf(buildInitSegment([track])), "esds")[0]!.slice(34, 36);
  assert.equal(indication(trackOf("mp3-mpeg1-44100-stereo")), "6b");
  assert.equal(indication(trackOf("mp3-mpeg2-22050-mono")), "69");
});

test("Opus has its header as dOps, big-endian", () => {
  assert.deepEqual(hexOf(boxesOf(buildInitSegment([trackOf("opushead-stereo")])), "dOps"), [
    "000201380000bb80000000",
  ]);
});

test("WebVTT has its header, or the least one, as vttC", () => {
  const boxes = boxesOf(buildInitSegment([text]));
  assert.deepEqual(hexOf(boxes, "vttC"), [Buffer.from("WEBVTT").toString("hex")]);
  assert.equal(hexOf(boxes, "nmhd").length, 1);
});

test("pixels that are not square are told by pasp and by the display width", () => {
  const boxes = boxesOf(buildInitSegment([video]));
  assert.deepEqual(hexOf(boxes, "pasp"), ["0000000400000003"]);
  const tkhd = boxes.find(({ type }) => type === "tkhd")!.content;
  assert.deepEqual([readU32(tkhd, 76), readU32(tkhd, 80)], [1920 * 65_536, 1080 * 65_536]);
  assert.equal(readU32(tkhd, 12), 1);
  const odd = boxesOf(buildInitSegment([trackOf("hvcc-main10-odd-sar")]));
  assert.deepEqual(hexOf(odd, "pasp"), ["0000000400000003"]);
});

test("timescale and language stand in the media header, and a longer tag in elng", () => {
  const boxes = boxesOf(buildInitSegment([audio, text]));
  assert.deepEqual(hexOf(boxes, "mdhd"), [
    "0000000000000000000000000000bb800000000015c70000",
    "000000000000000000000000000003e80000000041f20000",
  ]);
  assert.deepEqual(hexOf(boxes, "elng"), ["00000000" + Buffer.from("pt-BR\0").toString("hex")]);
});

test("brands promise CMAF only of single tracks", () => {
  const brands = (tracks: readonly Track[]) =>
    Buffer.from(boxesOf(buildInitSegment(tracks))[0]!.content).toString("latin1");
  assert.equal(brands([video]), "iso6\0\0\0\0iso6mp41cmfc");
  assert.equal(brands([video, audio]), "iso6\0\0\0\0iso6mp41");
  assert.equal(brands([trackOf("av1c-main-360")]), "iso6\0\0\0\0iso6mp41cmfcav01");
});

test("a known length stands in mehd, in milliseconds", () => {
  assert.deepEqual(hexOf(boxesOf(buildInitSegment([video])), "mehd"), []);
  const boxes = boxesOf(buildInitSegment([video], { durationUs: 3_600_000_999 }));
  assert.deepEqual(hexOf(boxes, "mehd"), ["01000000000000000036ee80"]);
});

test("the next track number is above all that are there", () => {
  const mvhd = boxesOf(buildInitSegment([video, audio]))[2]!.content;
  assert.equal(readU32(mvhd, 96), 102);
});

test("a sampling rate over 65535 is left to the configuration", () => {
  const config = Uint8Array.of(0x10, 0x10); // AAC-LC, 96 kHz, stereo
  const track = buildTrack({ id: trackId("audio", 1), codec: "aac", config });
  const { content } = boxesOf(buildInitSegment([track])).find(({ type }) => type === "mp4a")!;
  assert.deepEqual([track.sampleRate, readU32(content, 24)], [96_000, 0]);
});

test("a presentation that begins later than its media has an edit list for that, in ticks of each track", () => {
  const none = buildInitSegment([video, audio]);
  assert.deepEqual(buildInitSegment([video, audio], { startUs: 0, laterConfigs: new Map() }), none);
  const boxes = boxesOf(buildInitSegment([video, audio], { startUs: 80_000 }));
  assert.deepEqual(
    hexOf(boxes, "edts").map((content) => content.slice(16)),
    [7200, 3840].map((ticks) => {
      const time = ticks.toString(16).padStart(16, "0");
      return `01000000000000010000000000000000${time}00010000`;
    }),
  );
});

test("later configurations of a track are further sample descriptions, and it is no CMAF track", () => {
  const later = trackOf("avcc-baseline-360");
  const bytes = buildInitSegment([video], { laterConfigs: new Map([[video.id, [later]]]) });
  const boxes = boxesOf(bytes);
  assert.deepEqual(hexOf(boxes, "avcC"), [
    Buffer.from(video.config).toString("hex"),
    Buffer.from(later.config).toString("hex"),
  ]);
  assert.equal(readU32(boxes.find(({ type }) => type === "stsd")!.content, 4), 2);
  assert.equal(Buffer.from(boxes[0]!.content).toString("latin1"), "iso6\0\0\0\0iso6mp41");
});
