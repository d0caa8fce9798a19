import { messageOf } from "../base/errors.ts";
import { findH264ParameterSets } from "../codecs/h264/access-unit.ts";
import { buildAvcConfig } from "../codecs/h264/avc-config.ts";
import { findH265ParameterSets } from "../codecs/h265/access-unit.ts";
import { buildHevcConfig } from "../codecs/h265/hevc-config.ts";
import { buildTrack } from "../codecs/track.ts";
import { mp4Errors } from "../containers/mp4/errors.ts";
import { readMovie } from "../containers/mp4/movie.ts";
import type { MovieTrack } from "../containers/mp4/movie.ts";
import { readFrom } from "../containers/mp4/random-access.ts";
import { trackId } from "../media/ids.ts";
import type { TrackId } from "../media/ids.ts";
import { makeTrackSet } from "../media/track.ts";
import type { Codec, Track, TrackKind, TrackSet } from "../media/track.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { problemOfText, readTextSamples } from "./text-samples.ts";
import type { TextSamples } from "./text-samples.ts";
import type { TextTrack } from "../packaging/presentation.ts";
import { readSidecars } from "./sidecars.ts";
import { indexTracks, movedUs, servedTimescale } from "./indexed-track.ts";
import type { IndexedTrack, ServedTrack } from "./indexed-track.ts";

/** A file whose index is read. */
export type MediaFile = {
  readonly source: ByteSource;
  readonly tracks: readonly IndexedTrack[];
  readonly trackSet: TrackSet;
  /** When the first track begins to play and when the last one ends, in microseconds. */
  readonly startUs: number;
  readonly endUs: number;
  /** What the index takes in memory. */
  readonly memoryBytes: number;
  /** Sentences about what was left out or put right. */
  readonly notices: readonly string[];
  /** The file is in fragments and its last ones are not all there. */
  readonly isCutOff: boolean;
  /**
   * Several files of one work in different qualities: each has a video track, the first one with sound has the sound, and
   * the first one with subtitles has those.
   */
  readonly isSet: boolean;
  /** Subtitles, of files beside it. */
  readonly texts: readonly TextTrack[];
};

/** Longest first frame that is read for the facts that stand there. */
const MAX_FIRST_FRAME_BYTES = 4 * 2 ** 20;

/** Codecs whose facts stand in the first frame, at least in part. */
const FACTS_IN_FRAME: readonly Codec[] = ["mp3", "av1", "ac3", "eac3"];

/**
 * Reads the index of a file, or of all members of a set.
 *
 * A track whose codec configuration cannot be read is left out with a notice.
 * Throws: MP4_* when a file is broken; VOD_* when the storage cannot give it.
 */
export async function readMediaFile(source: ByteSource): Promise<MediaFile> {
  const members = source.members ?? [source];
  const notices: string[] = [];
  const served: ServedTrack[] = [];
  const counts: Record<TrackKind, number> = { video: 0, audio: 0, text: 0 };
  const textTracks: Omit<TextSamples, "movedUs">[] = [];
  let isCutOff = false;
  let base = 0;
  for (const member of members) {
    const movie = await readFrom(member, readMovie(member.sizeBytes));
    notices.push(...movie.notices);
    isCutOff ||= movie.isCutOff;
    const missing = { audio: counts.audio === 0, text: textTracks.length === 0 };
    const wanted = members.length === 1 ? movie.tracks : tracksOfQuality(movie.tracks, missing);
    for (const movieTrack of wanted) {
      if (movieTrack.kind === "text") {
        const problem = problemOfText(movieTrack);
        const text = { source: member, movieTrack, movieTimescale: movie.timescale };
        if (problem === null) textTracks.push(text);
        else notices.push(`track ${movieTrack.number} is left out: ${problem}`);
        continue;
      }
      const id = trackId(movieTrack.kind, counts[movieTrack.kind] + 1);
      const track = await describe(member, movieTrack, id, notices);
      if (track === null) continue;
      counts[movieTrack.kind]++;
      const moved = { ...movieTrack, samples: movieTrack.samples.movedBy(base) };
      served.push({ movieTrack: moved, track, movieTimescale: movie.timescale });
    }
    base += member.sizeBytes;
  }
  if (served.length === 0)
    throw mp4Errors.error("MP4_NO_TRACKS", { reason: notices.slice(0, 4).join("; ") });
  const tracks = indexTracks(served, 1);
  const texts = await readSidecars(source.sidecars ?? [], notices);
  const moved = movedUs(served[0]!, tracks[0]!);
  for (const text of textTracks) texts.push(textOf({ ...text, movedUs: moved }, texts.length + 1));
  return {
    source,
    tracks,
    trackSet: makeTrackSet(
      1,
      tracks.map(({ track }) => track),
    ),
    startUs: Math.min(...tracks.map((track) => track.startUs)),
    endUs: Math.max(...tracks.map((track) => track.endUs)),
    memoryBytes:
      tracks.reduce((sum, { samples }) => sum + samples.memoryBytes, 2048 * tracks.length) +
      texts.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0) +
      textTracks.reduce((sum, { movieTrack }) => sum + movieTrack.samples.memoryBytes, 0),
    notices,
    isCutOff,
    isSet: members.length > 1,
    texts,
  };
}

