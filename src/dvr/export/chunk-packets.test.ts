import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { box, bytes, fullBox, u32, u64 } from "../../../test/support/mp4-boxes.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { MediaError } from "../../base/errors.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { chunkPackets, readChunkTable } from "./chunk-packets.ts";
import type { ChunkTable } from "./chunk-packets.ts";

const track = videoTrack();
const HEADER = buildFragmentHeader(1, [
  {
    track,
    baseDts: 900_000,
    count: 3,
    sizes: Uint32Array.of(4, 2, 3),
    durations: Uint32Array.of(3600, 3600, 1800),
    ctsOffsets: Int32Array.of(7200, -3600, 0),
    syncFlags: Uint8Array.of(1, 0, 0),
    dataBytes: 9,
  },
]);
const PLACE = { fileKey: "08.mp4", offset: 4096, size: HEADER.byteLength + 9, samples: 3 };

describe("the samples of a stored chunk", () => {
  test("are read from its header", () => {
    const table = readChunkTable(HEADER, track, PLACE);
    const at = HEADER.byteLength;
    assert.deepEqual(table, {
      track,
      count: 3,
      dts: Float64Array.of(900_000, 903_600, 907_200, 909_000),
      ctsOffsets: Int32Array.of(7200, -3600, 0),
      places: Uint32Array.of(at, at + 4, at + 6, at + 9),
      syncFlags: Uint8Array.of(1, 0, 0),
    } satisfies ChunkTable);
  });

  test("become packets, moved in time, whose payloads are views", () => {
    const table = readChunkTable(HEADER, track, PLACE);
    const payloads = Uint8Array.of(2, 2, 3, 3, 3);
    const place = { from: 1, to: 3, payloads, shiftTicks: -900_000, epoch: 4, isReference: true };
    const common = { track, isSync: false, startsGop: false, epoch: 4, arrivalUs: 0 };
    const packets = chunkPackets(table, place);
    assert.deepEqual(packets, [
      { ...common, dts: 3600, pts: 0, durationTicks: 3600, payload: Uint8Array.of(2, 2) },
      { ...common, dts: 7200, pts: 7200, durationTicks: 1800, payload: Uint8Array.of(3, 3, 3) },
    ]);
    assert.equal(packets[0]!.payload.buffer, payloads.buffer);
    const first = { ...place, from: 0, to: 1, payloads: new Uint8Array(4) };
    assert.equal(chunkPackets(table, first)[0]!.startsGop, true);
    assert.equal(chunkPackets(table, { ...first, isReference: false })[0]!.startsGop, false);
  });

  const traf = (trun: Uint8Array): Uint8Array =>
    bytes(
      box(
        "moof",
        fullBox("mfhd", 0, 0, u32(1)),
        box("traf", fullBox("tfhd", 0, 0x2_0018, u32(1, 3600, 4)), fullBox("tfdt", 1, 0, u64(5)), trun),
      ),
      u32(0, 0),
    );
  const trun = (count: number, place: number): Uint8Array => fullBox("trun", 0, 1, u32(count, place));
  const moofBytes = traf(trun(0, 0)).byteLength;
  const broken: readonly { name: string; header: Uint8Array; reason: RegExp; samples?: number }[] = [
    { name: "has no moof", header: box("mdat", new Uint8Array(60)), reason: /no "moof"/ },
    { name: "is empty", header: new Uint8Array(0), reason: /no "moof"/ },
    {
      name: "has more samples than the index says",
      header: HEADER,
      samples: 2,
      reason: /more than 2 samples/,
    },
    {
      name: "has fewer samples than the index says",
      header: HEADER,
      samples: 4,
      reason: /3 samples of track v1, not 4/,
    },
    { name: "has none", header: traf(trun(0, moofBytes)), samples: 0, reason: /0 samples/ },
    {
      name: "claims more than could be",
      header: traf(trun(0xffff_ffff, moofBytes)),
      reason: /more than 3 samples/,
    },
    {
      name: "has samples beyond its end",
      header: traf(trun(3, moofBytes + 100)),
      reason: /beyond its end/,
    },
    { name: "has samples in its header", header: traf(trun(3, 8)), reason: /go on at byte 8/ },
    {
      name: "has a damaged box",
      header: traf(fullBox("trun", 0, 0x201, u32(9, 9))),
      reason: /"trun".*ends/,
    },
  ];
  for (const { name, header, reason, samples = 3 } of broken) {
    test(`of one that ${name} are refused`, () => {
      assert.throws(
        () => readChunkTable(header, track, { ...PLACE, samples, size: header.byteLength + 20 }),
        (caught) => {
          assert.ok(caught instanceof MediaError);
          assert.equal(caught.code, "DVR_EXPORT_BAD_CHUNK");
          assert.match(caught.message, /byte 4096 of "08\.mp4"/);
          assert.match(caught.message, reason);
          return true;
        },
      );
    });
  }

  test("that lie apart from each other are refused", () => {
    const both = bytes(trun(1, moofBytes + 20), trun(2, moofBytes + 90));
    assert.throws(
      () => readChunkTable(traf(both), track, { ...PLACE, size: 400 }),
      /not behind each other/,
    );
  });

  test("of a header that is cut anywhere are refused", () => {
    // The last eight bytes are the mdat's own, of which nothing is read.
    for (let cut = 0; cut < HEADER.byteLength - 8; cut++)
      assert.throws(() => readChunkTable(HEADER.slice(0, cut), track, PLACE), {
        code: "DVR_EXPORT_BAD_CHUNK",
      });
  });
});
