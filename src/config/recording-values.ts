import { nameFault } from "./names.ts";
import { shownWord } from "./secret-words.ts";

/**
 * Some minutes of every day, UTC: from `fromMinute` (0 to 1439) up to `toMinute` (1 to 1440), over midnight where that
 * is smaller.
 */
export type DayRange = { readonly fromMinute: number; readonly toMinute: number };

/** Why a text cannot be read, and what to write. Without the text wherever that may be a secret. */
export type Fault = { readonly fault: string; readonly hint?: string };

/** Most ranges of one schedule: one for each half hour of a day. */
export const MAX_DAY_RANGES = 48;

const MINUTES_OF_DAY = 1440;

/**
 * Reads where recordings go: a whole path, without signs that say nothing (`/a//b/` is `/a/b`), or `@NAME`.
 *
 * Faults do not quote the text: a bucket's credentials may stand in it by mistake.
 */
export function readRecordingRoot(text: string): { readonly root: string } | Fault {
  if (text.startsWith("@")) {
    const fault = nameFault(text.slice(1));
    if (fault === undefined) return { root: text };
    return { fault: `what follows "@" is not a good name`, hint: fault };
  }
  if (/^s3s?:\/\//i.test(text)) {
    const hint = "write a directory here, and the bucket as copy=s3://...";
    return { fault: "nothing is recorded to a bucket directly, its hours are copied there", hint };
  }
  if (!text.startsWith("/")) {
    const hint = 'a path begins with "/", the name of a dvr block with "@"';
    return { fault: "this is neither a whole path nor @NAME", hint };
  }
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return { fault: "there is a control character in the path" };
  const parts = text.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === ".."))
    return { fault: 'the path has a part "." or ".."', hint: "write where it really leads" };
  return { root: `/${parts.join("/")}` };
}

/**
 * Reads the parts of the day that `schedule` names, as in `0800-1800,2200-0600`: hours and minutes, UTC.
 *
 * `8:00` and `800` are read as `0800`. A range that ends before it begins goes over midnight; `2400` is the end of
 * the day.
 */
export function readDayRanges(text: string): { readonly ranges: readonly DayRange[] } | Fault {
  const words = text.split(",");
  if (words.length > MAX_DAY_RANGES) return tooManyRanges();
  const ranges: DayRange[] = [];
  for (const word of words) {
    const range = readDayRange(word);
    if ("fault" in range) return range;
    ranges.push(range);
  }
  return { ranges };
}

/**
 * What is said where a schedule has more ranges than `MAX_DAY_RANGES`.
 */
export function tooManyRanges(): Fault {
  return { fault: `more than ${MAX_DAY_RANGES} parts of a day`, hint: "join those that overlap" };
}

/**
 * Writes parts of the day one by one, each as `0800-1800`.
 */
export function showDayRanges(ranges: readonly DayRange[]): string[] {
  return ranges.map(({ fromMinute, toMinute }) => `${clockTime(fromMinute)}-${clockTime(toMinute)}`);
}

function readDayRange(word: string): DayRange | Fault {
  const match = /^(\d{1,2}):?(\d\d)-(\d{1,2}):?(\d\d)$/.exec(word);
  const shown = shownWord(word.length <= 60 ? word : `${word.slice(0, 57)}...`);
  if (match === null) return { fault: `"${shown}" is no part of a day`, hint: "as in 0800-1800" };
  const fromMinute = minuteOfDay(match[1]!, match[2]!);
  const toMinute = minuteOfDay(match[3]!, match[4]!);
  if (fromMinute === undefined || toMinute === undefined || fromMinute === MINUTES_OF_DAY)
    return { fault: `"${shown}" has no such time`, hint: "from 0000 up to 2400" };
  if (fromMinute === toMinute)
    return { fault: `"${shown}" ends where it begins`, hint: "the whole day is 0000-2400" };
  return { fromMinute, toMinute: toMinute === 0 ? MINUTES_OF_DAY : toMinute };
}

function minuteOfDay(hours: string, minutes: string): number | undefined {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= MINUTES_OF_DAY ? minute : undefined;
}

function clockTime(minute: number): string {
  const hours = Math.floor(minute / 60);
  return `${String(hours).padStart(2, "0")}${String(minute % 60).padStart(2, "0")}`;
}
