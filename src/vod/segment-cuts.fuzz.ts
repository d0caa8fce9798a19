import assert from "node:assert/strict";
import type { FuzzTarget } from "../../test/fuzz/target.ts";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import { box, fullBox, smallMovie, text, u16, u32, u64 } from "../../test/support/mp4-boxes.ts";
import { trackId } from "../media/ids.ts";
import { readFromBytes } from "../containers/mp4/random-access.ts";
import { readMovie } from "../containers/mp4/movie.ts";
import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import { indexTracks, servedTimescale } from "./indexed-track.ts";
import { cutSegments } from "./segment-cuts.ts";

const EDITED = {
  ctts: fullBox("ctts", 1, 0, u32(3, 1, 80, 4, 0, 1, 40)),
  edts: box("edts", fullBox("elst", 0, 0, u32(2, 500, -1, 65_536, 240, 80, 65_536))),
};

/** Whole files, from their bytes to the headers of their segments: everything that a segment is made of but its media. */
export const fuzz: FuzzTarget = {
  name: "vod-segments",
  seeds: [
    smallMovie(),
    smallMovie({ boxes: EDITED }),
    smallMovie({ boxes: { stts: fullBox("stts", 0, 0, u32(1, 6, 9000)) } }),
    smallMovie({ boxes: { mdhd: fullBox("mdhd", 1, 0, u64(0, 0), u32(25), u64(240), u16(0x15c7, 0)) } }),
  ],
  dictionary: ["stts", "ctts", "stss", "elst", "mdhd", "soun", "vide"].map(text),
  run(input) {
    const movie = readFromBytes(input, readMovie(input.byteLength));
    const served = movie.tracks.map((movieTrack, i) => {
      const make = movieTrack.kind === "video" ? videoTrack : audioTrack;
      const timescale = servedTimescale(movieTrack.timescale);
      return { movieTrack, track: make({ id: trackId(movieTrack.kind, i + 1), timescale }) };
    });
    const tracks = indexTracks(served, movie.timescale);
    const cuts = cutSegments(tracks, tracks[0]!, 1_000_000);
    assert.ok(cuts.count > 0);
    for (let i = 0; i < cuts.count; i++)
      assert.ok(cuts.boundsUs[i + 1]! > cuts.boundsUs[i]!, `segment ${i} has no length`);
    for (const [t, track] of tracks.entries()) {
      const samples = cuts.samples[t]!;
      assert.deepEqual([samples[0], samples[cuts.count]], [track.first, track.end]);
      for (let i = 0; i < Math.min(cuts.count, 50); i++) {
        assert.ok(samples[i + 1]! >= samples[i]!);
        if (samples[i] === samples[i + 1]) continue;
        const table = track.table(samples[i]!, samples[i + 1]!);
        assert.ok(Number.isSafeInteger(table.baseDts) && table.baseDts >= 0, `baseDts ${table.baseDts}`);
        assert.ok(buildFragmentHeader(i + 1, [table]).byteLength > 0);
      }
    }
  },
};
