/**
 * How long answers take while something else goes on: a thread of its own, so that what the run does beside it is not
 * counted, that asks at a steady pace whether answers come or not.
 */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { percentile } from "./access-clock.ts";
import { lastAddress, pathOf, PlainConnection } from "./plain-get.ts";
import type { PlainReply } from "./plain-get.ts";

/** What is asked for. */
export type MeterPlan = {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  /** Paths to ask for in turn. One that ends in `.m3u8` stands for the newest segment behind it. */
  readonly paths: readonly string[];
  readonly perSecond: number;
};

/** Of one span of time. Units: milliseconds. */
export type MeterFigures = {
  readonly count: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
};

type Order = "begin" | "end" | "close";

/** Measures from `begin` to `end`, as often as one likes. */
export class Meter {
  readonly #worker: Worker;

  constructor(plan: MeterPlan) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: plan });
  }

  begin(): void {
    this.#tell("begin");
  }

  async end(): Promise<MeterFigures> {
    this.#tell("end");
    const [figures] = (await once(this.#worker, "message")) as [MeterFigures];
    return figures;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(order: Order): void {
    this.#worker.postMessage(order);
  }
}

const REFRESH_MS = 1000;

function work({ url, paths, perSecond }: MeterPlan): void {
  const free: PlainConnection[] = [];
  const get = async (path: string): Promise<PlainReply> => {
    // Servers close what is idle for long.
    while (free.at(-1)?.isOpen === false) free.pop();
    const connection = free.pop() ?? new PlainConnection(url, "meter");
    const reply = await connection.get(path);
    free.push(connection);
    return reply;
  };
  const targets = [...paths];
  let [took, failed, asked, isMeasuring]: [number[], number, number, boolean] = [[], 0, 0, false];
  const refresh = async (i: number): Promise<void> => {
    let at = paths[i]!;
    for (let depth = 0; depth < 2 && at.split("?")[0]!.endsWith(".m3u8"); depth++)
      at = pathOf(new URL(lastAddress((await get(at)).body), url + at));
    targets[i] = at;
  };
  const ask = async (): Promise<void> => {
    const target = targets[asked++ % targets.length]!;
    const beganMs = performance.now();
    const isOf = isMeasuring;
    const reply = await get(target).catch(() => null);
    if (!isOf || !isMeasuring) return;
    took.push(performance.now() - beganMs);
    if (reply?.status !== 200) failed++;
  };
  const refreshAll = (): void => paths.forEach((_, i) => void refresh(i).catch(() => {}));
  refreshAll();
  setInterval(refreshAll, REFRESH_MS);
  setInterval(() => void ask(), 1000 / perSecond);
  parentPort!.on("message", (order: Order) => {
    isMeasuring = order === "begin";
    if (order === "begin") [took, failed] = [[], 0];
    else {
      const [p50, p99, most] = [percentile(took, 0.5), percentile(took, 0.99), Math.max(...took)];
      parentPort!.postMessage({ count: took.length, failed, p50, p99, most } satisfies MeterFigures);
    }
  });
}

if (!isMainThread && parentPort !== null) work(workerData as MeterPlan);
