import type { Clock } from "../../base/clock.ts";
import type { KeepFiles } from "./keep-files.ts";

/** The files of one hour, as a day's folder has them. */
export type HourFiles = {
  /** 0 to 23. */
  readonly hourOfDay: number;
  /** In no order. */
  readonly names: readonly string[];
  readonly bytes: number;
  /** Those of its media files. */
  readonly mediaBytes: number;
};

/** A day's folder of a stream. */
export type DayFolder = {
  readonly stream: string;
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly path: string;
  readonly hours: readonly HourFiles[];
};

/** What the walk goes through, and how much of it. */
export type ArchiveWalkOptions = {
  /** Absolute path, without a slash at its end. */
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  /** A folder cannot be read. */
  onFailure(path: string, caught: unknown): void;
  /** There is more than the walk keeps in mind. */
  onLimit(what: "days" | "folders" | "files in a folder", limit: number): void;
  readonly limits?: Partial<WalkLimits>;
};

/** Bounds of a walk. */
export type WalkLimits = {
  /** Days' folders of all streams: some 400 bytes of memory each. */
  readonly days: number;
  /** Folders of one walk, of any kind. */
  readonly folders: number;
  /** Entries of one folder. */
  readonly entries: number;
};

const LIMITS: WalkLimits = { days: 1_000_000, folders: 4_000_000, entries: 100_000 };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long the files of an hour may still grow after its end. Units: milliseconds. */
const SETTLE_MS = 2 * HOUR_MS;

/** How long a day that is over is remembered before it is looked at again. Units: milliseconds. */
const REMEMBER_MS = HOUR_MS;

/** Days read in one walk are not all read again in one: the time above is longer by one of so many parts of it. */
const REMEMBER_PARTS = 16;

/** Longest path below a root, in characters: a stream's name and a date. */
const MAX_PLACE_LENGTH = 255 + "/YYYY/MM/DD".length;

/** A segment of a stream's name, as `parseStreamName` has it: no other folder is a stream's. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const HOUR_FILE = /^([01]\d|2[0-3])\.[A-Za-z0-9.-]+$/;

/** What is remembered of a day. */
type Remembered = {
  readonly folder: DayFolder;
  /** Folders in it, as of a stream whose name looks like a date. */
  readonly below: readonly string[];
  /** Monotonic; until then it need not be read. */
  readonly untilUs: number;
};

/**
 * Goes through an archive's folders, ROOT/STREAM/YYYY/MM/DD, one at a time, and says which hours lie there.
 *
 * Streams are found on the volume, also those that nobody configures any more. A name may have segments, also ones that
 * look like years: a day's folder is one whose last three names are a date, behind a stream's name. Links are not
 * followed; what begins with a dot is none of the archive's. Days that are over are remembered and read again from time
 * to time; `forget` makes the next walk read a stream's days anew.
 */
export class ArchiveWalk {
  readonly #options: ArchiveWalkOptions;
  readonly #limits: WalkLimits;
  #remembered = new Map<string, Remembered>();
  #looks = 0;

