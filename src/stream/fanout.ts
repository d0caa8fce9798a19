import type { Clock } from "../base/clock.ts";
import { Ring } from "../base/ring.ts";
import { ticksToUs } from "../base/time.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { GopCache } from "./gop-cache.ts";
import type { SendWindow } from "./rules.ts";
import { SendGroup } from "./send-group.ts";
import type { SendGroupHost } from "./send-group.ts";
import type { SendPace } from "./send-pace.ts";
import { DEFAULT_FANOUT_LIMITS } from "./subscriber.ts";
import type { FanoutLimits, Flush, Opening } from "./subscriber.ts";
import type { ByteSink, Subscription, SubscriptionEnd, WireFormat } from "./wire-format.ts";
import { WireLog } from "./wire-log.ts";

/** What a fan-out is made of. */
export type FanoutParts = {
  readonly format: WireFormat;
  /** The stream's: it has a packet before the fan-out gets it. */
  readonly cache: GopCache;
  readonly clock: Clock;
  /** The thread's. */
  readonly pace: SendPace;
  readonly limits?: FanoutLimits;
  /** Called when the last subscriber is gone. */
  readonly onEmpty?: () => void;
};

/** A second of a still picture does not shrink the bound on queues at once. */
const RATE_DECAY = 0.75;

/** A slab of the log holds about so much of the stream. */
const SLAB_SECONDS = 2;

/** Room that is kept for the next flush, in sizes of the last. */
const NEXT_FLUSH = 1.5;

/** More than the cache has packets: of a stream without video each starts a GOP. */
const MAX_GOPS = 16_384;

/** Where in the log a GOP starts. */
type GopStart = {
  readonly packet: MediaPacket;
  readonly place: number;
  readonly tracks: TrackSet;
  /** The configuration in front of it, made when it is first asked for. */
  configuration: Uint8Array | null;
};

/**
 * Sends one stream to all subscribers of one wire format: each packet is serialised once, into a log that all of them
 * read, and each flush is one view of the log and one write per subscriber. A subscriber that comes gets the log from
 * the start of the GOP cache on, without a copy. While there is no subscriber there is no log.
 */
export class Fanout implements PacketSink {
  readonly #format: WireFormat;
  readonly #cache: GopCache;
  readonly #limits: FanoutLimits;
  readonly #onEmpty: () => void;
  readonly #host: SendGroupHost;
  readonly #log = new WireLog();
  readonly #gops = new Ring<GopStart>(MAX_GOPS);
  readonly #groups = new Map<SendWindow, SendGroup>();
  #tracks: TrackSet | null = null;
  #pendingTracks = false;
  #rateSinceUs = 0;
  #rateSincePlace = 0;
  #bytesPerSecond = 0;
  #dropped = 0;

