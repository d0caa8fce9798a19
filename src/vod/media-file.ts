import { messageOf } from "../base/errors.ts";
import { findH264ParameterSets } from "../codecs/h264/access-unit.ts";
import { buildAvcConfig } from "../codecs/h264/avc-config.ts";
import { findH265ParameterSets } from "../codecs/h265/access-unit.ts";
import { buildHevcConfig } from "../codecs/h265/hevc-config.ts";
import { buildTrack } from "../codecs/track.ts";
import { mp4Errors } from "../containers/mp4/errors.ts";
import { readMovie } from "../containers/mp4/movie.ts";
import type { Movie, MovieTrack } from "../containers/mp4/movie.ts";
import { readFrom } from "../containers/mp4/random-access.ts";
import { trackId } from "../media/ids.ts";
import type { TrackId } from "../media/ids.ts";
import { makeTrackSet } from "../media/track.ts";
import type { Codec, Track, TrackSet } from "../media/track.ts";
import type { ByteSource } from "./byte-source.ts";
import type { Cue } from "../containers/webvtt/cue.ts";
import { problemOfText, readTextSamples } from "./text-samples.ts";
import type { TextSamples } from "./text-samples.ts";
import type { TextTrack } from "../packaging/presentation.ts";
import { tracksOfMember } from "./set-tracks.ts";
import type { TakenLanguages } from "./set-tracks.ts";
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
   * Several files of one work in different qualities: each has a video track, and of sound and subtitles come those of
   * the first one that has any, and in other languages of the first one that has them (see `tracksOfMember`).
   */
  readonly isSet: boolean;
  /** Subtitles, of files beside it. */
  readonly texts: readonly TextTrack[];
};

/** Longest first frame that is read for the facts that stand there. */
const MAX_FIRST_FRAME_BYTES = 4 * 2 ** 20;

/** Codecs whose facts stand in the first frame, at least in part. */
const FACTS_IN_FRAME: readonly Codec[] = ["mp3", "av1", "ac3", "eac3"];

/** One of the files that are read together. */
type Member = { readonly source: ByteSource; readonly movie: Movie; readonly baseBytes: number };

/** What is served of the members that were looked at. */
type Found = {
  readonly served: ServedTrack[];
  readonly texts: Omit<TextSamples, "movedUs">[];
  readonly notices: string[];
};

/**
 * Reads the index of a file, or of all members of a set.
 *
 * A track whose codec configuration cannot be read is left out with a notice.
 * Throws: MP4_* when a file is broken; VOD_* when the storage cannot give it.
 */
export async function readMediaFile(source: ByteSource): Promise<MediaFile> {
  const members = await readMembers(source.members ?? [source]);
  const isSet = members.length > 1;
  const notices = members.flatMap(({ movie }) => movie.notices);
  const found: Found = { served: [], texts: [], notices };
  for (const member of picturesFirst(members)) {
    const { wanted, notices: left } = isSet
      ? tracksOfMember(member.source.path, member.movie.tracks, languagesOf(found))
      : { wanted: member.movie.tracks, notices: [] };
    notices.push(...left);
    for (const movieTrack of wanted) await addTrack(found, member, movieTrack);
  }
  const { served } = found;
  if (served.length === 0)
    throw mp4Errors.error("MP4_NO_TRACKS", { reason: notices.slice(0, 4).join("; ") });
  const tracks = indexTracks(served, 1);
  const moved = movedUs(served[0]!, tracks[0]!);
  const texts = await readSidecars(source.sidecars ?? [], { movedUs: moved, notices });
  for (const text of found.texts) texts.push(textOf({ ...text, movedUs: moved }, texts.length + 1));
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
      found.texts.reduce((sum, { movieTrack }) => sum + movieTrack.samples.memoryBytes, 0),
    notices,
    isCutOff: members.some(({ movie }) => movie.isCutOff),
    isSet,
    texts,
  };
}

async function readMembers(sources: readonly ByteSource[]): Promise<readonly Member[]> {
  const members: Member[] = [];
  let baseBytes = 0;
  for (const source of sources) {
    members.push({ source, movie: await readFrom(source, readMovie(source.sizeBytes)), baseBytes });
    baseBytes += source.sizeBytes;
  }
  return members;
}

/** The sound that belongs to pictures is the one that plays when nobody chooses. */
function picturesFirst(members: readonly Member[]): readonly Member[] {
  const hasPictures = ({ movie }: Member): boolean => movie.tracks.some(({ kind }) => kind === "video");
  return [...members.filter(hasPictures), ...members.filter((member) => !hasPictures(member))];
}

function languagesOf({ served, texts }: Found): TakenLanguages {
  const sound = served.filter(({ movieTrack }) => movieTrack.kind === "audio");
  return {
    audio: new Set(sound.map(({ movieTrack }) => movieTrack.language)),
    text: new Set(texts.map(({ movieTrack }) => movieTrack.language)),
  };
}

/** Adds one track to what is served, or a notice why it cannot be. */
async function addTrack(found: Found, member: Member, movieTrack: MovieTrack): Promise<void> {
  const { served, texts, notices } = found;
  const { source, movie, baseBytes } = member;
  const { kind, number, samples } = movieTrack;
  if (kind === "text") {
    const problem = problemOfText(movieTrack);
    if (problem === null) texts.push({ source, movieTrack, movieTimescale: movie.timescale });
    else notices.push(`track ${number} is left out: ${problem}`);
    return;
  }
  const ordinal = served.filter((other) => other.movieTrack.kind === kind).length + 1;
  const track = await describe(source, movieTrack, trackId(kind, ordinal), notices);
  if (track === null) return;
  const moved = { ...movieTrack, samples: samples.movedBy(baseBytes) };
  served.push({ movieTrack: moved, track, movieTimescale: movie.timescale });
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
