import { strict as assert } from "node:assert";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";
import { HeldPayloads } from "./held-payloads.ts";
import { lastDuration, tableOf } from "./track-parts.ts";
import type { TrackParts } from "./track-parts.ts";

/**
 * One track of a finished segment: its sample table, and its payloads in blocks that all selections of tracks and all
 * viewers share. They are put together when somebody first asks for them: a stream that nobody watches costs no copy.
 * Where somebody asked for a part, the blocks are the parts': no payload is copied twice.
 */
export class SegmentTrack {
  readonly table: FragmentTrack;
  #parts: TrackParts | null;
  #payloads: HeldPayloads | null;
  #whole: Uint8Array | null = null;

  constructor(table: FragmentTrack, payloads: HeldPayloads, parts: TrackParts | null = null) {
    this.table = table;
    this.#payloads = payloads;
    this.#parts = parts;
    if (parts?.isWhole === true) this.release();
  }

  /** It was in no parts so far. */
  cutInto(parts: TrackParts): void {
    assert(this.#parts === null, "a segment is cut into parts once");
    this.#parts = parts;
  }

  /** The payloads, one behind the other, in one or more pieces. Shared: never written to. */
  blocks(): readonly Uint8Array[] {
    if (this.#whole !== null) return [this.#whole];
    const parts = this.#parts;
    if (parts?.hasPieces === true) {
      for (let part = 0; part < parts.count; part++) this.piece(part);
      return parts.pieces;
    }
    this.#whole = this.#held().concat(this.table.dataBytes);
    this.release();
    return [this.#whole];
  }

  /** The payloads of one part, one behind the other. Shared: never written to. */
  piece(part: number): Uint8Array {
    const parts = this.#parts!;
    const known = parts.piece(part);
    if (known !== undefined) return known;
    const [from, to] = [parts.start(part), parts.end(part)];
    const bytes = this.#sizeOf(from, to);
    if (this.#whole !== null) {
      const at = this.#sizeOf(0, from);
      return this.#whole.subarray(at, at + bytes);
    }
    const piece = this.#held().concat(bytes, from, to);
    parts.keep(part, piece);
    if (parts.isWhole) this.release();
    return piece;
  }

  /** The samples of one part, which are not none. */
  partTable(part: number): FragmentTrack {
    const { table } = this;
    const parts = this.#parts!;
    const [from, to] = [parts.start(part), parts.end(part)];
    const durations = table.durations.slice(from, to);
    durations[to - from - 1] = parts.lastDuration(part);
    return {
      track: table.track,
      baseDts: table.baseDts + sumOf(table.durations, 0, from),
      count: to - from,
      sizes: table.sizes.subarray(from, to),
      durations,
      ctsOffsets: table.ctsOffsets.subarray(from, to),
      syncFlags: table.syncFlags.subarray(from, to),
      dataBytes: this.#sizeOf(from, to),
    };
  }

  /** Moves the blocks to shared memory, for other threads as well. Returns: whether any was elsewhere. */
  share(): boolean {
    const whole = this.#whole;
    if (whole === null && this.#parts?.hasPieces === true) {
      let moved = false;
      for (let part = 0; part < this.#parts.count; part++) moved = this.sharePiece(part) || moved;
      return moved;
    }
    const [block] = this.blocks();
    this.#whole = inSharedMemory(block!);
    return this.#whole !== whole;
  }

  /** Moves the payloads of one part to shared memory. Returns: whether they were elsewhere. */
  sharePiece(part: number): boolean {
    const piece = this.piece(part);
    const shared = inSharedMemory(piece);
    if (shared === piece) return false;
    if (this.#whole === null) this.#parts!.keep(part, shared);
    else this.#whole = inSharedMemory(this.#whole);
    return true;
  }

  /** Nobody asks for the blocks from now on who has not got them. */
  release(): void {
    this.#payloads?.release();
    this.#payloads = null;
  }

  #held(): HeldPayloads {
    assert(this.#payloads !== null, "the block of a segment that was released");
    return this.#payloads;
  }

  #sizeOf(from: number, to: number): number {
    return sumOf(this.table.sizes, from, to);
  }
}

/** The same bytes in shared memory: a copy unless they are there already. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

function sumOf(values: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]!;
  return sum;
}

/**
 * Lays the packets of one track out. `packets` is not empty; `nextDts`, where the next segment goes on without a break,
 * ends the last sample. Takes over a hold on the slab of each packet.
 */
export function layOut(
  track: Track,
  packets: readonly MediaPacket[],
  nextDts: number | null,
  parts: TrackParts | null = null,
): SegmentTrack {
  const count = packets.length;
  const last = packets[count - 1]!;
  const previousDuration = count > 1 ? last.dts - packets[count - 2]!.dts : 0;
  const table = tableOf(track, packets, 0, count, lastDuration(last, nextDts, previousDuration));
  return new SegmentTrack(table, new HeldPayloads(packets, table.sizes), parts);
}
