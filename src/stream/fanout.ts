import { concatBytes } from "../base/bytes.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { ticksToUs } from "../base/time.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { GopCache } from "./gop-cache.ts";
import type { ByteSink, Subscription, SubscriptionEnd, WireFormat } from "./wire-format.ts";

/** Bounds and pace of a fan-out. */
export type FanoutLimits = {
  /** A subscriber with more than this many seconds of the stream unsent is made to wait for a GOP. */
  readonly maxQueuedSeconds: number;
  /** The same in bytes, whatever the bit rate. */
  readonly minQueuedBytes: number;
  readonly maxQueuedBytes: number;
  /** A subscriber that stays over the bound this long is ended. */
  readonly maxStalledUs: number;
  /** A subscriber that falls back this often within `resyncWindowUs` is ended. */
  readonly maxResyncs: number;
  readonly resyncWindowUs: number;
};

/** Four seconds of stream, at most 8 MiB, per subscriber. */
export const DEFAULT_FANOUT_LIMITS: FanoutLimits = {
  maxQueuedSeconds: 4,
  minQueuedBytes: 256 * 1024,
  maxQueuedBytes: 8 * 1024 * 1024,
  maxStalledUs: 30_000_000,
  maxResyncs: 10,
  resyncWindowUs: 60_000_000,
};

/** Up to this many subscribers each packet is sent as it comes; above, writes are merged. */
const PER_PACKET_SUBSCRIBERS = 150;
/** Added window per subscriber above that: keeps the writes of a thread at about a tenth of a core. */
const WINDOW_MS_PER_SUBSCRIBER = 0.09;
const MAX_WINDOW_MS = 350;

/** A second of a still picture does not shrink the bound on queues at once. */
const RATE_DECAY = 0.75;

type Member = {
  readonly sink: ByteSink;
  /** `joining` starts with the next GOP there is; `fell-back` skips to the newest. */
  state: "flowing" | "joining" | "fell-back";
  /** Bytes of the past that it was given at once and has not taken yet: they do not count as falling behind. */
  allowanceBytes: number;
  stalledSinceUs: number | null;
  /** The least that it had queued since then: while that falls it reads, slowly, and is not stalled. */
  leastQueuedBytes: number;
  resyncs: number;
  resyncWindowStartUs: number;
};

/** Where in a batch a GOP starts: after how many chunks, at what time. */
type GopStart = { readonly chunk: number; readonly atUs: number };

/** One flush, as the different members need it; `null` where no GOP starts in it or nobody waits for one. */
type Cuts = { readonly whole: Uint8Array; fromFirstGop: Uint8Array | null; fromLastGop: Uint8Array | null };

/**
 * Sends one stream to all subscribers of one wire format: each packet is serialised once, each flush is one shared
 * buffer and one write per subscriber. A subscriber's queue is its connection's own; it is looked at once per flush,
 * never per packet.
 */
export class Fanout implements PacketSink {
  readonly #format: WireFormat;
  readonly #cache: GopCache;
  readonly #clock: Clock;
  readonly #limits: FanoutLimits;
  /** What the cached packets were serialised to: a joiner costs a copy, not the work. */
  readonly #serialised = new WeakMap<MediaPacket, Uint8Array>();
  readonly #members = new Set<Member>();
  #tracks: TrackSet | null = null;
  #pendingTracks = false;
  /** Serialised since the last flush. */
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #firstGop: GopStart | null = null;
  #lastGop: GopStart | null = null;
  #timer: Timer | null = null;
  #rateWindowStartUs = 0;
  #rateWindowBytes = 0;
  #bytesPerSecond = 0;
  #dropped = 0;

