import { asMediaError } from "../../base/errors.ts";
import { readBoxHeader } from "../../containers/mp4/box-reader.ts";
import { readFragment } from "../../containers/mp4/fragment-reader.ts";
import type { SampleSink } from "../../containers/mp4/fragment-reader.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { dvrExportErrors } from "./errors.ts";

/** A stored chunk, as far as its samples are concerned. */
export type ChunkPlace = {
  /** For messages. */
  readonly fileKey: string;
  /** Where it begins in its file, for messages. */
  readonly offset: number;
  /** Of `moof` and `mdat`. Units: bytes. */
  readonly size: number;
  /** How many samples the index says that it has. */
  readonly samples: number;
};

/** The samples of a stored chunk, as columns of `count` entries. Their payloads lie one behind the other. */
export type ChunkTable = {
  readonly track: Track;
  readonly count: number;
  /** Decode times in ticks of the track, and one more: where the last sample ends. */
  readonly dts: Float64Array;
  /** `pts - dts` in ticks. */
  readonly ctsOffsets: Int32Array;
  /** Where each payload begins in the chunk, and one more: where the last one ends. Units: bytes. */
  readonly places: Uint32Array;
  /** 1 for sync samples. */
  readonly syncFlags: Uint8Array;
};

/** Our own fragments say all of it themselves. */
const NO_DEFAULTS = { durationTicks: 0, sizeBytes: 0, flags: 0 };

/**
 * Reads the samples of a chunk from its header; the payload is not needed.
 *
 * `header`: the `moof`, and the header of the `mdat`.
 * Ownership: the result is new. Throws: DVR_EXPORT_BAD_CHUNK.
 * Spec: ISO/IEC 14496-12 section 8.8.
 */
export function readChunkTable(header: Uint8Array, track: Track, place: ChunkPlace): ChunkTable {
  const table = new TableBuilder(header.byteLength, place);
  try {
    const box = readBoxHeader(header, 0, 0);
    if (box?.type !== "moof" || box.sizeBytes > header.byteLength)
      throw badChunk(place, 'there is no "moof"');
    const moof = {
      type: "moof",
      bytes: header,
      start: box.headerBytes,
      end: box.sizeBytes,
      base: 0,
      offset: 0,
    };
    readFragment(moof, new Map([[trackNumber(track.id), { defaults: NO_DEFAULTS, builder: table }]]));
  } catch (caught) {
    const error = asMediaError(caught);
    if (error === null || error.code === "DVR_EXPORT_BAD_CHUNK") throw caught;
    throw badChunk(place, error.message, caught);
  }
  return table.finish(track);
}

/** What packets are made of a table for. */
export type PacketPlace = {
  /** Samples `[from, to)` of the chunk. */
  readonly from: number;
  readonly to: number;
  /** Their payloads, one behind the other. */
  readonly payloads: Uint8Array;
  /** Added to all times. Units: ticks. */
  readonly shiftTicks: number;
  readonly epoch: number;
  /** Of a stream's reference track: GOPs begin with its sync samples. */
  readonly isReference: boolean;
};

/** The packets of some samples of a chunk. Ownership: their payloads are views of `payloads`. */
export function chunkPackets(table: ChunkTable, place: PacketPlace): MediaPacket[] {
  const { track, dts, ctsOffsets, places, syncFlags } = table;
  const { from, to, payloads, shiftTicks, epoch, isReference } = place;
  const packets: MediaPacket[] = [];
  for (let i = from; i < to; i++) {
    const moved = dts[i]! + shiftTicks;
    const isSync = syncFlags[i] === 1;
    packets.push({
      track,
      dts: moved,
      pts: moved + ctsOffsets[i]!,
      durationTicks: dts[i + 1]! - dts[i]!,
      isSync,
      startsGop: isSync && isReference,
      epoch,
      arrivalUs: 0,
      payload: payloads.subarray(places[i]! - places[from]!, places[i + 1]! - places[from]!),
    });
  }
  return packets;
}

/** Makes (does not throw) the error of a chunk that is not what the index says. */
export function badChunk({ fileKey, offset }: ChunkPlace, reason: string, cause?: unknown): Error {
  return dvrExportErrors.error("DVR_EXPORT_BAD_CHUNK", { file: fileKey, offset, reason }, cause);
}

/** As many samples as the index says; a header that has others is refused before they take any memory. */
class TableBuilder implements SampleSink {
  readonly #chunk: ChunkPlace;
  readonly #headerBytes: number;
  readonly #dts: Float64Array;
  readonly #ctsOffsets: Int32Array;
  readonly #places: Uint32Array;
  readonly #syncFlags: Uint8Array;
  #count = 0;
  #nextDts = 0;
  #nextPlace = 0;

  constructor(headerBytes: number, chunk: ChunkPlace) {
    this.#chunk = chunk;
    this.#headerBytes = headerBytes;
    this.#dts = new Float64Array(chunk.samples + 1);
    this.#ctsOffsets = new Int32Array(chunk.samples);
    this.#places = new Uint32Array(chunk.samples + 1);
    this.#syncFlags = new Uint8Array(chunk.samples);
  }

  moveToTime(dts: number): boolean {
    if (this.#count > 0 && dts < this.#nextDts) return false;
    this.#nextDts = dts;
    return true;
  }

  moveToPlace(offset: number): void {
    if (this.#count === 0) this.#nextPlace = offset;
    if (offset !== this.#nextPlace || offset < this.#headerBytes)
      throw badChunk(this.#chunk, `its samples go on at byte ${offset}, not behind each other`);
  }

  add(durationTicks: number, sizeBytes: number, ctsOffset: number, isSync: boolean): void {
    const { samples, size } = this.#chunk;
    const at = this.#count++;
    if (at >= samples) throw badChunk(this.#chunk, `it has more than ${samples} samples`);
    if (this.#nextPlace + sizeBytes > size) throw badChunk(this.#chunk, `sample ${at} goes beyond its end`);
    this.#dts[at] = this.#nextDts;
    this.#places[at] = this.#nextPlace;
    this.#ctsOffsets[at] = ctsOffset;
    this.#syncFlags[at] = isSync ? 1 : 0;
    this.#nextDts += durationTicks;
    this.#nextPlace += sizeBytes;
  }

  /** Throws: DVR_EXPORT_BAD_CHUNK when there are fewer samples than there should be. */
  finish(track: Track): ChunkTable {
    const { samples } = this.#chunk;
    if (this.#count !== samples || samples === 0)
      throw badChunk(this.#chunk, `it has ${this.#count} samples of track ${track.id}, not ${samples}`);
    this.#dts[samples] = this.#nextDts;
    this.#places[samples] = this.#nextPlace;
    return {
      track,
      count: samples,
      dts: this.#dts,
      ctsOffsets: this.#ctsOffsets,
      places: this.#places,
      syncFlags: this.#syncFlags,
    };
  }
}
