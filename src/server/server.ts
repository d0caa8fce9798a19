import { availableParallelism } from "node:os";
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
import { ServerIdentity } from "./identity.ts";
import { openPages } from "./pages.ts";
import { withStartSettings } from "./start-settings.ts";
import { MediaThreads } from "./threads/supervisor.ts";

/** A running server. */
export type Server = {
  /** Ports that are open, also where 0 was asked for. */
  readonly httpPorts: readonly number[];
  readonly rtmpPorts: readonly number[];
  /** Media threads. */
  readonly threads: number;
  /**
   * Puts a new configuration in force, but for the start settings: what did not change is not touched. Rejects when a port
   * cannot be opened, and with SERVER_STOPPING; the configuration before stays in force. Returns: what is in force.
   */
  configure(config: ResolvedConfig): Promise<ResolvedConfig>;
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

/** Builds everything by hand and opens the ports. Rejects, with all closed again, when one cannot be opened. */
export async function startServer(options: {
  config: ResolvedConfig;
  log: Logger;
  clock?: Clock;
  /** Of the process, for what Kubernetes says in it; without it the server takes part in no cluster. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where the pod's service account is mounted, if not where Kubernetes does it. */
  serviceAccount?: string;
  /** Who keeps changes by API; `null`: the configuration is in no file. */
  edits?: ConfigEdits | null;
}): Promise<Server> {
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
  });
  const identity = new ServerIdentity({ config, env, clock, log, serviceAccount });
  const events = configEvents({ env, clock, log, serviceAccount });
  const pages = await openPages();
  const control = new ControlPlane({ config, threads, identity, clock, startedAtMs, pages, edits });
  let inForce = config;
  let drainUnderWay: Drain | null = null;
  let draining: Promise<void> | null = null;
  let stopping: Promise<void> | null = null;
  const drain = async (): Promise<void> => {
    const timeoutMs = inForce.drainTimeoutMs;
    if (timeoutMs === 0) return;
    control.setNotReady(DRAINING);
    drainUnderWay = new Drain({ target: threads, clock, log, timeoutMs });
    await drainUnderWay.run();
  };
  const stop = async (): Promise<void> => {
    drainUnderWay?.cutShort();
    control.setNotReady("the server stops");
    control.stop();
    identity.stop();
    events.stop();
    await threads.stop();
  };
  try {
    await Promise.all([threads.start(), identity.start(), control.start()]);
  } catch (caught) {
    log.error("cannot open a port", { reason: messageOf(caught) });
    await stop();
    throw caught;
  }
  control.setNotReady(null);
  return {
    httpPorts: threads.ports.http,
    rtmpPorts: threads.ports.rtmp,
    threads: count,
    configure: async (wanted) => {
      if (draining !== null || stopping !== null) throw serverErrors.error("SERVER_STOPPING");
      const next = withStartSettings(wanted, config);
      await threads.configure(next);
      control.configure(next);
      await identity.configure(next);
      inForce = next;
      events.configApplied();
      return next;
    },
    reloadRefused: (problems = []) => {
      control.reloadRefused();
      events.configRefused(problems);
    },
    injectFault: (fault) => (fault === "hang-control" ? hang() : threads.injectFault(fault)),
    drain: () => (draining ??= drain()),
    stop: () => (stopping ??= stop()),
  };
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
