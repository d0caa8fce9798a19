import type { Slab } from "../../base/slab-allocator.ts";
import { ticksToUs } from "../../base/time.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import type { FragmentTrack } from "../../containers/mp4/fragment.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { lastDuration, tableOf } from "../../packaging/track-parts.ts";

/** Samples of one track as they are to be written: `moof`, the header of `mdat`, payloads. */
export type RecordedChunk = {
  readonly trackNumber: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly samples: number;
  readonly isSync: boolean;
  readonly headerBytes: number;
  readonly size: number;
  /** The header, then the payloads where they lie. */
  readonly pieces: readonly Uint8Array[];
};

/** What of one segment is written at one go. */
export type SegmentShare = {
  /** Media sequence number of the segment while it is live. */
  readonly sequence: number;
  readonly startUs: number;
  readonly tracks: TrackSet;
  readonly isIndependent: boolean;
  readonly discontinuity: boolean;
  /** Nothing of the segment was in a share before. */
  readonly isStart: boolean;
  /** What the whole segment lasts, in the share that completes it. Units: microseconds. */
  readonly durationUs: number | null;
  readonly chunks: readonly RecordedChunk[];
};

/**
 * What is written at one go: shares of segments, in order.
 *
 * Ownership: it holds the slabs of its payloads until `release`.
 */
export class RecordedGroup {
  readonly shares: SegmentShare[] = [];
  /** Wall clock when it was given to be written. */
  utcUs = 0;
  /** Something before it was not written: what goes on in it has a hole. */
  followsLoss = false;
  readonly #slabs: Slab[] = [];
  #bytes = 0;

  /** Bytes of media in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How far its media goes, on the media clock. */
  get endUs(): number {
    let endUs = 0;
    for (const { startUs, durationUs, chunks } of this.shares) {
      endUs = Math.max(endUs, startUs + (durationUs ?? 0));
      for (const chunk of chunks) endUs = Math.max(endUs, chunk.startUs + chunk.durationUs);
    }
    return endUs;
  }

  add(share: SegmentShare): void {
    this.shares.push(share);
    for (const { size } of share.chunks) this.#bytes += size;
  }

  /** Holds what payloads lie in, one hold for those that follow each other in one slab. */
  hold(packets: readonly MediaPacket[], from: number): void {
    for (let i = from; i < packets.length; i++) {
      const { slab } = packets[i]!;
      if (slab === undefined || slab === null || slab === this.#slabs.at(-1)) continue;
      slab.retain();
      this.#slabs.push(slab);
    }
  }

  /** It is written, or never will be. */
  release(): void {
    for (const slab of this.#slabs) slab.release();
    this.#slabs.length = 0;
  }
}

/** More samples do not fit into one record. */
const MAX_SAMPLES = 65_535;

/**
 * Lays the packets of one track from an index on out as chunks. `nextDts`: where the track goes on, as far as it is known.
 * A chunk's sequence number is that of its segment: it stands in no order that a player could take from it.
 */
export function chunksOf(
  track: Track,
  packets: readonly MediaPacket[],
  from: number,
  facts: { readonly sequence: number; readonly nextDts: number | null },
): RecordedChunk[] {
  const chunks: RecordedChunk[] = [];
  for (let first = from; first < packets.length; first += MAX_SAMPLES) {
    const end = Math.min(packets.length, first + MAX_SAMPLES);
    const last = packets[end - 1]!;
    const before = end - 2 >= 0 ? last.dts - packets[end - 2]!.dts : 0;
    const nextDts = packets[end]?.dts ?? soon(last, facts.nextDts);
    const table = tableOf(track, packets, first, end, lastDuration(last, nextDts, before));
    chunks.push(chunkOf(table, packets, first, facts.sequence));
  }
  return chunks;
}

/** A hole belongs to no sample. */
function soon(last: MediaPacket, nextDts: number | null): number | null {
  return nextDts !== null && nextDts - last.dts > last.track.timescale ? null : nextDts;
}

function chunkOf(
  table: FragmentTrack,
  packets: readonly MediaPacket[],
  first: number,
  sequence: number,
): RecordedChunk {
  const { track, count, dataBytes } = table;
  const header = buildFragmentHeader(sequence % 2 ** 32, [table], { sampleDescriptionIndex: true });
  const pieces: Uint8Array[] = [header];
  let ticks = 0;
  for (let i = 0; i < count; i++) {
    pieces.push(packets[first + i]!.payload);
    ticks += table.durations[i]!;
  }
  return {
    trackNumber: trackNumber(track.id),
    startUs: ticksToUs(table.baseDts, track.timescale),
    durationUs: ticksToUs(ticks, track.timescale),
    samples: count,
    isSync: table.syncFlags[0] === 1,
    headerBytes: header.byteLength,
    size: header.byteLength + dataBytes,
    pieces,
  };
}
