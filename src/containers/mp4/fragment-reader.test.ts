import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MediaError } from "../../base/errors.ts";
import { box, boxOfSize, bytes, fullBox, smallMovie, u32, u64 } from "../../../test/support/mp4-boxes.ts";
import { readMovie } from "./movie.ts";
import type { Movie } from "./movie.ts";
import { readFromBytes } from "./random-access.ts";

const NO_SAMPLES = {
  stts: fullBox("stts", 0, 0, u32(0)),
  stsc: fullBox("stsc", 0, 0, u32(0)),
  stsz: fullBox("stsz", 0, 0, u32(0, 0)),
  stco: fullBox("stco", 0, 0, u32(0)),
  stss: null,
  mdat: null,
};
const MVEX = box("mvex", fullBox("trex", 0, 0, u32(1, 1, 40, 10, 0x1_0000)));
const INIT = smallMovie({ boxes: NO_SAMPLES, moreInMoov: [MVEX] });
const MDAT = box("mdat", new Uint8Array(60).fill(7));

function parse(file: Uint8Array): Movie {
  return readFromBytes(file, readMovie(file.byteLength));
}

function moof(...trafs: readonly Uint8Array[]): Uint8Array {
  return box("moof", fullBox("mfhd", 0, 0, u32(1)), ...trafs);
}

function traf(tfhd: Uint8Array, ...rest: readonly Uint8Array[]): Uint8Array {
  return box("traf", tfhd, ...rest);
}

const BASE_IS_MOOF = fullBox("tfhd", 0, 0x2_0000, u32(1));
const TFDT_80 = fullBox("tfdt", 1, 0, u64(80));

/** Two samples of 10 and 20 bytes, the first a key frame, composition offsets 40 and -40, right behind the moof. */
function simpleTrun(dataOffset: number): Uint8Array {
  return fullBox("trun", 1, 0xa05, u32(2, dataOffset, 0, 10, 40, 20, -40));
}

const SIMPLE = moof(traf(BASE_IS_MOOF, TFDT_80, simpleTrun(0)));
const SIMPLE_FRAGMENT = bytes(moof(traf(BASE_IS_MOOF, TFDT_80, simpleTrun(SIMPLE.byteLength + 8))), MDAT);

const LATER_FRAGMENT = bytes(
  moof(traf(BASE_IS_MOOF, fullBox("tfdt", 1, 0, u64(160)), simpleTrun(SIMPLE.byteLength + 8))),
  MDAT,
);

function columns(movie: Movie) {
  const { samples } = movie.tracks[0]!;
  return Array.from({ length: samples.count }, (_, i) => [
    samples.dtsAt(i),
    samples.ctsOffsetAt(i),
    samples.sizeAt(i),
    samples.offsetAt(i),
    samples.isSync(i),
  ]);
}

