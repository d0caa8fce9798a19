import type { Clock, Timer } from "../base/clock.ts";
import { PerSecondLog } from "../base/log.ts";
import { RateMeter } from "../base/rate-meter.ts";
import type { Logger } from "../base/log.ts";
import { ticksToUs } from "../base/time.ts";
import type { StreamName } from "../media/ids.ts";
import type { MediaPacket, PacketSink, SourcePacket } from "../media/packet.ts";
import { makeTrackSet } from "../media/track.ts";
import type { Track, TrackSet } from "../media/track.ts";
import type {
  PublishRequest,
  Publisher,
  PublisherSummary,
  StreamSummary,
  SubscribeRequest,
} from "./directory.ts";
import { BitrateWatch } from "./bitrate-watch.ts";
import { streamErrors } from "./errors.ts";
import { Fanouts } from "./fanouts.ts";
import { LeftOutLog } from "./left-out-log.ts";
import { GopCache, gopLimits } from "./gop-cache.ts";
import { waitMs } from "./rules.ts";
import type { StreamRules } from "./rules.ts";
import type { SendPace } from "./send-pace.ts";
import { Timeline } from "./timeline.ts";
import type { Subscription } from "./wire-format.ts";

/** What a stream needs from outside. */
export type LiveStreamOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** The thread's. */
  readonly pace: SendPace;
  /** Called when nothing holds the stream any more: no publisher, no waiting time left, no subscriber. */
  onIdle(stream: LiveStream): void;
  /** Called when something happened that people may want to know; neither throws nor waits. */
  readonly onNotice?: ((notice: StreamNotice) => void) | undefined;
};

/** Something that happened to a stream, by the name of its event. */
export type StreamNotice = {
  readonly what: `stream_${"opened" | "updated" | "closed"}` | `source_${SourceStep}`;
  readonly stream: StreamName;
  readonly source?: Pick<PublishRequest, "protocol" | "remoteAddress">;
  readonly tracks?: readonly Track[];
  readonly bitrateBps?: number;
  readonly reason?: string;
  /** Bytes that the stream has had from its publishers. */
  readonly bytes?: number;
};

type SourceStep = "opened" | "connected" | "started" | "updated" | "lost" | "closed";

/** A publisher that has sent nothing for this long gives way to a newcomer: its network died, or it hangs. */
const TAKEOVER_SILENCE_US = 3_000_000;

/** Even for nobody the GOP cache is kept no older than this. */
const MAX_PATIENCE_MS = 350;

/**
 * One named live stream, in the thread of its publisher: timeline, GOP cache, packagers and fan-outs.
 *
 * It outlives its publisher by `source_timeout`, so that one who comes back continues the same stream under a new
 * epoch; subscribers and packagers stay. See `docs/lifecycles.md` for the states and who closes what.
 */
export class LiveStream {
  #rules: StreamRules;
  readonly #options: LiveStreamOptions;
  readonly #timeline = new Timeline();
  readonly #cache: GopCache;
  readonly #sinks = new Set<PacketSink>();
  /** Sinks that may keep payloads without a word. */
  #keepers = 0;
  readonly #fanouts: Fanouts;
  readonly #leftOutLog: LeftOutLog;
  readonly #clampedLog: PerSecondLog;
  readonly #strayLog: PerSecondLog;
  #publisher: ActivePublisher | null = null;
  #tracks: TrackSet | null = null;
  #epoch = 0;
  #originUs: number | null = null;
  #sinceUs: number | null = null;
  #bytesIn = 0;
  /** Track and decoding time of the newest packet. */
  #last: Track | null = null;
  #lastDts = 0;
  readonly #openedUs: number;
  readonly #input = new RateMeter();
  readonly #bitrate = new BitrateWatch();
  #publishers = 0;
  #graceTimer: Timer | null = null;
  #silenceTimer: Timer | null = null;
  /** Monotonic time of the present publisher's last packet, or of its beginning. */
  #heardUs = 0;
  #isKept = false;
  #endsWaiting = false;
  #closed = false;

