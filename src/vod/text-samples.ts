import { ticksToUs } from "../base/time.ts";
import type { MovieTrack } from "../containers/mp4/movie.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { readTx3gSample, readWvttSample } from "../containers/webvtt/mp4-sample.ts";
import { SUBTITLE_LIMITS } from "../containers/webvtt/reader.ts";
import { readBlocks } from "./block-reader.ts";
import type { ByteSource } from "./byte-source.ts";

/** A text track of a file, and where its movie's time 0 stands on the presentation's timeline. */
export type TextSamples = {
  readonly source: ByteSource;
  readonly movieTrack: MovieTrack;
  readonly movieTimescale: number;
  readonly movedUs: number;
};

/** Why a text track is not served, or `null`. */
export function problemOfText({ samples }: MovieTrack): string | null {
  const { cues: limit, fileBytes } = SUBTITLE_LIMITS;
  if (samples.count > limit) return `it has ${samples.count} samples, and the limit is ${limit}`;
  const bytes = samples.bytesBetween(0, samples.count);
  return bytes > fileBytes ? `it has ${bytes} bytes, and the limit is ${fileBytes}` : null;
}

/** Reads all cues of a text track. Rejects with VOD_*. */
export async function readTextSamples(track: TextSamples): Promise<readonly Cue[]> {
  const { source, movieTrack, movieTimescale, movedUs } = track;
  const { samples, timescale, edit, sampleEntry } = movieTrack;
  const [block] = await readBlocks(source, [{ samples, first: 0, end: samples.count }]);
  const read = sampleEntry.entry === "wvtt" ? readWvttSample : readTx3gSample;
  const delayUs = ticksToUs(edit.delayMovieTicks, movieTimescale) + movedUs;
  const cues: Cue[] = [];
  let at = 0;
  for (let i = 0; i < samples.count; i++) {
    const lengthBytes = samples.sizeAt(i);
    const startUs = Math.max(0, ticksToUs(samples.dtsAt(i) - edit.mediaTime, timescale) + delayUs);
    const endUs = startUs + ticksToUs(samples.durationBetween(i, i + 1), timescale);
    if (endUs > startUs)
      for (const shown of read(block!.subarray(at, at + lengthBytes)))
        cues.push({ startUs, endUs, ...shown });
    at += lengthBytes;
  }
  return cues;
}
