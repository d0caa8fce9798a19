import { strict as assert } from "node:assert";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";
import { HeldPayloads } from "./held-payloads.ts";

/**
 * One track of a finished segment: its sample table, and its payloads in one contiguous block that all selections of
 * tracks and all viewers share. The block is put together when somebody first asks for it: a stream that nobody watches
 * costs no copy.
 */
export class SegmentTrack {
  readonly table: FragmentTrack;
  #payloads: HeldPayloads | null;
  #block: Uint8Array | null = null;

  constructor(table: FragmentTrack, payloads: HeldPayloads) {
    this.table = table;
    this.#payloads = payloads;
  }

  /** The payloads, one behind the other. Shared: never written to. */
  get block(): Uint8Array {
    if (this.#block === null) {
      assert(this.#payloads !== null, "the block of a segment that was released");
      this.#block = this.#payloads.concat(this.table.dataBytes);
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
    this.#payloads?.release();
    this.#payloads = null;
  }
}

/**
 * Lays the packets of one track out. `packets` is not empty; `nextDts`, where the next segment goes on without a break,
 * ends the last sample. Takes over a hold on the slab of each packet.
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
  return new SegmentTrack(table, new HeldPayloads(packets, sizes));
}

function lastDuration(last: MediaPacket, nextDts: number | null, previousDuration: number): number {
  if (nextDts !== null && nextDts > last.dts) return nextDts - last.dts;
  return last.durationTicks || previousDuration || Math.floor(last.track.timescale / 25);
}