  constructor(options: ArchiveWalkOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Days' folders that are remembered. */
  get size(): number {
    return this.#remembered.size;
  }

  /** All days' folders that have hours in them; removes those of the calendar that are empty and over. Never rejects. */
  async days(shouldStop: () => boolean): Promise<DayFolder[]> {
    const found = new Map<string, Remembered>();
    const pending = [""];
    let folders = 0;
    for (let place = pending.pop(); place !== undefined && !shouldStop(); place = pending.pop()) {
      if (++folders > this.#limits.folders) {
        this.#options.onLimit("folders", this.#limits.folders);
        break;
      }
      const { day, below } = await this.#look(place);
      pending.push(...below);
      if (day === null || day.folder.hours.length === 0) continue;
      if (found.size >= this.#limits.days) {
        this.#options.onLimit("days", this.#limits.days);
        break;
      }
      found.set(place, day);
    }
    // What a walk that was cut short has not seen, the next one reads.
    this.#remembered = found;
    return [...found.values()].map(({ folder }) => folder);
  }

  /** The days of these streams are read anew by the next walk. */
  forget(streams: ReadonlySet<string>): void {
    for (const [place, { folder }] of this.#remembered)
      if (streams.has(folder.stream)) this.#remembered.delete(place);
  }

  /** A day's folder has changed. */
  forgetDay(path: string): void {
    this.#remembered.delete(path.slice(this.#options.root.length + 1));
  }

  async #look(place: string): Promise<{ day: Remembered | null; below: readonly string[] }> {
    const known = this.#remembered.get(place);
    if (known !== undefined && this.#options.clock.nowUs() < known.untilUs)
      return { day: known, below: known.below };
    const path = place === "" ? this.#options.root : `${this.#options.root}/${place}`;
    try {
      return await this.#read(place, path, known?.folder ?? null);
    } catch (caught) {
      this.#options.onFailure(path, caught);
      return { day: null, below: [] };
    }
  }

  async #read(
    place: string,
    path: string,
    known: DayFolder | null,
  ): Promise<{ day: Remembered | null; below: readonly string[] }> {
    const { files, clock } = this.#options;
    const entries = await files.list(path, this.#limits.entries);
    if (entries === null) return { day: null, below: [] };
    if (entries.length >= this.#limits.entries)
      this.#options.onLimit("files in a folder", this.#limits.entries);
    const date = dateOf(place);
    const nowMs = clock.wallUs() / 1000;
    if (entries.length === 0 && date !== null && date.endMs + DAY_MS <= nowMs)
      await files.removeFolder(path);
    const below = entries
      .filter(({ name, isFolder }) => isFolder && SEGMENT.test(name))
      .map(({ name }) => (place === "" ? name : `${place}/${name}`))
      .filter((inner) => inner.length <= MAX_PLACE_LENGTH);
    if (date?.day === undefined) return { day: null, below };
    const names = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name);
    const hours = await this.#hoursOf(path, namesByHour(names), { known, startMs: date.startMs, nowMs });
    const folder = { stream: date.stream, day: date.day, path, hours };
    return { day: { folder, below, untilUs: this.#untilUs(date.endMs, nowMs) }, below };
  }

  async #hoursOf(
    path: string,
    found: ReadonlyMap<number, readonly string[]>,
    of: { readonly known: DayFolder | null; readonly startMs: number; readonly nowMs: number },
  ): Promise<HourFiles[]> {
    const hours: HourFiles[] = [];
    for (const [hourOfDay, names] of found) {
      const before = of.known?.hours.find((hour) => hour.hourOfDay === hourOfDay);
      const isSettled = of.startMs + (hourOfDay + 1) * HOUR_MS + SETTLE_MS <= of.nowMs;
      const isKnown = before !== undefined && isSettled && sameNames(before.names, names);
      hours.push(isKnown ? before : await this.#measure(path, hourOfDay, names));
    }
    return hours;
  }

  async #measure(path: string, hourOfDay: number, names: readonly string[]): Promise<HourFiles> {
    let [bytes, mediaBytes] = [0, 0];
    for (const name of names) {
      const size = (await this.#options.files.facts(`${path}/${name}`))?.bytes ?? 0;
      bytes += size;
      if (isMediaFile(name)) mediaBytes += size;
    }
    return { hourOfDay, names, bytes, mediaBytes };
  }

  /** A day that may still be written is read in every walk. */
  #untilUs(endMs: number, nowMs: number): number {
    if (endMs + SETTLE_MS > nowMs) return -Infinity;
    const part = this.#looks++ % REMEMBER_PARTS;
    return this.#options.clock.nowUs() + REMEMBER_MS * (1 + part / REMEMBER_PARTS) * 1000;
  }
}

/** Whether a file of an hour has media in it. */
export function isMediaFile(name: string): boolean {
  return name.endsWith(".mp4");
}

/** A folder of the calendar. `day` is absent for a month's and a year's. */
type CalendarFolder = {
  readonly stream: string;
  readonly day?: number;
  readonly startMs: number;
  readonly endMs: number;
};

/** The day, month or year that a folder below the root is of; `null` when it is none, as a stream's folder. */
function dateOf(place: string): CalendarFolder | null {
  const match = /^(.+?)\/(\d{4})(?:\/(\d\d)(?:\/(\d\d))?)?$/.exec(place);
  if (match === null) return null;
  const [, stream = "", year = "", month, dayOfMonth] = match;
  const [y, m, d] = [Number(year), Number(month ?? 1), Number(dayOfMonth ?? 1)];
  const startMs = Date.UTC(y, m - 1, d);
  const isDate =
    y >= 1970 &&
    new Date(startMs).toISOString().startsWith(`${year}-${month ?? "01"}-${dayOfMonth ?? "01"}`);
  if (!isDate) return null;
  if (dayOfMonth !== undefined) return { stream, day: startMs / DAY_MS, startMs, endMs: startMs + DAY_MS };
  const endMs = month === undefined ? Date.UTC(y + 1, 0, 1) : Date.UTC(y, m, 1);
  return { stream, startMs, endMs };
}

function namesByHour(names: readonly string[]): Map<number, string[]> {
  const hours = new Map<number, string[]>();
  for (const name of names) {
    if (!HOUR_FILE.test(name)) continue;
    const hourOfDay = Number(name.slice(0, 2));
    const others = hours.get(hourOfDay);
    if (others === undefined) hours.set(hourOfDay, [name]);
    else others.push(name);
  }
  return hours;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
