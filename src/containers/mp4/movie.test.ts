import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MediaError } from "../../base/errors.ts";
import {
  audioSampleEntry,
  avcSampleEntry,
  box,
  boxOfSize,
  bytes,
  fullBox,
  longBox,
  SMALL_AVC_CONFIG,
  SMALL_MOVIE_SIZES,
  smallMovie,
  text,
  u16,
  u32,
  u64,
  u8,
} from "../../../test/support/mp4-boxes.ts";
import type { SmallMovieOptions } from "../../../test/support/mp4-boxes.ts";
import { MP4_LIMITS } from "./limits.ts";
import { readMovie } from "./movie.ts";
import type { Movie, MovieTrack } from "./movie.ts";
import { readFromBytes } from "./random-access.ts";

function parse(file: Uint8Array): Movie {
  return readFromBytes(file, readMovie(file.byteLength));
}

function parseTrack(options: SmallMovieOptions = {}): MovieTrack {
  return parse(smallMovie(options)).tracks[0]!;
}

function columns(track: MovieTrack) {
  const { samples } = track;
  const all = Array.from({ length: samples.count }, (_, i) => i);
  return {
    sizes: all.map((i) => samples.sizeAt(i)),
    dts: all.map((i) => samples.dtsAt(i)),
    cts: all.map((i) => samples.ctsOffsetAt(i)),
    syncs: all.filter((i) => samples.isSync(i)),
  };
}

