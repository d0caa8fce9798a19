import { totalmem } from "node:os";

const MIN_BUDGET_BYTES = 128 * 1024 * 1024;

/** Bytes that the process may use: its cgroup's limit, or the machine's memory where there is none. */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/** The share of the memory limit that one use may have, in percent; never less than 128 MiB. */
export function memoryBudgetBytes(percent: number): number {
  return Math.max(MIN_BUDGET_BYTES, Math.floor((memoryLimitBytes() * percent) / 100));
}

/** A stream and the media that it holds in memory. */
export type Holding<T> = { readonly stream: T; readonly bytes: number };

/**
 * Who has to go when all streams together hold more than the budget: the largest, one after the other, until the rest
 * fits. Whoever sends the most pays, and the others notice nothing.
 */
export function overBudget<T>(holdings: readonly Holding<T>[], budgetBytes: number): T[] {
  let heldBytes = holdings.reduce((sum, { bytes }) => sum + bytes, 0);
  const gone: T[] = [];
  for (const { stream, bytes } of holdings.toSorted((a, b) => b.bytes - a.bytes)) {
    if (heldBytes <= budgetBytes) break;
    gone.push(stream);
    heldBytes -= bytes;
  }
  return gone;
}
