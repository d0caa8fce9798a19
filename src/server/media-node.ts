import type { Socket } from "node:net";
import type { SessionEnd } from "../auth/claim.ts";
import type { AddressLimit } from "../base/address-counter.ts";
import type { MessageWire } from "../base/channel.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { hashText } from "../base/hash.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { Logger } from "../base/log.ts";
import type { ProxyDoor } from "../base/proxied-connection.ts";
import type { ResolvedConfig, RtmpListenerPlan } from "../config/plan.ts";
import type { CopyFigures } from "../dvr/copies.ts";
import type { RecordingFigures } from "../dvr/writer/recording-counters.ts";
import type { StreamName } from "../media/ids.ts";
import type { LiveWindow } from "../packaging/live-window.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { TsPublishers } from "../protocols/http-ts/publishers.ts";
import { TS_PROTOCOL } from "../protocols/http-ts/reply.ts";
import { RtmpListener } from "../protocols/rtmp/listener.ts";
import type { RtmpLimits } from "../protocols/rtmp/listener.ts";
import type { DeliveryFigures } from "../stream/delivery.ts";
import type { StreamDirectory, StreamSummary } from "../stream/directory.ts";
import type { HomeRegistry, ThreadIndex } from "../stream/homes.ts";
import type { LiveStream } from "../stream/live-stream.ts";
import { LocalDirectory } from "../stream/local-directory.ts";
import type { SendWindow } from "../stream/rules.ts";
import { SendPace } from "../stream/send-pace.ts";
import { ThreadDirectory } from "../stream/thread-directory.ts";
import { LateVodLibrary } from "../vod/late-library.ts";
import type { Vods } from "../vod/late-library.ts";
import type { VodOptions } from "../vod/vod.ts";
import { NodeAccess } from "./access/node-access.ts";
import type { SessionControl } from "./access/session-authority.ts";
import type { DrainStep } from "./drain.ts";
import { streamEvent } from "./events/thread-events.ts";
import type { TellEvent } from "./events/thread-events.ts";
import { ArchivePeers } from "./archives/peers.ts";
import { FileInputs } from "./live/file-inputs.ts";
import { ListenerSet } from "./listeners/listener-set.ts";
import { LiveWindows } from "./live/live-windows.ts";
import { StreamArchives, recordingPlan } from "./archives/stream-archives.ts";
import { MadeMedia } from "./live/made-media.ts";
import type { MadeMediaFigures } from "./live/made-media.ts";
import { memoryBudgetBytes, overBudget } from "./memory.ts";
import { isPackagedAnew, isWindowed } from "./live/packaged-anew.ts";
import { Playback, isPackaged } from "./playback.ts";
import { findRecording } from "./archives/recordings.ts";
import { RemoteWindows } from "./live/remote-windows.ts";
import { planOf, rulesOf } from "./live/stream-rules.ts";
import type { ThreadTls } from "./tls/thread-tls.ts";

/** Bound on streams of one thread: each may hold a GOP and a window of segments. */
const MAX_STREAMS = 10_000;

/** A volume that stands still keeps nobody from what is live for longer. */
const MAX_PREPARE_MS = 10_000;

/** Of the memory that the process may use, what live streams may hold in windows and caches. */
const LIVE_MEMORY_PERCENT = 50;
const GUARD_INTERVAL_MS = 1000;

/** Which of how many threads a node is, and what the threads share. */
export type NodeThread = {
  readonly index: ThreadIndex;
  readonly count: number;
  /** What each thread holds, for all to see. Units: KiB. */
  readonly heldKib: Int32Array;
  /** Viewers that each thread has. */
  readonly viewers: Int32Array;
  readonly homes: HomeRegistry;
};

/** The two wires to a sibling thread. */
export type SiblingWires = { readonly streams: MessageWire; readonly windows: MessageWire };

