import { totalBytes } from "../../base/bytes.ts";
import type { Track } from "../../media/track.ts";
import { readBoxHeader } from "./box-reader.ts";
import { mp4Errors } from "./errors.ts";
import { readFragment } from "./fragment-reader.ts";
import type { SampleSink } from "./fragment-reader.ts";
import { checkSampleCount } from "./sample-table-reader.ts";
import { trackNumber } from "./track-number.ts";

/** One sample of a segment: what a `MediaPacket` says of it. */
export type SegmentSample = {
  readonly track: Track;
  readonly dts: number;
  readonly pts: number;
  readonly isSync: boolean;
  readonly payload: Uint8Array;
};

/** Nothing of `trex` is used: our own fragments say all of it themselves. */
const NO_DEFAULTS = { durationTicks: 0, sizeBytes: 0, flags: 0 };

/**
 * Reads the samples of a CMAF segment: of every `moof` in it, of these tracks, in order of decode time over all tracks.
 *
 * Input: the segment in pieces, one behind the other; no `moof` and no sample may be in two of them.
 * Ownership: payloads are views of the pieces. Throws: MP4_BAD_BOX, MP4_BOX_SIZE, MP4_LIMIT.
 * Spec: ISO/IEC 14496-12 section 8.8; ISO/IEC 23000-19 section 7.3.
 */
export function readSegmentSamples(
  pieces: readonly Uint8Array[],
  tracks: readonly Track[],
): SegmentSample[] {
  const bytes = new Pieces(pieces);
  const gatherers = new Map(
    tracks.map((track) => [
      trackNumber(track.id),
      { defaults: NO_DEFAULTS, builder: new SampleGatherer(track, bytes) },
    ]),
  );
  for (let at = 0; at < bytes.lengthBytes;) {
    const head = bytes.view(at, Math.min(16, bytes.roomAt(at)));
    const header = readBoxHeader(head, 0, at);
    if (header === null) throw badPlace(at, "the segment ends inside a box header");
    const { type, headerBytes } = header;
    const sizeBytes = header.sizeBytes === 0 ? bytes.lengthBytes - at : header.sizeBytes;
    if (sizeBytes < headerBytes || sizeBytes > bytes.lengthBytes - at)
      throw badPlace(at, `"${type}" of ${sizeBytes} bytes goes beyond the segment`);
    if (type === "moof") {
      const moof = bytes.view(at, sizeBytes);
      const box = { type, bytes: moof, start: headerBytes, end: sizeBytes, base: at, offset: at };
      readFragment(box, gatherers);
    }
    at += sizeBytes;
  }
  const samples = [...gatherers.values()].flatMap(({ builder }) => builder.samples);
  return gatherers.size === 1 ? samples : samples.sort((a, b) => secondsOf(a) - secondsOf(b));
}

function secondsOf({ dts, track }: SegmentSample): number {
  return dts / track.timescale;
}

function badPlace(offset: number, reason: string): Error {
  return mp4Errors.error("MP4_BAD_BOX", { box: "segment", offset, reason });
}

/** Bytes that lie one behind the other in several buffers. */
class Pieces {
  readonly lengthBytes: number;
  readonly #pieces: readonly Uint8Array[];
  readonly #starts: readonly number[];
  /** Where the last view was: the next one is mostly there too. */
  #current = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces.filter((piece) => piece.byteLength > 0);
    const starts: number[] = [];
    let at = 0;
    for (const piece of this.#pieces) {
      starts.push(at);
      at += piece.byteLength;
    }
    this.#starts = starts;
    this.lengthBytes = totalBytes(this.#pieces);
  }

  /** Bytes from a place to the end of its piece. */
  roomAt(offset: number): number {
    this.#seek(offset);
    return this.#starts[this.#current]! + this.#pieces[this.#current]!.byteLength - offset;
  }

  /** Throws MP4_BAD_BOX when they are not all there, or not in one piece. */
  view(offset: number, lengthBytes: number): Uint8Array {
    if (lengthBytes === 0) return new Uint8Array(0);
    if (offset < 0 || offset + lengthBytes > this.lengthBytes)
      throw badPlace(offset, `${lengthBytes} bytes of a sample are beyond the segment`);
    if (this.roomAt(offset) < lengthBytes)
      throw badPlace(offset, `${lengthBytes} bytes are not in one piece`);
    const begin = offset - this.#starts[this.#current]!;
    return this.#pieces[this.#current]!.subarray(begin, begin + lengthBytes);
  }

  #seek(offset: number): void {
    while (this.#current > 0 && offset < this.#starts[this.#current]!) this.#current--;
    while (this.#current + 1 < this.#starts.length && offset >= this.#starts[this.#current + 1]!)
      this.#current++;
  }
}

/** Gathers the samples of one track; bounded by the bytes of the `moof` boxes, and by how many samples a file may have. */
class SampleGatherer implements SampleSink {
  readonly samples: SegmentSample[] = [];
  readonly #track: Track;
  readonly #bytes: Pieces;
  #dts = 0;
  #place = 0;

  constructor(track: Track, bytes: Pieces) {
    this.#track = track;
    this.#bytes = bytes;
  }

  moveToPlace(offset: number): void {
    this.#place = offset;
  }

  moveToTime(dts: number): boolean {
    const last = this.samples.at(-1);
    if (last !== undefined && dts < last.dts) return false;
    this.#dts = dts;
    return true;
  }

  add(durationTicks: number, sizeBytes: number, ctsOffset: number, isSync: boolean): void {
    checkSampleCount(this.samples.length + 1);
    const payload = this.#bytes.view(this.#place, sizeBytes);
    const dts = this.#dts;
    this.samples.push({ track: this.#track, dts, pts: dts + ctsOffset, isSync, payload });
    this.#place += sizeBytes;
    this.#dts += durationTicks;
  }
}
