import { apiPath } from "../../api/base-path.ts";
import { monitoringReply } from "../../api/monitoring.ts";
import type { ProbeTarget } from "../../api/monitoring.ts";
import type { SessionEnd } from "../../auth/claim.ts";
import { TrustedProxies } from "../../auth/proxies/trusted-proxies.ts";
import type { Channel } from "../../base/channel.ts";
import { systemClock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import type { HttpListenerPlan, ResolvedConfig } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamSummary } from "../../stream/directory.ts";
import type { HomeRegistry } from "../../stream/homes.ts";
import type { Crowd, DrainStep } from "../drain.ts";
import { serverErrors } from "../errors.ts";
import { boundedEvents } from "../events/thread-events.ts";
import { HttpListener } from "../http/listener.ts";
import { ReplyBudget } from "../http/reply-budget.ts";
import { CONFIG_BODIES, WholeBodies } from "../http/whole-bodies.ts";
import { ListenerSet } from "../listeners/listener-set.ts";
import type { Listener } from "../listeners/listener-set.ts";
import { serverLogLevel } from "../log/log-level.ts";
import type { LogThreshold } from "../log/log-level.ts";
import { MediaNode } from "../media-node.ts";
import type { SiblingWires } from "../media-node.ts";
import { memoryBudgetBytes } from "../memory.ts";
import { embeddedName } from "../page-paths.ts";
import { mayBeWebSocket } from "../playback.ts";
import type { StreamArchives } from "../archives/stream-archives.ts";
import { TrustedProxyDoor } from "../proxied/proxy-door.ts";
import { ThreadTls } from "../tls/thread-tls.ts";
import { Turns } from "../turns.ts";
import type { ControlCalls, MediaThreadCalls, OpenPorts, ThreadStart, ThreadStats } from "./messages.ts";
import { packRequest } from "./packed-http.ts";
import { sessionsThrough } from "./session-answers.ts";
import { SharedAddressCounter } from "./shared-address-counter.ts";
import { TakenBodies } from "./streamed-bodies.ts";
import type { BodyPiece } from "./streamed-bodies.ts";
import { threadLog } from "./thread-log.ts";

/** Of the memory that the process may use, what replies of all threads may hold for slow readers. */
const REPLY_MEMORY_PERCENT = 15;

/** How long replies under way may take when the server stops behind a drain, which was time enough. */
const DRAINED_GRACE_MS = 1500;

/** All that one media thread has: its listeners on the ports that all threads share, and its media node. */
export class MediaRuntime {
  readonly #start: ThreadStart;
  readonly #control: Channel<ControlCalls, MediaThreadCalls>;
  readonly #threshold: LogThreshold;
  readonly #log: Logger;
  readonly #addresses: { readonly http: SharedAddressCounter; readonly rtmp: SharedAddressCounter };
  #limits: ResolvedConfig["limits"];
  #proxies: TrustedProxies | null;
  readonly #node: MediaNode;
  readonly #proxyDoor: TrustedProxyDoor;
  readonly #tls: ThreadTls;
  readonly #http: ListenerSet<HttpListenerPlan, HttpListener>;
  readonly #probes: ProbeTarget;
  readonly #bodies = new WholeBodies();
  /** Of whole configurations. */
  readonly #wholeConfigs = new WholeBodies({ limits: CONFIG_BODIES });
  /** When somebody last asked for a playlist or a segment. */
  #viewedUs = -Infinity;
  #isDraining = false;
  #isStopping = false;
  /** One after the other: an answer that nobody waited for does not meet the next question half-way. */
  readonly #turns = new Turns();
  /** Listeners that the log has told of. */
  #logged: ReadonlySet<Listener> = new Set();
  #areViewersSentOn = false;
  readonly #streamed = new TakenBodies((wish) => this.#control.tell("body", wish));

