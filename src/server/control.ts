import { isInScope } from "../api/access.ts";
import { apiPath } from "../api/base-path.ts";
import { errorReply } from "../api/error-reply.ts";
import { apiErrors } from "../api/errors.ts";
import type { ApiKeys } from "../auth/credentials/api-access.ts";
import { isGuarded } from "../auth/guarded.ts";
import { isWellKnown } from "../auth/credentials/well-known.ts";
import type { Clock } from "../base/clock.ts";
import { PerSecondLog } from "../base/log.ts";
import type { Logger } from "../base/log.ts";
import { jsonReply, textReply } from "../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import { ApiDoor } from "./credentials/api-door.ts";
import type { ServerEvents } from "./events/server-events.ts";
import type { ConfigProblem } from "../kubernetes/config-events.ts";
import { ServerStats } from "./api/server-stats.ts";
import type { StreamerStatus } from "./api/server-stats.ts";
import type { SessionService } from "./access/server-sessions.ts";
import type { ConfigEdits } from "./config/edits.ts";
import { accessRulesOf } from "./access/access-rules.ts";
import { embeddedName } from "./page-paths.ts";
import type { Pages } from "./pages.ts";
import type { SelectInput } from "./api/streams.ts";
import { ApiTable } from "./api/table.ts";
import { Metrics } from "./metrics.ts";
import type { ServerIdentity } from "./identity.ts";
import { requirePlayer } from "./live/stream-rules.ts";
import { StorageGate } from "./archives/storage-gate.ts";
import { DATA_HEADERS } from "../api/data-headers.ts";
import { listStreams } from "./live/summaries.ts";
import { CertificateGate } from "./tls/certificate-gate.ts";
import type { PublicStream } from "./live/summaries.ts";
import type { MediaThreads } from "./threads/supervisor.ts";
import { VERSION } from "./version.ts";

const STARTING = "the server is starting";

/** Files that the front page lists at most. */
const MAX_LISTED_FILES = 200;

/** Whoever has so many streams makes them by a program, which asks about them. */
const MANY_STREAMS = 1000;

/** Methods of the API that change something. */
const CHANGING: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE"]);

/** What the control plane is made of. */
export type ControlPlaneOptions = {
  readonly config: ResolvedConfig;
  readonly threads: MediaThreads;
  readonly pages: Pages;
  readonly identity: Pick<ServerIdentity, "serverId" | "editAuth" | "viewAuth">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly sessions: SessionService;
  readonly events: ServerEvents;
  /** Who keeps changes by API; `null`: the configuration is in no file. */
  readonly edits: Pick<ConfigEdits, "edit" | "check" | "files"> | null;
  readonly selectInput: SelectInput;
  /** Reads the configuration anew; `null`: there is nothing to read. */
  readonly reload: (() => Promise<void>) | null;
};

/**
 * What is not media: the pages, the public lists and the API. Media listeners hand over every request that no protocol
 * answers, but for the probes, which they answer themselves.
 */
export class ControlPlane {
  #config: ResolvedConfig;
  readonly #threads: MediaThreads;
  readonly #log: Logger;
  readonly #pages: Pages;
  readonly #identity: Pick<ServerIdentity, "serverId" | "editAuth" | "viewAuth">;
  readonly #storages: StorageGate;
  readonly #door: ApiDoor;
  readonly #certificates: CertificateGate;
  #notReady: string | null = STARTING;
  readonly #reloads = { taken: 0, refused: 0 };
  /** Why the newest configuration is not in force; `null`: it is. */
  #configError: string | null = null;
  readonly #stats: ServerStats;
  readonly #metrics: Metrics;
  readonly #api: ApiTable;
  #adminFailures = 0;

