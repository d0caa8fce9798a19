/** Hours of an archive, and where their files lie below a stream's folder. UTC only: no clock on a wall plays a part. */
import { dvrErrors } from "../errors.ts";

/** Units: microseconds. */
export const HOUR_US = 3_600_000_000;

/** Media files that an hour may have: its track set may change so often, less one. A record has a byte for the number. */
export const MAX_MEDIA_FILES = 256;

/** The first hour of the year 10000, whose path would have a fifth digit. */
const END_OF_HOURS = 70_389_528;

const HOUR_PATH = /^([0-9]{4})\/([0-9]{2})\/([0-9]{2})\/([0-9]{2})$/;
const HOUR_FILE = /^([0-9]{4}\/[0-9]{2}\/[0-9]{2}\/[0-9]{2})\.(?:(idx)|(?:([1-9][0-9]{0,2})\.)?mp4)$/;

/** A file of an hour: `file` is the number of a media file, `null` for the index. */
export type HourFile = { readonly hour: number; readonly file: number | null };

/**
 * The hour in which a time of the media clock lies, in hours since 1970.
 *
 * Throws: DVR_BAD_TIME when it is before 1970, or no whole number of microseconds that can be told exactly.
 */
export function hourOf(us: number): number {
  if (!Number.isSafeInteger(us) || us < 0) throw dvrErrors.error("DVR_BAD_TIME", { time: `${us} us` });
  return Math.floor(us / HOUR_US);
}

/** Whether there is such an hour: from 1970 to the end of the year 9999. */
export function isHour(hour: number): boolean {
  return Number.isInteger(hour) && hour >= 0 && hour < END_OF_HOURS;
}

/** The path of an hour's files without their endings: `2026/11/23/08`. Throws: DVR_BAD_TIME. */
export function hourPath(hour: number): string {
  if (!isHour(hour)) throw dvrErrors.error("DVR_BAD_TIME", { time: `hour ${hour}` });
  // 2026-11-23T08:00:00.000Z
  const iso = new Date(hour * 3_600_000).toISOString();
  return `${iso.slice(0, 4)}/${iso.slice(5, 7)}/${iso.slice(8, 10)}/${iso.slice(11, 13)}`;
}

/** The hour of a path that `hourPath` makes; `null` for any other text. */
export function parseHourPath(path: string): number | null {
  const [, year, month, day, hourOfDay] = HOUR_PATH.exec(path) ?? [];
  if (year === undefined) return null;
  const hour = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hourOfDay)) / 3_600_000;
  // Days and hours that there are not come out as others.
  return isHour(hour) && hourPath(hour) === path ? hour : null;
}

/** The path of an hour's index below its stream's folder: `2026/11/23/08.idx`. Throws: DVR_BAD_TIME. */
export function indexFile(hour: number): string {
  return `${hourPath(hour)}.idx`;
}

/**
 * The path of one of an hour's media files: `2026/11/23/08.mp4`, then `2026/11/23/08.1.mp4` and so on.
 *
 * Throws: DVR_BAD_TIME; RangeError when `file` is no number below `MAX_MEDIA_FILES`.
 */
export function mediaFile(hour: number, file: number): string {
  if (!Number.isInteger(file) || file < 0 || file >= MAX_MEDIA_FILES)
    throw new RangeError(`an hour has no media file ${file}`);
  return file === 0 ? `${hourPath(hour)}.mp4` : `${hourPath(hour)}.${file}.mp4`;
}

/** What a path that `indexFile` or `mediaFile` makes stands for; `null` for any other text. */
export function parseHourFile(path: string): HourFile | null {
  const [, hourPart, index, number] = HOUR_FILE.exec(path) ?? [];
  const hour = hourPart === undefined ? null : parseHourPath(hourPart);
  if (hour === null) return null;
  const file = Number(number ?? 0);
  if (file >= MAX_MEDIA_FILES) return null;
  return { hour, file: index === undefined ? file : null };
}
