/** The table of docs/performance.md as data: the newest rows of each group of cases, whenever they were measured. */
import type { Machine } from "./machine.ts";
import { GROUPS } from "./measured.ts";
import type { Group, Row } from "./measured.ts";

/** What one run of the benchmark measured. */
export type MeasuredRun = {
  /** Such as `2026-11-22`. */
  readonly date: string;
  readonly machine: Machine;
  /** How often each contestant ran. */
  readonly runs: number;
  readonly rows: readonly Row[];
};

/** What one run measured of one group. */
export type KeptGroup = Omit<MeasuredRun, "machine"> & { readonly group: Group };

/** Everything that the page shows. Its figures are of one machine: ratios of another one are not beside them. */
export type KeptTable = { readonly machine: Machine; readonly groups: readonly KeptGroup[] };

/**
 * The table with a run's groups in the place of those that it had of them. A run on another machine, or with another
 * Linux or Node, begins the table anew.
 */
export function withRun(kept: KeptTable | null, run: MeasuredRun): KeptTable {
  const { date, machine, runs, rows } = run;
  const before = kept !== null && isSameMachine(kept.machine, machine) ? kept.groups : [];
  const groups = GROUPS.flatMap((group): KeptGroup[] => {
    const measured = rows.filter((row) => row.group === group);
    if (measured.length > 0) return [{ group, date, runs, rows: measured }];
    return before.filter((one) => one.group === group);
  });
  return { machine, groups };
}

function isSameMachine(a: Machine, b: Machine): boolean {
  return a.kind === b.kind && a.cpu === b.cpu && a.linux === b.linux && a.node === b.node;
}
