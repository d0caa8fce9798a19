/** Who means no good: garbage, floods, slowness, and connections that are dropped as soon as they are made. */
import { Random } from "../fuzz/random.ts";
import { ATTACKS } from "./attacks.ts";
import type { Attack } from "./attacks.ts";
import { DrainSocket } from "./drain.ts";
import type { IntruderLife } from "./plan.ts";
import { rest, restUntil } from "./rest.ts";
import type { World } from "./world.ts";

const DRIP_MS = 100;
const CHURN_TICK_MS = 100;

/** Lives one life after the other until the soak ends. */
export async function runIntruder(lives: Iterable<IntruderLife>, world: World): Promise<void> {
  for (const life of lives) {
    await rest(life.pauseMs, world.signal);
    if (world.signal.aborted) return;
    await attackOnce(life, world);
  }
}

async function attackOnce(life: IntruderLife, { ports, census, signal }: World): Promise<void> {
  const attack = ATTACKS[life.attack % ATTACKS.length]!;
  const leaveCensus = census.enter("intruders");
  const wire = new DrainSocket(ports[attack.port]);
  const isClosed = await carryOut(attack, life, wire, signal);
  census.count(`attack on ${attack.port}: ${attack.name}${isClosed ? ", closed by the server" : ""}`);
  await (life.seed % 2 === 0 ? wire.end() : wire.reset());
  leaveCensus();
}

async function carryOut(
  attack: Attack,
  life: IntruderLife,
  wire: DrainSocket,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = attack.bytes(new Random(life.seed));
  if (attack.manner === "flood") wire.socket.pause();
  if (attack.manner !== "drip") {
    wire.write(bytes);
    return restUntil(wire.closed, life.holdMs, signal);
  }
  for (let at = 0; at * DRIP_MS < life.holdMs && wire.isOpen && !signal.aborted; at++) {
    wire.write(bytes.subarray(at, at + 1));
    if (await restUntil(wire.closed, DRIP_MS, signal)) return true;
  }
  return !wire.isOpen;
}

/** Makes and drops connections, so many a second, on both ports. */
export async function runChurn(perSecond: number, { ports, census, signal }: World): Promise<void> {
  const dropping = new Set<Promise<void>>();
  let owed = 0;
  let count = 0;
  while (!signal.aborted) {
    owed += (perSecond * CHURN_TICK_MS) / 1000;
    for (; owed >= 1; owed--) {
      census.count("churned connections");
      const dropped = drop(new DrainSocket(count++ % 2 === 0 ? ports.http : ports.rtmp));
      dropping.add(dropped);
      void dropped.then(() => dropping.delete(dropped));
    }
    await rest(CHURN_TICK_MS, signal);
  }
  await Promise.all(dropping);
}

async function drop(wire: DrainSocket): Promise<void> {
  await Promise.race([
    wire.closed,
    new Promise<void>((resolve) => {
      wire.socket.once("connect", () => resolve());
    }),
  ]);
  await wire.reset();
}
