import type { Clock } from "../base/clock.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { SubscribeRequest } from "./directory.ts";
import { Fanout } from "./fanout.ts";
import type { GopCache } from "./gop-cache.ts";
import type { StreamRules } from "./rules.ts";
import type { SendPace } from "./send-pace.ts";
import type { ByteSink, Subscription, SubscriptionEnd, WireFormatFactory } from "./wire-format.ts";

/** What the fan-outs of a stream are made of. */
export type FanoutsParts = {
  readonly rules: StreamRules;
  /** The stream's: it has a packet before the fan-outs get it. */
  readonly cache: GopCache;
  readonly clock: Clock;
  /** The thread's. */
  readonly pace: SendPace;
  /** The media clock at the stream's beginning. */
  originUs(): number;
  /** Called when the last subscriber of any format is gone. */
  onEmpty(): void;
  /** A format that is played leaves a track out: called once for each codec of each track. */
  onLeftOut?(formatId: string, track: Track): void;
};

/** A viewer who joins begins with pictures no older than this. */
const UNWATCHED_PATIENCE_MS = 100;

/** Tracks that are told to be left out; who changes codecs all the time is not told about for ever. */
const MAX_LEFT_OUT = 64;
/** Choices of tracks that are played at once: each has a log of its own, of a whole GOP. */
export const MAX_CHOICES = 16;

/** All that one stream sends to the viewers of one thread: a fan-out for each wire format that somebody plays. */
export class Fanouts implements PacketSink {
  readonly releasesSlabs = true;
  readonly #parts: FanoutsParts;
  #rules: StreamRules;
  readonly #fanouts = new Map<string, Fanout>();
  /** By the id of its format. */
  readonly #carries = new Map<string, (track: Track) => boolean>();
  readonly #leftOut = new Set<string>();
  /** Ids of those that are choices of tracks. */
  readonly #choices = new Set<string>();
  /** Who chose among the tracks. */
  readonly #choosers = new Set<Chooser>();
  #tracks: TrackSet | null = null;

  constructor(parts: FanoutsParts) {
    this.#parts = parts;
    this.#rules = parts.rules;
  }

  /** Other rules are in force, for those who come. */
  configure(rules: StreamRules): void {
    this.#rules = rules;
  }

