/** Publishers that come and go. */
import type { PublisherLife } from "./plan.ts";
import { rest, restUntil } from "./rest.ts";
import { RtmpPeer } from "./rtmp-peer.ts";
import { APP, streamOf } from "./world.ts";
import type { World } from "./world.ts";

/** How long one that fell silent holds its connection before it goes with a reset. */
const FROZEN_MS = 20_000;
/** How long the server may take to say yes or no. */
const START_MS = 10_000;

/** Lives one life after the other until the soak ends. */
export async function runPublisher(lives: Iterable<PublisherLife>, world: World): Promise<void> {
  for (const life of lives) {
    await rest(life.pauseMs, world.signal);
    if (world.signal.aborted) return;
    await publishOnce(life, world);
  }
}

async function publishOnce(life: PublisherLife, { ports, pump, census, signal }: World): Promise<void> {
  const peer = new RtmpPeer({ port: ports.rtmp, app: APP, stream: streamOf(life.stream), role: "publish" });
  const leaveCensus = census.enter("publishers");
  await restUntil(peer.answered, START_MS, signal);
  census.count(peer.isStarted ? "publishers started" : "publishers refused");
  if (peer.isStarted) {
    const stop = pump.play(peer);
    const isLost = await restUntil(peer.wire.closed, life.lifeMs, signal);
    stop();
    if (isLost) census.count("publishers lost");
    else census.count(`publishers left: ${life.leaving}`);
  }
  await leave(peer, life, signal);
  leaveCensus();
}

async function leave(peer: RtmpPeer, life: PublisherLife, signal: AbortSignal): Promise<void> {
  if (life.leaving === "polite") return peer.leave();
  if (life.leaving === "freeze") await restUntil(peer.wire.closed, FROZEN_MS, signal);
  return peer.wire.reset();
}