  constructor(options: ControlPlaneOptions) {
    const { clock, events, threads } = options;
    this.#config = options.config;
    this.#identity = options.identity;
    this.#threads = threads;
    this.#log = options.log;
    this.#pages = options.pages;
    const wellKnown = new PerSecondLog(options.log, "credentials that everybody knows were refused");
    this.#door = new ApiDoor({
      clock,
      keys: () => this.#keys(),
      allowedFrom: () => this.#config.apiAllowedFrom,
      isProduction: () => this.#config.isProduction,
      onWellKnown: (fields) => wellKnown.add(clock.nowUs(), fields),
      onFailure: () => this.#adminFailures++,
      onRepeated: ({ ip, count }) => {
        const message = "wrong credentials of the API come again and again from an address";
        options.log.warn(message, { ip, count });
        events.bus.emit("auth_failed", { what: "api", ip, attempts: count });
      },
    });
    this.#metrics = new Metrics({
      ...options,
      config: () => this.#config,
      control: () => ({
        serverId: this.#identity.serverId,
        isReady: this.notReadyReason() === null,
        isConfigTaken: this.#configError === null,
        reloads: this.#reloads,
        adminFailures: this.#adminFailures,
      }),
    });
    this.#api = new ApiTable({
      ...options,
      config: () => this.#config,
      serverId: () => this.#identity.serverId,
      stats: () => this.#stats.json(),
      metrics: (request, part) => this.#metrics.reply(request, part),
    });
    this.#storages = new StorageGate({ clock: options.clock, config: () => this.#config });
    this.#certificates = new CertificateGate({
      clock: options.clock,
      log: options.log,
      onRead: () => options.threads.askAllForCertificates(),
    });
    this.#stats = new ServerStats({
      ...options,
      config: () => this.#config,
      state: () => ({
        serverId: this.#identity.serverId,
        status: this.#status(),
        configsTaken: this.#reloads.taken,
        configError: this.#configError,
        notReadyReason: this.notReadyReason(),
        wellKnown: this.#wellKnown(),
      }),
    });
  }

  /**
   * Begins to wait for the storages and the certificates. Resolves once it is known whether they are there; never rejects.
   */
  async start(): Promise<void> {
    await Promise.all([
      this.#storages.start(),
      this.#certificates.configure(this.#config.listeners),
      this.#prepareApi(),
    ]);
  }

  /** To load the API takes 200 ms and 40 MB, which a server of few streams, whose API nobody may ask, does not spend. */
  async #prepareApi(): Promise<void> {
    if (this.#config.streams.length < MANY_STREAMS) return;
    // Who asks later tries again, and is told.
    await this.#api.prepare().catch(() => {});
  }

  /** Waits for nothing any more. */
  stop(): void {
    this.#storages.stop();
    this.#certificates.stop();
  }

  /** `null`: ready for work. Else the reason that the readiness probe gives. */
  setNotReady(reason: string | null): void {
    this.#notReady = reason;
  }

  /** A new configuration is in force. */
  configure(config: ResolvedConfig): void {
    this.#config = config;
    this.#reloads.taken++;
    this.#configError = null;
    void this.#certificates.configure(config.listeners);
  }

  /** Other inputs run than before; the configuration is the same else. */
  inputsSelected(config: ResolvedConfig): void {
    this.#config = config;
  }

  /** A new configuration was read that cannot be taken. */
  reloadRefused(problems: readonly ConfigProblem[] = []): void {
    this.#reloads.refused++;
    const [first] = problems;
    this.#configError =
      first === undefined ? "it could not be read" : `${first.file}:${first.line}: ${first.message}`;
  }

  /** Why the server cannot take work; `null` when it can. */
  notReadyReason(): string | null {
    if (this.#notReady !== null) return this.#notReady;
    if (this.#threads.running === 0) return "no media thread runs";
    return this.#storages.reason ?? this.#certificates.reason;
  }

  /** Answers a request of a listener; `hasApi` is false where the listener says `api false`. */
  async handle(request: HttpRequest, hasApi: boolean): Promise<HttpReply> {
    const reply = hasApi ? await this.#apiReply(request) : null;
    if (reply !== null) return { ...reply, headers: [...reply.headers, ...DATA_HEADERS] };
    const embedded = embeddedName(request.path);
    if (embedded !== null) requirePlayer(this.#config, embedded);
    const isOfApi = request.path === "/" || request.path === "/api";
    const page = isOfApi && !hasApi ? null : await this.#pages.reply(request);
    return page ?? textReply(404, "nothing is served at this address");
  }

  async #apiReply(request: HttpRequest): Promise<HttpReply | null> {
    const { path } = request;
    const asked = apiPath(path);
    if (asked !== null) return this.#guarded(request, asked);
    switch (path) {
      case "/metrics":
        return this.#metrics.reply(request);
      case "/-/streams":
        return jsonReply(200, { streams: await this.#publicStreams(request) });
      case "/-/files":
        return jsonReply(200, await this.#listFiles(request));
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

  /** Administrators' passwords that everybody knows, by the directives that bring them; not those behind a hash. */
  #wellKnown(): string[] {
    const { editAuth, viewAuth } = this.#identity;
    const all = Object.entries({ edit_auth: editAuth, view_auth: viewAuth });
    return all.flatMap(([name, auth]) => (auth !== undefined && isWellKnown(auth) ? [name] : []));
  }

  /** What the API says to those whom it lets in. */
  async #guarded(request: HttpRequest, path: string): Promise<HttpReply> {
    const entrance = await this.#door.enter(request);
    if (entrance.kind === "out") return entrance.reply;
    const reply = await this.#api.answer(request, path, entrance.grant);
    const { method, remoteAddress: address } = request;
    if (CHANGING.has(method) && reply !== null && reply.status < 400)
      this.#log.info("changed by API", { who: entrance.who, method, path, address });
    return reply ?? errorReply(apiErrors.error("API_NOT_FOUND"));
  }

  /** A configuration that could not be taken shows until one is, though the one before is in force. */
  #status(): StreamerStatus {
    if (this.#notReady !== null) return this.#notReady === STARTING ? "starting" : "draining";
    if (this.#threads.running === 0) return "starting";
    return this.#configError === null ? "running" : "broken_config";
  }

  async #listStreams(): Promise<PublicStream[]> {
    return listStreams(this.#config, await this.#threads.streams());
  }

  /** Without those that have rules of who may play them, unless somebody asks who may know all. */
  async #publicStreams(request: HttpRequest): Promise<PublicStream[]> {
    const isShown = await this.#shownTo(request);
    return (await this.#listStreams()).filter(({ name }) => isShown(name));
  }

  async #shownTo(request: HttpRequest): Promise<(name: string) => boolean> {
    const asksAsSomebody = request.header("authorization") !== undefined;
    const entrance = asksAsSomebody ? await this.#door.enter(request) : null;
    // Names are told to those who may list streams: a token for something else is nobody here.
    const seesAll = entrance?.kind === "in" && isInScope(entrance.grant, "streams", false);
    return (name) => seesAll || !isGuarded(accessRulesOf(this.#config, "play", name), "play");
  }

  async #listFiles(request: HttpRequest): Promise<object> {
    const isShown = await this.#shownTo(request);
    const names = (await this.#threads.files(MAX_LISTED_FILES + 1)).filter(isShown);
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