  constructor(parts: FanoutParts) {
    const { clock, pace, limits = DEFAULT_FANOUT_LIMITS } = parts;
    this.#format = parts.format;
    this.#cache = parts.cache;
    this.#limits = limits;
    this.#onEmpty = parts.onEmpty ?? (() => {});
    this.#host = {
      clock,
      pace,
      limits,
      end: () => this.#log.end,
      flushOf: (from, to, nowUs) => this.#flushOf(from, to, nowUs),
      flushed: (lengthBytes, missed) => this.#flushed(lengthBytes, missed),
      left: (group) => this.#left(group),
    };
  }

  /** How many subscribers there are. */
  get size(): number {
    let size = 0;
    for (const group of this.#groups.values()) size += group.size;
    return size;
  }

  /** Flushes that some subscriber missed because it was too slow. */
  get droppedFlushes(): number {
    return this.#dropped;
  }

  /** Bytes of memory that the log holds. */
  get heldBytes(): number {
    return this.#log.heldBytes;
  }

  /** Adds a subscriber: it gets the configuration and, when `prepush`, the running GOP at once. */
  join(sink: ByteSink, prepush: boolean, window: SendWindow = "auto"): Subscription {
    if (this.#groups.size === 0) this.#startLog(prepush);
    let group = this.#groups.get(window);
    if (group === undefined) this.#groups.set(window, (group = new SendGroup(window, this.#host)));
    const subscriber = group.add(sink);
    const gop = prepush ? this.#cachedGop() : null;
    // One that starts after the group's last flush comes with the next.
    if (gop !== null && gop.place <= group.place) subscriber.begin(this.#opening(gop, group.place));
    return subscriber;
  }

  /** How long until the next flush of any subscriber. */
  patienceMs(): number {
    let leastMs = Infinity;
    for (const group of this.#groups.values()) leastMs = Math.min(leastMs, group.patienceMs());
    return leastMs;
  }

  onTracks(tracks: TrackSet): void {
    this.#tracks = tracks;
    this.#pendingTracks = true;
  }

  onPacket(packet: MediaPacket): void {
    if (this.#groups.size === 0) return;
    const before = this.#log.end;
    this.#append(packet);
    if (this.#log.end === before) return;
    // Of a stream without pictures each sound is one.
    const endsPicture = packet.track.kind === this.#tracks?.reference.kind;
    for (const group of this.#groups.values()) group.appended(endsPicture);
  }

  onPause(): void {
    for (const group of this.#groups.values()) group.flush();
  }

  onEnd(): void {
    this.onPause();
    this.endAll("stream-ended");
  }

  /** Ends every subscription. */
  endAll(reason: SubscriptionEnd): void {
    if (this.#groups.size === 0) return;
    const subscribers = [...this.#groups.values()].flatMap((group) => group.removeAll());
    this.#groups.clear();
    this.#dropLog();
    this.#onEmpty();
    for (const subscriber of subscribers) subscriber.end(reason);
  }

  /** A log for the first subscriber: what the cache holds, unless nobody wants the past. */
  #startLog(withPast: boolean): void {
    this.#log.sizeSlabs(Math.max(this.#bytesPerSecond * SLAB_SECONDS, withPast ? this.#cache.bytes : 0));
    this.#pendingTracks = this.#tracks !== null;
    if (withPast && this.#cache.packets.length > 0) {
      // Every subscriber gets the configuration of the GOP that it starts with.
      this.#pendingTracks = false;
      if (this.#tracks !== null) this.#format.begin?.(this.#tracks);
      for (const packet of this.#cache.packets) this.#append(packet);
    }
    this.#rateSinceUs = this.#host.clock.nowUs();
    this.#rateSincePlace = this.#log.end;
  }

  #dropLog(): void {
    this.#log.clear();
    this.#gops.clear();
  }

  /** The configuration of a new epoch goes into the log in its place. */
  #append(packet: MediaPacket): void {
    const tracks = this.#tracks;
    if (tracks !== null && this.#pendingTracks) {
      this.#pendingTracks = false;
      this.#format.begin?.(tracks);
      this.#log.append(this.#format.tracks(tracks, startUs(packet)));
    }
    if (packet.startsGop && tracks !== null) this.#noteGop(packet, tracks);
    this.#format.packet(packet, this.#log);
  }

  #noteGop(packet: MediaPacket, tracks: TrackSet): void {
    const gop = { packet, place: this.#log.end, tracks, configuration: null };
    if (this.#gops.push(gop)) return;
    this.#gops.shift();
    this.#gops.push(gop);
  }

  /** Where the cache begins; `null` while it waits for a GOP, or when the log does not reach back so far. */
  #cachedGop(): GopStart | null {
    const first = this.#cache.packets[0];
    if (first === undefined) return null;
    for (let i = 0; i < this.#gops.length; i++) {
      const gop = this.#gops.at(i)!;
      if (gop.packet === first) return gop;
    }
    return null;
  }

  #opening(gop: GopStart, to: number): Opening {
    gop.configuration ??= this.#format.tracks(gop.tracks, startUs(gop.packet));
    const { configuration } = gop;
    return {
      preamble: this.#format.preamble?.(gop.tracks) ?? null,
      chunks: [configuration, ...this.#log.views(gop.place, to)],
      lengthBytes: configuration.byteLength + to - gop.place,
    };
  }

  #flushOf(from: number, to: number, nowUs: number): Flush {
    this.#measureRate(nowUs);
    const openings = new Map<"first" | "last", Opening | null>();
    return {
      chunks: this.#log.views(from, to),
      limitBytes: this.#limitBytes(),
      nowUs,
      openingAt: (which) => {
        let opening = openings.get(which);
        if (opening === undefined) {
          const gop = this.#gopBetween(from, to, which);
          openings.set(which, (opening = gop === null ? null : this.#opening(gop, to)));
        }
        return opening;
      },
    };
  }

  #gopBetween(from: number, to: number, which: "first" | "last"): GopStart | null {
    let found: GopStart | null = null;
    for (let i = this.#gops.length - 1; i >= 0; i--) {
      const gop = this.#gops.at(i)!;
      if (gop.place < from) break;
      if (gop.place >= to) continue;
      found = gop;
      if (which === "last") break;
    }
    return found;
  }

  #flushed(lengthBytes: number, missed: number): void {
    this.#dropped += missed;
    if (this.#groups.size === 0) return;
    this.#forgetPast();
    if (this.#groups.size === 1) this.#log.makeRoom(Math.ceil(lengthBytes * NEXT_FLUSH));
  }

  /** Forgets what no group has before it and no newcomer would be given. */
  #forgetPast(): void {
    let place = Infinity;
    for (const group of this.#groups.values()) place = Math.min(place, group.place);
    const first = this.#cache.packets[0];
    let gop = this.#gops.at(0);
    while (gop !== undefined && gop.packet !== first && gop.place < place) {
      this.#gops.shift();
      gop = this.#gops.at(0);
    }
    this.#log.dropBefore(gop === undefined ? place : Math.min(place, gop.place));
  }

  #left(group: SendGroup): void {
    if (group.size > 0) return;
    this.#groups.delete(group.window);
    if (this.#groups.size > 0) return;
    this.#dropLog();
    this.#onEmpty();
  }

  #measureRate(nowUs: number): void {
    const elapsedUs = nowUs - this.#rateSinceUs;
    if (elapsedUs < 1_000_000) return;
    const measured = ((this.#log.end - this.#rateSincePlace) * 1_000_000) / elapsedUs;
    this.#bytesPerSecond = Math.max(measured, this.#bytesPerSecond * RATE_DECAY);
    this.#rateSinceUs = nowUs;
    this.#rateSincePlace = this.#log.end;
    this.#log.sizeSlabs(this.#bytesPerSecond * SLAB_SECONDS);
  }

  #limitBytes(): number {
    const { maxQueuedSeconds, minQueuedBytes, maxQueuedBytes } = this.#limits;
    return Math.min(maxQueuedBytes, Math.max(minQueuedBytes, this.#bytesPerSecond * maxQueuedSeconds));
  }
}

function startUs(packet: MediaPacket): number {
  return ticksToUs(packet.dts, packet.track.timescale);
}
