/** Events to a sink that fails half of the time, through processes that are killed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import { FailingSink, judgeEvents } from "./events-sink.ts";

/** What is run. */
export type EventsPlan = {
  readonly events: number;
  readonly streams: number;
  readonly kills: number;
  readonly seed: number;
};

/** What came of it. */
export type EventsReport = {
  readonly stored: number;
  readonly had: number;
  readonly duplicates: number;
  readonly batches: FailingSink["batches"];
  readonly kills: number;
  readonly wrong: readonly string[];
};

const PUMP = join(import.meta.dirname, "events-pump.ts");

/** Tells events, kills who tells them so many times on the way, and looks what arrived. */
export async function pumpEvents(end: TestEnd, plan: EventsPlan): Promise<EventsReport> {
  const folder = await mkdtemp(join(tmpdir(), "weir-events-"));
  const sink = new FailingSink(plan.seed);
  end.after(() => rm(folder, { recursive: true, force: true }));
  end.after(() => sink.close());
  const url = await sink.listen();
  let stored = -1;
  let kills = 0;
  const wrong: string[] = [];
  for (let run = 0; ; run++) {
    const killAt = kills < plan.kills ? ((kills + 1) * plan.events) / (plan.kills + 1) : Infinity;
    const numbers = [plan.events, plan.streams, stored + 1, run].map(String);
    const isDone = await runPump(end, [url, folder, ...numbers], killAt, (k) => (stored = k));
    if (isDone === "done") break;
    if (isDone === "failed") {
      wrong.push(`run ${run} ended without an order`);
      break;
    }
    kills++;
    sink.senderKilled();
  }
  const { had, duplicates, batches } = sink;
  wrong.push(...judgeEvents(sink, lastOfStreams(stored, plan.streams)));
  return { stored: stored + 1, had: had.size, duplicates: duplicates.length, batches, kills, wrong };
}

async function runPump(
  end: TestEnd,
  args: readonly string[],
  killAt: number,
  onStored: (k: number) => void,
): Promise<"done" | "killed" | "failed"> {
  let isDone = false;
  let isKilled = false;
  const pump = startProgram(end, process.execPath, [PUMP, ...args], {
    onLine: (line) => {
      if (line === "done") isDone = true;
      const [word, k] = line.split(" ");
      if (word !== "stored") return;
      onStored(Number(k));
      if (Number(k) < killAt || isKilled) return;
      isKilled = true;
      pump.signal("SIGKILL");
    },
  });
  await pump.ended;
  return isDone ? "done" : isKilled ? "killed" : "failed";
}

function lastOfStreams(stored: number, streams: number): Map<string, number> {
  const last = new Map<string, number>();
  for (let k = Math.max(0, stored - streams + 1); k <= stored; k++) {
    last.set(`s${k % streams}`, Math.floor(k / streams));
  }
  return last;
}