/** What a media node is given. */
export type MediaNodeOptions = {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly thread: NodeThread;
  /** Bounds RTMP connections of one address. */
  readonly addresses: AddressLimit;
  /** For RTMP listeners with TLS. */
  readonly tls?: Pick<ThreadTls, "forRtmp">;
  /** For RTMP listeners with `proxy_protocol`. */
  readonly proxyDoor?: ProxyDoor<Socket>;
  /** Who is asked about sessions, and told of them. */
  readonly sessions: SessionControl;
  /** A secret of the process, the same in all threads. */
  readonly sessionSalt: string;
  /** What the streams of all threads may hold; a share of the process' memory when left out. Units: bytes. */
  readonly liveMemoryBytes?: number;
  /** Takes what happens to streams. */
  readonly tellEvent?: TellEvent;
};

/** Figures of a media node. */
export type MediaNodeStats = {
  readonly streams: number;
  readonly publishers: number;
  /** Viewers over RTMP, HTTP-FLV and the like; those of HLS are requests. */
  readonly subscribers: number;
  /** Those of them whose streams live in other threads. */
  readonly mirroredViewers: number;
  /** Links to other threads: streams that are watched there or here, publishers. */
  readonly threadLinks: number;
  /** Live windows of other threads that are followed here. */
  readonly followedWindows: number;
  /** Packets that other threads did not get since they took them too slowly. */
  readonly droppedPackets: number;
  readonly rtmpConnections: number;
  /** Bytes of media that live windows hold. */
  readonly windowBytes: number;
  /** Bytes of other threads' parts that are kept here. */
  readonly remotePartBytes: number;
  /** Requests that are held until a part or a segment is there. */
  readonly heldRequests: number;
  /** What viewers over RTMP, HTTP-FLV and the like were sent, and missed. */
  readonly delivery: DeliveryFigures;
  readonly made: MadeMediaFigures;
  /** What was recorded; `null` where nothing was asked of archives so far. */
  readonly recording: RecordingFigures | null;
  /** How copying recordings to object storage is doing; `null` where this thread copies nothing. */
  readonly copies: CopyFigures | null;
};

/**
 * Everything that touches media: listeners, streams, packagers, files. One per media thread; nothing in it knows of
 * the API or the pages.
 */
export class MediaNode {
  readonly vods: Vods;
  readonly archives: StreamArchives;
  readonly rtmp: ListenerSet<RtmpListenerPlan, RtmpListener>;
  /** The streams whose home is here. */
  readonly local: LocalDirectory;
  /** The streams of all threads: `local` itself where there is one thread. */
  readonly #directory: StreamDirectory;
  readonly #threads: ThreadDirectory | null;
  readonly #remote: RemoteWindows | null;
  readonly #playback: Playback;
  readonly #tsPublishers: TsPublishers;
  readonly #options: MediaNodeOptions;
  #config: ResolvedConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #budgetBytes: number;
  #guardTimer: Timer | null = null;
  readonly #pace = new SendPace();
  readonly #made = new MadeMedia();
  readonly #windows: LiveWindows;
  readonly #inputs: FileInputs;
  readonly #archivePeers: ArchivePeers;
  readonly #access: NodeAccess;
  #prepared: Promise<void> | null = null;

