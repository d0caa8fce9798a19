import { availableParallelism } from "node:os";
import type { RepeatedFailures } from "../auth/credentials/failures.ts";
import type { EventFields } from "../api/events/event.ts";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { ConfigProblem } from "../kubernetes/config-events.ts";
import type { ConfigEdits } from "./config-edits.ts";
import { configEvents } from "./config-events.ts";
import { ControlPlane } from "./control.ts";
import { Drain, DRAINING } from "./drain.ts";
import { serverErrors } from "./errors.ts";
import { ServerEvents } from "./events/server-events.ts";
import { takeThreadEvent } from "./events/thread-events.ts";
import { ServerIdentity } from "./identity.ts";
import { openPages } from "./pages.ts";
import { withStartSettings } from "./start-settings.ts";
import { MediaThreads } from "./threads/supervisor.ts";

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
  /** Who keeps changes by API; `null`: the configuration is in no file. */
  edits?: ConfigEdits | null;
};

/** Builds everything by hand and opens the ports. Rejects, with all closed again, when one cannot be opened. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, log, clock = systemClock, env = {}, serviceAccount, edits = null } = options;
  const count = config.threads ?? defaultThreads(availableParallelism());
  const startedAtMs = Math.floor(clock.wallUs() / 1000);
  const threads: MediaThreads = new MediaThreads({
    config,
    count,
    clock,
    log,
    startedAtMs,
    notReadyReason: () => control.notReadyReason(),
    answer: (request, hasApi) => control.handle(request, hasApi),
    onEvent: (event) => takeThreadEvent(serverEvents.bus, event),
  });
  const serverEvents = new ServerEvents({ config, clock, log });
  const identity = new ServerIdentity({ config, env, clock, log, serviceAccount });
  const events = configEvents({ env, clock, log, serviceAccount });
  const pages = await openPages();
  const onRepeatedFailures = ({ ip, count }: RepeatedFailures): void => {
    log.warn("wrong credentials of the API come again and again from an address", { ip, count });
    serverEvents.bus.emit("auth_failed", { ip, attempts: count });
  };
  const parts = { config, threads, identity, clock, startedAtMs, pages, edits };
  const control = new ControlPlane({ ...parts, events: serverEvents, onRepeatedFailures });
  let inForce = config;
  let drainUnderWay: Drain | null = null;
  let draining: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;
  const drain = async (): Promise<void> => {
    serverEvents.stopping();
    const timeoutMs = inForce.drainTimeoutMs;
    if (timeoutMs === 0) return;
    control.setNotReady(DRAINING);
    drainUnderWay = new Drain({ target: threads, clock, log, timeoutMs });
    await drainUnderWay.run();
  };
  const stop = async (): Promise<void> => {
    serverEvents.stopping();
    drainUnderWay?.cutShort();
    control.setNotReady("the server stops");
    control.stop();
    identity.stop();
    events.stop();
    // Threads wait for replies under way, and these have no end.
    serverEvents.endClients();
    await threads.stop();
    await serverEvents.stop();
  };
  await serverEvents.start(count);
  try {
    await Promise.all([threads.start(), identity.start(), control.start()]);
  } catch (caught) {
    log.error("cannot open a port", { reason: messageOf(caught) });
    await stop();
    throw caught;
  }
  control.setNotReady(null);
  serverEvents.started(threads.ports);
  return {
    httpPorts: threads.ports.http,
    rtmpPorts: threads.ports.rtmp,
    threads: count,
    events: serverEvents,
    configure: async (wanted, warnings = 0) => {
      if (draining !== null || stopping !== null) throw serverErrors.error("SERVER_STOPPING");
      const next = withStartSettings(wanted, config);
      await threads.configure(next);
      control.configure(next);
      await identity.configure(next);
      await serverEvents.configure(next);
      inForce = next;
      events.configApplied();
      serverEvents.bus.emit("config_applied", { warnings });
      return next;
    },
    reloadRefused: (problems = []) => {
      control.reloadRefused();
      events.configRefused(problems);
      serverEvents.bus.emit("config_refused", refusalFields(problems));
    },
    injectFault: (fault) => (fault === "hang-control" ? hang() : threads.injectFault(fault)),
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  };
}

/** What an event says of problems: where they are, and what they are; never what the file has there. */
function refusalFields(problems: readonly ConfigProblem[]): EventFields {
  const told = problems.slice(0, MAX_TOLD_PROBLEMS);
  const where = told.map(({ file, line, column, message }) => ({ file, line, column, message }));
  return { errors: problems.length, problems: where };
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
