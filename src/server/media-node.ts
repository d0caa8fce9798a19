import type { AddressLimit } from "../base/address-counter.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { Logger } from "../base/log.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ResolvedConfig, RtmpListenerPlan, StreamPlan } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { parseHlsPath } from "../protocols/hls/path.ts";
import type { HlsResource } from "../protocols/hls/path.ts";
import { hlsReply } from "../protocols/hls/reply.ts";
import { RtmpListener } from "../protocols/rtmp/listener.ts";
import type { StreamSummary } from "../stream/directory.ts";
import { streamErrors } from "../stream/errors.ts";
import type { LiveStream } from "../stream/live-stream.ts";
import { LocalDirectory } from "../stream/local-directory.ts";
import { VodLibrary } from "../vod/vod.ts";
import type { VodOptions } from "../vod/vod.ts";
import { FileInputs } from "./file-inputs.ts";
import { LiveWindows } from "./live-windows.ts";
import { memoryBudgetBytes, overBudget } from "./memory.ts";
import { planOf, rulesOf, vodProtocols } from "./stream-rules.ts";

/** Bound on streams of one thread: each may hold a GOP and a window of segments. */
const MAX_STREAMS = 10_000;

/** Of the memory that the process may use, what live streams may hold in windows and caches. */
const LIVE_MEMORY_PERCENT = 50;
const GUARD_INTERVAL_MS = 1000;

/** What a media node is given. */
export type MediaNodeOptions = {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Which of how many threads this is, and what each of them holds, for all to see. Units: KiB. */
  readonly thread: { readonly index: number; readonly count: number; readonly heldKib: Int32Array };
  /** Bounds RTMP connections of one address. */
  readonly addresses: AddressLimit;
};

/** Figures of a media node. */
export type MediaNodeStats = {
  readonly streams: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly rtmpConnections: number;
};

/** Paths whose meaning is kept; none is longer than 2048 characters. */
const MAX_KEPT_PATHS = 1024;

/** What an HLS path means. */
type HlsAddress = {
  readonly name: string;
  readonly streamName: StreamName | null;
  readonly resource: HlsResource;
};

/**
 * Everything that touches media: listeners, streams, packagers, files. One per media thread; nothing in it knows of
 * the API or the pages.
 */
export class MediaNode {
  readonly directory: LocalDirectory;
  readonly vods: VodLibrary;
  readonly #options: MediaNodeOptions;
  #config: ResolvedConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #budgetBytes = memoryBudgetBytes(LIVE_MEMORY_PERCENT);
  #guardTimer: Timer | null = null;
  readonly #paths = new Map<string, HlsAddress>();
  readonly #windows: LiveWindows;
  readonly #inputs: FileInputs;
  #rtmp: RtmpListener[] = [];

