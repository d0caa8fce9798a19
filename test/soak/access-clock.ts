/** Time that all threads of a run share. Units: milliseconds since 1970, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Of sorted or unsorted figures: the one that `share` of them do not exceed. `NaN` of none. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The one in the middle. */
export function median(figures: readonly number[]): number {
  return percentile(figures, 0.5);
}