describe("readFragment", () => {
  test("reads sizes, offsets and the flags of the first sample from a run, the rest from defaults", () => {
    const at = INIT.byteLength + SIMPLE.byteLength + 8;
    assert.deepEqual(columns(parse(bytes(INIT, SIMPLE_FRAGMENT))), [
      [80, 40, 10, at, true],
      [120, -40, 20, at + 10, false],
    ]);
  });

  test("takes bases from the track header, from the moof, and from what came before", () => {
    const absolute = fullBox("tfhd", 0, 0x1, u32(1), u64(20));
    const plain = fullBox("tfhd", 0, 0, u32(1));
    const runs = [fullBox("trun", 0, 0, u32(1)), fullBox("trun", 0, 0, u32(2))];
    const both = moof(traf(absolute, ...runs), traf(plain, fullBox("trun", 0, 0x1, u32(1, 5))));
    assert.deepEqual(
      columns(parse(bytes(INIT, both, MDAT))).map(([dts, , size, offset]) => [dts, size, offset]),
      [
        [0, 10, 20],
        [40, 10, 30],
        [80, 10, 40],
        [120, 10, 55],
      ],
    );
  });

  test("takes defaults of the track header before those of the track", () => {
    const tfhd = fullBox("tfhd", 0, 0x2_003a, u32(1, 1, 25, 7, 0));
    const movie = parse(bytes(INIT, moof(traf(tfhd, fullBox("trun", 0, 0x1, u32(2, 0)))), MDAT));
    assert.deepEqual(
      columns(movie).map(([dts, , size, , isSync]) => [dts, size, isSync]),
      [
        [0, 7, true],
        [25, 7, true],
      ],
    );
  });

  test("goes on after the samples of the moov, and keeps a hole in time", () => {
    const whole = smallMovie({ moreInMoov: [MVEX] });
    const later = bytes(moof(traf(BASE_IS_MOOF, fullBox("tfdt", 0, 0, u32(1000)), simpleTrun(0))), MDAT);
    const { samples } = parse(bytes(whole, later)).tracks[0]!;
    assert.equal(samples.count, 8);
    assert.deepEqual([samples.dtsAt(5), samples.dtsAt(6), samples.dtsAt(7)], [200, 1000, 1040]);
    assert.deepEqual([...samples.read(4, 8).durations], [40, 800, 40, 40]);
    assert.equal(samples.offsetAt(6), whole.byteLength);
  });

  test("passes over tracks that the moov does not have", () => {
    const other = traf(fullBox("tfhd", 0, 0, u32(9)), fullBox("trun", 0, 0, u32(2)));
    const own = traf(fullBox("tfhd", 0, 0, u32(1)), fullBox("trun", 0, 0, u32(1)));
    const [row] = columns(parse(bytes(INIT, moof(other, own), MDAT)));
    assert.equal(row![3], INIT.byteLength, "the other track's samples have the size 0");
  });

  test("plays the fragments that are whole of a file that is cut off", () => {
    const next = moof(traf(BASE_IS_MOOF, fullBox("tfdt", 0, 0, u32(160)), simpleTrun(0)));
    const file = bytes(INIT, SIMPLE_FRAGMENT, next);
    const expected = columns(parse(bytes(INIT, SIMPLE_FRAGMENT)));
    for (let cut = INIT.byteLength + SIMPLE_FRAGMENT.byteLength; cut < file.byteLength; cut++) {
      assert.deepEqual(columns(parse(file.subarray(0, cut))), expected, `cut at ${cut}`);
    }
  });

  test("plays whole fragments only where the last one is cut off in its media, and says so", () => {
    const file = bytes(INIT, SIMPLE_FRAGMENT, LATER_FRAGMENT);
    const expected = columns(parse(bytes(INIT, SIMPLE_FRAGMENT)));
    const mediaAt = file.byteLength - MDAT.byteLength;
    for (let cut = mediaAt; cut < file.byteLength; cut++) {
      const movie = parse(file.subarray(0, cut));
      assert.deepEqual(columns(movie), expected, `cut at ${cut}`);
      assert.equal(movie.isCutOff, true);
      if (cut >= mediaAt + 8)
        assert.match(movie.notices.join(), /cut off, or still being written, in a "mdat"/);
    }
    const whole = parse(file);
    assert.deepEqual([whole.isCutOff, whole.notices, columns(whole).length], [false, [], 4]);
  });

  test("says of a file that is cut off in its first fragment that it is", () => {
    const file = bytes(INIT, SIMPLE_FRAGMENT);
    assert.throws(() => parse(file.subarray(0, -1)), {
      code: "MP4_NO_TRACKS",
      message: /cut off, or still being written/,
    });
  });

  test("ends at a broken box after the index instead of refusing the file", () => {
    const { tracks, notices } = parse(bytes(INIT, SIMPLE_FRAGMENT, boxOfSize("free", 5)));
    assert.equal(tracks[0]!.samples.count, 2);
    assert.match(notices.join(), /"free"/);
  });
});

