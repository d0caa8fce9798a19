import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { box, bytes, fullBox, smallMovie, text, u32, u64 } from "../../../test/support/mp4-boxes.ts";
import { readMovie } from "./movie.ts";
import { readFromBytes } from "./random-access.ts";
import { buildInitSegment } from "./init-segment.ts";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";

const fragment = box(
  "moof",
  fullBox("mfhd", 0, 0, u32(1)),
  box(
    "traf",
    fullBox("tfhd", 0, 0x2_0000, u32(1)),
    fullBox("tfdt", 1, 0, u64(80)),
    fullBox("trun", 1, 0xf01, u32(1, 90, 40, 8, 0, 0)),
  ),
  box("traf", fullBox("tfhd", 0, 0x2_0038, u32(201, 1024, 2, 0)), fullBox("trun", 0, 0x1, u32(2, 98))),
);

/** Whole files: everything that is read of a file that is asked for. */
export const fuzz: FuzzTarget = {
  name: "mp4-movie",
  seeds: [
    smallMovie(),
    smallMovie({
      moovFirst: false,
      boxes: {
        ctts: fullBox("ctts", 1, 0, u32(2, 1, 80, 5, 40)),
        edts: box("edts", fullBox("elst", 0, 0, u32(2, 500, -1, 65_536, 240, 80, 65_536))),
        stco: fullBox("co64", 0, 0, u32(2), u64(28, 98)),
      },
    }),
    smallMovie({ boxes: { stsz: fullBox("stsz", 0, 0, u32(20, 6)), stss: null } }),
    bytes(buildInitSegment([videoTrack(), audioTrack()]), fragment, box("mdat", new Uint8Array(20))),
  ],
  dictionary: [
    "moov",
    "moof",
    "mdat",
    "trak",
    "traf",
    "trun",
    "tfhd",
    "stsz",
    "stz2",
    "stco",
    "co64",
    "elst",
    "wave",
  ].map(text),
  run(input) {
    const movie = readFromBytes(input, readMovie(input.byteLength));
    assert.ok(movie.tracks.length > 0);
    for (const { samples } of movie.tracks) {
      assert.ok(samples.count > 0);
      assert.ok(samples.bytesBetween(0, samples.count) <= input.byteLength);
      assert.ok(samples.memoryBytes <= 4 * input.byteLength + 4 * samples.count);
      const end = Math.min(samples.count, 2000);
      const run = samples.read(0, end);
      let dts = run.baseDts;
      for (let i = 0; i < end; i++) {
        assert.equal(samples.dtsAt(i), dts);
        assert.ok(samples.offsetAt(i) + samples.sizeAt(i) <= input.byteLength);
        assert.equal(samples.isSync(i), run.syncFlags[i] === 1);
        dts += run.durations[i]!;
      }
    }
  },
};
