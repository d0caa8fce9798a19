import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { audioTrack } from "../../../test/support/media.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { PATCHED_BYTES, patchChunk } from "./chunk-patch.ts";

const table = {
  track: audioTrack(),
  baseDts: 48_000,
  count: 1,
  sizes: Uint32Array.of(5),
  durations: Uint32Array.of(1024),
  ctsOffsets: Int32Array.of(0),
  syncFlags: Uint8Array.of(1),
  dataBytes: 5,
};

/** Heads of chunks: five fields at most are changed. */
export const fuzz: FuzzTarget = {
  name: "dvr-chunk-patch",
  seeds: [
    buildFragmentHeader(1, [table], { sampleDescriptionIndex: true }),
    buildFragmentHeader(1, [table]),
  ],
  dictionary: ["moof", "mfhd", "traf", "tfhd", "tfdt", "trun"].map((type) => Buffer.from(type)),
  run(input) {
    const patch = {
      sequence: 9,
      trackNumber: 101,
      timescale: 48_000,
      shiftTicks: -48_000,
      startUs: 1_000_000,
    };
    for (const insertedBytes of [0, 30]) {
      const head = insertedBytes === 0 ? input.slice(0, PATCHED_BYTES) : input.slice();
      const before = head.slice();
      const reason = patchChunk(head, { ...patch, description: 2, insertedBytes });
      assert.ok(reason === null || reason.length > 0);
      let changed = 0;
      for (let i = 0; i < head.byteLength; i++) if (head[i] !== before[i]) changed++;
      assert.ok(changed <= (insertedBytes === 0 ? 16 : 24), `${changed} bytes`);
    }
  },
};