  constructor(
    format: WireFormat,
    cache: GopCache,
    clock: Clock,
    limits: FanoutLimits = DEFAULT_FANOUT_LIMITS,
  ) {
    this.#format = format;
    this.#cache = cache;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many subscribers there are. */
  get size(): number {
    return this.#members.size;
  }

  /** Flushes that some subscriber missed because it was too slow. */
  get droppedFlushes(): number {
    return this.#dropped;
  }

  /** Adds a subscriber: it gets the configuration and, when `prepush`, the running GOP at once. */
  join(sink: ByteSink, prepush: boolean): Subscription {
    this.#flush();
    const member: Member = {
      sink,
      state: "joining",
      allowanceBytes: 0,
      leastQueuedBytes: 0,
      stalledSinceUs: null,
      resyncs: 0,
      resyncWindowStartUs: 0,
    };
    this.#members.add(member);
    const past = prepush ? this.#past() : null;
    if (past !== null) {
      sink.write(past);
      member.state = "flowing";
      member.allowanceBytes = past.byteLength;
    }
    return {
      close: () => {
        this.#members.delete(member);
      },
    };
  }

  onTracks(tracks: TrackSet): void {
    this.#tracks = tracks;
    this.#pendingTracks = true;
  }

  onPacket(packet: MediaPacket): void {
    const bytes = this.#format.packet(packet);
    if (bytes === null) return;
    this.#serialised.set(packet, bytes);
    if (this.#pendingTracks) this.#appendTracks(packet);
    if (packet.startsGop) {
      this.#lastGop = { chunk: this.#batch.length, atUs: ticksToUs(packet.dts, packet.track.timescale) };
      this.#firstGop ??= this.#lastGop;
    }
    this.#append(bytes);
    if (this.#members.size > 0) this.#arm();
    else this.#dropBatch();
  }

  onPause(): void {
    this.#flush();
  }

  onEnd(): void {
    this.#flush();
    this.endAll("stream-ended");
  }

  /** Ends every subscription. */
  endAll(reason: SubscriptionEnd): void {
    this.#timer?.cancel();
    this.#timer = null;
    const members = [...this.#members];
    this.#members.clear();
    for (const member of members) member.sink.end(reason);
  }

  /** The configuration and what the cache holds, as bytes; `null` while the cache waits for a GOP. */
  #past(): Uint8Array | null {
    const first = this.#cache.packets[0];
    if (first === undefined || this.#tracks === null) return null;
    const chunks = [this.#format.tracks(this.#tracks, ticksToUs(first.dts, first.track.timescale))];
    for (const packet of this.#cache.packets) {
      const bytes = this.#serialised.get(packet) ?? this.#format.packet(packet);
      if (bytes !== null) chunks.push(bytes);
    }
    return concatBytes(chunks);
  }

  /** The configuration of a new epoch goes into the stream of bytes in its place. */
  #appendTracks(packet: MediaPacket): void {
    this.#pendingTracks = false;
    this.#append(this.#format.tracks(this.#tracks!, ticksToUs(packet.dts, packet.track.timescale)));
  }

  #append(bytes: Uint8Array): void {
    this.#batch.push(bytes);
    this.#batchBytes += bytes.byteLength;
  }

  #arm(): void {
    if (this.#timer !== null) return;
    this.#timer = this.#clock.schedule(this.#windowMs(), () => this.#flush());
  }

  #windowMs(): number {
    if (this.#members.size <= PER_PACKET_SUBSCRIBERS) return 0;
    return Math.min(MAX_WINDOW_MS, this.#members.size * WINDOW_MS_PER_SUBSCRIBER);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#batch.length === 0) return;
    const nowUs = this.#clock.nowUs();
    this.#measureRate(nowUs);
    const limitBytes = this.#limitBytes();
    const whole = concatBytes(this.#batch);
    const cuts: Cuts = { whole, fromFirstGop: this.#bytesFrom(this.#firstGop, whole), fromLastGop: null };
    cuts.fromLastGop =
      this.#lastGop === this.#firstGop ? cuts.fromFirstGop : this.#bytesFrom(this.#lastGop, whole);
    this.#dropBatch();
    for (const member of this.#members) this.#sendTo(member, cuts, limitBytes, nowUs);
  }

  #dropBatch(): void {
    this.#batch = [];
    this.#batchBytes = 0;
    this.#firstGop = null;
    this.#lastGop = null;
  }

  /** The part of a flush from a GOP start on, led by the configuration; `null` when there is no such start. */
  #bytesFrom(start: GopStart | null, whole: Uint8Array): Uint8Array | null {
    if (start === null || this.#tracks === null || !this.#someoneWaits()) return null;
    let skip = 0;
    for (let i = 0; i < start.chunk; i++) skip += this.#batch[i]!.byteLength;
    return concatBytes([this.#format.tracks(this.#tracks, start.atUs), whole.subarray(skip)]);
  }

  #someoneWaits(): boolean {
    for (const member of this.#members) if (member.state !== "flowing") return true;
    return false;
  }

  #sendTo(member: Member, cuts: Cuts, limitBytes: number, nowUs: number): void {
    const queuedBytes = member.sink.queuedBytes();
    if (queuedBytes < member.allowanceBytes) member.allowanceBytes = queuedBytes;
    if (queuedBytes > limitBytes + member.allowanceBytes) {
      this.#fallBack(member, queuedBytes, nowUs);
      return;
    }
    member.stalledSinceUs = null;
    if (member.state === "flowing") {
      member.sink.write(cuts.whole);
      return;
    }
    const start = member.state === "joining" ? cuts.fromFirstGop : cuts.fromLastGop;
    if (start === null || queuedBytes > limitBytes / 2) return;
    member.allowanceBytes = start.byteLength;
    member.state = "flowing";
    member.sink.write(start);
  }

  #fallBack(member: Member, queuedBytes: number, nowUs: number): void {
    this.#dropped++;
    if (member.stalledSinceUs === null || queuedBytes < member.leastQueuedBytes) {
      member.stalledSinceUs = nowUs;
      member.leastQueuedBytes = queuedBytes;
    }
    if (member.state === "flowing") {
      member.state = "fell-back";
      if (nowUs - member.resyncWindowStartUs > this.#limits.resyncWindowUs) {
        member.resyncWindowStartUs = nowUs;
        member.resyncs = 0;
      }
      member.resyncs++;
    }
    const isStalled = nowUs - member.stalledSinceUs > this.#limits.maxStalledUs;
    if (!isStalled && member.resyncs <= this.#limits.maxResyncs) return;
    this.#members.delete(member);
    member.sink.end("too-slow");
  }

  #measureRate(nowUs: number): void {
    this.#rateWindowBytes += this.#batchBytes;
    const elapsedUs = nowUs - this.#rateWindowStartUs;
    if (elapsedUs < 1_000_000) return;
    const measured = (this.#rateWindowBytes * 1_000_000) / elapsedUs;
    this.#bytesPerSecond = Math.max(measured, this.#bytesPerSecond * RATE_DECAY);
    this.#rateWindowStartUs = nowUs;
    this.#rateWindowBytes = 0;
  }

  #limitBytes(): number {
    const { maxQueuedSeconds, minQueuedBytes, maxQueuedBytes } = this.#limits;
    return Math.min(maxQueuedBytes, Math.max(minQueuedBytes, this.#bytesPerSecond * maxQueuedSeconds));
  }
}
