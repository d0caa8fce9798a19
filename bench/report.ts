/** Where a run's results go: a JSON file each run; the kept table, the page and its chart. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Plan } from "./cases/plan.ts";
import { renderChart } from "./chart.ts";
import { withRun } from "./kept-table.ts";
import type { KeptTable, MeasuredRun } from "./kept-table.ts";
import { thisMachine } from "./machine.ts";
import type { Row } from "./measured.ts";
import { renderMarkdown } from "./table.ts";

/** A finished run. */
export type Report = {
  readonly rows: readonly Row[];
  readonly plan: Plan;
  readonly loadBefore: number;
  readonly isQuick: boolean;
  /** `--only`. */
  readonly isPartial: boolean;
  /** `--docs`. */
  readonly writesDocs: boolean;
  readonly say: (line: string) => void;
};

const ROOT = resolve(import.meta.dirname, "..");
const RESULTS = join(import.meta.dirname, "results");
const TABLE = join(RESULTS, "table.json");
const PAGE = join(ROOT, "docs/performance.md");
const CHART = join(ROOT, "docs/performance.svg");
/** Who writes a part of the page, and the marks around that part. */
const MARKS = {
  bench: ["<!-- the bench writes from here -->", "<!-- to here -->"],
  latency: ["<!-- bench/latency.ts writes from here -->", "<!-- bench/latency.ts to here -->"],
} as const;

/** Writes the JSON file, and the page when the run is whole or was told to. */
export function writeReport(report: Report): void {
  const { rows, plan, isQuick, isPartial, say } = report;
  const machine = thisMachine();
  const date = new Date().toISOString().slice(0, 10);
  const kind = `${isQuick ? "-quick" : ""}${isPartial ? "-partial" : ""}`;
  const file = join(RESULTS, `${date}-${machine.kind}${kind}.json`);
  const load = { before: report.loadBefore, after: loadavg()[0] };
  const text = JSON.stringify({ date, machine, load, scale: plan.scale, rows }, null, 2);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(file, `${text}\n`);
  say(`written: ${relative(ROOT, file)}`);
  if (!report.writesDocs && (isQuick || isPartial)) return;
  const table = keepRun({ date, machine, runs: plan.scale.runs, rows });
  say(`written: ${[TABLE, PAGE, CHART].map((path) => relative(ROOT, path)).join(", ")}`);
  const groups = table.groups.map((one) => `${one.group} of ${one.date}`);
  say(`the page shows: ${groups.join(", ")}`);
}

/** Puts a run's groups into the kept table, and writes the page and the chart of all that it has then. */
function keepRun(run: MeasuredRun): KeptTable {
  const kept = existsSync(TABLE) ? (JSON.parse(readFileSync(TABLE, "utf8")) as KeptTable) : null;
  const table = withRun(kept, run);
  writeFileSync(TABLE, `${JSON.stringify(table, null, 1)}\n`);
  const { cpu, cores, linux, node } = table.machine;
  const title = `${cores} x ${cpu}, Linux ${linux}, Node ${node}; medians of the runs.`;
  const page = replaceBetween(
    readFileSync(PAGE, "utf8"),
    `\n${title}\n\n${renderMarkdown(table.groups)}\n\n`,
  );
  writeFileSync(PAGE, page);
  writeFileSync(CHART, renderChart(table.groups.flatMap(({ rows }) => rows)));
  return table;
}

/** The page with new text between the two marks of its writer. */
export function replaceBetween(page: string, text: string, writer: keyof typeof MARKS = "bench"): string {
  const [begin, end] = MARKS[writer];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no "${begin}" and "${end}"`);
  return page.slice(0, from + begin.length) + text + page.slice(to);
}
