import { strict as assert } from "node:assert";
import { concatBytes } from "../base/bytes.ts";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";

/**
 * One track of a finished segment: its sample table, and its payloads in one contiguous block that all selections of
 * tracks and all viewers share. The block is put together when somebody first asks for it: a stream that nobody watches
 * costs no copy.
 */
export class SegmentTrack {
  readonly table: FragmentTrack;
  #packets: readonly MediaPacket[];
  #block: Uint8Array | null = null;

  /** The packets' slabs are held for it already. */
  constructor(table: FragmentTrack, packets: readonly MediaPacket[]) {
    this.table = table;
    this.#packets = packets;
  }

  /** The payloads, one behind the other. Shared: never written to. */
  get block(): Uint8Array {
    if (this.#block === null) {
      assert(this.#packets.length > 0, "the block of a segment that was released");
      this.#block = concatBytes(this.#packets.map(({ payload }) => payload));
      this.release();
    }
    return this.#block;
  }

  /** The same in shared memory, for other threads as well; from now on it is what `block` gives. */
  sharedBlock(): Uint8Array {
    const { block } = this;
    if (block.buffer instanceof SharedArrayBuffer) return block;
    this.#block = new Uint8Array(new SharedArrayBuffer(block.byteLength));
    this.#block.set(block);
    return this.#block;
  }

  /** Nobody asks for the block from now on who has not got it. */
  release(): void {
    for (const { slab } of this.#packets) slab?.release();
    this.#packets = [];
  }
}

/**
 * Lays the packets of one track out. `packets` is not empty; `nextDts`, where the next segment goes on without a break,
 * ends the last sample.
 */
export function layOut(
  track: Track,
  packets: readonly MediaPacket[],
  nextDts: number | null,
): SegmentTrack {
  const count = packets.length;
  const sizes = new Uint32Array(count);
  const durations = new Uint32Array(count);
  const ctsOffsets = new Int32Array(count);
  const syncFlags = new Uint8Array(count);
  let dataBytes = 0;
  for (let i = 0; i < count; i++) {
    const packet = packets[i]!;
    sizes[i] = packet.payload.byteLength;
    ctsOffsets[i] = packet.pts - packet.dts;
    syncFlags[i] = packet.isSync ? 1 : 0;
    dataBytes += packet.payload.byteLength;
    if (i > 0) durations[i - 1] = packet.dts - packets[i - 1]!.dts;
  }
  const last = packets[count - 1]!;
  durations[count - 1] = lastDuration(last, nextDts, count > 1 ? durations[count - 2]! : 0);
  const table = {
    track,
    baseDts: packets[0]!.dts,
    count,
    sizes,
    durations,
    ctsOffsets,
    syncFlags,
    dataBytes,
  };
  return new SegmentTrack(table, packets);
}

function lastDuration(last: MediaPacket, nextDts: number | null, previousDuration: number): number {
  if (nextDts !== null && nextDts > last.dts) return nextDts - last.dts;
  return last.durationTicks || previousDuration || Math.floor(last.track.timescale / 25);
}