  constructor(rules: StreamRules, options: LiveStreamOptions) {
    this.#rules = rules;
    this.#options = options;
    this.#openedUs = options.clock.wallUs();
    this.#cache = new GopCache(gopLimits(rules));
    this.#leftOutLog = new LeftOutLog(rules.name, options.log);
    this.#fanouts = new Fanouts({
      rules,
      cache: this.#cache,
      clock: options.clock,
      pace: options.pace,
      originUs: () => this.originUs,
      leavesOut: (output, tracks) => this.noteLeftOut(output, tracks),
      onEmpty: () => this.#viewersLeft(),
    });
    this.#addSink(this.#fanouts);
    this.#clampedLog = new PerSecondLog(options.log, "packets out of order in time, moved");
    this.#strayLog = new PerSecondLog(options.log, "packets of an old timeline after a time jump, dropped");
    this.#notice("stream_opened");
  }

  /** The rules in force. */
  get rules(): StreamRules {
    return this.#rules;
  }

  /** Other rules are in force: for the next publisher, viewer and pause. */
  configure(rules: StreamRules): void {
    this.#rules = rules;
    this.#fanouts.configure(rules);
  }

  /** The stream as other rooms may know it. */
  summary(): StreamSummary {
    return {
      name: this.#rules.name,
      status: this.isLive ? "live" : "waiting",
      tracks: this.#tracks,
      sinceUs: this.#sinceUs,
      bytesIn: this.#bytesIn,
      subscribers: this.#fanouts.size,
      openedUs: this.#openedUs,
      inputBps: this.#input.bps(this.#options.clock.nowUs()),
      returns: Math.max(0, this.#publishers - 1),
      lastDtsUs: this.#last === null ? null : ticksToUs(this.#lastDts, this.#last.timescale),
      lastAtUs: this.#last === null ? null : this.#wallUs(this.#heardUs),
      publisher: this.#source(),
    };
  }

  #source(): PublisherSummary | null {
    if (this.#publisher === null) return null;
    const { request, openedUs, bytesBefore } = this.#publisher;
    const { protocol, remoteAddress } = request;
    return { protocol, remoteAddress, openedUs, bytesIn: this.#bytesIn - bytesBefore };
  }

  /** UTC of a monotonic time. */
  #wallUs(monotonicUs: number): number {
    const { clock } = this.#options;
    return clock.wallUs() - (clock.nowUs() - monotonicUs);
  }

  /** Bytes of its GOP cache, partly the same as its packagers hold, and of the logs that its viewers are sent. */
  get heldBytes(): number {
    return this.#cache.bytes + this.#fanouts.heldBytes;
  }

  /** What of `heldBytes` only viewers cause: the logs that they are sent from. */
  get sentBytes(): number {
    return this.#fanouts.heldBytes;
  }

  /** The media clock at the stream's beginning. Units: microseconds since 1970. */
  get originUs(): number {
    this.#originUs ??= this.#timeline.endUs || this.#options.clock.wallUs();
    return this.#originUs;
  }

  /**
   * Its media goes on behind that time, where the wall clock is not there yet: it was set back, or what was recorded before ran
   * ahead of it. Units: microseconds on the media clock.
   */
  goOnFrom(us: number): void {
    if (us <= Math.max(this.#timeline.endUs, this.#options.clock.wallUs())) return;
    const hasBegun = this.#timeline.endUs > 0;
    this.#timeline.goOnFrom(us);
    if (hasBegun && this.#tracks !== null) this.#startEpoch(this.#tracks.tracks);
  }

  /** Attaches a consumer of packets, such as a packager; `withPast`: it is given what the GOP cache holds. */
  attach(sink: PacketSink, withPast = true): void {
    if (this.#closed) {
      sink.onEnd("the stream has ended");
      return;
    }
    this.#addSink(sink);
    if (this.#tracks === null) return;
    sink.onTracks(this.#tracks);
    if (withPast) for (const packet of this.#cache.packets) sink.onPacket(packet);
  }

  /** Takes a consumer away without a word. */
  detach(sink: PacketSink): void {
    this.#removeSink(sink);
  }

  /** Gives the stream to a publisher. Throws STREAM_BUSY. */
  publish(request: PublishRequest): Publisher {
    if (this.#publisher !== null) this.#makeWay(this.#publisher);
    this.#graceTimer?.cancel();
    this.#graceTimer = null;
    this.#publisher = new ActivePublisher(this, request, {
      openedUs: this.#options.clock.wallUs(),
      bytesBefore: this.#bytesIn,
    });
    this.#publishers++;
    this.#heardUs = this.#options.clock.nowUs();
    this.#watchSilence();
    this.#notice("source_opened", { source: request });
    return this.#publisher;
  }

  /** Media comes, or came a moment ago: it has a publisher whose tracks are known. */
  get isLive(): boolean {
    return this.#sinceUs !== null;
  }

  /** It has a publisher now. */
  get isOnAir(): boolean {
    return this.#publisher !== null;
  }

  /** The protocol of the present publisher; `null` where there is none. */
  get publishedOver(): string | null {
    return this.#publisher?.request.protocol ?? null;
  }

  /** Takes the present publisher off; the stream waits for another one as if this one had left. */
  takeOff(reason: string): void {
    if (this.#publisher === null) return;
    this.#revoke(reason);
    this.#startGrace();
  }

  /** Adds a subscriber to the bytes of one format. */
  subscribe(request: SubscribeRequest): Subscription {
    const subscription = this.#fanouts.subscribe(request);
    if (this.#publisher === null && this.#graceTimer === null) this.#startGrace();
    return subscription;
  }

  /** From now on what was published stays until `close`, whatever `source_timeout` says. */
  keep(): void {
    this.#isKept = true;
    if (this.#tracks === null) return;
    this.#graceTimer?.cancel();
    this.#graceTimer = null;
  }

  /** From now on subscribers are ended where there is no publisher, instead of waiting for one; all else stays. */
  endWaiting(): void {
    this.#endsWaiting = true;
    if (this.#publisher === null) this.#endSubscribers();
  }

  /** An output leaves tracks out, in words, here or in another thread: said in the log, once for all threads. */
  noteLeftOut(output: string, tracks: string): void {
    this.#leftOutLog.note(output, tracks);
  }

  /** Ends those who watch byte by byte, for want of memory; the publisher, and those who ask for segments, go on. */
  endViewers(): void {
    this.#fanouts.endAll("no-room");
  }

  /** Ends everything: publisher, subscribers, sinks. Idempotent. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#graceTimer?.cancel();
    this.#silenceTimer?.cancel();
    this.#revoke(reason);
    for (const sink of [...this.#sinks]) sink.onEnd(reason);
    this.#sinks.clear();
    this.#keepers = 0;
    this.#cache.clear();
    this.#notice("stream_closed", { reason, bytes: this.#bytesIn });
  }

  /** For `ActivePublisher`: the tracks from here on. */
  acceptTracks(from: ActivePublisher, tracks: readonly Track[]): void {
    if (this.#publisher !== from || tracks.length === 0) return;
    const isFirst = !from.hasTracks;
    if (isFirst) this.#timeline.breakRun();
    from.hasTracks = true;
    this.#startEpoch(tracks);
    this.#sinceUs ??= this.#options.clock.wallUs();
    this.#notice(isFirst ? "source_connected" : "source_updated", { source: from.request, tracks });
    this.#notice("stream_updated", { tracks });
  }

  /** For `ActivePublisher`: the next packet. */
  acceptPacket(from: ActivePublisher, packet: SourcePacket): void {
    if (this.#publisher !== from || this.#tracks === null) return;
    const { clock } = this.#options;
    const placement = this.#timeline.judge(packet);
    if (placement === "stray") {
      this.#strayLog.add(clock.nowUs(), { track: packet.track.id });
      return;
    }
    if (placement === "breaks") this.#breakTimeline(packet);
    const clampedBefore = this.#timeline.clampedPackets;
    const { dts, pts } = this.#timeline.place(packet, clock.wallUs());
    if (this.#timeline.clampedPackets > clampedBefore) {
      this.#clampedLog.add(clock.nowUs(), { track: packet.track.id });
    }
    this.#bytesIn += packet.payload.byteLength;
    this.#last = packet.track;
    this.#lastDts = dts;
    this.#heardUs = clock.nowUs();
    const startsGop = packet.isSync && packet.track === this.#tracks.reference;
    if (!from.isPlayable) this.#sourceCame(from, startsGop);
    this.#input.add(packet.payload.byteLength, this.#heardUs);
    if (this.#heardUs >= this.#bitrate.dueUs) this.#judgeBitrate();
    this.#deliver({
      track: packet.track,
      dts,
      pts,
      durationTicks: packet.durationTicks,
      isSync: packet.isSync,
      startsGop,
      epoch: this.#epoch,
      arrivalUs: this.#heardUs,
      payload: packet.payload,
      slab: packet.slab ?? null,
    });
  }

  /** For `ActivePublisher`: how long its next packets may wait. */
  patienceMs(from: ActivePublisher): number {
    if (this.#publisher !== from) return 0;
    let leastMs = MAX_PATIENCE_MS;
    for (const sink of this.#sinks) leastMs = Math.min(leastMs, sink.patienceMs?.() ?? 0);
    return leastMs;
  }

  /** For `ActivePublisher`: how far the media there is is ahead of the wall clock. */
  get leadMs(): number {
    return (this.#timeline.endUs - this.#options.clock.wallUs()) / 1000;
  }

  /** For `ActivePublisher`: it left by itself. */
  publisherLeft(from: ActivePublisher, reason: string): void {
    if (this.#publisher !== from) return;
    this.#publisher = null;
    this.#silenceTimer?.cancel();
    this.#pause();
    this.#options.log.info("publisher left", { stream: this.#rules.name, reason });
    this.#notice("source_closed", { source: from.request, reason, bytes: this.#bytesIn });
    this.#startGrace();
  }

  /** A present publisher goes when the rules or its own silence say so. Throws STREAM_BUSY when it stays. */
  #makeWay(present: ActivePublisher): void {
    if (this.#rules.secondPublisher === "replace") this.#revoke("replaced by another publisher");
    else if (this.#options.clock.nowUs() - this.#heardUs > TAKEOVER_SILENCE_US) {
      this.#revoke("silent, and another publisher came");
    } else {
      const owner = present.request.remoteAddress;
      throw streamErrors.error("STREAM_BUSY", { name: this.#rules.name, owner });
    }
  }

  /** `source_timeout` counts from the last packet: a publisher whose connection hangs is as gone as one that closed. */
  #watchSilence(): void {
    const { sourceTimeoutMs } = this.#rules;
    this.#silenceTimer?.cancel();
    if (sourceTimeoutMs === false || this.#isKept) return;
    const leftMs = sourceTimeoutMs - (this.#options.clock.nowUs() - this.#heardUs) / 1000;
    if (leftMs > 0) {
      this.#silenceTimer = this.#options.clock.schedule(Math.ceil(leftMs), () => this.#watchSilence());
      return;
    }
    const reason = "it has sent nothing for source_timeout";
    if (this.#publisher !== null) this.#notice("source_lost", { source: this.#publisher.request, reason });
    this.#revoke(reason);
    this.#options.onIdle(this);
  }

  /** Of its first packets, until one is there that viewers can begin with. */
  #sourceCame(from: ActivePublisher, startsGop: boolean): void {
    if (!from.hasStarted) {
      this.#notice("source_started", { source: from.request });
      this.#bitrate.begin(this.#bytesIn, this.#heardUs);
    }
    from.hasStarted = true;
    from.isPlayable = startsGop;
    if (startsGop) from.request.onPlayable?.();
  }

  #judgeBitrate(): void {
    const bitrateBps = this.#bitrate.look(this.#bytesIn, this.#heardUs);
    if (bitrateBps !== null && this.#tracks !== null)
      this.#notice("stream_updated", { tracks: this.#tracks.tracks, bitrateBps });
  }

  #notice(what: StreamNotice["what"], facts: Omit<StreamNotice, "what" | "stream"> = {}): void {
    this.#options.onNotice?.({ what, stream: this.#rules.name, ...facts });
  }

  #deliver(packet: MediaPacket): void {
    this.#originUs ??= ticksToUs(packet.dts, packet.track.timescale);
    if (this.#keepers > 0) packet.slab?.abandon();
    this.#cache.push(packet);
    for (const sink of this.#sinks) sink.onPacket(packet);
  }

  #addSink(sink: PacketSink): void {
    this.#sinks.add(sink);
    if (sink.releasesSlabs === true) return;
    this.#keepers++;
    this.#cache.abandonSlabs();
  }

  #removeSink(sink: PacketSink): void {
    if (this.#sinks.delete(sink) && sink.releasesSlabs !== true) this.#keepers--;
  }

  #startEpoch(tracks: readonly Track[]): void {
    this.#epoch++;
    this.#tracks = makeTrackSet(this.#epoch, tracks);
    this.#cache.clear();
    for (const sink of this.#sinks) sink.onTracks(this.#tracks);
  }

  #breakTimeline(packet: SourcePacket): void {
    this.#options.log.warn("the source's clock jumped, the timeline breaks here", {
      stream: this.#rules.name,
      track: packet.track.id,
    });
    this.#timeline.breakRun();
    this.#startEpoch(this.#tracks!.tracks);
  }

  #pause(): void {
    this.#sinceUs = null;
    for (const sink of this.#sinks) sink.onPause();
    if (this.#endsWaiting) this.#endSubscribers();
  }

  #endSubscribers(): void {
    this.#fanouts.endAll("server-stopping");
  }

  #revoke(reason: string): void {
    const revoked = this.#publisher;
    if (revoked === null) return;
    this.#publisher = null;
    this.#silenceTimer?.cancel();
    this.#options.log.info("publisher taken off", { stream: this.#rules.name, reason });
    this.#notice("source_closed", { source: revoked.request, reason, bytes: this.#bytesIn });
    this.#pause();
    revoked.request.onRevoked(reason);
  }

  #startGrace(): void {
    const { sourceTimeoutMs } = this.#rules;
    if ((sourceTimeoutMs === false || this.#isKept) && this.#tracks !== null) return;
    this.#graceTimer?.cancel();
    this.#graceTimer = this.#options.clock.schedule(waitMs(this.#rules), () => {
      this.#graceTimer = null;
      if (this.#tracks === null) this.#fanouts.endAll("not-on-air");
      this.#options.onIdle(this);
    });
  }

  /** A stream that only ever waited for its publisher ends with the last who waited. */
  #viewersLeft(): void {
    if (this.#publisher !== null || this.#tracks !== null || this.#closed) return;
    this.#graceTimer?.cancel();
    this.#graceTimer = null;
    this.#options.onIdle(this);
  }
}

/** The publisher's end; the stream ignores it once another took its place. */
class ActivePublisher implements Publisher {
  readonly request: PublishRequest;
  /** Its run has begun: later changes of its tracks stay on the same timeline. */
  hasTracks = false;
  /** Its first packet was there. */
  hasStarted = false;
  /** UTC in microseconds. */
  readonly openedUs: number;
  /** What the stream had had before it. */
  readonly bytesBefore: number;
  /** Its first GOP has begun. */
  isPlayable = false;
  readonly #stream: LiveStream;

  constructor(
    stream: LiveStream,
    request: PublishRequest,
    begin: { readonly openedUs: number; readonly bytesBefore: number },
  ) {
    this.#stream = stream;
    this.request = request;
    this.openedUs = begin.openedUs;
    this.bytesBefore = begin.bytesBefore;
  }

  setTracks(tracks: readonly Track[]): void {
    this.#stream.acceptTracks(this, tracks);
  }

  write(packet: SourcePacket): void {
    this.#stream.acceptPacket(this, packet);
  }

  patienceMs(): number {
    return this.hasTracks ? this.#stream.patienceMs(this) : 0;
  }

  leadMs(): number {
    return this.#stream.leadMs;
  }

  close(reason: string): void {
    this.#stream.publisherLeft(this, reason);
  }
}
