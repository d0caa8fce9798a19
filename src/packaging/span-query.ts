import { packagingErrors } from "./errors.ts";
import { MAX_SPAN_FROM_S, MAX_SPAN_S } from "./time-span.ts";
import type { TimeSpan } from "./time-span.ts";

const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;
const MILLISECONDS = /^\d{13}$/;

/**
 * The span that `from=` and `to=` in an address name: from a time on, and up to another one where there is a `to`. Times are
 * seconds since 1970 UTC, with as many decimals as wanted, or milliseconds of 13 digits.
 *
 * Returns: `null` where there is no `from`. Throws: SPAN_BAD_TIME.
 */
export function readSpanQuery(query: URLSearchParams): TimeSpan | null {
  const from = query.get("from");
  if (from === null) return null;
  const fromS = readTime("from", from);
  const to = query.get("to");
  if (to === null) return { kind: "timeshift_abs", fromS };
  const durationS = readTime("to", to) - fromS;
  if (durationS <= 0 || durationS > MAX_SPAN_S) throw badTime("to", to);
  return { kind: "archive", fromS, durationS };
}

function readTime(word: string, text: string): number {
  if (MILLISECONDS.test(text) && Number(text) / 1000 <= MAX_SPAN_FROM_S) return Number(text) / 1000;
  if (SECONDS.test(text) && Number(text) <= MAX_SPAN_FROM_S) return Number(text);
  throw badTime(word, text);
}

function badTime(word: string, text: string): Error {
  return packagingErrors.error("SPAN_BAD_TIME", { word, text: text.slice(0, 40) });
}