  constructor(start: ThreadStart, control: Channel<ControlCalls, MediaThreadCalls>, probes: ProbeTarget) {
    this.#start = start;
    this.#control = control;
    this.#probes = probes;
    this.#threshold = { level: serverLogLevel(start.config.logLevel) };
    this.#log = threadLog(this.#threshold, (level, message, fields) =>
      control.tell("log", { level, message, fields }),
    );
    const { index, count, config, shares } = start;
    this.#limits = config.limits;
    this.#proxies = proxiesOf(config);
    const perAddress = config.limits.maxConnectionsPerAddress;
    this.#addresses = {
      http: new SharedAddressCounter(shares.httpAddresses, index, perAddress),
      rtmp: new SharedAddressCounter(shares.rtmpAddresses, index, perAddress),
    };
    this.#proxyDoor = new TrustedProxyDoor({ clock: systemClock, proxies: () => this.#proxies });
    this.#tls = new ThreadTls({ clock: systemClock, ticketKeys: shares.ticketKeys });
    this.#node = new MediaNode({
      config,
      clock: systemClock,
      log: this.#log,
      thread: {
        index,
        count,
        heldKib: shares.heldKib,
        viewers: shares.viewers,
        homes: homesThrough(control),
      },
      addresses: this.#addresses.rtmp,
      tellEvent: boundedEvents(systemClock, this.#log, (event) => control.tell("event", event)),
      tls: this.#tls,
      proxyDoor: this.#proxyDoor,
      sessions: sessionsThrough(control),
      sessionSalt: start.sessionSalt,
    });
    this.#http = new ListenerSet(this.#httpMaker());
  }

  /** What is recorded, as this thread has it. */
  get archives(): StreamArchives {
    return this.#node.archives;
  }

  /** Starts the streams of this thread's own; the listeners are open. */
  start(): void {
    this.#logPorts();
    this.#node.start();
  }

  /**
   * Opens those listeners of a configuration that are not open yet; what `configure` is to close stays, and only takes no
   * connections where it stands in the way. Returns: the ports of all. Rejects with the system's error and the listener's
   * place in the configuration, or with SERVER_STOPPING; who asked then brings back the configuration in force.
   */
  listen(listeners: ResolvedConfig["listeners"], ports: OpenPorts): Promise<OpenPorts> {
    return this.#turns.run(async () => {
      await Promise.all([this.#node.prepare(), this.#tls.open(listeners)]);
      this.#refuseToStop();
      const { http, rtmp } = listeners;
      const leaving = new Set([...this.#http.leaving(http), ...this.#node.rtmp.leaving(rtmp)]);
      const isFree = (port: number): boolean => !leaving.has(port);
      await this.#http.open(http, ports.http, isFree);
      await this.#node.rtmp.open(rtmp, ports.rtmp, isFree);
      const missing = [
        ...this.#http.missing(http, ports.http),
        ...this.#node.rtmp.missing(rtmp, ports.rtmp),
      ];
      this.#http.makeWay(http, new Set(missing));
      this.#node.rtmp.makeWay(rtmp, new Set(missing));
      const open = await this.#http.open(http, ports.http);
      return { http: open, rtmp: await this.#node.rtmp.open(rtmp, ports.rtmp) };
    });
  }

  /** One step of the way to the end; may come before the listeners are open. */
  drain(step: DrainStep): void {
    this.#isDraining = true;
    this.#node.drain(step);
    if (step !== "send-viewers-on") return;
    this.#areViewersSentOn = true;
    for (const listener of this.#http.all) listener.closeAfterReplies();
  }

  /** Who is there. */
  crowd(): Crowd {
    return { ...this.#node.crowd(), quietMs: (systemClock.nowUs() - this.#viewedUs) / 1000 };
  }

  /** Ends in order: no new connections, publishers and players told, replies finished. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const graceMs = this.#isDraining ? DRAINED_GRACE_MS : undefined;
    await Promise.all([this.#node.stop(), this.#http.stop(graceMs)]);
    await this.#node.leave();
  }

  /** The streams whose home is here, or those of them that have one of these names. */
  streams(names?: ReadonlySet<string>): StreamSummary[] {
    return this.#node.streams(names);
  }

  /** See `MediaNode.stopStream`. */
  stopStream(name: StreamName): boolean {
    return this.#node.stopStream(name);
  }

  /** Present figures, without those that the thread's entry adds. */
  stats(): Omit<ThreadStats, "eventLoopDelayP99Ms" | "eventLoopBusyPercent"> {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const activeResources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) {
      activeResources[kind] = (activeResources[kind] ?? 0) + 1;
    }
    return {
      ...this.#node.stats(),
      httpConnections: this.#http.all.reduce((sum, listener) => sum + listener.connections, 0),
      heapUsedBytes: heapUsed,
      externalBytes: external,
      arrayBuffersBytes: arrayBuffers,
      activeResources,
    };
  }

  /** Names of files that a `vod` serves. */
  files(limit: number): Promise<readonly string[]> {
    return this.#node.vods.list(limit);
  }

  /** A new configuration is in force; its listeners are open. Rejects with SERVER_STOPPING. */
  configure(config: ResolvedConfig): Promise<void> {
    return this.#turns.run(() => {
      this.#refuseToStop();
      this.#apply(config);
    });
  }

  #apply(config: ResolvedConfig): void {
    this.#threshold.level = serverLogLevel(config.logLevel);
    this.#limits = config.limits;
    this.#proxies = proxiesOf(config);
    this.#addresses.http.limit = config.limits.maxConnectionsPerAddress;
    this.#addresses.rtmp.limit = config.limits.maxConnectionsPerAddress;
    this.#http.keep(config.listeners.http);
    for (const listener of this.#http.all) listener.setIdleTimeout(config.limits.httpIdleTimeoutMs);
    this.#node.rtmp.keep(config.listeners.rtmp);
    this.#tls.keep(config.listeners);
    this.#logPorts();
    this.#node.configure(config);
  }

  /** Reads the files of certificates that have changed. */
  lookAtCertificates(): Promise<void> {
    return this.#tls.look();
  }

  /** The home of a stream that this thread watches has changed. */
  homeChanged(name: StreamName, home: number | null): void {
    this.#node.homeChanged(name, home);
  }

  /** A sibling thread has come, with the wires to it, or is gone. */
  siblingChanged(index: number, wires: SiblingWires | null): void {
    this.#node.siblingChanged(index, wires);
  }

  /** The control thread gives the next piece of an endless body. */
  takeBody(piece: BodyPiece): void {
    this.#streamed.take(piece);
  }

  /** Sessions are over by the control thread's will. */
  endSessions(ends: readonly SessionEnd[]): void {
    this.#node.endSessions(ends);
  }

  /** What all HTTP listeners share is made once. */
  #httpMaker(): (plan: () => HttpListenerPlan, port: number) => HttpListener {
    const { count } = this.#start;
    const budget = new ReplyBudget(Math.floor(memoryBudgetBytes(REPLY_MEMORY_PERCENT) / count));
    return (plan, port) => {
      const listener = new HttpListener({
        host: plan().host,
        port,
        isShared: count > 1,
        addresses: this.#addresses.http,
        budget,
        proxies: () => this.#proxies,
        idleTimeoutMs: this.#limits.httpIdleTimeoutMs,
        tls: () => this.#tls.forHttp(plan().tls),
        proxyDoor: () => (plan().proxyProtocol === true ? this.#proxyDoor : null),
        log: this.#log,
        handle: (request) => this.#handle(request, plan()),
        mayBeWebSocket,
        takes: (request) => this.#takes(request, plan()),
      });
      if (this.#areViewersSentOn) listener.closeAfterReplies();
      return listener;
    };
  }

  #handle(request: HttpRequest, { api, sendWindow }: HttpListenerPlan): Promise<HttpReply> | HttpReply {
    const reply = this.#node.handle(request, sendWindow);
    if (reply !== null) {
      // Who is sent an endless body holds a connection, and is counted as long as that is there.
      if (reply instanceof Promise || reply.stream === undefined) this.#viewedUs = systemClock.nowUs();
      return reply;
    }
    const played = embeddedName(request.path);
    if (played !== null) return this.#node.page(request, played, () => this.#askControl(request, api));
    const probe = api ? monitoringReply(request.path, this.#probes) : null;
    return probe ?? this.#askControl(request, api);
  }

  /** Who takes what a request brings; nobody but the API deletes. */
  #takes(request: HttpRequest, { api }: HttpListenerPlan): HttpReply | null {
    const asked = apiPath(request.path);
    if (api && asked !== null) {
      const bodies = asked === "/config" ? this.#wholeConfigs : this.#bodies;
      return bodies.reply(request, (whole) => this.#askControl(whole, true));
    }
    return request.method === "DELETE" ? null : this.#node.takes(request);
  }

  async #askControl(request: HttpRequest, hasApi: boolean): Promise<HttpReply> {
    return this.#streamed.unpack(
      await this.#control.ask("http", { request: packRequest(request), hasApi }),
    );
  }

  #refuseToStop(): void {
    if (this.#isStopping) throw serverErrors.error("SERVER_STOPPING");
  }

  /** One thread says for all which listeners came. */
  #logPorts(): void {
    if (this.#start.index !== 0) return;
    const before = this.#logged;
    this.#logged = new Set([...this.#http.all, ...this.#node.rtmp.all]);
    for (const listener of this.#logged) {
      const name = listener instanceof HttpListener ? "http" : "rtmp";
      const protocol = listener.isTls ? `${name}s` : name;
      if (!before.has(listener)) this.#log.info("listening", { protocol, port: listener.port });
    }
  }
}

function proxiesOf({ trustedProxies }: ResolvedConfig): TrustedProxies | null {
  return trustedProxies.length === 0 ? null : new TrustedProxies(trustedProxies);
}

/** The registry of homes, which the control thread keeps for all. */
function homesThrough(control: Channel<ControlCalls, MediaThreadCalls>): HomeRegistry {
  return {
    claim: (name) => control.ask("claim", name),
    release: (name) => control.tell("release", name),
    watch: (name) => control.ask("watch", name),
    unwatch: (name) => control.tell("unwatch", name),
  };
}