describe("readMovie", () => {
  test("reads a small movie with its index in front", () => {
    const file = smallMovie();
    const { tracks, timescale, notices } = parse(file);
    assert.equal(tracks.length, 1);
    assert.equal(timescale, 1000);
    assert.deepEqual(notices, []);
    const { samples, sampleEntry, language, kind, number } = tracks[0]!;
    assert.deepEqual(
      { kind, number, language, entry: sampleEntry.entry },
      { kind: "video", number: 1, language: "und", entry: "avc1" },
    );
    assert.deepEqual(columns(tracks[0]!), {
      sizes: SMALL_MOVIE_SIZES,
      dts: [0, 40, 80, 120, 160, 200],
      cts: [0, 0, 0, 0, 0, 0],
      syncs: [0, 4],
    });
    const mediaAt = file.byteLength - 150;
    assert.deepEqual(
      SMALL_MOVIE_SIZES.map((_, i) => samples.offsetAt(i) - mediaAt),
      [0, 40, 50, 70, 100, 140],
    );
  });

  test("reads the same from an index at the end", () => {
    assert.deepEqual(columns(parseTrack({ moovFirst: false })), columns(parseTrack()));
  });

  const variants: {
    name: string;
    options: SmallMovieOptions;
    sees: (track: MovieTrack) => unknown;
    expected: unknown;
  }[] = [
    {
      name: "composition offsets of version 0",
      options: { boxes: { ctts: fullBox("ctts", 0, 0, u32(3, 1, 80, 4, 0, 1, 40)) } },
      sees: (track) => columns(track).cts,
      expected: [80, 0, 0, 0, 0, 40],
    },
    {
      name: "negative composition offsets of version 1",
      options: { boxes: { ctts: fullBox("ctts", 1, 0, u32(2, 2, -40, 4, 0)) } },
      sees: (track) => [columns(track).cts, track.samples.minCtsOffset()],
      expected: [[-40, -40, 0, 0, 0, 0], -40],
    },
    {
      name: "composition offsets for the first samples only",
      options: { boxes: { ctts: fullBox("ctts", 0, 0, u32(1, 2, 40)) } },
      sees: (track) => columns(track).cts,
      expected: [40, 40, 0, 0, 0, 0],
    },
    {
      name: "several runs of times",
      options: { boxes: { stts: fullBox("stts", 0, 0, u32(3, 2, 40, 1, 100, 3, 20)) } },
      sees: (track) => [columns(track).dts, track.samples.dtsAt(6)],
      expected: [[0, 40, 80, 180, 200, 220], 240],
    },
    {
      name: "samples of one size",
      options: { boxes: { stsz: fullBox("stsz", 0, 0, u32(20, 6)) } },
      sees: (track) => columns(track).sizes,
      expected: [20, 20, 20, 20, 20, 20],
    },
    {
      name: "sizes of 16 bits",
      options: { boxes: { stsz: fullBox("stz2", 0, 0, u32(16, 6), u16(...SMALL_MOVIE_SIZES)) } },
      sees: (track) => columns(track).sizes,
      expected: SMALL_MOVIE_SIZES,
    },
    {
      name: "sizes of 8 bits",
      options: { boxes: { stsz: fullBox("stz2", 0, 0, u32(8, 6), u8(...SMALL_MOVIE_SIZES)) } },
      sees: (track) => columns(track).sizes,
      expected: SMALL_MOVIE_SIZES,
    },
    {
      name: "sizes of 4 bits",
      options: { boxes: { stsz: fullBox("stz2", 0, 0, u32(4, 5), u8(0x12, 0x34, 0x50)) } },
      sees: (track) => columns(track).sizes,
      expected: [1, 2, 3, 4, 5],
    },
    {
      name: "chunks of different lengths",
      options: {
        boxes: {
          stsc: fullBox("stsc", 0, 0, u32(2, 1, 1, 1, 3, 2, 1)),
          stco: fullBox("stco", 0, 0, u32(4, 500, 510, 600, 520)),
        },
      },
      sees: ({ samples }) => Array.from({ length: samples.count }, (_, i) => samples.offsetAt(i)),
      expected: [500, 510, 600, 620, 520, 560],
    },
    {
      name: "64-bit chunk offsets",
      options: { boxes: { stco: fullBox("co64", 0, 0, u32(2), u64(600, 700)) } },
      sees: ({ samples }) => [samples.offsetAt(0), samples.offsetAt(3)],
      expected: [600, 700],
    },
    {
      name: "a track without a list of key frames, all of which are ones",
      options: { boxes: { stss: null } },
      sees: (track) => columns(track).syncs,
      expected: [0, 1, 2, 3, 4, 5],
    },
    {
      name: "an edit list with a delay and a start",
      options: {
        boxes: { edts: box("edts", fullBox("elst", 0, 0, u32(2, 500, -1, 65_536, 240, 80, 65_536))) },
      },
      sees: (track) => track.edit,
      expected: { delayMovieTicks: 500, mediaTime: 80, durationMovieTicks: 240, ignored: 0 },
    },
    {
      name: "an edit list of version 1",
      options: {
        boxes: {
          edts: box(
            "edts",
            fullBox("elst", 1, 0, u32(2), u64(240, 40), u32(65_536), u64(10, 0), u32(65_536)),
          ),
        },
      },
      sees: (track) => track.edit,
      expected: { delayMovieTicks: 0, mediaTime: 40, durationMovieTicks: 240, ignored: 1 },
    },
    {
      name: "headers of version 1",
      options: {
        boxes: {
          mdhd: fullBox("mdhd", 1, 0, u64(0, 0), u32(2000), u64(240), u16(0x15c7, 0)),
          tkhd: fullBox("tkhd", 1, 3, u64(0, 0), u32(9, 0), u64(240), new Uint8Array(60)),
          mvhd: fullBox("mvhd", 1, 0, u64(0, 0), u32(1000), u64(240), new Uint8Array(80)),
        },
      },
      sees: ({ timescale, number, language }) => ({ timescale, number, language }),
      expected: { timescale: 2000, number: 9, language: "en" },
    },
    {
      name: "a box with a 64-bit size inside the index",
      options: { boxes: { stss: longBox("stss", u32(0, 1, 3)) } },
      sees: (track) => columns(track).syncs,
      expected: [2],
    },
    {
      name: "tables that disagree, up to the shortest",
      options: { boxes: { stts: fullBox("stts", 0, 0, u32(1, 4, 40)) } },
      sees: ({ samples }) => samples.count,
      expected: 4,
    },
    {
      name: "two equal sample descriptions",
      options: { boxes: { stsd: fullBox("stsd", 0, 0, u32(2), avcSampleEntry(), avcSampleEntry()) } },
      sees: ({ sampleEntry }) => sampleEntry.config,
      expected: SMALL_AVC_CONFIG,
    },
  ];
  for (const { name, options, sees, expected } of variants) {
    test(`reads ${name}`, () => assert.deepEqual(sees(parseTrack(options)), expected));
  }

  test("plays a file whose media say that they go on after its last frame", () => {
    const mdat = boxOfSize("mdat", 400, new Uint8Array(150));
    const { tracks, notices, isCutOff } = parse(smallMovie({ boxes: { mdat } }));
    assert.equal(tracks[0]!.samples.count, 6);
    assert.deepEqual({ notices, isCutOff }, { notices: [], isCutOff: false });
  });

  test("leaves time codes, unknown codecs and broken subtitles out and plays the rest", () => {
    const hdlr = (kind: string) => fullBox("hdlr", 0, 0, u32(0), text(kind), u32(0, 0, 0), u8(0));
    const timeCode = trackOf(smallMovie({ boxes: { hdlr: hdlr("tmcd") } }), 2);
    const stsd = fullBox("stsd", 0, 0, u32(0));
    const broken = trackOf(smallMovie({ boxes: { hdlr: hdlr("text"), stsd } }), 4);
    const vp9 = trackOf(
      smallMovie({ boxes: { stsd: fullBox("stsd", 0, 0, u32(1), avcSampleEntry("vp09")) } }),
      3,
    );
    const { tracks, notices } = parse(smallMovie({ moreInMoov: [timeCode, vp9, broken] }));
    assert.deepEqual(
      tracks.map((track) => track.number),
      [1],
    );
    assert.match(notices.join(), /"tmcd" is left out.*"vp09" is not supported.*describes nothing/);
  });
});

