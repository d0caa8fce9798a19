import { availableParallelism, hostname as machineName } from "node:os";
import type { EventFields } from "../api/events/event.ts";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { ConfigProblem } from "../kubernetes/config-events.ts";
import type { ConfigEdits } from "./config/edits.ts";
import { configEvents } from "./config/events.ts";
import { ServerSessions } from "./access/server-sessions.ts";
import type { SessionService } from "./access/server-sessions.ts";
import { ControlPlane } from "./control.ts";
import { Drain, DRAINING } from "./drain.ts";
import { serverErrors } from "./errors.ts";
import { ServerEvents } from "./events/server-events.ts";
import { takeThreadEvent } from "./events/thread-events.ts";
import { ServerIdentity } from "./identity.ts";
import { openPages } from "./pages.ts";
import { withStartSettings } from "./config/start-settings.ts";
import { MediaThreads } from "./threads/supervisor.ts";
import { SessionTraces } from "./traces/session-traces.ts";
import { VERSION } from "./version.ts";
import { InputSelections } from "./live/input-selections.ts";
import type { SelectInput } from "./api/streams.ts";
import { Turns } from "./turns.ts";

/** Errors of a configuration that one event names. */
const MAX_TOLD_PROBLEMS = 20;

/** A running server. */
export type Server = {
  /** Ports that are open, also where 0 was asked for. */
  readonly httpPorts: readonly number[];
  readonly rtmpPorts: readonly number[];
  /** Media threads. */
  readonly threads: number;
  /** What the server tells of itself. */
  readonly events: ServerEvents;
  /**
   * Puts a new configuration in force, but for the start settings: what did not change is not touched. Rejects when a port
   * cannot be opened, and with SERVER_STOPPING; the configuration before stays in force. Returns: what is in force.
   * `warnings`: how many the new one has, for its event.
   */
  configure(config: ResolvedConfig, warnings?: number): Promise<ResolvedConfig>;
  /** Notes for the metrics, and for the pod's Events, that a new configuration could not be taken: what is wrong. */
  reloadRefused(problems?: readonly ConfigProblem[]): void;
  /** Lets a media thread throw or hang, or the thread that calls hang; for tests of faults. */
  injectFault(fault: "throw" | "hang" | "hang-control"): void;
  /**
   * Makes ready for `stop`: not ready, publishers sent away, viewers served, until nobody is left or `drain_timeout` is
   * over. Idempotent.
   */
  drain(): Promise<void>;
  /**
   * Ends in order: a drain is cut short, not ready, no new connections, publishers and players told, replies finished.
   * Idempotent.
   */
  stop(): Promise<void>;
};

/** What a server is started with. */
export type ServerOptions = {
  config: ResolvedConfig;
  log: Logger;
  clock?: Clock;
  /** Of the process, for what Kubernetes says in it; without it the server takes part in no cluster. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where the pod's service account is mounted, if not where Kubernetes does it. */
  serviceAccount?: string;
  /** Who may play and publish, and who does; left out: as the configuration says. */
  sessions?: SessionService;
  /** Reads the configuration anew; `null`: there is nothing to read. */
  reload?: (() => Promise<void>) | null;
  /** Who keeps changes by API; `null`: the configuration is in no file. */
  edits?: Pick<ConfigEdits, "edit" | "check" | "files"> | null;
};

/** What a server is made of. */
type Parts = {
  readonly threads: MediaThreads;
  readonly control: ControlPlane;
  readonly sessions: SessionService;
  readonly events: ServerEvents;
  readonly identity: ServerIdentity;
  readonly podEvents: ReturnType<typeof configEvents>;
  readonly traces: SessionTraces;
};

/** Builds everything by hand and opens the ports. Rejects, with all closed again, when one cannot be opened. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, log, clock = systemClock } = options;
  const turns = new Turns();
  const selections = new InputSelections();
  const parts = await compose(options, (name, index) => turns.run(() => select(name, index)));
  const { threads, control, sessions, events, identity, podEvents } = parts;
  const end = new ServerEnd(parts, { clock, log, config });
  /** Without choices of inputs. */
  let given = config;
  const select = async (name: string, index: number): Promise<boolean> => {
    if (end.hasBegun) throw serverErrors.error("SERVER_STOPPING");
    if (!selections.choose(given, name, index)) return false;
    end.config = selections.applied(given);
    await threads.configure(end.config);
    control.inputsSelected(end.config);
    return true;
  };
  await events.start(threads.count);
  try {
    await sessions.start();
    await Promise.all([threads.start(), identity.start(), control.start()]);
  } catch (caught) {
    log.error("cannot open a port", { reason: messageOf(caught) });
    await end.stop();
    throw caught;
  }
  control.setNotReady(null);
  events.started(threads.ports);
  return {
    httpPorts: threads.ports.http,
    rtmpPorts: threads.ports.rtmp,
    threads: threads.count,
    events,
    configure: (wanted, warnings = 0) =>
      turns.run(async () => {
        if (end.hasBegun) throw serverErrors.error("SERVER_STOPPING");
        const next = withStartSettings(wanted, config);
        const chosen = selections.applied(next);
        await putInForce(parts, chosen, end.config);
        [given, end.config] = [next, chosen];
        selections.keepThoseOf(next);
        podEvents.configApplied();
        events.bus.emit("config_applied", { warnings });
        return next;
      }),
    reloadRefused: (problems = []) => {
      control.reloadRefused(problems);
      podEvents.configRefused(problems);
      events.bus.emit("config_refused", refusalFields(problems));
    },
    injectFault: (fault) => (fault === "hang-control" ? hang() : threads.injectFault(fault)),
    drain: () => end.drain(),
    stop: () => end.stop(),
  };
}