  constructor(options: MediaNodeOptions) {
    const { config, clock, log } = options;
    this.#options = options;
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.#windows = new LiveWindows(clock);
    this.directory = new LocalDirectory({
      clock,
      log,
      rulesOf: (name, purpose) => rulesOf(this.#config, name, purpose),
      maxStreams: MAX_STREAMS,
      equip: (stream) => this.#equip(stream),
      onClosed: (name) => this.#windows.close(name),
    });
    this.vods = new VodLibrary({ vods: servedVods(config), log, clock });
    this.#inputs = new FileInputs({ directory: this.directory, vods: this.vods, clock, log });
  }

  /**
   * Opens the RTMP listeners on `ports` and starts those streams that play files and are this thread's.
   * Returns: the ports that were opened. Rejects when one cannot be.
   */
  async start(ports: readonly number[], isShared: boolean): Promise<number[]> {
    const plans = this.#config.listeners.rtmp;
    this.#rtmp = plans.map((plan, i) => this.#rtmpListener(plan, ports[i]!, isShared));
    for (const listener of this.#rtmp) await listener.start();
    this.#startInputs(this.#config, []);
    this.#guardMemory();
    return this.#rtmp.map((listener) => listener.address()!.port);
  }

  /** The streams that live here. */
  streams(): StreamSummary[] {
    return this.directory.list().map((stream) => stream.summary());
  }

  /** Present figures. */
  stats(): MediaNodeStats {
    const rtmp = this.#rtmp.map((listener) => listener.stats());
    return {
      streams: this.directory.list().length,
      publishers: rtmp.reduce((sum, { publishers }) => sum + publishers, 0),
      subscribers: rtmp.reduce((sum, { players }) => sum + players, 0),
      rtmpConnections: rtmp.reduce((sum, { connections }) => sum + connections, 0),
    };
  }

  /** A new configuration is in force: what it takes away ends, what it adds begins, the rest goes on. */
  configure(config: ResolvedConfig): void {
    const before = this.#config;
    this.#config = config;
    this.vods.setVods(servedVods(config));
    for (const stream of this.directory.list()) {
      const rules = rulesOf(config, stream.rules.name, "play");
      if (rules === null || rules.disabled) this.directory.end(stream, "the configuration takes it away");
    }
    this.#startInputs(config, before.streams);
  }

  /**
   * Answers a request for media, at once where nothing has to be waited for; `null` when the path is none of any
   * protocol's. Throws or rejects with STREAM_*, VOD_*, MP4_*.
   */
  handle(request: HttpRequest): Promise<HttpReply> | HttpReply | null {
    const hls = this.#parsePath(request.path);
    if (hls === null) return null;
    const token = request.query.size === 0 ? null : request.query.get("token");
    const query = token === null ? "" : `?token=${encodeURIComponent(token)}`;
    const presentation = this.#presentation(hls.name, hls.streamName);
    return presentation instanceof Promise
      ? presentation.then((ready) => hlsReply(hls.resource, ready, query))
      : hlsReply(hls.resource, presentation, query);
  }

  /** What `parseHlsPath` says; kept for paths that were asked for lately, for players ask for few, again and again. */
  #parsePath(path: string): HlsAddress | null {
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    const parsed = parseHlsPath(path);
    if (parsed === null) return null;
    const address = { ...parsed, streamName: parseStreamName(parsed.name) };
    if (this.#paths.size >= MAX_KEPT_PATHS) this.#paths.clear();
    this.#paths.set(path, address);
    return address;
  }

  /** Ends publishers, players and files, in that order of courtesy: told first, then closed. */
  async stop(): Promise<void> {
    this.#guardTimer?.cancel();
    await this.#inputs.stop();
    await Promise.all(this.#rtmp.map((listener) => listener.stop()));
    this.directory.close("the server stops");
    await this.vods.close();
  }

  #rtmpListener(plan: RtmpListenerPlan, port: number, isShared: boolean): RtmpListener {
    const { limits } = this.#config;
    return new RtmpListener(
      {
        ...(plan.host === undefined ? {} : { host: plan.host }),
        port,
        isShared,
        ...(plan.sendWindow === undefined ? {} : { sendWindow: plan.sendWindow }),
        limits: {
          handshakeTimeoutMs: limits.rtmpHandshakeTimeoutMs,
          idleTimeoutMs: limits.rtmpIdleTimeoutMs,
          publishTimeoutMs: limits.rtmpIdleTimeoutMs,
          stallTimeoutMs: limits.rtmpIdleTimeoutMs,
          messageBytes: limits.maxMessageBytes,
        },
      },
      {
        directory: this.directory,
        clock: this.#clock,
        logger: this.#log,
        addresses: this.#options.addresses,
      },
    );
  }

  /** Each thread has its share of the streams that play files; those that did not change go on. */
  #startInputs(config: ResolvedConfig, before: readonly StreamPlan[]): void {
    const known = new Map(before.map((stream) => [stream.name, JSON.stringify(stream.inputs)]));
    const { index, count } = this.#options.thread;
    for (const [i, stream] of config.streams.entries()) {
      const isOurs = i % count === index;
      if (isOurs && known.get(stream.name) !== JSON.stringify(stream.inputs)) this.#inputs.start(stream);
    }
  }

  #equip(stream: LiveStream): void {
    const { name } = stream.rules;
    const plan = planOf(this.#config, name);
    if (plan === null || !allowsProtocol(plan.options.protocols, "hls")) return;
    this.#windows.open(stream, {
      segmentDurationUs: plan.options.segmentDurationMs * 1000,
      segmentCount: plan.options.segmentCount,
    });
  }

  /** What plays under a name: a file of a vod, a stream, or the reason why neither does. Throws STREAM_*, VOD_*. */
  #presentation(name: string, streamName: StreamName | null): Promise<Presentation> | Presentation {
    const rules = streamName === null ? null : rulesOf(this.#config, streamName, "play");
    if (rules === null && this.vods.find(name) !== null) return this.#file(name);
    if (streamName === null) {
      throw streamErrors.error("STREAM_BAD_NAME", {
        reason: "it has characters or a form that names cannot have",
      });
    }
    if (rules === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
    if (rules.disabled) throw streamErrors.error("STREAM_DISABLED", { name });
    if (!rules.allowsProtocol("hls"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "hls" });
    return this.#windows.ready(
      streamName,
      () => this.directory.find(streamName)?.summary().status === "live",
    );
  }

  #file(name: string): Promise<Presentation> {
    const protocols = vodProtocols(this.#config, name);
    if (!allowsProtocol(protocols, "hls"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "hls" });
    return this.vods.open(name);
  }

  /** Keeps what the streams of all threads hold within the budget: see `overBudget`. */
  #guardMemory(): void {
    const holdings = this.directory.list().map((stream) => ({
      stream,
      bytes: this.#windows.bytesOf(stream.rules.name) + stream.cachedBytes,
    }));
    const { heldKib, index, count } = this.#options.thread;
    const heldBytes = holdings.reduce((sum, { bytes }) => sum + bytes, 0);
    Atomics.store(heldKib, index, Math.round(heldBytes / 1024));
    let allKib = 0;
    for (let thread = 0; thread < count; thread++) allKib += Atomics.load(heldKib, thread);
    const others = allKib * 1024 - heldBytes;
    // A thread with less than its share leaves the cutting to those with more.
    const mayHoldBytes = Math.max(this.#budgetBytes - others, this.#budgetBytes / count);
    for (const stream of overBudget(holdings, mayHoldBytes)) {
      this.#log.error("all streams together hold more memory than they may: the largest is ended", {
        stream: stream.rules.name,
        budgetBytes: this.#budgetBytes,
      });
      this.directory.end(stream, "it held the most memory while all streams held too much");
    }
    this.#guardTimer = this.#clock.schedule(GUARD_INTERVAL_MS, () => this.#guardMemory());
  }
}

function servedVods(config: ResolvedConfig): VodOptions[] {
  return config.vods
    .filter((vod) => !vod.disabled)
    .map((vod) => ({
      name: vod.name,
      storages: vod.storages,
      segmentDurationMs: vod.options.segmentDurationMs,
    }));
}
