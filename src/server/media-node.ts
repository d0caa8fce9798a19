import { AddressCounter } from "../base/address-counter.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { Logger } from "../base/log.ts";
import { allowsProtocol } from "../config/plan.ts";
import type { ProtocolRule, ResolvedConfig } from "../config/plan.ts";
import { parseStreamName } from "../media/ids.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { parseFlvPath } from "../protocols/http-flv/path.ts";
import { flvReply } from "../protocols/http-flv/reply.ts";
import { parseHlsPath } from "../protocols/hls/path.ts";
import { hlsReply } from "../protocols/hls/reply.ts";
import { RtmpListener } from "../protocols/rtmp/listener.ts";
import { streamErrors } from "../stream/errors.ts";
import type { LiveStream } from "../stream/live-stream.ts";
import { LocalDirectory } from "../stream/local-directory.ts";
import type { SendWindow } from "../stream/rules.ts";
import { VodLibrary } from "../vod/vod.ts";
import { FileInputs } from "./file-inputs.ts";
import { LiveWindows } from "./live-windows.ts";
import { memoryBudgetBytes, overBudget } from "./memory.ts";
import { planOf, rulesOf } from "./stream-rules.ts";

/** Bound on streams of one process: each may hold a GOP and a window of segments. */
const MAX_STREAMS = 10_000;

/** Of the memory that the process may use, what live streams may hold in windows and caches. */
const LIVE_MEMORY_PERCENT = 50;
const GUARD_INTERVAL_MS = 1000;

/**
 * Everything that touches media: listeners, streams, packagers, files. One per media thread; nothing in it knows of
 * the API or the pages.
 */
export class MediaNode {
  readonly directory: LocalDirectory;
  readonly vods: VodLibrary;
  readonly #config: ResolvedConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #budgetBytes = memoryBudgetBytes(LIVE_MEMORY_PERCENT);
  #guardTimer: Timer | null = null;
  readonly #windows: LiveWindows;
  readonly #inputs: FileInputs;
  readonly #rtmp: RtmpListener[];

  constructor(options: { config: ResolvedConfig; clock: Clock; log: Logger }) {
    const { config, clock, log } = options;
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.#windows = new LiveWindows(clock);
    this.directory = new LocalDirectory({
      clock,
      log,
      rulesOf: (name, purpose) => rulesOf(config, name, purpose),
      maxStreams: MAX_STREAMS,
      equip: (stream) => this.#equip(stream),
      onClosed: (name) => this.#windows.close(name),
    });
    this.vods = new VodLibrary({
      vods: config.vods
        .filter((vod) => !vod.disabled)
        .map((vod) => ({
          name: vod.name,
          storages: vod.storages,
          segmentDurationMs: vod.options.segmentDurationMs,
        })),
      log,
      clock,
    });
    this.#inputs = new FileInputs({ directory: this.directory, vods: this.vods, clock, log });
    const addresses = new AddressCounter(config.limits.maxConnectionsPerAddress);
    this.#rtmp = config.listeners.rtmp.map(
      (listener) =>
        new RtmpListener(
          {
            ...(listener.host === undefined ? {} : { host: listener.host }),
            port: listener.port,
            ...(listener.sendWindow === undefined ? {} : { sendWindow: listener.sendWindow }),
            limits: {
              handshakeTimeoutMs: config.limits.rtmpHandshakeTimeoutMs,
              idleTimeoutMs: config.limits.rtmpIdleTimeoutMs,
              publishTimeoutMs: config.limits.rtmpIdleTimeoutMs,
              stallTimeoutMs: config.limits.rtmpIdleTimeoutMs,
              messageBytes: config.limits.maxMessageBytes,
            },
          },
          { directory: this.directory, clock, logger: log, addresses },
        ),
    );
  }

  /** Opens the listeners and starts the streams that play files. Rejects when a port cannot be opened. */
  async start(): Promise<void> {
    for (const listener of this.#rtmp) {
      await listener.start();
      this.#log.info("listening", { protocol: "rtmp", port: listener.address()?.port });
    }
    for (const stream of this.#config.streams) this.#inputs.start(stream);
    this.#guardMemory();
  }

  /** Ports on which RTMP is taken, also where 0 was asked for. */
  rtmpPorts(): number[] {
    return this.#rtmp.flatMap((listener) => listener.address()?.port ?? []);
  }

  /** Answers a request for media; `null` when the path is none of any protocol's. `sendWindow`: its listener's. */
  async handle(request: HttpRequest, sendWindow?: SendWindow): Promise<HttpReply | null> {
    const flv = parseFlvPath(request.path);
    if (flv !== null) return flvReply(flv, { directory: this.directory, sendWindow });
    const hls = parseHlsPath(request.path);
    if (hls === null) return null;
    const presentation = await this.#presentation(hls.name);
    const token = request.query.get("token");
    const query = token === null ? "" : `?token=${encodeURIComponent(token)}`;
    return hlsReply(hls.resource, presentation, query);
  }

  /** Throws STREAM_PROTOCOL_OFF where `protocols` of a stream or vod leaves the player page out. */
  checkPlayer(name: string): void {
    const streamName = parseStreamName(name);
    const rules = streamName === null ? null : rulesOf(this.#config, streamName, "play");
    const isAllowed = rules?.allowsProtocol("player") ?? allowsProtocol(this.#vodProtocols(name), "player");
    if (!isAllowed) throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "the player page" });
  }

  /** Ends publishers, players and files, in that order of courtesy: told first, then closed. */
  async stop(): Promise<void> {
    this.#guardTimer?.cancel();
    await this.#inputs.stop();
    await Promise.all(this.#rtmp.map((listener) => listener.stop()));
    this.directory.close("the server stops");
    await this.vods.close();
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
  #presentation(name: string): Promise<Presentation> {
    const streamName = parseStreamName(name);
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
    return this.#windows.ready(streamName, this.directory.find(streamName)?.summary().status === "live");
  }

  #file(name: string): Promise<Presentation> {
    const protocols = this.#vodProtocols(name);
    if (!allowsProtocol(protocols, "hls"))
      throw streamErrors.error("STREAM_PROTOCOL_OFF", { name, protocol: "hls" });
    return this.vods.open(name);
  }

  #vodProtocols(name: string): ProtocolRule {
    const found = this.vods.find(name);
    return this.#config.vods.find((vod) => vod.name === found?.vod)?.options.protocols ?? { kind: "all" };
  }

  /** Keeps what all streams hold within the budget: see `overBudget`. */
  #guardMemory(): void {
    const holdings = this.directory.list().map((stream) => ({
      stream,
      bytes: this.#windows.bytesOf(stream.rules.name) + stream.cachedBytes,
    }));
    for (const stream of overBudget(holdings, this.#budgetBytes)) {
      this.#log.error("all streams together hold more memory than they may: the largest is ended", {
        stream: stream.rules.name,
        budgetBytes: this.#budgetBytes,
      });
      this.directory.end(stream, "it held the most memory while all streams held too much");
    }
    this.#guardTimer = this.#clock.schedule(GUARD_INTERVAL_MS, () => this.#guardMemory());
  }
}
