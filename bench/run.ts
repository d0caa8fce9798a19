/** `npm run bench`: measures the server beside its peers on this machine; see README.md here. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { archiveCases } from "./cases/archive.ts";
import { churnCases, stallCases } from "./cases/bad-viewers.ts";
import { fanoutCases, flvCases } from "./cases/fanout.ts";
import { hlsCases } from "./cases/hls.ts";
import { idleCases } from "./cases/idle.ts";
import { ingestCases } from "./cases/ingest.ts";
import { muxCases } from "./cases/mux.ts";
import { FULL, QUICK } from "./cases/plan.ts";
import type { Plan } from "./cases/plan.ts";
import { viewerCases } from "./cases/viewers.ts";
import { vodCases } from "./cases/vod.ts";
import { endChildren } from "./child.ts";
import { installPeers } from "./install.ts";
import { GROUPS } from "./measured.ts";
import type { Case, Group, Name, Outcome, Row } from "./measured.ts";
import { writeReport } from "./report.ts";
import { makeRows } from "./rows.ts";
import { weirFeatures } from "./servers/weir.ts";
import { describeCell, renderText } from "./table.ts";
import { prepareKit } from "./tools.ts";

const USAGE = `usage: npm run bench -- [--quick] [--only GROUP,...] [--runs N] [--docs]
  --quick   one run, short windows, under 3 minutes
  --only    some of: ${GROUPS.join(", ")}
  --runs    runs of each server instead of 3
  --docs    writes docs/performance.md and its chart also of a run that is not whole`;

const CASES_OF: Readonly<Record<Group, (plan: Plan) => Case[]>> = {
  fanout: fanoutCases,
  flv: flvCases,
  hls: hlsCases,
  viewers: viewerCases,
  vod: vodCases,
  mux: muxCases,
  ingest: ingestCases,
  archive: archiveCases,
  idle: idleCases,
  stall: stallCases,
  churn: churnCases,
};

type Arguments = {
  readonly isQuick: boolean;
  readonly only: readonly Group[] | null;
  readonly runs: number | null;
  readonly writesDocs: boolean;
};

function readArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      runs: { type: "string" },
      docs: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",").map((name) => {
    const group = GROUPS.find((known) => known === name.trim());
    if (group === undefined) throw new Error(`no group "${name}"`);
    return group;
  });
  const runs = values.runs === undefined ? null : Number(values.runs);
  if (runs !== null && !(Number.isInteger(runs) && runs > 0 && runs < 100))
    throw new Error("--runs: 1 to 99");
  return { isQuick: values.quick, only: only ?? null, runs, writesDocs: values.docs };
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  const installed = await installPeers(say);
  const [kit, features] = [await prepareKit(), await weirFeatures()];
  const scale = args.isQuick ? QUICK : FULL;
  const plan: Plan = { kit, installed, features, scale: { ...scale, runs: args.runs ?? scale.runs } };
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > 0.7) say(`other programs are running here (load average ${loadBefore.toFixed(1)})`);
  const rows: Row[] = [];
  for (const group of args.only ?? GROUPS) {
    for (const one of CASES_OF[group](plan)) rows.push(...(await runCase(one, plan.scale.runs)));
  }
  console.log(renderText(rows));
  const { isQuick, writesDocs } = args;
  writeReport({ rows, plan, loadBefore, isQuick, isPartial: args.only !== null, writesDocs, say });
}

/** A B C, A B C, A B C: what disturbs the machine for a while disturbs all of them. */
async function runCase(one: Case, runs: number): Promise<Row[]> {
  const outcomes = new Map<Name, Outcome[]>(one.contestants.map(({ name }) => [name, []]));
  for (let run = 1; run <= runs; run++) {
    for (const { name, measure } of one.contestants) {
      const outcome = await measure().catch(failed);
      outcomes.get(name)?.push(outcome);
      say(`${one.id}, run ${run} of ${runs}: ${name} ${describeOutcome(one, outcome)}`);
    }
  }
  return makeRows(one, outcomes);
}

function failed(error: unknown): Outcome {
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: "not counted", reason: reason.split("\n").slice(0, 3).join(" / "), figures: {} };
}

function describeOutcome(one: Case, outcome: Outcome): string {
  if (outcome.kind !== "measured") return `${outcome.kind}: ${outcome.reason}`;
  const said = one.rows.map(({ figure, digits, unit }) => {
    const value = outcome.figures[figure];
    return value === undefined ? null : describeCell(value, digits, unit);
  });
  return said.filter((text) => text !== null).join(", ");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endChildren();
    process.exit(1);
  });
}

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  say(USAGE);
  process.exitCode = 1;
}
