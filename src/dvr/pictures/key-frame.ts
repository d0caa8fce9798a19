/** Where pictures come from: the key frame at a time, of what is recorded or of what is live. */
import { concatBytes } from "../../base/bytes.ts";
import { ticksToUs, usToTicks } from "../../base/time.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import type { HourChunk } from "../format/hour-index.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";
import type { StreamArchive } from "../reader/stream-archive.ts";
import { dvrPictureErrors } from "./errors.ts";
import { badFragment, buildKeyFrameFile, findKeyFrame, keyFrameOfSegment } from "./key-frame-file.ts";

/** A key frame that can be read. */
export type KeyFrame = {
  /** On the media clock. Units: microseconds. */
  readonly startUs: number;
  /** The picture as a file. Rejects with DVR_*, MP4_*, CODEC_*. */
  read(): Promise<Uint8Array>;
};

/** A picture is of this much before the time that is asked for at most. Units: microseconds. */
export const MAX_BACK_US = 60_000_000;

const SECOND_US = 1_000_000;

/**
 * The last key frame at a time or before it, as it is recorded.
 *
 * `name`: of the stream, for messages. Units: microseconds.
 * Rejects with DVR_PICTURE_NO_KEY_FRAME when there is none within `MAX_BACK_US`, and with DVR_*, MP4_*, CODEC_*.
 */
export async function recordedKeyFrame(
  archive: StreamArchive,
  atUs: number,
  name: string,
): Promise<KeyFrame> {
  const segments = await archive.segments(Math.max(0, atUs - MAX_BACK_US), atUs + 1);
  for (const segment of segments.toReversed()) {
    const track = pictureTrack(segment.tracks);
    const chunk = track === null ? undefined : keyChunk(segment, track, atUs);
    if (track === null || chunk === undefined) continue;
    const read: ReadStored = (offset, into) => readStored(archive, { segment, track }, offset, into);
    return await keyFrameOfChunk(chunk, track, { atUs, read });
  }
  throw dvrPictureErrors.error("DVR_PICTURE_NO_KEY_FRAME", {
    name,
    time: isoTime(atUs),
    reason: segments.length > 0 ? "only sound is recorded there" : await nearest(archive, atUs),
  });
}

/** The newest key frame of a live window with which a segment begins; `null` when it has no pictures. */
export function liveKeyFrame(window: Presentation): KeyFrame | null {
  for (const segment of window.timeline().segments.toReversed()) {
    const track = pictureTrack(segment.tracks);
    if (track === null || !segment.isIndependent || segment.trackBytes(track.id) === 0) continue;
    return { startUs: segment.startUs, read: () => readLive(window, segment.name, track) };
  }
  return null;
}

async function readLive(window: Presentation, name: string, track: Track): Promise<Uint8Array> {
  const body = await window.segment(name, [track.id]);
  if (body === null) throw badFragment(track, "the segment has just left the live window");
  const file = keyFrameOfSegment(concatBytes(body), track);
  if (file === null) throw badFragment(track, "it has no key frame");
  return file;
}

/** Fills `into` with what lies from a place on in a media file. Rejects with DVR_*. */
type ReadStored = (offset: number, into: Uint8Array) => Promise<Uint8Array>;

async function readStored(
  archive: StreamArchive,
  { segment, track }: { readonly segment: ArchivedSegment; readonly track: Track },
  offset: number,
  into: Uint8Array,
): Promise<Uint8Array> {
  const got = await archive.storedRange([]).read(segment.mediaFile, offset, [into]);
  if (got < into.byteLength) throw badFragment(track, "its file ends within it");
  return into;
}

/** Which of its key frames it is, only its header says: several GOPs that were written together are one chunk. */
async function keyFrameOfChunk(
  chunk: HourChunk,
  track: Track,
  { atUs, read }: { readonly atUs: number; readonly read: ReadStored },
): Promise<KeyFrame> {
  const header = await read(chunk.offset, new Uint8Array(chunk.headerBytes));
  const place = findKeyFrame(header, track, usToTicks(atUs, track.timescale));
  if (place === null || place.offset + place.size > chunk.size)
    throw badFragment(track, "it has no whole key frame");
  return {
    startUs: ticksToUs(place.dts, track.timescale),
    read: async () =>
      buildKeyFrameFile(track, await read(chunk.offset + place.offset, new Uint8Array(place.size))),
  };
}

/** The last chunk of a track that begins with a key frame, at a time or before it. */
function keyChunk(segment: ArchivedSegment, track: Track, atUs: number): HourChunk | undefined {
  const number = trackNumber(track.id);
  return segment
    .chunks()
    .findLast(({ trackNumber: own, isSync, startUs }) => own === number && isSync && startUs <= atUs);
}

/** The track whose pictures are shown. */
function pictureTrack({ tracks }: TrackSet): Track | null {
  return tracks.find(({ kind }) => kind === "video") ?? null;
}

async function nearest(archive: StreamArchive, atUs: number): Promise<string> {
  const { beforeUs, afterUs } = await archive.nearest(atUs);
  const before =
    beforeUs === null ? "nothing is recorded before it" : `before it up to ${isoTime(beforeUs)}`;
  const after = afterUs === null ? "nothing after it" : `after it from ${isoTime(afterUs)} on`;
  return `${before}, ${after}, and a picture is at most ${MAX_BACK_US / SECOND_US} s old`;
}

function isoTime(us: number): string {
  const time = new Date(Math.floor(us / 1000));
  return Number.isNaN(time.getTime()) ? `${us / SECOND_US} s` : time.toISOString();
}
