/**
 * A stretch of what was recorded of a stream, as an address names it: `archive`, a range, up to now where it has no
 * duration; `rewind`, a window from so long ago up to now; `timeshift_abs`, from a time on; `timeshift_rel`, a live window
 * that stays so far behind now. Units: seconds, of times since 1970 UTC; a time may have milliseconds.
 */
export type TimeSpan =
  | { readonly kind: "archive"; readonly fromS: number; readonly durationS: number | null }
  | { readonly kind: "rewind"; readonly agoS: number }
  | { readonly kind: "timeshift_abs"; readonly fromS: number }
  | { readonly kind: "timeshift_rel"; readonly agoS: number };

/**
 * What playlists of what is live are called, and what addresses of old have in front: in place of `archive`, as
 * `index-FROM-DURATION` has it, or before any other form, as `video-timeshift_abs-FROM` has it.
 */
export type LiveStem = "index" | "video" | "mono";

/** What may be a stretch of a recording. */
export type Spanned = {
  /** Left out for what is live, and for a file. */
  readonly span?: TimeSpan;
};

/** No length of time in an address is greater: ten years. Seconds. */
export const MAX_SPAN_S = 10 * 366 * 86_400;

/** No time in an address is later (it is in the year 2242), so that all sums in microseconds are whole numbers. Seconds. */
export const MAX_SPAN_FROM_S = 2 ** 33;

/** So many digits are milliseconds; in seconds they would be tens of thousands of years away. */
const MILLISECOND_DIGITS = 13;

/** Nothing is said of time. */
const NOW: Spanned = {};

/** A number has neither a sign nor zeros in front: a span has as few names as can be. */
const RANGE = /^(0|[1-9][0-9]{0,12})-(?:now|([1-9][0-9]{0,9}))$/;
const WORD = /^(archive|rewind|timeshift_abs|timeshift_rel)-(.+)$/;
const FROM = /^(?:0|[1-9][0-9]{0,12})$/;
const LENGTH = /^[1-9][0-9]{0,9}$/;

/**
 * Reads the name of a playlist, without what stands behind its first dot: `archive-FROM-DURATION`, `archive-FROM-now`,
 * `rewind-AGO`, `timeshift_abs-FROM`, `timeshift_rel-AGO`; with `oldWord` also the forms of old that begin with it. FROM
 * is in seconds since 1970 UTC, or in milliseconds where it has 13 digits; lengths are in seconds.
 *
 * Returns: `null` for anything else, for a length of nothing or of more than `MAX_SPAN_S`, and for a time after
 * `MAX_SPAN_FROM_S`.
 */
export function parseTimeSpan(stem: string, oldWord?: LiveStem): TimeSpan | null {
  if (oldWord !== undefined && stem.startsWith(`${oldWord}-`)) {
    const rest = stem.slice(oldWord.length + 1);
    return parseRange(rest) ?? parseTimeSpan(rest);
  }
  const [, word, rest = ""] = WORD.exec(stem) ?? [];
  switch (word) {
    case "archive":
      return parseRange(rest);
    case "timeshift_abs": {
      const fromS = FROM.test(rest) ? readFrom(rest) : null;
      return fromS === null ? null : { kind: word, fromS };
    }
    case "rewind":
    case "timeshift_rel": {
      const agoS = LENGTH.test(rest) ? readLength(rest) : null;
      return agoS === null ? null : { kind: word, agoS };
    }
    default:
      return null;
  }
}

/** Reads the name of a playlist that is `live` or a span of time, of old too. Returns: `null` for any other. */
export function parseStem(stem: string, live: LiveStem): Spanned | null {
  if (stem === live) return NOW;
  const span = parseTimeSpan(stem, live);
  return span === null ? null : { span };
}

/** Writes the name of a playlist, as `parseStem` reads it. */
export function formatStem({ span }: Spanned, live: LiveStem): string {
  return span === undefined ? live : formatTimeSpan(span);
}

function parseRange(text: string): TimeSpan | null {
  const range = RANGE.exec(text);
  if (range === null) return null;
  const fromS = readFrom(range[1]!);
  const durationS = range[2] === undefined ? null : readLength(range[2]);
  const isTooLong = range[2] !== undefined && durationS === null;
  return fromS === null || isTooLong ? null : { kind: "archive", fromS, durationS };
}

function readFrom(digits: string): number | null {
  const fromS = digits.length === MILLISECOND_DIGITS ? Number(digits) / 1000 : Number(digits);
  return fromS <= MAX_SPAN_FROM_S ? fromS : null;
}

function readLength(digits: string): number | null {
  const lengthS = Number(digits);
  return lengthS <= MAX_SPAN_S ? lengthS : null;
}

/** Writes the name that `parseTimeSpan` reads, always the same for the same span. */
export function formatTimeSpan(span: TimeSpan): string {
  switch (span.kind) {
    case "archive":
      return `archive-${formatFrom(span.fromS)}-${span.durationS ?? "now"}`;
    case "timeshift_abs":
      return `timeshift_abs-${formatFrom(span.fromS)}`;
    case "rewind":
    case "timeshift_rel":
      return `${span.kind}-${span.agoS}`;
  }
}

/** A time with milliseconds is one that was read of as many digits. */
function formatFrom(fromS: number): string {
  return String(Number.isInteger(fromS) ? fromS : Math.round(fromS * 1000));
}
