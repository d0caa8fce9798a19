import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readFourCc, readI32, readU32, readU64 } from "../../base/bytes.ts";
import { buildTrack } from "../../codecs/track.ts";
import type { Track } from "../../media/track.ts";
import { trackId } from "../../media/ids.ts";
import type { FragmentTrack } from "./fragment.ts";
import { buildFragmentHeader } from "./fragment.ts";

const text = (ordinal: number): Track =>
  buildTrack({ id: trackId("text", ordinal), codec: "webvtt", config: new Uint8Array(0) });
const audio = buildTrack({ id: trackId("audio", 1), codec: "aac", config: Uint8Array.of(0x11, 0x90) });

type Sample = { size: number; duration: number; ctsOffset: number; isSync: boolean };

function columns(track: Track, baseDts: number, samples: readonly Sample[]): FragmentTrack {
  return {
    track,
    baseDts,
    count: samples.length,
    sizes: Uint32Array.from(samples, ({ size }) => size),
    durations: Uint32Array.from(samples, ({ duration }) => duration),
    ctsOffsets: Int32Array.from(samples, ({ ctsOffset }) => ctsOffset),
    syncFlags: Uint8Array.from(samples, ({ isSync }) => (isSync ? 1 : 0)),
    dataBytes: samples.reduce((sum, { size }) => sum + size, 0),
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const joined = (...parts: string[]) => parts.join("").replaceAll(" ", "");
const frame = { size: 10, duration: 1024, ctsOffset: 0, isSync: true };

/** Written by hand from ISO/IEC 14496-12 sections 8.8.5 to 8.8.12. */
const table: readonly { name: string; samples: readonly Sample[]; expected: string }[] = [
  {
    name: "samples that are all alike have only defaults",
    samples: [frame, frame],
    expected: joined(
      "00000064 6d6f6f66  00000010 6d666864 00000000 00000007",
      "0000004c 74726166  0000001c 74666864 00020038 00000065 00000400 0000000a 02000000",
      "00000014 74666474 01000000 0000000000000064",
      "00000014 7472756e 01000001 00000002 00000064+8",
      "0000001c 6d646174",
    ),
  },
  {
    name: "only the first sample is sync",
    samples: [frame, { ...frame, isSync: false }, { ...frame, isSync: false }],
    expected: joined(
      "00000068 6d6f6f66  00000010 6d666864 00000000 00000007",
      "00000050 74726166  0000001c 74666864 00020038 00000065 00000400 0000000a 01010000",
      "00000014 74666474 01000000 0000000000000064",
      "00000018 7472756e 01000005 00000003 00000068+8 02000000",
      "00000026 6d646174",
    ),
  },
  {
    name: "everything varies",
    samples: [
      { size: 1, duration: 2, ctsOffset: 3, isSync: false },
      { size: 4, duration: 5, ctsOffset: -6, isSync: true },
    ],
    expected: joined(
      "00000078 6d6f6f66  00000010 6d666864 00000000 00000007",
      "00000060 74726166  00000010 74666864 00020000 00000065",
      "00000014 74666474 01000000 0000000000000064",
      "00000034 7472756e 01000f01 00000002 00000078+8",
      "00000002 00000001 01010000 00000003  00000005 00000004 02000000 fffffffa",
      "0000000d 6d646174",
    ),
  },
  {
    name: "composition offsets that are constant but not zero stay per sample",
    samples: [
      { ...frame, ctsOffset: 5 },
      { ...frame, ctsOffset: 5 },
    ],
    expected: joined(
      "0000006c 6d6f6f66  00000010 6d666864 00000000 00000007",
      "00000054 74726166  0000001c 74666864 00020038 00000065 00000400 0000000a 02000000",
      "00000014 74666474 01000000 0000000000000064",
      "0000001c 7472756e 01000801 00000002 0000006c+8 00000005 00000005",
      "0000001c 6d646174",
    ),
  },
];

/** The data offset is written in the table as the size of the moof and 8 bytes of mdat header. */
const added = (layout: string) =>
  layout.replaceAll(/([0-9a-f]{8})\+8/g, (_, size: string) =>
    (parseInt(size, 16) + 8).toString(16).padStart(8, "0"),
  );

for (const { name, samples, expected } of table) {
  test(name, () =>
    assert.equal(hex(buildFragmentHeader(7, [columns(audio, 100, samples)])), added(expected)),
  );
}

test("a recording's fragments say that their samples are of the first description, and nothing else differs", () => {
  const { samples, expected } = table[2]!;
  const layout = added(expected);
  const more = (size: string): string => (parseInt(size, 16) + 4).toString(16).padStart(8, "0");
  const tfhd = layout.indexOf("74666864") - 8;
  const grown = new Set([0, 48, tfhd, layout.indexOf("7472756e") + 24]);
  let described = "";
  for (let at = 0; at < layout.length; at += 8) {
    const field = layout.slice(at, at + 8);
    if (at === tfhd + 16) described += "00020002";
    else if (at === tfhd + 24) described += `${field}00000001`;
    else described += grown.has(at) ? more(field) : field;
  }
  const options = { sampleDescriptionIndex: true };
  assert.equal(hex(buildFragmentHeader(7, [columns(audio, 100, samples)], options)), described);
});

/** What a reader makes of a header: independent of how the writer chose its fields. */
function read(header: Uint8Array): {
  tracks: { number: number; baseDts: number; offset: number; samples: Sample[] }[];
  mdatBytes: number;
  moof: number;
} {
  let moof = 0;
  while (readFourCc(header, moof + 4) !== "moof") {
    assert.ok(readU32(header, moof) >= 8);
    moof += readU32(header, moof);
  }
  const end = moof + readU32(header, moof);
  const tracks = [];
  for (let traf = moof + 8 + 16; traf < end; traf += readU32(header, traf)) {
    const tfhd = traf + 8;
    const tfdt = tfhd + readU32(header, tfhd);
    const trun = tfdt + readU32(header, tfdt);
    assert.equal(trun + readU32(header, trun), traf + readU32(header, traf));
    tracks.push({
      number: readU32(header, tfhd + 12),
      baseDts: readU64(header, tfdt + 12),
      ...readTrun(header, tfhd, trun),
    });
  }
  const isLong = readU32(header, end) === 1;
  const mdatBytes = isLong ? readU64(header, end + 8) - 16 : readU32(header, end) - 8;
  assert.equal(header.length, end + (isLong ? 16 : 8));
  return { tracks, mdatBytes, moof };
}

function readTrun(header: Uint8Array, tfhd: number, trun: number): { offset: number; samples: Sample[] } {
  const [defaults, flags] = [readU32(header, tfhd + 8), readU32(header, trun + 8) & 0xff_ffff];
  let at = tfhd + 16 + ((defaults & 2) !== 0 ? 4 : 0);
  const next = () => readU32(header, (at += 4) - 4);
  const duration = (defaults & 8) !== 0 ? next() : 0;
  const size = (defaults & 0x10) !== 0 ? next() : 0;
  const sampleFlags = (defaults & 0x20) !== 0 ? next() : 0;
  at = trun + 16;
  const offset = next();
  const first = (flags & 4) !== 0 ? next() : undefined;
  const samples = Array.from({ length: readU32(header, trun + 12) }, (_, i) => ({
    duration: (flags & 0x100) !== 0 ? next() : duration,
    size: (flags & 0x200) !== 0 ? next() : size,
    isSync:
      ((flags & 0x400) !== 0 ? next() : i === 0 ? (first ?? sampleFlags) : sampleFlags) === 0x0200_0000,
    ctsOffset: (flags & 0x800) !== 0 ? (at += 4) && readI32(header, at - 4) : 0,
  }));
  assert.equal(at, trun + readU32(header, trun));
  return { offset, samples };
}

const sample: fc.Arbitrary<Sample> = fc.record(
  {
    size: fc.constantFrom(0, 7, 1000, 70_000),
    duration: fc.constantFrom(0, 3600, 0xffff_ffff),
    ctsOffset: fc.constantFrom(0, 3600, -3600, -0x8000_0000),
    isSync: fc.boolean(),
  },
  { noNullPrototype: true },
);
const trackSamples = fc.oneof(
  fc.array(sample, { maxLength: 6 }),
  fc.tuple(sample, fc.nat({ max: 6 })).map(([one, count]) => Array.from({ length: count }, () => one)),
);

test("any selection of tracks is read back sample by sample, with the blocks where they lie", () => {
  const arbitrary = fc.tuple(
    fc.array(fc.tuple(trackSamples, fc.maxSafeNat()), { maxLength: 4 }),
    fc.nat(),
    fc.record({ styp: fc.boolean(), utcUs: fc.nat(), sampleDescriptionIndex: fc.boolean() }),
  );
  fc.assert(
    fc.property(arbitrary, ([parts, sequence, options]) => {
      const tracks = parts.map(([samples, baseDts], i) => columns(text(i + 1), baseDts, samples));
      const header = buildFragmentHeader(sequence, tracks, options);
      const { tracks: seen, mdatBytes, moof } = read(header);
      let offset = header.length - moof;
      const expected = tracks.map((track, i) => {
        const start = offset;
        offset += track.dataBytes;
        return { number: 201 + i, baseDts: track.baseDts, offset: start, samples: parts[i]![0] };
      });
      assert.deepEqual(
        seen,
        expected.filter(({ samples }) => samples.length > 0),
      );
      assert.equal(
        mdatBytes,
        tracks.reduce((sum, { dataBytes }) => sum + dataBytes, 0),
      );
      assert.equal(readU32(header, moof + 20), sequence);
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("columns may be longer than the samples that are used", () => {
  const whole = columns(audio, 0, [frame, { ...frame, size: 99, duration: 5, isSync: false }]);
  const part = { ...whole, count: 1, dataBytes: 10 };
  assert.deepEqual(read(buildFragmentHeader(1, [part])).tracks[0]!.samples, [frame]);
});

test("a segment begins with styp, and prft tells the wall clock as NTP", () => {
  const header = buildFragmentHeader(1, [columns(audio, 2 ** 40, [frame])], {
    styp: true,
    utcUs: 1_500_000,
  });
  const lead = joined(
    "00000018 73747970 6d736468 00000000 6d736468 69736f36",
    "00000020 70726674 01000018 00000065 83aa7e81 80000000 0000010000000000",
  );
  assert.equal(hex(header.subarray(0, 56)), lead);
  assert.equal(readFourCc(header, 60), "moof");
});

test("prft needs a track to refer to", () => {
  const header = buildFragmentHeader(1, [], { utcUs: 5 });
  assert.equal(readFourCc(header, 4), "moof");
  assert.equal(header.length, 24 + 8);
});

test("a payload from 4 GiB on gets a 64-bit size", () => {
  const samples = Array.from({ length: 2 }, () => ({ ...frame, size: 2 ** 31 - 4 }));
  const limit = columns(audio, 0, [...samples, { ...frame, size: 0 }]);
  const header = buildFragmentHeader(1, [limit]);
  assert.equal(hex(header.subarray(-16)), "000000016d6461740000000100000008");
  assert.equal(read(header).mdatBytes, 2 ** 32 - 8);
  const below = columns(audio, 0, [...samples.slice(1), { ...frame, size: 2 ** 31 - 5 }]);
  assert.equal(read(buildFragmentHeader(1, [below])).mdatBytes, 2 ** 32 - 9);
});

test("sizes that do not add up are the caller's mistake", () => {
  const wrong = { ...columns(audio, 0, [frame, frame]), dataBytes: 21 };
  assert.throws(() => buildFragmentHeader(1, [wrong]), RangeError);
});

test("a track that would begin over 2 GiB after the moof is the caller's mistake", () => {
  const big = columns(text(1), 0, [{ ...frame, size: 0x7fff_ffff }]);
  assert.throws(() => buildFragmentHeader(1, [big, columns(audio, 0, [frame])]), RangeError);
  assert.equal(read(buildFragmentHeader(1, [columns(audio, 0, [frame]), big])).tracks.length, 2);
});
