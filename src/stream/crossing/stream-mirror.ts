import type { Clock, Timer } from "../../base/clock.ts";
import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import type { SubscribeRequest } from "../directory.ts";
import { Fanouts } from "../fanouts.ts";
import { GopCache, gopLimits } from "../gop-cache.ts";
import { waitMs } from "../rules.ts";
import type { StreamRules } from "../rules.ts";
import type { SendPace } from "../send-pace.ts";
import type { Subscription, SubscriptionEnd } from "../wire-format.ts";

/** What a mirror is made of. */
export type StreamMirrorParts = {
  readonly rules: StreamRules;
  readonly clock: Clock;
  readonly pace: SendPace;
  /** An output leaves tracks out, in words: the stream's home says so in the log. */
  onLeftOut?(output: string, tracks: string): void;
  /** Called once, when it has no viewer any more. */
  onIdle(mirror: StreamMirror): void;
};

/** A viewer that is not subscribed yet. */
type EarlyViewer = { subscription: Subscription | null };

/**
 * The viewers that one thread has of a stream whose home is another thread, or nowhere yet: a GOP cache and fan-outs of
 * their own, fed by packets that cross once for all of them. It lives as long as it has viewers, and lets them wait for
 * `source_timeout` when the home is gone.
 */
export class StreamMirror implements PacketSink {
  readonly releasesSlabs = true;
  #rules: StreamRules;
  readonly #parts: StreamMirrorParts;
  readonly #cache: GopCache;
  readonly #fanouts: Fanouts;
  /** Viewers who came before the home was found: their bytes are counted from the stream's beginning, as it is there. */
  readonly #early = new Map<SubscribeRequest, EarlyViewer>();
  #status: "unknown" | "on-air" | "off-air" = "unknown";
  #hadTracks = false;
  #originUs: number | null = null;
  #waitTimer: Timer | null = null;
  #endsWaiting = false;
  #isOver = false;

  constructor(parts: StreamMirrorParts) {
    this.#rules = parts.rules;
    this.#parts = parts;
    this.#cache = new GopCache(gopLimits(parts.rules));
    this.#fanouts = new Fanouts({
      rules: parts.rules,
      cache: this.#cache,
      clock: parts.clock,
      pace: parts.pace,
      leavesOut: (output, tracks) => parts.onLeftOut?.(output, tracks),
      originUs: () => this.#originUs!,
      onEmpty: () => this.#left(),
    });
    this.#startWaiting();
  }

  /** The rules in force. */
  get rules(): StreamRules {
    return this.#rules;
  }

  /** Other rules are in force: for the next viewer and pause. */
  configure(rules: StreamRules): void {
    this.#rules = rules;
    this.#fanouts.configure(rules);
  }

  /** How many viewers it has. */
  get size(): number {
    return this.#fanouts.size + this.#early.size;
  }

  /** Bytes of its GOP cache, and of the logs that its viewers are sent. */
  get heldBytes(): number {
    return this.#cache.bytes + this.#fanouts.heldBytes;
  }

  /** Adds a viewer. */
  subscribe(request: SubscribeRequest): Subscription {
    if (request.waitsForPublisher === false && this.#status === "off-air") {
      request.sink.end("not-on-air");
      return { close: () => {} };
    }
    if (this.#originUs !== null) return this.#fanouts.subscribe(request);
    const early: EarlyViewer = { subscription: null };
    this.#early.set(request, early);
    return {
      close: () => {
        early.subscription?.close();
        if (this.#early.delete(request)) this.#left();
      },
    };
  }

  /** The home is found: the media clock at its stream's beginning, and whether it has a publisher. */
  found(originUs: number, isOnAir: boolean): void {
    if (!isOnAir) this.notOnAir();
    else this.#status = "on-air";
    if (this.#isOver) return;
    this.#originUs ??= originUs;
    const early = [...this.#early];
    this.#early.clear();
    for (const [request, viewer] of early) viewer.subscription = this.#fanouts.subscribe(request);
  }

  /** There is no publisher now: who does not wait is told so. */
  notOnAir(): void {
    this.#status = "off-air";
    if (this.#endsWaiting) {
      this.#endAll("server-stopping");
      return;
    }
    for (const request of [...this.#early.keys()]) {
      if (request.waitsForPublisher !== false) continue;
      this.#early.delete(request);
      request.sink.end("not-on-air");
    }
    this.#left();
  }

  onTracks(tracks: TrackSet): void {
    this.#stopWaiting();
    this.#status = "on-air";
    this.#hadTracks = true;
    this.#cache.clear();
    this.#fanouts.onTracks(tracks);
  }

  onPacket(packet: MediaPacket): void {
    if (this.#waitTimer !== null) this.#stopWaiting();
    this.#cache.push(packet);
    this.#fanouts.onPacket(packet);
  }

  onPause(): void {
    this.#fanouts.onPause();
    this.#status = "off-air";
    if (this.#endsWaiting) this.#endAll("server-stopping");
    else this.#startWaiting();
  }

  onEnd(): void {
    this.#fanouts.onPause();
    this.#endAll("stream-ended");
  }

  /** From now on its viewers are ended where there is no publisher, instead of waiting for one. */
  endWaiting(): void {
    this.#endsWaiting = true;
    if (this.#status === "off-air") this.notOnAir();
  }

  #startWaiting(): void {
    const { sourceTimeoutMs } = this.rules;
    if (this.#waitTimer !== null || (sourceTimeoutMs === false && this.#hadTracks)) return;
    this.#waitTimer = this.#parts.clock.schedule(waitMs(this.rules), () => {
      this.#waitTimer = null;
      this.#endAll(this.#hadTracks ? "stream-ended" : "not-on-air");
    });
  }

  #endAll(reason: SubscriptionEnd): void {
    const early = [...this.#early.keys()];
    this.#early.clear();
    for (const { sink } of early) sink.end(reason);
    this.#fanouts.endAll(reason);
    this.#finish();
  }

  #left(): void {
    if (this.size === 0) this.#finish();
  }

  #stopWaiting(): void {
    this.#waitTimer?.cancel();
    this.#waitTimer = null;
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    this.#cache.clear();
    this.#parts.onIdle(this);
  }
}
