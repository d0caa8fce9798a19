import assert from "node:assert/strict";
import type { FuzzTarget } from "../../test/fuzz/target.ts";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import { box, bytes, fullBox, smallMovie, text, u16, u32, u64, u8 } from "../../test/support/mp4-boxes.ts";
import type { Bytes } from "../../test/support/mp4-boxes.ts";
import { trackId } from "../media/ids.ts";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import { buildInitSegment } from "../containers/mp4/init-segment.ts";
import { readFromBytes } from "../containers/mp4/random-access.ts";
import { readMovie } from "../containers/mp4/movie.ts";
import { indexTracks, servedTimescale } from "./indexed-track.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import { cutSegments } from "./segment-cuts.ts";

const EDITED = {
  ctts: fullBox("ctts", 1, 0, u32(3, 1, 80, 4, 0, 1, 40)),
  edts: box("edts", fullBox("elst", 0, 0, u32(2, 500, -1, 65_536, 240, 80, 65_536))),
};

/** The small movie with a second track, of the same samples, that an empty edit of `delaySeconds` makes late. */
export function twoTrackMovie(delaySeconds: number): Bytes {
  const mvhd = fullBox("mvhd", 0, 0, u32(0, 0, 1, 1), new Uint8Array(80));
  const edts = box("edts", fullBox("elst", 0, 0, u32(2, delaySeconds, -1, 65_536, 0, 0, 65_536)));
  const tkhd = fullBox("tkhd", 0, 3, u32(0, 0, 2, 0, 240), new Uint8Array(60));
  const build = (firstChunk: number): Bytes => {
    const late = smallMovie({ boxes: { edts, tkhd, stco: chunks(firstChunk) } });
    return smallMovie({ boxes: { mvhd, stco: chunks(firstChunk) }, moreInMoov: [boxOf(late, "trak")] });
  };
  return build(build(0).byteLength - 150);
}

/** Where the small movie's two chunks are: three samples each, 70 bytes in the first. */
function chunks(firstChunk: number): Bytes {
  return fullBox("stco", 0, 0, u32(2, firstChunk, firstChunk + 70));
}

function boxOf(file: Bytes, type: string): Bytes {
  const at = Buffer.from(file).indexOf(type, 0, "latin1") - 4;
  return file.slice(at, at + new DataView(file.buffer, file.byteOffset).getUint32(at));
}

/** Three fragments of 400 ms of video and audio; the audio's decode times begin at `audioDts`. */
export function twoTrackFragments(audioDts = 0): Bytes {
  const [video, audio] = [videoTrack(), audioTrack()];
  const parts = [buildInitSegment([video, audio])];
  for (let i = 0; i < 3; i++) {
    const pictures = fragmentTrack(video, { baseDts: i * 36_000, count: 10, durationTicks: 3600 });
    const sound = fragmentTrack(audio, { baseDts: audioDts + i * 19_200, count: 20, durationTicks: 960 });
    const media = new Uint8Array(pictures.dataBytes + sound.dataBytes).fill(7);
    parts.push(buildFragmentHeader(i + 1, [pictures, sound]), media);
  }
  return bytes(...parts);
}

function fragmentTrack(
  track: FragmentTrack["track"],
  run: { baseDts: number; count: number; durationTicks: number },
): FragmentTrack {
  const { baseDts, count, durationTicks } = run;
  const isVideo = track.kind === "video";
  return {
    track,
    baseDts,
    count,
    sizes: new Uint32Array(count).fill(5),
    durations: new Uint32Array(count).fill(durationTicks),
    ctsOffsets: Int32Array.from({ length: count }, (_, i) => (isVideo ? (i % 3) * durationTicks : 0)),
    syncFlags: Uint8Array.from({ length: count }, (_, i) => (i === 0 || !isVideo ? 1 : 0)),
    dataBytes: 5 * count,
  };
}

/** Whole files, from their bytes to the headers of their segments: everything that a segment is made of but its media. */
export const fuzz: FuzzTarget = {
  name: "vod-segments",
  seeds: [
    smallMovie(),
    smallMovie({ boxes: EDITED }),
    smallMovie({ boxes: { stts: fullBox("stts", 0, 0, u32(1, 6, 9000)) } }),
    smallMovie({ boxes: { mdhd: fullBox("mdhd", 1, 0, u64(0, 0), u32(25), u64(240), u16(0x15c7, 0)) } }),
    twoTrackMovie(0),
    twoTrackMovie(5),
    twoTrackFragments(),
    twoTrackFragments(96_000),
  ],
  dictionary: [
    ...["stts", "ctts", "stss", "elst", "mdhd", "mvhd", "tfdt", "trun", "soun", "vide"].map(text),
    u32(0xffff_ffff),
    u64(2 ** 46),
    u32(0x7fff_ffff),
    u8(0, 0, 0, 1),
  ],
  run(input) {
    const movie = readFromBytes(input, readMovie(input.byteLength));
    const served = movie.tracks.map((movieTrack, i) => {
      const make = movieTrack.kind === "video" ? videoTrack : audioTrack;
      const timescale = servedTimescale(movieTrack.timescale);
      return { movieTrack, track: make({ id: trackId(movieTrack.kind, i + 1), timescale }) };
    });
    const tracks = indexTracks(served, movie.timescale);
    checkCuts(tracks, tracks[0]!);
    if (tracks.length > 1) checkCuts(tracks, tracks.at(-1)!);
  },
};

function checkCuts(tracks: readonly IndexedTrack[], reference: IndexedTrack): void {
  const cuts = cutSegments(tracks, reference, 1_000_000);
  const sampleCount = tracks.reduce((sum, track) => sum + track.end - track.first, 0);
  assert.ok(cuts.count > 0 && cuts.count <= sampleCount + 100, `${cuts.count} segments`);
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
      assert.ok(Number.isSafeInteger(track.durationUs(samples[i]!, samples[i + 1]!)));
      assert.ok(buildFragmentHeader(i + 1, [table]).byteLength > 0);
    }
  }
}
