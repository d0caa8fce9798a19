/** A stretch of time; `toMs` does not belong to it. Units: milliseconds since 1970. */
export type MsSpan = { readonly fromMs: number; readonly toMs: number };

/** Spans in ascending order that neither overlap nor touch. */
export type SpanList = readonly MsSpan[];

/** The times that any of the spans has. */
export function uniteSpans(spans: readonly MsSpan[]): SpanList {
  const united: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = united.at(-1);
    if (last === undefined || fromMs > last.toMs) united.push({ fromMs, toMs });
    else last.toMs = Math.max(last.toMs, toMs);
  }
  return united;
}

/** The times of `spans` that `taken` has not. */
export function subtractSpan(spans: SpanList, taken: MsSpan): SpanList {
  const first = firstBehind(spans, taken.fromMs);
  let end = first;
  while (end < spans.length && spans[end]!.fromMs < taken.toMs) end++;
  if (end === first) return spans;
  const before = { fromMs: spans[first]!.fromMs, toMs: taken.fromMs };
  const behind = { fromMs: taken.toMs, toMs: spans[end - 1]!.toMs };
  const left = [before, behind].filter(({ fromMs, toMs }) => toMs > fromMs);
  return [...spans.slice(0, first), ...left, ...spans.slice(end)];
}

/** Whether any of the spans has a part of this one. */
export function meetsSpans(spans: SpanList, { fromMs, toMs }: MsSpan): boolean {
  const first = firstBehind(spans, fromMs);
  return first < spans.length && spans[first]!.fromMs < toMs;
}

/** Index of the first span that ends behind a moment. */
function firstBehind(spans: SpanList, ms: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.toMs <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
