/** Viewers that start in the same second: each is a connection of its own that goes from the playlist to a segment. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "./access-clock.ts";

/** Who comes. */
export type CrowdPlan = {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  readonly viewers: number;
  /** Names of streams; viewers take turns. */
  readonly streams: readonly string[];
  /** All have started within so long. */
  readonly withinMs: number;
  /** In front of each viewer's number: its user agent. */
  readonly label: string;
};

/** What became of a viewer. Units: milliseconds, since 1970 for `beganMs`. */
export type Viewing = {
  readonly who: string;
  readonly stream: string;
  readonly beganMs: number;
  /** From the first request to its answer. */
  readonly firstMs: number;
  /** `null`: it had a playlist, the playlist of its quality and a segment. */
  readonly wrong: string | null;
};

/** Sends the crowd; resolves when the last viewer has its segment or has failed. */
export async function sendCrowd(plan: CrowdPlan): Promise<Viewing[]> {
  const viewings = Array.from({ length: plan.viewers }, async (_, i) => {
    await sleep((i * plan.withinMs) / plan.viewers);
    return view(plan, `${plan.label}${i}`, plan.streams[i % plan.streams.length]!);
  });
  return Promise.all(viewings);
}

async function view({ url }: CrowdPlan, who: string, stream: string): Promise<Viewing> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const beganMs = nowMs();
  let firstMs = NaN;
  const get = async (address: URL): Promise<Buffer> => {
    const reply = await getWith(agent, address, who);
    if (Number.isNaN(firstMs)) firstMs = nowMs() - beganMs;
    if (reply.status !== 200) throw new Error(`${address.pathname}: ${reply.status}`);
    return reply.body;
  };
  try {
    const master = new URL(`${url}/${stream}/index.m3u8`);
    const media = new URL(lastAddress(await get(master)), master);
    const segment = new URL(lastAddress(await get(media)), media);
    if ((await get(segment)).byteLength === 0) throw new Error("the segment is empty");
    return { who, stream, beganMs, firstMs, wrong: null };
  } catch (caught) {
    return { who, stream, beganMs, firstMs, wrong: String(caught) };
  } finally {
    agent.destroy();
  }
}

/** The last address of a playlist that is not a hint of what comes. Throws where there is none. */
export function lastAddress(playlist: Buffer): string {
  const lines = playlist.toString().split(/\r?\n/);
  const address = lines.findLast((line) => line !== "" && !line.startsWith("#"));
  if (address === undefined) throw new Error("the playlist has no addresses yet");
  return address;
}

/** GET over an agent's connection; rejects after 60 s. */
export function getWith(
  agent: Agent,
  url: URL,
  userAgent: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { agent, headers: { "user-agent": userAgent, ...headers }, timeout: 60_000 };
    const asked = request(url, options, (reply) => {
      const pieces: Buffer[] = [];
      reply.on("data", (piece: Buffer) => pieces.push(piece));
      reply.once("end", () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(pieces) }));
      reply.once("error", reject);
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer within 60 s")));
    asked.once("error", reject);
    asked.end();
  });
}