const adversarial: { name: string; fragments: readonly Uint8Array[]; code: string; message: RegExp }[] = [
  { name: "an init segment alone", fragments: [], code: "MP4_NO_TRACKS", message: /track 1 has no frames/ },
  {
    name: "a run with more samples than bytes",
    fragments: [moof(traf(BASE_IS_MOOF, fullBox("trun", 0, 0x200, u32(0xffff_ffff, 1))))],
    code: "MP4_BAD_BOX",
    message: /"trun".*ends 17179869176 bytes before/,
  },
  {
    name: "a run of four billion samples without bytes",
    fragments: [
      moof(traf(fullBox("tfhd", 0, 0x18, u32(1, 0, 0)), fullBox("trun", 0, 0, u32(0xffff_ffff)))),
    ],
    code: "MP4_BAD_BOX",
    message: /its 4294967295 frames have no bytes/,
  },
  {
    name: "a run of four billion samples of one byte",
    fragments: [
      moof(traf(fullBox("tfhd", 0, 0x18, u32(1, 0, 1)), fullBox("trun", 0, 0, u32(0xffff_ffff)))),
    ],
    code: "MP4_LIMIT",
    message: /number of frames of 8388609/,
  },
  {
    name: "a run of four billion samples of a track that is not there",
    fragments: [
      moof(traf(fullBox("tfhd", 0, 0x18, u32(7, 0, 0)), fullBox("trun", 0, 0, u32(0xffff_ffff)))),
    ],
    code: "MP4_NO_TRACKS",
    message: /no frames/,
  },
  {
    name: "a run before the file",
    fragments: [moof(traf(BASE_IS_MOOF, fullBox("trun", 0, 0x1, u32(1, -2000))))],
    code: "MP4_BAD_BOX",
    message: /begin before the file/,
  },
  {
    name: "a run after the file",
    fragments: [moof(traf(BASE_IS_MOOF, fullBox("trun", 0, 0x1, u32(1, 0x7fff_0000))))],
    code: "MP4_NO_TRACKS",
    message: /0 of 1 frames are there/,
  },
  {
    name: "a base beyond any file",
    fragments: [moof(traf(fullBox("tfhd", 0, 0x1, u32(1), u64(0xffff_ffff_ffff_ffffn))))],
    code: "MP4_BAD_BOX",
    message: /base is beyond any file/,
  },
  {
    name: "a time beyond any recording",
    fragments: [moof(traf(BASE_IS_MOOF, fullBox("tfdt", 1, 0, u64(0x7fff_ffff_ffff_ffffn))))],
    code: "MP4_BAD_BOX",
    message: /beyond any recording/,
  },
  {
    name: "a time that goes back",
    fragments: [
      SIMPLE_FRAGMENT,
      moof(traf(BASE_IS_MOOF, fullBox("tfdt", 0, 0, u32(60)), fullBox("trun", 0, 0, u32(1)))),
    ],
    code: "MP4_BAD_BOX",
    message: /"tfdt".*goes back in time/,
  },
  {
    name: "a hole of a year",
    fragments: [
      SIMPLE_FRAGMENT,
      moof(traf(BASE_IS_MOOF, fullBox("tfdt", 1, 0, u64(31_536_000_000)), fullBox("trun", 0, 0, u32(1)))),
    ],
    code: "MP4_LIMIT",
    message: /duration in seconds/,
  },
  {
    name: "fragments that use the same bytes again and again",
    fragments: Array.from({ length: 60 }, () =>
      moof(traf(fullBox("tfhd", 0, 0x11, u32(1), u64(0), u32(20)), fullBox("trun", 0, 0, u32(20)))),
    ),
    code: "MP4_BAD_BOX",
    message: /overlap/,
  },
  {
    name: "a track fragment without its header",
    fragments: [moof(box("traf"))],
    code: "MP4_BAD_BOX",
    message: /no "tfhd"/,
  },
  {
    name: "an empty track fragment header",
    fragments: [moof(traf(box("tfhd")))],
    code: "MP4_BAD_BOX",
    message: /ends 8/,
  },
  {
    name: "a track fragment header that is cut off",
    fragments: [moof(traf(fullBox("tfhd", 0, 0x3f, u32(1, 0, 0))))],
    code: "MP4_BAD_BOX",
    message: /"tfhd".*ends \d+ bytes/,
  },
  {
    name: "an empty run",
    fragments: [moof(traf(BASE_IS_MOOF, box("trun")))],
    code: "MP4_BAD_BOX",
    message: /ends 8/,
  },
  {
    name: "an empty time",
    fragments: [moof(traf(BASE_IS_MOOF, box("tfdt")))],
    code: "MP4_BAD_BOX",
    message: /ends 4/,
  },
  {
    name: "a moof over the limit",
    fragments: [box("moof", new Uint8Array(5 * 2 ** 20))],
    code: "MP4_LIMIT",
    message: /"moof" with a length/,
  },
];

describe("readFragment refuses", () => {
  for (const { name, fragments, code, message } of adversarial) {
    test(name, () => {
      assert.throws(
        () => parse(bytes(INIT, ...fragments)),
        (error) => {
          assert.ok(error instanceof MediaError, String(error));
          assert.equal(error.code, code, error.message);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test("nothing but with an error of its own when any byte of a fragment is another one", () => {
    const whole = bytes(INIT, SIMPLE_FRAGMENT);
    for (let at = INIT.byteLength; at < whole.byteLength - 60; at++) {
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