async function compose(options: ServerOptions, selectInput: SelectInput): Promise<Parts> {
  const {
    config,
    log,
    clock = systemClock,
    env = {},
    serviceAccount,
    reload = null,
    edits = null,
  } = options;
  const startedAtMs = Math.floor(clock.wallUs() / 1000);
  const events = new ServerEvents({ config, clock, log });
  const traces = new SessionTraces({ clock, log, service: traceService(config) });
  traces.configure(config);
  const sessions =
    options.sessions ?? new ServerSessions({ config, clock, log, bus: events.bus, traceOf: traces.begin });
  const threads: MediaThreads = new MediaThreads({
    config,
    count: config.threads ?? defaultThreads(availableParallelism()),
    clock,
    log,
    startedAtMs,
    sessions: sessions.table,
    notReadyReason: () => control.notReadyReason(),
    answer: (request, hasApi) => control.handle(request, hasApi),
    onEvent: (event) => takeThreadEvent(events.bus, event),
  });
  const identity = new ServerIdentity({ config, env, clock, log, serviceAccount });
  const podEvents = configEvents({ env, clock, log, serviceAccount });
  const pages = await openPages();
  const parts = { config, threads, identity, clock, log, startedAtMs, pages, sessions, events };
  const control = new ControlPlane({ ...parts, edits, reload, selectInput });
  return { threads, control, sessions, events, identity, podEvents, traces };
}

/** Who decides knows the rules before those who ask. Rejects, with the configuration before in force, as threads do. */
async function putInForce(parts: Parts, next: ResolvedConfig, before: ResolvedConfig): Promise<void> {
  const { threads, control, sessions, events, identity, traces } = parts;
  await sessions.configure(next);
  try {
    await threads.configure(next);
  } catch (caught) {
    await sessions.configure(before);
    throw caught;
  }
  control.configure(next);
  await identity.configure(next);
  await events.configure(next);
  traces.configure(next);
}

/** How a server ends: perhaps a drain, then the stop. */
class ServerEnd {
  /** In force. */
  config: ResolvedConfig;
  readonly #parts: Parts;
  readonly #clock: Clock;
  readonly #log: Logger;
  #underWay: Drain | null = null;
  #draining: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(parts: Parts, options: { config: ResolvedConfig; clock: Clock; log: Logger }) {
    this.#parts = parts;
    this.config = options.config;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get hasBegun(): boolean {
    return this.#draining !== null || this.#stopping !== null;
  }

  drain(): Promise<void> {
    return (this.#draining ??= this.#drain());
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #drain(): Promise<void> {
    const { events, control, threads } = this.#parts;
    events.stopping();
    const timeoutMs = this.config.drainTimeoutMs;
    if (timeoutMs === 0) return;
    control.setNotReady(DRAINING);
    this.#underWay = new Drain({ target: threads, clock: this.#clock, log: this.#log, timeoutMs });
    await this.#underWay.run();
  }

  async #stop(): Promise<void> {
    const { events, control, threads, identity, podEvents, sessions, traces } = this.#parts;
    events.stopping();
    this.#underWay?.cutShort();
    control.setNotReady("the server stops");
    control.stop();
    identity.stop();
    podEvents.stop();
    // Threads wait for replies under way, and these have no end.
    events.endClients();
    await threads.stop();
    sessions.close();
    await Promise.all([events.stop(), traces.stop()]);
  }
}

/** What an event says of problems: where they are, and what they are; never what the file has there. */
function refusalFields(problems: readonly ConfigProblem[]): EventFields {
  const told = problems.slice(0, MAX_TOLD_PROBLEMS);
  const where = told.map(({ file, line, column, message }) => ({ file, line, column, message }));
  return { errors: problems.length, problems: where };
}

/** What traces say of the server: the same as its events. */
function traceService({ hostname }: ResolvedConfig): { version: string; serverId: string } {
  return { version: VERSION, serverId: hostname ?? machineName() };
}

/** Stands still for ever, and takes no CPU for it. */
function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0);
}

/** Up to so many CPUs one media thread does more for the same CPU time than two. */
const SMALL_POD_CPUS = 2;

/** Media threads where the configuration does not say. Measured: see docs/decisions/0007-media-threads.md. */
export function defaultThreads(cpus: number): number {
  return cpus <= SMALL_POD_CPUS ? 1 : cpus;
}