  constructor(options: MediaNodeOptions) {
    const { config, clock, log, tellEvent } = options;
    this.#options = options;
    this.#budgetBytes = options.liveMemoryBytes ?? memoryBudgetBytes(LIVE_MEMORY_PERCENT);
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.#windows = new LiveWindows(clock);
    this.archives = new StreamArchives({
      clock,
      log,
      config: () => this.#config,
      thread: options.thread,
      tellEvent,
      beginSession: (name) => this.#access.beginOwn("record", name, "dvr"),
    });
    this.#archivePeers = new ArchivePeers({ config: () => this.#config, clock });
    this.#access = new NodeAccess({
      ...options,
      config: () => this.#config,
      isFile: (text) => this.#playback.isFile(text),
    });
    this.local = new LocalDirectory({
      clock,
      log,
      pace: this.#pace,
      rulesOf: (name, purpose) => rulesOf(this.#config, name, purpose),
      maxStreams: MAX_STREAMS,
      equip: (stream) => this.#equip(stream),
      onClosed: (name) => {
        this.#windows.close(name);
        this.archives.close(name);
        this.#threads?.streamClosed(name);
      },
      onNotice: tellEvent && ((notice) => streamEvent(notice, tellEvent)),
    });
    this.rtmp = new ListenerSet((plan, port) => this.#rtmpListener(plan, port));
    this.#threads = this.#makeThreads();
    this.#remote = this.#makeRemote();
    this.#directory = this.#threads ?? this.local;
    this.vods = new LateVodLibrary({ vods: [], log, clock });
    this.vods.setVods(servedVods(config));
    this.#inputs = new FileInputs({
      ...{ directory: this.#threads ?? this.local, vods: this.vods, clock, log },
      beginSession: (name, protocol) => this.#access.beginOwn("ingest", name, protocol),
    });
    const access = this.#access.http;
    this.#tsPublishers = new TsPublishers({
      ...{ directory: this.#directory, clock, log },
      admit: (request, name) => access.publish(request, name, TS_PROTOCOL),
    });
    this.#playback = new Playback({
      directory: this.#directory,
      vods: this.vods,
      clock,
      log,
      config: () => this.#config,
      window: (name) => this.#window(name),
      archives: this.archives,
      access,
    });
  }

  /** Starts those streams that play files and are this thread's. */
  start(): void {
    this.#startInputs();
    this.#guardMemory();
  }

  /**
   * Resolves when what is recorded is in order to be played and recorded on, at the latest after `MAX_PREPARE_MS`; at once
   * where nothing is recorded. Never rejects. To be called before anybody may ask for anything.
   */
  prepare(): Promise<void> {
    return (this.#prepared ??= this.#prepare());
  }

  async #prepare(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.schedule(MAX_PREPARE_MS, resolve);
    await Promise.race([this.#keepArchives(), late]);
    timer.cancel();
  }

  /** One thread puts archives in order, and deletes, for all. */
  async #keepArchives(): Promise<void> {
    if (this.#options.thread.index === 0) await this.archives.keep(() => this.#config);
  }

  /** The streams that live here, or those of them that have one of these names. */
  streams(names?: ReadonlySet<string>): StreamSummary[] {
    const all = this.local.list();
    const wanted = names === undefined ? all : all.filter(({ rules }) => names.has(rules.name));
    return wanted.map((stream) => stream.summary());
  }

  /**
   * Takes the publisher of a stream off: its connection is closed, and the stream waits for one as if it had left. A file
   * begins anew. Returns: whether there was one here.
   */
  stopStream(name: StreamName): boolean {
    const stream = this.local.find(name);
    if (stream === null || !stream.isOnAir) return false;
    const isOwn = FileInputs.PROTOCOLS.has(stream.publishedOver ?? "");
    if (isOwn) this.#inputs.restart(name);
    else stream.takeOff("an administrator stopped it");
    return true;
  }

  /** Present figures. */
  stats(): MediaNodeStats {
    const rtmp = this.rtmp.all.map((listener) => listener.stats());
    return {
      streams: this.local.list().length,
      publishers: rtmp.reduce((sum, { publishers }) => sum + publishers, this.#tsPublishers.size),
      subscribers: this.#viewers(),
      mirroredViewers: this.#threads?.mirroredViewers ?? 0,
      droppedPackets: this.#threads?.droppedPackets ?? 0,
      threadLinks: this.#threads?.links ?? 0,
      followedWindows: this.#remote?.size ?? 0,
      rtmpConnections: rtmp.reduce((sum, { connections }) => sum + connections, 0),
      windowBytes: this.#windows.bytes,
      remotePartBytes: this.#remote?.partBytes ?? 0,
      heldRequests: this.#windows.heldRequests + (this.#remote?.heldRequests ?? 0),
      delivery: this.#pace.delivery.figures(),
      made: this.#made.figures(),
      recording: this.archives.recordingFigures(),
      copies: this.archives.copyFigures(),
    };
  }

  /** A new configuration is in force: what it takes away ends, what it adds begins, the rest goes on. */
  configure(config: ResolvedConfig): void {
    const before = this.#config;
    this.#config = config;
    this.#access.configure();
    for (const listener of this.rtmp.all) listener.setLimits(rtmpLimits(config));
    this.vods.setVods(servedVods(config));
    for (const stream of this.local.list()) {
      const rules = rulesOf(config, stream.rules.name, "play");
      if (rules === null || rules.disabled) this.local.end(stream, "the configuration takes it away");
      else {
        stream.configure(rules);
        if (isPackagedAnew(planOf(before, stream.rules.name), planOf(config, stream.rules.name))) {
          this.#windows.drop(stream);
          this.#equip(stream);
        } else this.#recordOn(stream);
        if (!this.#mayPublish(stream)) stream.takeOff("the configuration does not let it publish any more");
      }
    }
    this.#threads?.configure();
    this.#startInputs();
    void this.#keepArchives();
  }

  /** Answers a request for media; `null` when it is for something else. See `Playback.handle`. */
  handle(request: HttpRequest, sendWindow?: SendWindow): Promise<HttpReply> | HttpReply | null {
    return this.#archivePeers.handle(request) ?? this.#playback.handle(request, sendWindow);
  }

  /** The page that plays a name, as `serve` brings it, for those who may play. Throws or rejects with ACCESS_*. */
  page(
    request: HttpRequest,
    name: string,
    serve: () => Promise<HttpReply>,
  ): Promise<HttpReply> | HttpReply {
    return this.#playback.page(request, name, serve);
  }

  /** Answers a request that brings media; `null` when it is for something else. Throws STREAM_BAD_NAME. */
  takes(request: HttpRequest): HttpReply | null {
    return this.#tsPublishers.reply(request);
  }

  /** Sessions are over by the control thread's will. */
  endSessions(ends: readonly SessionEnd[]): void {
    this.#access.end(ends);
  }

  /** The home of a stream that this thread watches has changed. */
  homeChanged(name: StreamName, home: ThreadIndex | null): void {
    this.#threads?.homeChanged(name, home);
  }

  /** A sibling thread has come, with the wires to it, or is gone. */
  siblingChanged(index: ThreadIndex, wires: SiblingWires | null): void {
    this.#threads?.siblingChanged(index, wires?.streams ?? null);
    this.#remote?.siblingChanged(index, wires?.windows ?? null);
  }

  /** One step of the way to the end; see `Drain`. */
  drain(step: DrainStep): void {
    if (step === "refuse-publishers") this.local.refusePublishers();
    if (step === "ask-to-reconnect") {
      const asked = this.rtmp.all.reduce((sum, listener) => sum + listener.askToReconnect(), 0);
      if (asked > 0) this.#log.info("publishers were asked to connect again, elsewhere", { asked });
    }
    if (step === "send-viewers-on") {
      (this.#threads ?? this.local).endWaiting();
      this.archives.drain();
    }
    if (step === "end-publishers") {
      const overHttp = this.#tsPublishers.endAll("the server stops");
      const closed = this.rtmp.all.reduce((sum, listener) => sum + listener.endPublishers(), overHttp);
      if (closed > 0) this.#log.info("publishers were closed, the drain is nearly over", { closed });
    }
  }

  /** Publishers from outside that are on air here, and viewers that hold a connection. */
  crowd(): { readonly publishers: number; readonly viewers: number } {
    const overRtmp = this.rtmp.all.reduce((sum, listener) => sum + listener.stats().publishers, 0);
    const publishers = overRtmp + this.#tsPublishers.size;
    return { publishers, viewers: this.#viewers() };
  }

  /** Ends publishers, players and files, in that order of courtesy: told first, then closed. */
  async stop(): Promise<void> {
    this.#guardTimer?.cancel();
    this.#playback.close();
    await this.#inputs.stop();
    await this.rtmp.stop();
    this.#tsPublishers.endAll("the server stops");
    this.#access.close();
    if (this.#threads === null) this.local.close("the server stops");
    else this.#threads.close("the server stops");
    await Promise.all([this.vods.close(), this.archives.stop()]);
  }

  /**
   * Behind `stop`, when viewers here have their replies: other threads have a moment to fetch the last parts of streams
   * that ended here, then nothing crosses any more.
   */
  async leave(): Promise<void> {
    if (this.#remote === null) return;
    await this.#windows.lastFetched();
    this.#remote.close();
  }

  #rtmpListener(plan: () => RtmpListenerPlan, port: number): RtmpListener {
    const { host, tls } = plan();
    return new RtmpListener(
      {
        ...(host === undefined ? {} : { host }),
        port,
        isShared: this.#options.thread.count > 1,
        sendWindow: () => plan().sendWindow,
        limits: rtmpLimits(this.#config),
        tls: () => this.#options.tls?.forRtmp(plan().tls) ?? null,
        proxyDoor: () => (plan().proxyProtocol === true ? (this.#options.proxyDoor ?? null) : null),
      },
      {
        directory: this.#directory,
        clock: this.#clock,
        logger: this.#log,
        addresses: this.#options.addresses,
        recordings: (target) =>
          findRecording(target, "rtmp", {
            config: this.#config,
            vods: this.vods,
            archives: this.archives,
          }),
        admit: (asked) => this.#access.admitRtmp(asked, tls !== undefined),
      },
    );
  }

  #makeThreads(): ThreadDirectory | null {
    const { thread, clock, log } = this.#options;
    if (thread.count === 1) return null;
    const { index, homes } = thread;
    return new ThreadDirectory({ index, local: this.local, homes, clock, log, pace: this.#pace, defer });
  }

  #makeRemote(): RemoteWindows | null {
    const threads = this.#threads;
    if (threads === null) return null;
    return new RemoteWindows({
      clock: this.#clock,
      homeOf: (name) => threads.homeOf(name),
      host: {
        window: async (name, version, windowId) => {
          if (version === 0) await this.#localWindow(name);
          return this.#windows.changed(name, version, windowId);
        },
        segment: (name, segment, selection) => this.#windows.sharedSegment(name, segment, selection),
        edge: (name, told) => this.#windows.edge(name, told),
        part: (name, segment, index, selection) =>
          this.#windows.sharedPart(name, segment, index, selection),
      },
    });
  }

  /** Each thread plays its share of the files: a stream's name says whose it is. */
  #startInputs(): void {
    const { index, count } = this.#options.thread;
    this.#inputs.reconcile(this.#config.streams.filter(({ name }) => shareOf(name, count) === index));
  }

  /** Whether the present publisher of a stream, if there is one, may go on. The server's own are `FileInputs`' affair. */
  #mayPublish(stream: LiveStream): boolean {
    const protocol = stream.publishedOver;
    if (protocol === null || FileInputs.PROTOCOLS.has(protocol)) return true;
    const rules = rulesOf(this.#config, stream.rules.name, "publish");
    return rules !== null && !rules.disabled && rules.acceptsPublisher;
  }

  #equip(stream: LiveStream): void {
    const { name } = stream.rules;
    const plan = planOf(this.#config, name);
    if (plan === null) return;
    const recording = recordingPlan(plan, name);
    if (recording === null && !isPackaged(plan.options.protocols)) return this.archives.close(name);
    this.#windows.open(stream, {
      recorder: this.archives.recorder(stream, recording),
      segmentDurationUs: plan.options.segmentDurationMs * 1000,
      segmentCount: plan.options.segmentCount,
      chunkDurationUs: plan.options.chunkDurationMs * 1000,
      clock: this.#clock,
      log: this.#log.child({ stream: name }),
      onMade: this.#made.made,
    });
  }

  /** A recording begins, ends or goes on as its configuration says now, where there is a window to be recorded. */
  #recordOn(stream: LiveStream): void {
    const { name } = stream.rules;
    const plan = planOf(this.#config, name);
    if (isWindowed(plan)) this.archives.recorder(stream, recordingPlan(plan, name));
  }

  /** The live window of a stream, wherever it lives. Throws or rejects with STREAM_STARTING, STREAM_NOT_ON_AIR. */
  #window(name: StreamName): Promise<Presentation> | Presentation {
    const remote = this.#remote;
    if (remote === null || this.local.find(name) !== null) return this.#localWindow(name);
    return remote.find(name) ?? remote.ready(name);
  }

  #localWindow(name: StreamName): Promise<LiveWindow> | LiveWindow {
    return this.#windows.ready(name, () => this.local.find(name)?.isLive === true);
  }

  #viewers(): number {
    const mirrored = this.#threads?.mirroredViewers ?? 0;
    const overRtmp = this.rtmp.all.reduce((sum, listener) => sum + listener.stats().recordingPlayers, 0);
    const ofFiles = overRtmp + this.#playback.fileViewers;
    return this.streams().reduce((sum, one) => sum + one.subscribers, mirrored + ofFiles);
  }

  #holdings(): { readonly stream: LiveStream; readonly bytes: number }[] {
    return this.local.list().map((stream) => ({
      stream,
      bytes: this.#windows.bytesOf(stream.rules.name) + stream.heldBytes,
    }));
  }

  /** Keeps what the streams of all threads hold within the budget: see `overBudget`. */
  #guardMemory(): void {
    Atomics.store(this.#options.thread.viewers, this.#options.thread.index, this.#viewers());
    const holdings = this.#holdings();
    const { heldKib, index, count } = this.#options.thread;
    const mirroredBytes = (this.#threads?.heldBytes ?? 0) + (this.#remote?.derivedBytes ?? 0);
    const heldBytes = holdings.reduce((sum, { bytes }) => sum + bytes, mirroredBytes);
    Atomics.store(heldKib, index, Math.round(heldBytes / 1024));
    let allKib = 0;
    for (let thread = 0; thread < count; thread++) allKib += Atomics.load(heldKib, thread);
    const others = allKib * 1024 - heldBytes;
    // A thread with less than its share leaves the cutting to those with more.
    const mayHoldBytes = Math.max(this.#budgetBytes - others, this.#budgetBytes / count) - mirroredBytes;
    // What can be made again goes first.
    let freedBytes = 0;
    for (const { rules } of overBudget(holdings, mayHoldBytes)) {
      freedBytes += this.#windows.forgetDerived(rules.name);
    }
    const sent = this.local.list().map((stream) => ({ stream, bytes: stream.sentBytes }));
    const sentBytes = sent.reduce((sum, { bytes }) => sum + bytes, 0);
    const mayBeSentBytes = mayHoldBytes - (heldBytes - freedBytes - mirroredBytes - sentBytes);
    // What viewers cause costs viewers, before it costs a publisher.
    for (const stream of overBudget(sent, mayBeSentBytes)) {
      if (stream.sentBytes === 0) continue;
      this.#log.error("all streams together hold more memory than they may: viewers are ended", {
        stream: stream.rules.name,
        budgetBytes: this.#budgetBytes,
        sentBytes: stream.sentBytes,
      });
      stream.endViewers();
    }
    for (const stream of overBudget(this.#holdings(), mayHoldBytes)) {
      this.#log.error("all streams together hold more memory than they may: the largest is ended", {
        stream: stream.rules.name,
        budgetBytes: this.#budgetBytes,
      });
      this.local.end(stream, "it held the most memory while all streams held too much");
    }
    this.#guardTimer = this.#clock.schedule(GUARD_INTERVAL_MS, () => this.#guardMemory());
  }
}

/** After the events of this turn of the loop, before it waits. */
function defer(run: () => void): void {
  setImmediate(run);
}

function rtmpLimits({ limits }: ResolvedConfig): Partial<RtmpLimits> {
  return {
    handshakeTimeoutMs: limits.rtmpHandshakeTimeoutMs,
    idleTimeoutMs: limits.rtmpIdleTimeoutMs,
    publishTimeoutMs: limits.rtmpIdleTimeoutMs,
    stallTimeoutMs: limits.rtmpIdleTimeoutMs,
    messageBytes: limits.maxMessageBytes,
  };
}

function servedVods(config: ResolvedConfig): VodOptions[] {
  return config.vods
    .filter((vod) => !vod.disabled)
    .map((vod) => ({
      name: vod.name,
      storages: vod.storages,
      segmentDurationMs: vod.options.segmentDurationMs,
      download: vod.download,
      autoMbr: vod.autoMbr,
    }));
}

/** Which of `count` threads plays the file of a stream. */
function shareOf(name: string, count: number): number {
  return hashText(name) % count;
}
