import type { Clock } from "../../base/clock.ts";
import type { KeepFiles } from "./keep-files.ts";

/** The files of one hour, as a day's folder has them. */
export type HourFiles = {
  /** 0 to 23. */
  readonly hourOfDay: number;
  /** In no order. */
  readonly names: readonly string[];
  /** 0 where nothing is measured. */
  readonly bytes: number;
  /** Those of its media files. */
  readonly mediaBytes: number;
  /** It was measured when nothing could grow any more. */
  readonly isSettled: boolean;
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
  /** Whether the files of hours are measured; who only asks which hours there are is spared most of the calls. */
  readonly isMeasuring?: boolean;
};

/** Bounds of a walk. */
export type WalkLimits = {
  /** Days' folders of all streams: some 4 KB of memory each. */
  readonly days: number;
  /** Folders of one walk, of any kind. */
  readonly folders: number;
  /** Entries of one folder. */
  readonly entries: number;
};

const LIMITS: WalkLimits = { days: 1_000_000, folders: 1_200_000, entries: 100_000 };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Sets of names that hours share: of an hour of the day there are few. Beyond them it is begun anew. */
const MAX_NAME_SETS = 10_000;

/** How long the files of an hour may still grow after its end. Units: milliseconds. */
const SETTLE_MS = HOUR_MS / 2;

/** How long a day that is over is remembered before it is looked at again. Units: milliseconds. */
const REMEMBER_DAY_MS = HOUR_MS;

/** The same of a day that may still be written: by how much its hours have grown is known so late. */
const REMEMBER_OPEN_DAY_MS = 240_000;

/** The same of other folders, in which only the names of further ones stand. Units: milliseconds. */
const REMEMBER_NAMES_MS = 600_000;

/** What is read in one walk is not all read again in one: the times above are longer by one of so many parts. */
const REMEMBER_PARTS = 16;

/** Folders that are gone through in one turn of the process, where none has to be read. */
const FOLDERS_A_TURN = 500;

/** Longest path below a root, in characters: a stream's name and a date. */
const MAX_PLACE_LENGTH = 255 + "/YYYY/MM/DD".length;

/** A segment of a stream's name, as `parseStreamName` has it: no other folder is a stream's. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const HOUR_FILE = /^([01]\d|2[0-3])\.[A-Za-z0-9.-]+$/;

/** What is remembered of a folder. */
type Remembered = {
  /** Set for a day's. */
  readonly day: DayFolder | null;
  /** Folders in it; in a day's, of a stream whose name looks like a date. */
  readonly below: readonly string[];
  /** Monotonic; until then it need not be read. */
  readonly untilUs: number;
};

/** What a folder is that is not there, or cannot be read. */
const NOTHING: Remembered = { day: null, below: [], untilUs: -Infinity };

/**
 * Goes through an archive's folders, ROOT/STREAM/YYYY/MM/DD, one at a time, and says which hours lie there.
 *
 * Streams are found on the volume, also those that nobody configures any more. A name may have segments, also ones that
 * look like years: a day's folder is one whose last three names are a date, behind a stream's name. Links are not
 * followed; what begins with a dot is none of the archive's. What hardly changes is remembered and read again from time to
 * time; `forget` makes the next walk read a stream's days anew.
 */
export class ArchiveWalk {
  readonly #options: ArchiveWalkOptions;
  readonly #limits: WalkLimits;
  #remembered = new Map<string, Remembered>();
  /** By themselves in one text: what the hours of all days are called alike is kept once. */
  readonly #nameSets = new Map<string, readonly string[]>();
  #looks = 0;

