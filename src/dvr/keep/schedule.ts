import assert from "node:assert/strict";

/**
 * From a minute of the day until another, UTC; `toMinute` does not belong to it. A span whose end is not behind its
 * beginning goes over midnight: 22:00-06:00 is the night, 08:00-08:00 the whole day. Units: minutes, 0 to 1440.
 */
export type ScheduleSpan = { readonly fromMinute: number; readonly toMinute: number };

const DAY_MINUTES = 1440;
const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/**
 * At which minutes of a day a stream is recorded. UTC has no summer time, and days of 24 hours only: a leap second, which
 * Unix time does not count, changes nothing.
 */
export class Schedule {
  /** Minutes at which recording begins or ends, ascending; it is on between the first and the second of each pair. */
  readonly #changes: readonly number[];
  readonly #isAlways: boolean;

  /** `spans`: may overlap and touch. None: recorded at all times, as without a schedule. */
  constructor(spans: readonly ScheduleSpan[]) {
    const merged = mergeSpans(spans);
    this.#isAlways =
      spans.length === 0 || (merged.length === 1 && merged[0]![0] === 0 && merged[0]![1] === DAY_MINUTES);
    this.#changes = merged.flat();
  }

  /** Whether the stream is recorded at this moment. Units: milliseconds since 1970 UTC. */
  isRecordingAt(utcMs: number): boolean {
    if (this.#isAlways) return true;
    const minute = minuteOfDay(utcMs);
    let isOn = false;
    for (const change of this.#changes) {
      if (change > minute) break;
      isOn = !isOn;
    }
    return isOn;
  }

  /**
   * When recording begins or ends next: the first moment behind `utcMs` at which `isRecordingAt` says something else.
   * `null`: never. Units: milliseconds since 1970 UTC.
   */
  nextChangeAt(utcMs: number): number | null {
    if (this.#isAlways) return null;
    const isOn = this.isRecordingAt(utcMs);
    const dayStartMs = Math.floor(utcMs / DAY_MS) * DAY_MS;
    // Tomorrow too; what is on until midnight and from midnight on is no change.
    for (const startMs of [dayStartMs, dayStartMs + DAY_MS]) {
      for (const change of this.#changes) {
        const atMs = startMs + change * MINUTE_MS;
        if (atMs > utcMs && this.isRecordingAt(atMs) !== isOn) return atMs;
      }
    }
    return null;
  }
}

function minuteOfDay(utcMs: number): number {
  const inDayMs = utcMs - Math.floor(utcMs / DAY_MS) * DAY_MS;
  return Math.floor(inDayMs / MINUTE_MS);
}

/** Spans within one day, ascending, that neither overlap nor touch. */
function mergeSpans(spans: readonly ScheduleSpan[]): (readonly [number, number])[] {
  const merged: [number, number][] = [];
  for (const [from, to] of spans.flatMap(withinDay).sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last === undefined || from > last[1]) merged.push([from, to]);
    else last[1] = Math.max(last[1], to);
  }
  return merged;
}

/** A span as one or two within a day. */
function withinDay({ fromMinute, toMinute }: ScheduleSpan): [number, number][] {
  for (const minute of [fromMinute, toMinute])
    assert.ok(Number.isInteger(minute) && minute >= 0 && minute <= DAY_MINUTES, `minute ${minute}`);
  if (toMinute > fromMinute) return [[fromMinute, toMinute]];
  const parts: [number, number][] = [
    [fromMinute, DAY_MINUTES],
    [0, toMinute],
  ];
  return parts.filter(([from, to]) => to > from);
}
