import { hostname } from "node:os";
import { whoAmI } from "../api/monitoring.ts";
import type { ServerFigures } from "../api/metrics/figures.ts";
import type { MetricsPage } from "../api/metrics/page.ts";
import { apiPath } from "../api/base-path.ts";
import type { ConfigEditor } from "../api/config-routes.ts";
import { errorReply } from "../api/error-reply.ts";
import { apiErrors } from "../api/errors.ts";
import { ApiRoutes } from "../api/routes.ts";
import type { ApiKeys } from "../auth/credentials/api-access.ts";
import type { RepeatedFailures } from "../auth/credentials/failures.ts";
import type { Clock } from "../base/clock.ts";
import { late } from "../base/late/late.ts";
import type { Late } from "../base/late/late.ts";
import { jsonReply, textReply } from "../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { ApiDoor } from "./credentials/api-door.ts";
import type { ServerEvents } from "./events/server-events.ts";
import { embeddedName } from "./pages.ts";
import type { Pages } from "./pages.ts";
import { CpuMeter, NO_ACCESS_TOTALS, serverFigures } from "./figures.ts";
import type { ServerIdentity } from "./identity.ts";
import { requirePlayer } from "./stream-rules.ts";
import { StorageGate } from "./storage-gate.ts";
import { listStreams, streamRows } from "./summaries.ts";
import type { PublicStream } from "./summaries.ts";
import type { MediaThreads } from "./threads/supervisor.ts";
import { VERSION } from "./version.ts";

const STARTING = "the server is starting";

/** `streamer_status` of the statistics. */
type StreamerStatus = "starting" | "running" | "draining" | "broken_config";

/** Files that the front page lists at most. */
const MAX_LISTED_FILES = 200;

/**
 * What is not media: the pages, the public lists and the API. Media listeners hand over every request that no protocol
 * answers, but for the probes, which they answer themselves.
 */