  constructor(options: ArchiveWalkOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Folders that are remembered. */
  get size(): number {
    return this.#remembered.size;
  }

  /** All days' folders that have hours in them; removes those of the calendar that are empty and over. Never rejects. */
  async days(shouldStop: () => boolean): Promise<DayFolder[]> {
    const { folders: mostFolders, days: mostDays } = this.#limits;
    const remembered = new Map<string, Remembered>();
    const days: DayFolder[] = [];
    const pending = [""];
    for (let place = pending.pop(); place !== undefined && !shouldStop(); place = pending.pop()) {
      if (remembered.size >= mostFolders) {
        this.#options.onLimit("folders", mostFolders);
        break;
      }
      const looked = await this.#look(place);
      remembered.set(place, looked);
      if (remembered.size % FOLDERS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      for (const below of looked.below) pending.push(below);
      if (looked.day === null || looked.day.hours.length === 0) continue;
      if (days.length >= mostDays) {
        this.#options.onLimit("days", mostDays);
        break;
      }
      days.push(looked.day);
    }
    // What a walk that was cut short has not seen, the next one reads.
    this.#remembered = remembered;
    return days;
  }

  /** The days of these streams are read anew by the next walk. */
  forget(streams: ReadonlySet<string>): void {
    for (const [place, { day }] of this.#remembered)
      if (day !== null && streams.has(day.stream)) this.#remembered.delete(place);
  }

  /** A day's folder has changed. */
  forgetDay(path: string): void {
    this.#remembered.delete(path.slice(this.#options.root.length + 1));
  }

  async #look(place: string): Promise<Remembered> {
    const known = this.#remembered.get(place);
    if (known !== undefined && this.#options.clock.nowUs() < known.untilUs) return known;
    const path = place === "" ? this.#options.root : `${this.#options.root}/${place}`;
    try {
      return await this.#read(place, path, known?.day ?? null);
    } catch (caught) {
      this.#options.onFailure(path, caught);
      return NOTHING;
    }
  }

  async #read(place: string, path: string, known: DayFolder | null): Promise<Remembered> {
    const { files, clock } = this.#options;
    const mostEntries = this.#limits.entries;
    const entries = await files.list(path, mostEntries);
    if (entries === null) return NOTHING;
    if (entries.length >= mostEntries) this.#options.onLimit("files in a folder", mostEntries);
    const date = dateOf(place);
    const nowMs = clock.wallUs() / 1000;
    if (entries.length === 0 && date !== null && date.endMs + DAY_MS <= nowMs)
      return (await files.removeFolder(path), NOTHING);
    const below = entries
      .filter(({ name, isFolder }) => isFolder && SEGMENT.test(name))
      .map(({ name }) => (place === "" ? name : `${place}/${name}`))
      .filter((inner) => inner.length <= MAX_PLACE_LENGTH);
    if (date?.day === undefined) return { day: null, below, untilUs: this.#inAbout(REMEMBER_NAMES_MS) };
    const names = entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name);
    const hours = await this.#hoursOf(path, namesByHour(names), { known, startMs: date.startMs, nowMs });
    const day = { stream: date.stream, day: date.day, path, hours };
    const isOver = date.endMs + SETTLE_MS <= nowMs;
    return { day, below, untilUs: this.#inAbout(isOver ? REMEMBER_DAY_MS : REMEMBER_OPEN_DAY_MS) };
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
      const isKnown = before?.isSettled === true && sameNames(before.names, names);
      const shared = this.#shared(names);
      hours.push(isKnown ? before : await this.#measure(path, { hourOfDay, names: shared, isSettled }));
    }
    return hours;
  }

  async #measure(
    path: string,
    { hourOfDay, names, isSettled }: Pick<HourFiles, "hourOfDay" | "names" | "isSettled">,
  ): Promise<HourFiles> {
    let [bytes, mediaBytes] = [0, 0];
    const isMeasured = this.#options.isMeasuring !== false;
    for (const name of isMeasured ? names : []) {
      const size = (await this.#options.files.facts(`${path}/${name}`))?.bytes ?? 0;
      bytes += size;
      if (isMediaFile(name)) mediaBytes += size;
    }
    return { hourOfDay, names, bytes, mediaBytes, isSettled };
  }

  #shared(names: readonly string[]): readonly string[] {
    const sorted = names.toSorted();
    const key = sorted.join("/");
    const known = this.#nameSets.get(key);
    if (known !== undefined) return known;
    if (this.#nameSets.size >= MAX_NAME_SETS) this.#nameSets.clear();
    this.#nameSets.set(key, sorted);
    return sorted;
  }

  #inAbout(ms: number): number {
    const part = this.#looks++ % REMEMBER_PARTS;
    return this.#options.clock.nowUs() + ms * (1 + part / REMEMBER_PARTS) * 1000;
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
