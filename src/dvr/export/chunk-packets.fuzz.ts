import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { chunkPackets, readChunkTable } from "./chunk-packets.ts";

const track = videoTrack();
const header = buildFragmentHeader(1, [
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

/** Headers of chunks: as many samples as the index says, behind each other, within the chunk. */
export const fuzz: FuzzTarget = {
  name: "dvr-chunk-packets",
  seeds: [header],
  dictionary: ["moof", "traf", "tfhd", "tfdt", "trun"].map((type) => Buffer.from(type)),
  run(input) {
    const size = input.byteLength + 9;
    const table = readChunkTable(input, track, { fileKey: "f", offset: 0, size, samples: 3 });
    const payloads = new Uint8Array(table.places[3]! - table.places[0]!);
    const packets = chunkPackets(table, {
      from: 0,
      to: 3,
      payloads,
      shiftTicks: 0,
      epoch: 1,
      isReference: true,
    });
    assert.equal(packets.length, 3);
    assert.ok(table.places[0]! >= input.byteLength && table.places[3]! <= size);
    for (const { dts, payload } of packets)
      assert.ok(Number.isSafeInteger(dts) && payload.buffer === payloads.buffer);
  },
};
