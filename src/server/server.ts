import { AddressCounter } from "../base/address-counter.ts";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { Logger } from "../base/log.ts";
import type { HttpListenerPlan, ResolvedConfig } from "../config/plan.ts";
import { ControlPlane } from "./control.ts";
import { HttpListener } from "./http/listener.ts";
import { ReplyBudget } from "./http/reply-budget.ts";
import { MediaNode } from "./media-node.ts";
import { memoryBudgetBytes } from "./memory.ts";
import { loadPages } from "./pages.ts";

/** Of the memory that the process may use, what replies may hold for slow readers. */
const REPLY_MEMORY_PERCENT = 15;

/** How long replies under way may take when the server stops. */
const STOP_GRACE_MS = 3000;

/** A running server. */
export type Server = {
  /** Ports that are open, also where 0 was asked for. */
  readonly httpPorts: readonly number[];
  readonly rtmpPorts: readonly number[];
  /** Ends in order: not ready, no new connections, publishers and players told, replies finished. Idempotent. */
  stop(): Promise<void>;
};

/** Builds everything by hand and opens the ports. Rejects, with all closed again, when one cannot be opened. */
export async function startServer(options: {
  config: ResolvedConfig;
  log: Logger;
  clock?: Clock;
}): Promise<Server> {
  const { config, log, clock = systemClock } = options;
  const node = new MediaNode({ config, clock, log });
  const control = new ControlPlane({ config, node, clock, pages: await loadPages() });
  const addresses = new AddressCounter(config.limits.maxConnectionsPerAddress);
  const budget = new ReplyBudget(memoryBudgetBytes(REPLY_MEMORY_PERCENT));
  const parts = { config, log, node, control, addresses, budget };
  const listeners = config.listeners.http.map((plan) => httpListener(plan, parts));
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    control.setNotReady("the server stops");
    await Promise.all([node.stop(), ...listeners.map((listener) => listener.stop(STOP_GRACE_MS))]);
  };
  try {
    for (const listener of listeners) {
      await listener.start();
      log.info("listening", { protocol: "http", port: listener.port });
    }
    await node.start();
  } catch (caught) {
    log.error("cannot open a port", { reason: messageOf(caught) });
    await stop();
    throw caught;
  }
  control.setNotReady(null);
  return {
    httpPorts: listeners.map((listener) => listener.port),
    rtmpPorts: node.rtmpPorts(),
    stop: () => (stopping ??= stop()),
  };
}

function httpListener(
  plan: HttpListenerPlan,
  parts: {
    config: ResolvedConfig;
    log: Logger;
    node: MediaNode;
    control: ControlPlane;
    addresses: AddressCounter;
    budget: ReplyBudget;
  },
): HttpListener {
  const { config, log, node, control, addresses, budget } = parts;
  return new HttpListener({
    host: plan.host,
    port: plan.port,
    addresses,
    budget,
    idleTimeoutMs: config.limits.httpIdleTimeoutMs,
    log,
    handle: async (request: HttpRequest): Promise<HttpReply> =>
      (await node.handle(request, plan.sendWindow)) ?? control.handle(request, plan.api),
  });
}
