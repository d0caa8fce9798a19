import type { Clock } from "../base/clock.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type { SubscribeRequest } from "./directory.ts";
import { Fanout } from "./fanout.ts";
import type { GopCache } from "./gop-cache.ts";
import type { StreamRules } from "./rules.ts";
import type { SendPace } from "./send-pace.ts";
import type { Subscription, SubscriptionEnd, WireFormatFactory } from "./wire-format.ts";

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

/** All that one stream sends to the viewers of one thread: a fan-out for each wire format that somebody plays. */
export class Fanouts implements PacketSink {
  readonly releasesSlabs = true;
  readonly #parts: FanoutsParts;
  #rules: StreamRules;
  readonly #fanouts = new Map<string, Fanout>();
  /** By the id of its format. */
  readonly #carries = new Map<string, (track: Track) => boolean>();
  readonly #leftOut = new Set<string>();
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

  /** Adds a subscriber to the bytes of one format. */
  subscribe(request: SubscribeRequest): Subscription {
    const { prepushMs, sendWindow } = this.#rules;
    const fanout = this.#fanouts.get(request.format.id) ?? this.#start(request.format);
    const window = sendWindow ?? request.sendWindow ?? "auto";
    return fanout.join(request.sink, prepushMs !== false, window);
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
    if (this.#fanouts.size === 0) this.#parts.onEmpty();
  }
}