export class ControlPlane {
  #config: ResolvedConfig;
  readonly #threads: MediaThreads;
  readonly #pages: Pages;
  readonly #identity: Pick<ServerIdentity, "serverId" | "editAuth" | "viewAuth">;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  readonly #storages: StorageGate;
  readonly #door: ApiDoor;
  readonly #events: ServerEvents;
  #notReady: string | null = STARTING;
  readonly #reloads = { taken: 0, refused: 0 };
  #isConfigTaken = true;
  #metrics: MetricsPage | null = null;
  readonly #cpu: CpuMeter;
  readonly #routes = new ApiRoutes([
    { method: "GET", path: "/config/stats", handle: async () => jsonReply(200, await this.#stats()) },
    { method: "GET", path: "/events", handle: ({ request }) => this.#events.follow(request) },
    {
      method: "GET",
      path: "/event_sinks/{name}/events",
      handle: ({ params }) => this.#events.recent(params["name"]!),
    },
  ]);
  /** With the schemas of their requests, which take some 20 MB: loaded when somebody who may asks for more than figures. */
  readonly #archiveRoutes: Late<ApiRoutes> = late("the API of archives", async () => {
    const { archiveRoutes } = await import("./archive-api.ts");
    return archiveRoutes({ threads: this.#threads, clock: this.#clock, config: () => this.#config });
  });

  readonly #edits: ConfigEditor | null;
  readonly #configRoutes: Late<ApiRoutes> = late("the API of the configuration", async () => {
    const { configRoutes } = await import("../api/config-routes.ts");
    return new ApiRoutes(configRoutes({ editor: this.#edits, config: () => this.#config }));
  });

  constructor(options: {
    config: ResolvedConfig;
    threads: MediaThreads;
    pages: Pages;
    edits: ConfigEditor | null;
    identity: Pick<ServerIdentity, "serverId" | "editAuth" | "viewAuth">;
    clock: Clock;
    /** Milliseconds since 1970. */
    startedAtMs: number;
    /** Somebody tries credentials of the API. */
    onRepeatedFailures?: (what: RepeatedFailures) => void;
    events: ServerEvents;
  }) {
    this.#events = options.events;
    this.#config = options.config;
    this.#identity = options.identity;
    this.#threads = options.threads;
    this.#pages = options.pages;
    this.#edits = options.edits;
    this.#clock = options.clock;
    this.#cpu = new CpuMeter(options.clock);
    this.#startedAtMs = options.startedAtMs;
    const onRepeated = options.onRepeatedFailures ?? (() => {});
    this.#door = new ApiDoor({ clock: options.clock, keys: () => this.#keys(), onRepeated });
    this.#storages = new StorageGate({ clock: options.clock, config: () => this.#config });
  }

  /** Begins to wait for the storages. Resolves once it is known whether they are there; never rejects. */
  start(): Promise<void> {
    return this.#storages.start();
  }

  /** Waits for no storage any more. */
  stop(): void {
    this.#storages.stop();
  }

  /** `null`: ready for work. Else the reason that the readiness probe gives. */
  setNotReady(reason: string | null): void {
    this.#notReady = reason;
  }

  /** A new configuration is in force. */
  configure(config: ResolvedConfig): void {
    this.#config = config;
    this.#reloads.taken++;
    this.#isConfigTaken = true;
  }

  /** A new configuration was read that cannot be taken. */
  reloadRefused(): void {
    this.#reloads.refused++;
    this.#isConfigTaken = false;
  }

  /** Why the server cannot take work; `null` when it can. */
  notReadyReason(): string | null {
    if (this.#notReady !== null) return this.#notReady;
    return this.#threads.running === 0 ? "no media thread runs" : this.#storages.reason;
  }

  /** Answers a request of a listener; `hasApi` is false where the listener says `api false`. */
  async handle(request: HttpRequest, hasApi: boolean): Promise<HttpReply> {
    const reply = hasApi ? await this.#apiReply(request) : null;
    if (reply !== null) return reply;
    const embedded = embeddedName(request.path);
    if (embedded !== null) requirePlayer(this.#config, embedded);
    const isFrontPage = request.path === "/";
    const page = isFrontPage && !hasApi ? null : await this.#pages.reply(request);
    return page ?? textReply(404, "nothing is served at this address");
  }

  async #apiReply(request: HttpRequest): Promise<HttpReply | null> {
    const { path } = request;
    const asked = apiPath(path);
    if (asked !== null) return this.#guarded(request, asked);
    switch (path) {
      case "/metrics":
        return this.#metricsReply(request);
      case "/-/streams":
        return jsonReply(200, { streams: await this.#listStreams() });
      case "/-/files":
        return jsonReply(200, await this.#listFiles());
      case "/-/about":
        return jsonReply(200, this.#about());
      default:
        return null;
    }
  }

  /** Whom the API lets in. */
  #keys(): ApiKeys {
    const { editAuth, viewAuth } = this.#identity;
    const { apiTokens, clusterKey } = this.#config;
    return { editAuth, viewAuth, apiTokens, clusterKey };
  }

  /** What the API says to those whom it lets in. */
  async #guarded(request: HttpRequest, path: string): Promise<HttpReply> {
    const entrance = await this.#door.enter(request, path);
    if (entrance.kind === "out") return entrance.reply;
    const { access } = entrance;
    const reply =
      (await this.#routes.answer(request, path, access)) ??
      (await this.#archiveRoutes((routes) => routes.answer(request, path, access))) ??
      (await this.#configRoutes((routes) => routes.answer(request, path, access)));
    return reply ?? errorReply(apiErrors.error("API_NOT_FOUND"));
  }

  /** A configuration that could not be taken shows until one is, though the one before is in force. */
  #status(): StreamerStatus {
    if (this.#notReady !== null) return this.#notReady === STARTING ? "starting" : "draining";
    if (this.#threads.running === 0) return "starting";
    return this.#isConfigTaken ? "running" : "broken_config";
  }

  async #listStreams(): Promise<PublicStream[]> {
    return listStreams(this.#config, await this.#threads.streams());
  }

  async #stats(): Promise<object> {
    const [streams, threads] = await Promise.all([this.#listStreams(), this.#threads.states()]);
    return {
      ...whoAmI(VERSION, this.#startedAtMs, this.#clock),
      server_id: this.#identity.serverId,
      hostname: this.#config.hostname ?? hostname(),
      streamer_status: this.#status(),
      uptime: Math.floor(process.uptime()),
      total_streams: streams.length,
      online_streams: streams.filter((stream) => stream.status === "live").length,
      media_thread_restarts: this.#threads.restarts,
      resident_bytes: process.memoryUsage.rss(),
      threads: threads.map(({ stats, ...state }) => ({ ...state, ...stats })),
    };
  }

  async #metricsReply(request: HttpRequest): Promise<HttpReply> {
    // Loaded with the first request: a server that nobody asks does without.
    const { MetricsPage: Page, metricsFormat } = await import("../api/metrics/page.ts");
    this.#metrics ??= new Page();
    return this.#metrics.render(await this.#figures(), metricsFormat(request.header("accept")));
  }

  async #figures(): Promise<ServerFigures> {
    const [summaries, states] = await Promise.all([this.#threads.streams(), this.#threads.states()]);
    const streams = listStreams(this.#config, summaries);
    return serverFigures({
      config: this.#config,
      clock: this.#clock,
      version: VERSION,
      serverId: this.#identity.serverId,
      startedAtMs: this.#startedAtMs,
      isReady: this.notReadyReason() === null,
      isConfigTaken: this.#isConfigTaken,
      reloads: this.#reloads,
      threads: { states, restarts: this.#threads.restarts, lost: this.#threads.lost },
      streams: {
        all: streams.length,
        live: streams.filter((stream) => stream.status === "live").length,
        rows: this.#config.hasStreamMetrics ? streamRows(summaries) : [],
      },
      sessions: [],
      access: NO_ACCESS_TOTALS,
      sinks: [],
      cpuPercent: this.#cpu.percent(),
    });
  }

  async #listFiles(): Promise<object> {
    const names = await this.#threads.files(MAX_LISTED_FILES + 1);
    const files = names.slice(0, MAX_LISTED_FILES).map((name) => ({ name }));
    return { files, more: names.length > MAX_LISTED_FILES };
  }

  #about(): object {
    const publishing = this.#config.templates.filter((template) =>
      template.inputs.some((input) => input.kind === "publish"),
    );
    const { http } = this.#config.listeners;
    return {
      version: VERSION,
      rtmpPorts: this.#threads.ports.rtmp,
      publishPrefixes: publishing.flatMap((template) => template.prefixes),
      loopbackOnly: http.every((listener) => isLoopback(listener.host)),
    };
  }
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && (host === "localhost" || host === "::1" || host.startsWith("127."));
}
