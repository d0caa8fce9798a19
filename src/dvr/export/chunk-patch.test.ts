import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { box, bytes, fullBox, u32, u64 } from "../../../test/support/mp4-boxes.ts";
import { audioTrack } from "../../../test/support/media.ts";
import { readU32, readU64 } from "../../base/bytes.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { readSegmentSamples } from "../../containers/mp4/segment-samples.ts";
import { PATCHED_BYTES, patchChunk } from "./chunk-patch.ts";
import type { ChunkPatch } from "./chunk-patch.ts";

/** 100 s of the media clock. */
const DTS = 4_800_000;
const PATCH: ChunkPatch = {
  sequence: 7,
  trackNumber: 101,
  timescale: 48_000,
  shiftTicks: -4_799_000,
  description: 3,
  startUs: 100_000_000,
  insertedBytes: 0,
};

const TABLE = {
  track: audioTrack(),
  baseDts: DTS,
  count: 2,
  sizes: Uint32Array.of(5, 6),
  durations: Uint32Array.of(1024, 1024),
  ctsOffsets: Int32Array.of(0, 0),
  syncFlags: Uint8Array.of(1, 1),
  dataBytes: 11,
};
const HEADER = buildFragmentHeader(900, [TABLE], { sampleDescriptionIndex: true });

const TFHD = fullBox("tfhd", 0, 0x2_0002, u32(101, 1));
const TFDT = fullBox("tfdt", 1, 0, u64(DTS));
const MFHD = fullBox("mfhd", 0, 0, u32(1));
const TRUN = fullBox("trun", 0, 1, u32(0, 0));

function moof(...boxes: readonly Uint8Array[]): Uint8Array {
  return box("moof", ...boxes);
}