  /** Subscribers of all formats. */
  get size(): number {
    let size = 0;
    for (const fanout of this.#fanouts.values()) size += fanout.size;
    return size;
  }

  /** Bytes of memory that the logs of its fan-outs hold. */
  get heldBytes(): number {
    let bytes = 0;
    for (const fanout of this.#fanouts.values()) bytes += fanout.heldBytes;
    return bytes;
  }

  /** Adds a subscriber to the bytes of one format; one whose choice of tracks is one too many is ended at once. */
  subscribe(request: SubscribeRequest): Subscription {
    if (request.format.resolve === undefined) return this.#join(request, request.format, request.sink);
    const chooser = new Chooser(request, (gone) => this.#choosers.delete(gone));
    this.#choosers.add(chooser);
    this.#choose(chooser);
    return chooser;
  }

  patienceMs(): number {
    if (this.#fanouts.size === 0) return UNWATCHED_PATIENCE_MS;
    let leastMs = Infinity;
    for (const fanout of this.#fanouts.values()) leastMs = Math.min(leastMs, fanout.patienceMs());
    return leastMs;
  }

  onTracks(tracks: TrackSet): void {
    this.#tracks = tracks;
    for (const fanout of this.#fanouts.values()) fanout.onTracks(tracks);
    for (const [formatId, carries] of this.#carries) this.#tellLeftOut(formatId, carries, tracks);
    for (const chooser of [...this.#choosers]) this.#choose(chooser);
  }

  onPacket(packet: MediaPacket): void {
    for (const fanout of this.#fanouts.values()) fanout.onPacket(packet);
  }

  onPause(): void {
    for (const fanout of this.#fanouts.values()) fanout.onPause();
  }

  onEnd(): void {
    for (const fanout of [...this.#fanouts.values()]) fanout.onEnd();
  }

  /** Ends every subscription. */
  endAll(reason: SubscriptionEnd): void {
    for (const fanout of [...this.#fanouts.values()]) fanout.endAll(reason);
  }

  #join({ sendWindow }: SubscribeRequest, format: WireFormatFactory, sink: ByteSink): Subscription {
    const { prepushMs, sendWindow: ofStream } = this.#rules;
    const fanout = this.#fanouts.get(format.id) ?? this.#start(format);
    return fanout.join(sink, prepushMs !== false, ofStream ?? sendWindow ?? "auto");
  }

  /** Puts a subscriber where its choice leads among the tracks that there are now. */
  #choose(chooser: Chooser): void {
    const { request, formatId } = chooser;
    const format = request.format.resolve!(this.#tracks);
    if (format.id === formatId) return;
    if (!this.#fanouts.has(format.id) && this.#choices.size >= MAX_CHOICES) {
      chooser.end("no-room");
      return;
    }
    this.#choices.add(format.id);
    // What waits there is of the tracks before.
    if (formatId !== null) this.#fanouts.get(formatId)?.onPause();
    if (!chooser.isOver) chooser.moveTo(format.id, this.#join(request, format, chooser));
  }

  #start(format: WireFormatFactory): Fanout {
    const { cache, clock, pace } = this.#parts;
    const fanout = new Fanout({
      format: format.create(this.#parts.originUs()),
      cache,
      clock,
      pace,
      onEmpty: () => this.#end(fanout, format.id),
    });
    this.#fanouts.set(format.id, fanout);
    const carries = format.carries?.bind(format);
    if (carries !== undefined) this.#carries.set(format.id, carries);
    if (this.#tracks === null) return fanout;
    fanout.onTracks(this.#tracks);
    if (carries !== undefined) this.#tellLeftOut(format.id, carries, this.#tracks);
    return fanout;
  }

  #tellLeftOut(formatId: string, carries: (track: Track) => boolean, { tracks }: TrackSet): void {
    for (const track of tracks) {
      const key = `${formatId} ${track.id} ${track.codec}`;
      if (carries(track) || this.#leftOut.has(key) || this.#leftOut.size >= MAX_LEFT_OUT) continue;
      this.#leftOut.add(key);
      this.#parts.onLeftOut?.(formatId, track);
    }
  }

  #end(fanout: Fanout, formatId: string): void {
    if (this.#fanouts.get(formatId) !== fanout) return;
    this.#fanouts.delete(formatId);
    this.#carries.delete(formatId);
    this.#choices.delete(formatId);
    if (this.#fanouts.size === 0) this.#parts.onEmpty();
  }
}

/** A subscriber that chose among the tracks: it is moved to another fan-out when its choice leads elsewhere. */
class Chooser implements Subscription, ByteSink {
  readonly request: SubscribeRequest;
  /** Of the fan-out that it is in. */
  formatId: string | null = null;
  isOver = false;
  readonly #onOver: (gone: Chooser) => void;
  #subscription: Subscription | null = null;

  constructor(request: SubscribeRequest, onOver: (gone: Chooser) => void) {
    this.request = request;
    this.#onOver = onOver;
  }

  /** It joined another fan-out; it leaves the one before, so that there is never none. */
  moveTo(formatId: string, subscription: Subscription): void {
    const before = this.#subscription;
    this.formatId = formatId;
    this.#subscription = subscription;
    before?.close();
    if (this.isOver) subscription.close();
  }

  write(bytes: Uint8Array): void {
    this.request.sink.write(bytes);
  }

  queuedBytes(): number {
    return this.request.sink.queuedBytes();
  }

  end(reason: SubscriptionEnd): void {
    if (this.isOver) return;
    this.close();
    this.request.sink.end(reason);
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#onOver(this);
    this.#subscription?.close();
  }
}
