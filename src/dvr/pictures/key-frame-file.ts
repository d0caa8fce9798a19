/** One key frame as a file by itself: what a decoder of pictures is given. */
import { concatBytes } from "../../base/bytes.ts";
import { asMediaError } from "../../base/errors.ts";
import { readBoxHeader } from "../../containers/mp4/box-reader.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { readFragment } from "../../containers/mp4/fragment-reader.ts";
import type { SampleSink } from "../../containers/mp4/fragment-reader.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { Track } from "../../media/track.ts";
import { dvrPictureErrors } from "./errors.ts";

/** Where a sample lies, counted from the beginning of the bytes that were read. */
export type SamplePlace = {
  /** Units: bytes. */
  readonly offset: number;
  readonly size: number;
  /** Decode time in ticks of the track. */
  readonly dts: number;
};

/** A fragment with more samples in front of its key frame is none of ours. Stops a header that was made to hurt. */
const MAX_SAMPLES = 2 ** 16;
/** No picture is larger. Units: bytes. */
const MAX_KEY_FRAME_BYTES = 32 * 2 ** 20;

/** Our own fragments say all of it themselves. */
const NO_DEFAULTS = { durationTicks: 0, sizeBytes: 0, flags: 0 };

/**
 * Finds a sync sample of a track in a segment or a stored chunk; of the payload nothing needs to be there.
 *
 * `bytes`: whole boxes up to, at least, the end of a `moof`. `until`: the last one that is decoded then or before it, in
 * ticks; the first one of all unless given.
 * Returns: `null` when the fragments that are there have none. Throws: DVR_PICTURE_BAD_FRAGMENT.
 * Spec: ISO/IEC 14496-12 sections 4.2, 8.8.
 */
export function findKeyFrame(bytes: Uint8Array, track: Track, until?: number): SamplePlace | null {
  const finder = new KeyFrameFinder(track, until ?? null);
  try {
    let at = 0;
    while (at < bytes.byteLength && !finder.isDone) {
      const box = readBoxHeader(bytes, at, 0);
      if (box === null || box.sizeBytes === 0) break;
      const end = at + box.sizeBytes;
      if (box.type === "moof") {
        if (end > bytes.byteLength) throw badFragment(track, 'its "moof" is cut off');
        const start = at + box.headerBytes;
        const moof = { type: "moof", bytes, start, end, base: 0, offset: at };
        readFragment(moof, new Map([[trackNumber(track.id), { defaults: NO_DEFAULTS, builder: finder }]]));
      }
      at = end;
    }
  } catch (caught) {
    const error = asMediaError(caught);
    if (error === null || error.code === "DVR_PICTURE_BAD_FRAGMENT") throw caught;
    throw badFragment(track, error.message, caught);
  }
  return finder.found;
}

/** A file with that one picture. Ownership: the result is new. */
export function buildKeyFrameFile(track: Track, payload: Uint8Array): Uint8Array {
  const header = buildFragmentHeader(1, [
    {
      track,
      baseDts: 0,
      count: 1,
      sizes: Uint32Array.of(payload.byteLength),
      durations: Uint32Array.of(Math.max(1, Math.round(track.timescale / 25))),
      ctsOffsets: Int32Array.of(0),
      syncFlags: Uint8Array.of(1),
      dataBytes: payload.byteLength,
    },
  ]);
  return concatBytes([buildInitSegment([track]), header, payload]);
}

/**
 * The first key frame of a whole segment as a file; `null` when it has none of that track.
 *
 * Ownership: the result is new. Throws: DVR_PICTURE_BAD_FRAGMENT.
 */
export function keyFrameOfSegment(segment: Uint8Array, track: Track): Uint8Array | null {
  const place = findKeyFrame(segment, track);
  if (place === null) return null;
  const { offset, size } = place;
  if (offset + size > segment.byteLength)
    throw badFragment(track, "its key frame goes beyond the end of the segment");
  return buildKeyFrameFile(track, segment.subarray(offset, offset + size));
}

/** Makes (does not throw) the error of a fragment that gives no picture. */
export function badFragment({ id }: Track, reason: string, cause?: unknown): Error {
  return dvrPictureErrors.error("DVR_PICTURE_BAD_FRAGMENT", { track: id, reason }, cause);
}

/** Takes note of one sync sample, and of nothing else. */
class KeyFrameFinder implements SampleSink {
  found: SamplePlace | null = null;
  readonly #track: Track;
  readonly #until: number | null;
  #place = 0;
  #count = 0;
  #dts = 0;

  constructor(track: Track, until: number | null) {
    this.#track = track;
    this.#until = until;
  }

  /** No sample that follows is another answer. */
  get isDone(): boolean {
    return this.#until === null ? this.found !== null : this.#dts > this.#until;
  }

  moveToTime(dts: number): boolean {
    this.#dts = dts;
    return true;
  }

  moveToPlace(offset: number): void {
    this.#place = offset;
  }

  add(durationTicks: number, sizeBytes: number, _ctsOffset: number, isSync: boolean): void {
    if (++this.#count > MAX_SAMPLES)
      throw badFragment(this.#track, `it has more than ${MAX_SAMPLES} samples`);
    if (isSync && !this.isDone) {
      if (sizeBytes === 0 || sizeBytes > MAX_KEY_FRAME_BYTES)
        throw badFragment(this.#track, `its key frame has ${sizeBytes} bytes`);
      this.found = { offset: this.#place, size: sizeBytes, dts: this.#dts };
    }
    this.#dts += durationTicks;
    this.#place += sizeBytes;
  }
}
