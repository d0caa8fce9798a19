import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { listenerKeys } from "../../config/plan.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { listenFailure } from "../listeners/listen-failure.ts";
import type { ListenerPlan } from "../listeners/listener-set.ts";

type Listeners = ResolvedConfig["listeners"];

/**
 * Finds out whether the listeners of `next` can be opened where those of `before` are open; nothing of theirs is touched.
 * Rejects with the system's error and the place in the configuration.
 *
 * Threads share ports, so that the system would let another process of the same user share them as well, or two listeners
 * of one configuration, and nobody would know. So each port is taken for a moment without sharing it, and held until all
 * of them are. Where an open listener has to make way first, another port stands in for that one on the same addresses:
 * what it cannot be opened on, the right one cannot either.
 */
export async function requireOpenable(next: Listeners, before: Listeners): Promise<void> {
  const held: Server[] = [];
  const standIns = new Map<number, number>();
  const leaving = new Set([...gone(before.http, next.http), ...gone(before.rtmp, next.rtmp)]);
  const all = [...withNews(before.http, next.http), ...withNews(before.rtmp, next.rtmp)];
  const news = new Set(all.filter(({ isNew }) => isNew).map(({ plan }) => plan.port));
  try {
    for (const { plan, isNew } of all) {
      const { port } = plan;
      const isMoved = port !== 0 && leaving.has(port);
      if (!isNew && !(isMoved && news.has(port))) continue;
      const probe = await hold(plan, isMoved ? (standIns.get(port) ?? 0) : port);
      held.push(probe);
      if (isMoved) standIns.set(port, (probe.address() as AddressInfo).port);
    }
  } finally {
    await Promise.all(held.map((probe) => new Promise((resolve) => probe.close(resolve))));
  }
}

/** Port numbers of the listeners that the new configuration does not have. */
function gone(before: readonly ListenerPlan[], next: readonly ListenerPlan[]): number[] {
  const wanted = listenerKeys(next);
  const keys = listenerKeys(before);
  return before.flatMap(({ port }, i) => (wanted.includes(keys[i]!) ? [] : [port]));
}

function withNews(
  before: readonly ListenerPlan[],
  next: readonly ListenerPlan[],
): { readonly plan: ListenerPlan; readonly isNew: boolean }[] {
  const open = listenerKeys(before);
  const keys = listenerKeys(next);
  return next.map((plan, i) => ({ plan, isNew: !open.includes(keys[i]!) }));
}

/** Takes a port on the address of a listener. */
function hold({ host, place }: ListenerPlan, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => reject(listenFailure(error, place)));
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => resolve(server));
  });
}
