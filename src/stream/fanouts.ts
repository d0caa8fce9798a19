import type { Clock } from "../base/clock.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
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
  /** An output leaves tracks out, in words; the empty text for none. Called again whenever the tracks change. */
  leavesOut?(output: string, tracks: string): void;
  /** Called when the last subscriber of any format is gone. */
  onEmpty(): void;
};

/** A viewer who joins begins with pictures no older than this. */
const UNWATCHED_PATIENCE_MS = 100;

/** Choices of tracks that are played at once: each has a log of its own, of a whole GOP. */
export const MAX_CHOICES = 16;

/** All that one stream sends to the viewers of one thread: a fan-out for each wire format that somebody plays. */
export class Fanouts implements PacketSink {
  readonly releasesSlabs = true;
  readonly #parts: FanoutsParts;
  #rules: StreamRules;
  readonly #fanouts = new Map<string, Fanout>();
  /** Of those that are played. */
  readonly #formats = new Map<string, WireFormatFactory>();
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
    const { format, sink } = request;
    const isOneTooMany = format.choice !== undefined && !this.#hasRoomFor(format);
    const refusal = this.#refusalOf(format) ?? (isOneTooMany ? "no-room" : null);
    if (refusal !== null) {
      sink.end(refusal);
      return { close: () => {} };
    }
    if (format.choice !== undefined) this.#choices.add(format.id);
    if (format.resolve === undefined) return this.#join(request, format, sink);
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
    for (const [id, fanout] of [...this.#fanouts]) {
      fanout.onTracks(tracks);
      const format = this.#formats.get(id)!;
      this.#tellLeftOut(format);
      const refusal = this.#refusalOf(format);
      if (refusal !== null) fanout.endAll(refusal);
    }
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
    if (!this.#hasRoomFor(format)) {
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
    this.#formats.set(format.id, format);
    this.#tellLeftOut(format);
    if (this.#tracks !== null) fanout.onTracks(this.#tracks);
    return fanout;
  }

  /** Whether a choice is played already, or may be played beside the others. */
  #hasRoomFor({ id }: WireFormatFactory): boolean {
    return this.#fanouts.has(id) || this.#choices.size < MAX_CHOICES;
  }

  /** Why nothing of the tracks that there are would be sent; `null` where something is, or before any is known. */
  #refusalOf(format: WireFormatFactory): SubscriptionEnd | null {
    const tracks = this.#tracks?.tracks ?? [];
    if (tracks.length === 0) return null;
    const { choice } = format;
    const asked = choice === undefined ? tracks : tracks.filter(({ id }) => choice.has(id));
    if (asked.length === 0) return "tracks-not-there";
    const carriesNone = format.carries !== undefined && !asked.some((track) => format.carries!(track));
    return carriesNone ? "not-carried" : null;
  }

  #tellLeftOut(format: WireFormatFactory): void {
    const isForAll = format.carries !== undefined && format.choice === undefined;
    if (!isForAll || this.#tracks === null) return;
    const left = this.#tracks.tracks.filter((track) => !format.carries!(track));
    const tracks = left.map(({ id, codec }) => `${id} (${codec})`).join(", ");
    this.#parts.leavesOut?.(format.id, tracks);
  }

  #end(fanout: Fanout, formatId: string): void {
    if (this.#fanouts.get(formatId) !== fanout) return;
    this.#fanouts.delete(formatId);
    this.#formats.delete(formatId);
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