/** A text track, whose cues are read when somebody asks for them, and again when that failed. */
function textOf(samples: TextSamples, number: number): TextTrack {
  let reading: Promise<readonly Cue[]> | null = null;
  const forget = (caught: unknown): never => {
    reading = null;
    throw caught;
  };
  return {
    id: trackId("text", number),
    language: samples.movieTrack.language,
    cues: () => (reading ??= readTextSamples(samples).catch(forget)),
  };
}

/** What one quality adds to a set: its first video track, and its sound and its subtitles when those are still missing. */
function tracksOfQuality(
  tracks: readonly MovieTrack[],
  missing: Readonly<Record<Exclude<TrackKind, "video">, boolean>>,
): readonly MovieTrack[] {
  const video = tracks.find(({ kind }) => kind === "video");
  return tracks.filter((track) => (track.kind === "video" ? track === video : missing[track.kind]));
}

async function describe(
  source: ByteSource,
  movieTrack: MovieTrack,
  id: TrackId,
  notices: string[],
): Promise<Track | null> {
  const { sampleEntry, timescale, language, number } = movieTrack;
  const { codec, inBandSets } = sampleEntry;
  const needsFrame = inBandSets || FACTS_IN_FRAME.includes(codec);
  const firstFrame = needsFrame ? await readFirstFrame(source, movieTrack) : null;
  try {
    const config = inBandSets ? withInBandSets(codec, sampleEntry.config, firstFrame) : sampleEntry.config;
    return buildTrack({
      id,
      codec,
      config,
      timescale: servedTimescale(timescale),
      language,
      ...(firstFrame === null ? {} : { firstFrame }),
    });
  } catch (caught) {
    notices.push(`track ${number} is left out: ${messageOf(caught)}`);
    return null;
  }
}

async function readFirstFrame(source: ByteSource, movieTrack: MovieTrack): Promise<Uint8Array | null> {
  const { samples } = movieTrack;
  const first = samples.syncAtOrAfter(0);
  if (first >= samples.count || samples.sizeAt(first) > MAX_FIRST_FRAME_BYTES) return null;
  return await source.read(samples.offsetAt(first), samples.sizeAt(first));
}

/** The configuration with the parameter sets of the first key frame, where the record itself has none. */
function withInBandSets(codec: Codec, config: Uint8Array, firstFrame: Uint8Array | null): Uint8Array {
  if (firstFrame === null) return config;
  if (codec === "h264") {
    const { sps, pps } = findH264ParameterSets(firstFrame);
    return sps.length > 0 && (config[5]! & 31) === 0 ? buildAvcConfig(sps, pps) : config;
  }
  const sets = findH265ParameterSets(firstFrame);
  return sets.sps.length > 0 && config[22] === 0 ? buildHevcConfig(sets) : config;
}
