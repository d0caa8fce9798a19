/** The table, as text for a terminal and as Markdown for docs/performance.md. */
import type { KeptGroup } from "./kept-table.ts";
import type { Cell, Name, Row } from "./measured.ts";

const NAMES = ["weir", "floor", "nginx", "nms", "ffmpeg"] as const satisfies readonly Name[];
/** It is beside us in few rows: a table without them has no column for it. */
const RARE: Name = "ffmpeg";

/** A number with its unit. */
export function describeCell(value: number, digits: number, unit: string): string {
  const text = digits === 0 ? Math.round(value).toLocaleString("en") : value.toFixed(digits);
  return unit === "" ? text : `${text} ${unit}`;
}

/** Columns padded to their width, with what does not count below. */
export function renderText(rows: readonly Row[]): string {
  const names = namesIn(rows);
  const head = headOf(names);
  const lines = [head, ...rows.map((row) => columns(row, names))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...padded, ...remarks(rows)].join("\n");
}

/** A table of GitHub's Markdown: what each row was measured on, and how often; with what does not count below. */
export function renderMarkdown(groups: readonly KeptGroup[]): string {
  const rows = groups.flatMap((group) => group.rows);
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const names = namesIn(rows);
  const head = [...headOf(names), "measured"];
  const lines = groups.flatMap((group) =>
    group.rows.map((row) => line([...columns(row, names), `${group.date}, ${group.runs} runs`])),
  );
  const table = [line(head), line(head.map(() => "---")), ...lines];
  const below = remarks(rows).map((text) => `- ${text}`);
  return [...table, ...(below.length > 0 ? ["", ...below] : [])].join("\n");
}

function namesIn(rows: readonly Row[]): readonly Name[] {
  return NAMES.filter((name) => name !== RARE || rows.some(({ cells }) => cells[name] !== undefined));
}

function headOf(names: readonly Name[]): string[] {
  return ["what", "unit", ...names, "weir is", "spread", "aim"];
}

function columns(row: Row, names: readonly Name[]): string[] {
  const ratios = Object.entries(row.ratios).map(([name, ratio]) => `${ratio.toFixed(2)} x ${name}`);
  const medians = names.map((name) => describeMedian(row.cells[name], row.digits));
  return [row.what, row.unit, ...medians, ratios.join(", "), spreads(row, names), row.aim ?? ""];
}

function describeMedian(cell: Cell | undefined, digits: number): string {
  if (cell === undefined) return "";
  if (cell.median !== null) return describeCell(cell.median, digits, "");
  return cell.remarks.length > 0 ? (cell.remarks[0]?.split(":")[0] ?? "") : "";
}

/** (greatest - least) / median of the runs, ours first. */
function spreads(row: Row, names: readonly Name[]): string {
  const texts = names
    .map((name) => row.cells[name])
    .map((cell) =>
      cell === undefined || cell.spread === null || cell.runs.length < 2
        ? "-"
        : `${Math.round(cell.spread * 100)} %`,
    );
  return texts.every((text) => text === "-") ? "" : texts.join(" / ");
}

/** Each reason once for each case and server. */
function remarks(rows: readonly Row[]): string[] {
  const texts = rows.flatMap((row) =>
    NAMES.flatMap((name) =>
      (row.cells[name]?.remarks ?? []).map((text) => `${row.case}, ${name}: ${text}`),
    ),
  );
  return [...new Set(texts)];
}
