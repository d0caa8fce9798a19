/** From the outcomes of runs to rows: medians, spreads, ratios. */
import type { Case, Cell, Name, Outcome, Row, RowSpec } from "./measured.ts";

/** Outcomes of a case by contestant, in the order of the runs. */
export type Outcomes = ReadonlyMap<Name, readonly Outcome[]>;

/** The rows of a case. */
export function makeRows(of: Case, outcomes: Outcomes): Row[] {
  return of.rows.map((spec) => makeRow(of, spec, outcomes));
}

/** The middle value; of an even number of values the mean of the two in the middle; `null` of none. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
}

/** The cell of one contestant: the figure over its runs. */
export function makeCell(outcomes: readonly Outcome[], figure: string): Cell {
  const counted = outcomes.filter((outcome) => outcome.kind === "measured");
  const runs = counted.map((outcome) => outcome.figures[figure]).filter((value) => value !== undefined);
  const middle = median(runs);
  const hasSpread = middle !== null && middle !== 0;
  const spread = hasSpread ? (Math.max(...runs) - Math.min(...runs)) / Math.abs(middle) : null;
  const remarks = outcomes.flatMap((outcome) =>
    outcome.kind === "measured" ? [] : [`${outcome.kind}: ${outcome.reason}`],
  );
  return { median: middle, runs, spread, remarks: [...new Set(remarks)] };
}

function makeRow(of: Case, spec: RowSpec, outcomes: Outcomes): Row {
  const cells: Partial<Record<Name, Cell>> = {};
  for (const [name, runs] of outcomes) cells[name] = makeCell(runs, spec.figure);
  const ours = outcomes.get("weir");
  if (spec.floorFigure !== undefined && ours !== undefined) cells.floor = makeCell(ours, spec.floorFigure);
  const ratios: Partial<Record<Name, number>> = {};
  for (const name of ["floor", "nginx", "nms", "ffmpeg"] as const) {
    const ratio = divide(cells.weir?.median, cells[name]?.median);
    if (ratio !== null) ratios[name] = ratio;
  }
  const { what, unit, digits } = spec;
  const rest = { aim: spec.aim ?? null, isInChart: spec.isInChart ?? false, cells, ratios };
  return { case: of.id, group: of.group, what, unit, digits, ...rest };
}

function divide(above: number | null | undefined, below: number | null | undefined): number | null {
  if (above === null || above === undefined || below === null || below === undefined) return null;
  return below === 0 ? null : above / below;
}
