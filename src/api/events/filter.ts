/** Which events somebody wants. */
import { eventErrors } from "./errors.ts";
import type { ServerEvent } from "./event.ts";

/** One line: an event fits it when each key has one of its values; `*` in a value stands for anything. */
export type EventFilterLine = Readonly<Record<string, readonly string[]>>;

/** Whether an event is wanted. */
export type EventFilter = (event: ServerEvent) => boolean;

/** Bounds of what a client may ask for. */
const MAX_KEYS = 16;
const MAX_VALUES = 64;
const MAX_VALUE_LENGTH = 1024;

/** What fits one line of `only`, or any event where there is none, and no line of `except`. */
export function eventFilter(
  only: readonly EventFilterLine[],
  except: readonly EventFilterLine[] = [],
): EventFilter {
  const wanted = only.map(compile);
  const unwanted = except.map(compile);
  return (event) =>
    (wanted.length === 0 || wanted.some((fits) => fits(event))) && !unwanted.some((fits) => fits(event));
}

/**
 * The line that a query asks for: `event=play_*,stream_*&media=news`. `left`: keys of the query that mean something else.
 * Throws EVENTS_BAD_FILTER.
 */
export function queryFilter(query: URLSearchParams, left: readonly string[]): EventFilterLine {
  const line: Record<string, string[]> = {};
  for (const [key, value] of query) {
    if (left.includes(key)) continue;
    const values = Object.hasOwn(line, key) ? line[key]! : (line[key] = []);
    values.push(...value.split(",").map((one) => one.slice(0, MAX_VALUE_LENGTH)));
    if (Object.keys(line).length > MAX_KEYS || values.length > MAX_VALUES) {
      throw eventErrors.error("EVENTS_BAD_FILTER", { keys: MAX_KEYS, values: MAX_VALUES });
    }
  }
  return line;
}

function compile(line: EventFilterLine): EventFilter {
  const keys = Object.entries(line);
  return (event) =>
    keys.every(([key, patterns]) => {
      const value: unknown = Object.hasOwn(event, key) ? event[key] : undefined;
      if (value === undefined || value === null || typeof value === "object") return false;
      const text = `${value as string | number | boolean}`;
      return patterns.some((pattern) => fitsPattern(text, pattern));
    });
}

/** Whether a text is as a pattern says, where `*` stands for any characters or none. Takes linear time. */
export function fitsPattern(text: string, pattern: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