describe("a chunk that is put into another file", () => {
  test("has three fields changed in place, and no other byte", () => {
    const head = HEADER.slice();
    assert.ok(HEADER.byteLength < PATCHED_BYTES);
    assert.equal(patchChunk(head, PATCH), null);
    const expected = buildFragmentHeader(7, [{ ...TABLE, baseDts: 1000 }], {
      sampleDescriptionIndex: true,
    });
    const description = Buffer.from(expected).indexOf("tfhd") + 12;
    expected[description + 3] = 3;
    assert.deepEqual(head, expected);
  });

  for (const [name, sizes, shown] of [
    ["the first of several samples", [5, 6], [14, 6]],
    ["a single sample", [5], [14]],
    ["none of samples that are all of one length", [5, 5], [5, 5]],
  ] as const) {
    test(`has bytes put in front of its payload, as a part of ${name}`, () => {
      const count = sizes.length;
      const dataBytes = sizes.reduce((sum, size) => sum + size, 0);
      const options = { sampleDescriptionIndex: true };
      const table = { ...TABLE, count, sizes: Uint32Array.from(sizes), dataBytes };
      const head = buildFragmentHeader(900, [table], options);
      assert.equal(patchChunk(head, { ...PATCH, insertedBytes: 9 }), null);
      const payload = new Uint8Array(dataBytes + 9).map((_, i) => i);
      const samples = readSegmentSamples([head, payload], [table.track]);
      assert.deepEqual(
        samples.map((sample) => sample.payload.byteLength),
        shown,
      );
      assert.equal(samples.at(-1)!.payload.at(-1), dataBytes + 8, "they end where the data do");
    });
  }

  test("may say its time in 32 bits, may have a place for no description, and may have boxes in between", () => {
    const tfdt = fullBox("tfdt", 0, 0, u32(DTS));
    const plain = fullBox("tfhd", 0, 0x2_0000, u32(101));
    const free = box("free", new Uint8Array(5));
    const head = moof(free, MFHD, free, box("traf", free, plain, tfdt, TRUN)).slice();
    assert.equal(patchChunk(head, { ...PATCH, description: 1 }), null);
    const at = Buffer.from(head).indexOf("tfdt");
    assert.equal(readU32(head, at + 8), 1000);
  });

  test("whose time is a little off begins at 0 at the earliest", () => {
    const head = HEADER.slice();
    assert.equal(patchChunk(head, { ...PATCH, startUs: 100_000_900, shiftTicks: -DTS - 40 }), null);
    assert.equal(readU64(head, Buffer.from(head).indexOf("tfdt") + 8), 0);
  });

  const absolute = fullBox("tfhd", 0, 0x3, u32(101), u64(5), u32(1));
  const broken: readonly { name: string; head: Uint8Array; reason: RegExp; patch?: Partial<ChunkPatch> }[] =
    [
      { name: "nothing", head: new Uint8Array(0), reason: /no "moof"/ },
      { name: "another box", head: box("mdat", new Uint8Array(80)), reason: /no "moof"/ },
      { name: "an empty moof", head: moof(), reason: /no "mfhd" or no "traf"/ },
      { name: "no traf", head: moof(MFHD), reason: /no "mfhd" or no "traf"/ },
      { name: "no mfhd", head: moof(box("traf", TFHD, TFDT)), reason: /no "mfhd" or no "traf"/ },
      { name: "no tfhd", head: moof(MFHD, box("traf", TFDT, TRUN)), reason: /no "tfhd" or no "tfdt"/ },
      { name: "no tfdt", head: moof(MFHD, box("traf", TFHD, TRUN)), reason: /no "tfhd" or no "tfdt"/ },
      {
        name: "a box of no length",
        head: moof(MFHD, u32(0, 0), box("traf", TFHD, TFDT)),
        reason: /no "traf"/,
      },
      {
        name: "a tfdt beyond what is looked at",
        head: moof(MFHD, box("traf", TFHD, box("free", new Uint8Array(300)), TFDT)).subarray(
          0,
          PATCHED_BYTES,
        ),
        reason: /no "tfdt" where/,
      },
      { name: "another track", head: HEADER, patch: { trackNumber: 1 }, reason: /of track 101, not 1/ },
      {
        name: "an absolute place",
        head: moof(MFHD, box("traf", absolute, TFDT)),
        reason: /absolute place/,
      },
      {
        name: "no place for the description that it needs",
        head: moof(MFHD, box("traf", fullBox("tfhd", 0, 0x2_0000, u32(101)), TFDT)),
        reason: /no place for the sample description/,
      },
      {
        name: "a tfhd that ends before its description",
        head: moof(MFHD, box("traf", fullBox("tfhd", 0, 0x2, u32(101)), TFDT)),
        reason: /"tfhd" is too short/,
      },
      {
        name: "a long time in a short box",
        head: moof(MFHD, box("traf", TFHD, fullBox("tfdt", 1, 0, u32(DTS)), TRUN)),
        reason: /"tfdt" is too short/,
      },
      {
        name: "no run that could be longer",
        head: moof(MFHD, box("traf", TFHD, TFDT)),
        patch: { insertedBytes: 9 },
        reason: /no "trun"/,
      },
      {
        name: "a run that does not say where its data begin",
        head: moof(MFHD, box("traf", TFHD, TFDT, fullBox("trun", 0, 0, u32(0, 0)))),
        patch: { insertedBytes: 9 },
        reason: /where its data begin/,
      },
      {
        name: "a run without samples",
        head: moof(MFHD, box("traf", TFHD, TFDT, fullBox("trun", 0, 0x201, u32(0, 0)))),
        patch: { insertedBytes: 9 },
        reason: /has no samples/,
      },
      {
        name: "no mdat to be longer",
        head: bytes(moof(MFHD, box("traf", TFHD, TFDT, TRUN)), box("free")),
        patch: { insertedBytes: 9 },
        reason: /"mdat" is not behind/,
      },
      { name: "another time", head: HEADER, patch: { startUs: 99_998_000 }, reason: /2000 us from where/ },
      {
        name: "a time that grows out of its 32 bits",
        head: moof(MFHD, box("traf", TFHD, fullBox("tfdt", 0, 0, u32(DTS)))),
        patch: { shiftTicks: 2 ** 32 },
        reason: /too few/,
      },
    ];
  for (const { name, head, reason, patch } of broken) {
    test(`is refused with ${name}`, () =>
      assert.match(patchChunk(head.slice(), { ...PATCH, ...patch }) ?? "", reason));
  }

  test("is refused where it is cut anywhere in front of what is changed", () => {
    const whole = bytes(HEADER);
    const end = Buffer.from(whole).indexOf("tfdt") - 4 + 20;
    for (let cut = 0; cut < end; cut++)
      assert.notEqual(patchChunk(whole.slice(0, cut), PATCH), null, `cut at ${cut}`);
    for (let cut = end; cut <= whole.byteLength; cut++)
      assert.equal(patchChunk(whole.slice(0, cut), PATCH), null, `cut at ${cut}`);
  });
});
