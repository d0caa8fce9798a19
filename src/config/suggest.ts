/** Most names that one is compared with: a wrong config with many templates must not cost seconds. */
export const MAX_COMPARED = 2000;

/**
 * Finds the known name that a mistyped one most likely means; `undefined` when none is near.
 *
 * Near: one change (letter added, left out, replaced, or two neighbours swapped) for up to four letters, two for
 * up to eight, three above. Of equally near names the first wins; only the first `MAX_COMPARED` are looked at.
 */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  const lower = typed.toLowerCase();
  let limit = lower.length <= 4 ? 1 : lower.length <= 8 ? 2 : 3;
  let found: string | undefined;
  let compared = 0;
  for (const name of known) {
    compared += 1;
    if (compared > MAX_COMPARED) break;
    if (name.length === 0 || Math.abs(name.length - lower.length) > limit) continue;
    const distance = editDistance(lower, name.toLowerCase());
    if (distance > limit || distance >= name.length) continue;
    if (distance === 0) return name;
    limit = distance - 1;
    found = name;
  }
  return found;
}

/**
 * Counts the changes between two words: a letter added, left out or replaced, or two neighbours swapped.
 *
 * Spec: Damerau-Levenshtein distance in its "optimal string alignment" form.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