/** The trak box of a file that `smallMovie` made, with another number. */
function trackOf(file: Uint8Array, number: number): Uint8Array {
  const at = Buffer.from(file).indexOf("trak", 0, "latin1") - 4;
  const view = new DataView(file.buffer, file.byteOffset);
  const trak = file.slice(at, at + view.getUint32(at));
  const tkhd = Buffer.from(trak).indexOf("tkhd", 0, "latin1");
  new DataView(trak.buffer).setUint32(tkhd + 4 + 12, number);
  return trak;
}

const HUGE = 0xffff_fff0;
const adversarial: { name: string; file: Uint8Array; code: string; message: RegExp }[] = [
  { name: "an empty file", file: new Uint8Array(0), code: "MP4_NOT_MP4", message: /0 bytes/ },
  {
    name: "a text file",
    file: text("#EXTM3U\n#EXT-X-VERSION:7\n"),
    code: "MP4_NOT_MP4",
    message: /does not begin/,
  },
  { name: "zeros", file: new Uint8Array(4096), code: "MP4_NOT_MP4", message: /does not begin/ },
  {
    name: "a file without an index",
    file: bytes(box("ftyp", text("isom")), box("mdat", new Uint8Array(99))),
    code: "MP4_NO_MOOV",
    message: /not finished/,
  },
  {
    name: "an upload that was cut off before the index",
    file: smallMovie({ moovFirst: false }).subarray(0, 100),
    code: "MP4_NO_MOOV",
    message: /cut off in its "mdat", after 100 bytes/,
  },
  {
    name: "media of unknown length before the index",
    file: smallMovie({ moovFirst: false, boxes: { mdat: boxOfSize("mdat", 0, new Uint8Array(150)) } }),
    code: "MP4_NO_MOOV",
    message: /not finished/,
  },
  {
    name: "fragments without a moov",
    file: box("moof", new Uint8Array(8)),
    code: "MP4_NO_MOOV",
    message: /init segment/,
  },
  {
    name: "an index that is cut off",
    file: smallMovie().subarray(0, 300),
    code: "MP4_BOX_SIZE",
    message: /"moov" at byte 20 says/,
  },
  {
    name: "a box smaller than its header",
    file: bytes(box("ftyp"), boxOfSize("free", 4)),
    code: "MP4_BOX_SIZE",
    message: /"free" at byte 8 says that it has 4 bytes/,
  },
  {
    name: "a 64-bit size smaller than its header",
    file: bytes(box("ftyp"), u32(1), text("mdat"), u64(15)),
    code: "MP4_BOX_SIZE",
    message: /15 bytes/,
  },
  {
    name: "a 64-bit size that is beyond any file",
    file: bytes(box("ftyp"), u32(1), text("mdat"), u64(0xffff_ffff_ffff_ffffn)),
    code: "MP4_BOX_SIZE",
    message: /"mdat"/,
  },
  {
    name: "a child that is larger than its parent",
    file: smallMovie({ boxes: { stts: boxOfSize("stts", 4000, u32(0, 1, 6, 40)) } }),
    code: "MP4_BOX_SIZE",
    message: /"stts" .* 4000 bytes/,
  },
  {
    name: "a child that is smaller than its header",
    file: smallMovie({ boxes: { stts: boxOfSize("stts", 7, u32(0, 1, 6, 40)) } }),
    code: "MP4_BOX_SIZE",
    message: /7 bytes/,
  },
  ...(
    [
      "mvhd",
      "mdia",
      "tkhd",
      "mdhd",
      "hdlr",
      "minf",
      "stbl",
      "stsd",
      "stts",
      "stsc",
      "stsz",
      "stco",
    ] as const
  ).map((type) => ({
    name: `no ${type}`,
    file: smallMovie({ boxes: { [type]: null } }),
    code: "MP4_BAD_BOX",
    message: new RegExp(`holds no .*${type === "minf" || type === "stbl" ? "stbl" : type}`),
  })),
  ...(["mvhd", "tkhd", "mdhd", "hdlr", "stsd", "stts", "stsc", "stsz", "stco", "stss"] as const).map(
    (type) => ({
      name: `an empty ${type}`,
      file: smallMovie({ boxes: { [type]: box(type) } }),
      code: "MP4_BAD_BOX",
      message: /ends \d+ bytes before its contents do/,
    }),
  ),
  {
    name: "more sizes than the box has room for",
    file: smallMovie({ boxes: { stsz: fullBox("stsz", 0, 0, u32(0, HUGE, 1, 2, 3)) } }),
    code: "MP4_BAD_BOX",
    message: /4294967280 entries and has room for 3/,
  },
  {
    name: "more small sizes than the box has room for",
    file: smallMovie({ boxes: { stsz: fullBox("stz2", 0, 0, u32(4, 9), u8(1, 2, 3, 4)) } }),
    code: "MP4_BAD_BOX",
    message: /9 entries and has room for 8/,
  },
  {
    name: "small sizes of an unknown width",
    file: smallMovie({ boxes: { stsz: fullBox("stz2", 0, 0, u32(5, 1), u8(1)) } }),
    code: "MP4_BAD_BOX",
    message: /5 bits/,
  },
  {
    name: "four billion samples of one size",
    file: smallMovie({ boxes: { stsz: fullBox("stsz", 0, 0, u32(1, HUGE)) } }),
    code: "MP4_LIMIT",
    message: /number of frames of 4294967280/,
  },
  {
    name: "samples of one size that are larger than the file together",
    file: smallMovie({ boxes: { stsz: fullBox("stsz", 0, 0, u32(100_000, 6)) } }),
    code: "MP4_BAD_BOX",
    message: /more than the whole file/,
  },
  {
    name: "more times than the box has room for",
    file: smallMovie({ boxes: { stts: fullBox("stts", 0, 0, u32(HUGE, 1, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /room for 1/,
  },
  {
    name: "a time step of fifty days",
    file: smallMovie({ boxes: { stts: fullBox("stts", 0, 0, u32(1, 6, HUGE)) } }),
    code: "MP4_LIMIT",
    message: /duration in seconds of 25769803/,
  },
  {
    name: "no times at all",
    file: smallMovie({ boxes: { stts: fullBox("stts", 0, 0, u32(0)) } }),
    code: "MP4_NO_TRACKS",
    message: /describe 6, 0 and 6 frames/,
  },
  {
    name: "a composition offset of days",
    file: smallMovie({
      boxes: {
        ctts: fullBox("ctts", 0, 0, u32(1, 6, 0x7fff_ffff)),
        mdhd: fullBox("mdhd", 0, 0, u32(0, 0, 1, 240), u16(0, 0)),
      },
    }),
    code: "MP4_LIMIT",
    message: /duration in seconds of 2147483647/,
  },
  {
    name: "a timescale of 0",
    file: smallMovie({ boxes: { mdhd: fullBox("mdhd", 0, 0, u32(0, 0, 0, 240), u16(0, 0)) } }),
    code: "MP4_BAD_BOX",
    message: /timescale is 0/,
  },
  {
    name: "chunks that do not begin with the first",
    file: smallMovie({ boxes: { stsc: fullBox("stsc", 0, 0, u32(1, 2, 3, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /begins at chunk 2/,
  },
  {
    name: "chunks numbered from 0",
    file: smallMovie({ boxes: { stsc: fullBox("stsc", 0, 0, u32(1, 0, 3, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /begins at chunk 0/,
  },
  {
    name: "chunks in a circle",
    file: smallMovie({ boxes: { stsc: fullBox("stsc", 0, 0, u32(3, 1, 1, 1, 2, 1, 1, 1, 1, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /ascending/,
  },
  {
    name: "chunks without samples",
    file: smallMovie({ boxes: { stsc: fullBox("stsc", 0, 0, u32(1, 1, 0, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /without frames/,
  },
  {
    name: "chunks that all lie past the end of the file",
    file: smallMovie({ boxes: { stco: fullBox("stco", 0, 0, u32(2, HUGE, HUGE)) } }),
    code: "MP4_TRUNCATED",
    message: /^0 of 6 frames are there: the file is cut off, or still being written$/,
  },
  {
    name: "a copy that is still under way: index in front, frames missing",
    file: smallMovie().subarray(0, -60),
    code: "MP4_TRUNCATED",
    message: /^3 of 6 frames are there: the file is cut off, or still being written$/,
  },
  {
    name: "a first chunk that lies past the end of the file, while the second one is there",
    file: smallMovie({ boxes: { stco: fullBox("stco", 0, 0, u32(2, HUGE, 100)) } }),
    code: "MP4_TRUNCATED",
    message: /^3 of 6 frames/,
  },
  {
    name: "a chunk beyond any file",
    file: smallMovie({ boxes: { stco: fullBox("co64", 0, 0, u32(2), u64(0xffff_ffff_ffff_ffffn, 0)) } }),
    code: "MP4_BAD_BOX",
    message: /beyond any file/,
  },
  {
    name: "samples on top of each other",
    file: smallMovie({
      boxes: {
        stsz: fullBox("stsz", 0, 0, u32(0, 20, ...Array.from({ length: 20 }, () => 300))),
        stts: fullBox("stts", 0, 0, u32(1, 20, 40)),
        stsc: fullBox("stsc", 0, 0, u32(1, 1, 1, 1)),
        stco: fullBox("stco", 0, 0, u32(20, ...Array.from({ length: 20 }, () => 0))),
      },
    }),
    code: "MP4_BAD_BOX",
    message: /overlap: 6000 bytes/,
  },
  {
    name: "key frames in disorder",
    file: smallMovie({ boxes: { stss: fullBox("stss", 0, 0, u32(2, 5, 1)) } }),
    code: "MP4_BAD_BOX",
    message: /ascending/,
  },
  {
    name: "key frame 0",
    file: smallMovie({ boxes: { stss: fullBox("stss", 0, 0, u32(1, 0)) } }),
    code: "MP4_BAD_BOX",
    message: /ascending/,
  },
  {
    name: "an edit that begins before the media",
    file: smallMovie({ boxes: { edts: box("edts", fullBox("elst", 0, 0, u32(1, 240, -2, 65_536))) } }),
    code: "MP4_BAD_BOX",
    message: /begins at -2/,
  },
  {
    name: "an edit beyond any recording",
    file: smallMovie({
      boxes: {
        edts: box("edts", fullBox("elst", 1, 0, u32(1), u64(0x7fff_ffff_ffff_ffffn, 0), u32(65_536))),
      },
    }),
    code: "MP4_BAD_BOX",
    message: /beyond any recording/,
  },
  {
    name: "an encrypted track",
    file: smallMovie({ boxes: { stsd: fullBox("stsd", 0, 0, u32(1), avcSampleEntry("encv")) } }),
    code: "MP4_ENCRYPTED",
    message: /encrypted \(sample entry "encv"\)/,
  },
  {
    name: "an unknown codec alone",
    file: smallMovie({ boxes: { stsd: fullBox("stsd", 0, 0, u32(1), avcSampleEntry("vp09")) } }),
    code: "MP4_NO_TRACKS",
    message: /"vp09" is not supported/,
  },
  {
    name: "a codec that changes in the middle",
    file: smallMovie({
      boxes: { stsd: fullBox("stsd", 0, 0, u32(2), avcSampleEntry(), avcSampleEntry("hvc1")) },
    }),
    code: "MP4_NO_TRACKS",
    message: /changes in the middle/,
  },
  {
    name: "media in another file",
    file: smallMovie({
      boxes: { dinf: box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 0, text("x\0")))) },
    }),
    code: "MP4_NO_TRACKS",
    message: /media in another file/,
  },
  {
    name: "a compressed index",
    file: bytes(box("ftyp"), box("moov", box("cmov", u32(0)))),
    code: "MP4_UNSUPPORTED",
    message: /compressed index/,
  },
  {
    name: "two tracks with one number",
    file: smallMovie({ moreInMoov: [trackOf(smallMovie(), 1)] }),
    code: "MP4_BAD_BOX",
    message: /two tracks with the number 1/,
  },
  {
    name: "a thousand tracks",
    file: smallMovie({ moreInMoov: Array.from({ length: 1000 }, (_, i) => trackOf(smallMovie(), i + 2)) }),
    code: "MP4_LIMIT",
    message: /number of tracks of 65/,
  },
  {
    name: "a sample description without its configuration",
    file: smallMovie({
      boxes: { stsd: fullBox("stsd", 0, 0, u32(1), avcSampleEntry("avc1", box("free"))) },
    }),
    code: "MP4_BAD_BOX",
    message: /holds no "avcC"/,
  },
  {
    name: "a sample description that is cut off",
    file: smallMovie({ boxes: { stsd: fullBox("stsd", 0, 0, u32(1), box("avc1", u32(1))) } }),
    code: "MP4_BAD_BOX",
    message: /"avc1"/,
  },
  {
    name: "a configuration that is too long",
    file: smallMovie({
      boxes: {
        stsd: fullBox("stsd", 0, 0, u32(1), avcSampleEntry("avc1", box("avcC", new Uint8Array(70_000)))),
      },
    }),
    code: "MP4_LIMIT",
    message: /"avcC" with a length of 70000/,
  },
  {
    name: "an esds whose descriptors are longer than it",
    file: audioMovie(box("esds", u32(0), u8(3, 0x80, 0x80, 0x80, 0x7f, 0, 1, 0))),
    code: "MP4_BAD_BOX",
    message: /longer than what holds it/,
  },
  {
    name: "an esds without descriptors",
    file: audioMovie(box("esds", u32(0))),
    code: "MP4_BAD_BOX",
    message: /no descriptor 3/,
  },
  {
    name: "an mp4a without an esds",
    file: audioMovie(box("free")),
    code: "MP4_BAD_BOX",
    message: /no "esds"/,
  },
  {
    name: "a file of nothing but empty boxes",
    file: bytes(box("ftyp"), Buffer.alloc((MP4_LIMITS.topLevelBoxes + 1) * 8, box("free"))),
    code: "MP4_LIMIT",
    message: /number of boxes/,
  },
];

function audioMovie(child: Uint8Array): Uint8Array {
  const hdlr = fullBox("hdlr", 0, 0, u32(0), text("soun"), u32(0, 0, 0), u8(0));
  const stsd = fullBox("stsd", 0, 0, u32(1), audioSampleEntry("mp4a", child));
  return smallMovie({ boxes: { hdlr, stsd, stss: null } });
}

describe("readMovie refuses", () => {
  for (const { name, file, code, message } of adversarial) {
    test(name, () => {
      assert.throws(
        () => parse(file),
        (error) => {
          assert.ok(error instanceof MediaError, String(error));
          assert.deepEqual({ code: error.code, status: error.httpStatus }, { code, status: 422 });
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test("an index that is larger than the limit without reading it", () => {
    const head = bytes(box("ftyp"), boxOfSize("moov", MP4_LIMITS.moovBytes + 1));
    const steps = readMovie(MP4_LIMITS.moovBytes * 2);
    let step = steps.next();
    assert.throws(() => {
      while (step.done !== true) {
        assert.ok(step.value.lengthBytes <= 4096);
        step = steps.next(head.subarray(step.value.offset));
      }
    }, /"moov" with a length of 67108865 is more than the limit/);
  });

  test("nothing but with an error of its own at every place where a file can be cut", () => {
    const whole = smallMovie();
    const mediaAt = whole.byteLength - 150;
    for (let cut = 0; cut < whole.byteLength; cut++) {
      assert.throws(
        () => parse(whole.subarray(0, cut)),
        (error) => {
          assert.ok(error instanceof MediaError, `cut at ${cut}: ${String(error)}`);
          if (cut >= mediaAt) assert.equal(error.code, "MP4_TRUNCATED");
          return true;
        },
      );
    }
  });

  test("nothing but with an error of its own when any byte is another one", () => {
    const whole = smallMovie({ boxes: { ctts: fullBox("ctts", 0, 0, u32(2, 1, 80, 5, 0)) } });
    for (let at = 0; at < whole.byteLength - 150; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = whole.slice();
        changed[at] = value;
        try {
          parse(changed);
        } catch (error) {
          assert.ok(error instanceof MediaError, `byte ${at} = ${value}: ${String(error)}`);
        }
      }
    }
  });
});
