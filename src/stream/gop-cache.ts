import { ticksToUs } from "../base/time.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { StreamRules } from "./rules.ts";

/** Bounds of a GOP cache. */
export type GopCacheLimits = {
  readonly maxBytes: number;
  readonly maxDurationUs: number;
  readonly maxPackets: number;
  /** Older whole GOPs are kept as well until the cache spans this much; 0 keeps the running GOP only. */
  readonly keepUs: number;
};

/** Enough for a 10 s GOP of 25 Mbit/s; more is a sender without key frames. */
export const DEFAULT_GOP_LIMITS: GopCacheLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxDurationUs: 30_000_000,
  maxPackets: 8192,
  keepUs: 0,
};

/** The bounds of a stream's cache: it keeps what a new viewer is to be given at once. */
export function gopLimits(rules: Pick<StreamRules, "prepushMs">): GopCacheLimits {
  return { ...DEFAULT_GOP_LIMITS, keepUs: (rules.prepushMs || 0) * 1000 };
}

/**
 * The packets since the last random access point (or a few of them), so that a new subscriber sees a picture at once.
 *
 * Bounded in bytes, time and packets. When a bound is passed it empties, and stays empty until the next GOP starts:
 * a cache that begins in the middle of a GOP would show a broken picture.
 */
export class GopCache {
  readonly #limits: GopCacheLimits;
  #packets: MediaPacket[] = [];
  /** Index in `#packets` of each GOP's first packet; the first is always 0. */
  #starts: number[] = [];
  #bytes = 0;
  #waitingForGop = true;
  #overflows = 0;

  constructor(limits: GopCacheLimits = DEFAULT_GOP_LIMITS) {
    this.#limits = limits;
  }

  /** What a new subscriber is given first; begins at a GOP start. */
  get packets(): readonly MediaPacket[] {
    return this.#packets;
  }

  /** Payload bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How often a bound emptied the cache. */
  get overflows(): number {
    return this.#overflows;
  }

  /** Takes the next packet of the stream. */
  push(packet: MediaPacket): void {
    if (packet.startsGop) this.#startGop(packet);
    else if (this.#waitingForGop) return;
    this.#packets.push(packet);
    packet.slab?.retain();
    this.#bytes += packet.payload.byteLength;
    if (this.#isOverLimit(packet)) {
      this.clear();
      this.#overflows++;
    }
  }

  /** Somebody who does not release slabs sees what it holds. */
  abandonSlabs(): void {
    for (const packet of this.#packets) packet.slab?.abandon();
  }

  /** Empties it; the next GOP start fills it again. */
  clear(): void {
    for (const packet of this.#packets) packet.slab?.release();
    this.#packets = [];
    this.#starts = [];
    this.#bytes = 0;
    this.#waitingForGop = true;
  }

  #startGop(packet: MediaPacket): void {
    this.#waitingForGop = false;
    if (this.#packets.length > 0 && this.#packets[0]!.epoch !== packet.epoch) this.clear();
    this.#waitingForGop = false;
    this.#dropOldGops(packet);
    this.#starts.push(this.#packets.length);
  }

  /** Drops whole GOPs from the front while what is left, up to the one that now starts, still spans `keepUs`. */
  #dropOldGops(starting: MediaPacket): void {
    let drop = 0;
    const nowUs = ticksToUs(starting.dts, starting.track.timescale);
    for (let i = 1; i <= this.#starts.length; i++) {
      const next = i === this.#starts.length ? starting : this.#packets[this.#starts[i]!]!;
      const spanUs = nowUs - ticksToUs(next.dts, next.track.timescale);
      if (spanUs < this.#limits.keepUs) break;
      drop = i;
    }
    if (drop === 0) return;
    const from = drop === this.#starts.length ? this.#packets.length : this.#starts[drop]!;
    for (let i = 0; i < from; i++) {
      const dropped = this.#packets[i]!;
      this.#bytes -= dropped.payload.byteLength;
      dropped.slab?.release();
    }
    this.#packets = this.#packets.slice(from);
    this.#starts = this.#starts.slice(drop).map((start) => start - from);
  }

  #isOverLimit(newest: MediaPacket): boolean {
    if (this.#bytes > this.#limits.maxBytes || this.#packets.length > this.#limits.maxPackets) return true;
    const first = this.#packets[0]!;
    const spanUs =
      ticksToUs(newest.dts, newest.track.timescale) - ticksToUs(first.dts, first.track.timescale);
    return spanUs > this.#limits.maxDurationUs;
  }
}
