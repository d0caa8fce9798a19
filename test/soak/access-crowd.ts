/** Viewers that start in the same second: each is a connection of its own that goes from the playlist to a segment. */
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "./access-clock.ts";
import { lastAddress, pathOf, PlainConnection } from "./plain-get.ts";

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
  const connection = new PlainConnection(url, who);
  const beganMs = nowMs();
  let firstMs = NaN;
  const get = async (path: string): Promise<Buffer> => {
    const reply = await connection.get(path);
    if (Number.isNaN(firstMs)) firstMs = nowMs() - beganMs;
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status}`);
    return reply.body;
  };
  const next = (path: string, playlist: Buffer): string =>
    pathOf(new URL(lastAddress(playlist), url + path));
  try {
    const master = `/${stream}/index.m3u8`;
    const media = next(master, await get(master));
    const segment = next(media, await get(media));
    if ((await get(segment)).byteLength === 0) throw new Error("the segment is empty");
    return { who, stream, beganMs, firstMs, wrong: null };
  } catch (caught) {
    return { who, stream, beganMs, firstMs, wrong: String(caught) };
  } finally {
    connection.close();
  }
}
