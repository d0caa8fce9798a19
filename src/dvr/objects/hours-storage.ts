import { opendir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { FILL_NUMBERS_FILE } from "../format/fill-numbers.ts";
import { compareHourFiles, isHourIndex, mayHourFileChange } from "../format/hour-file-names.ts";
import { parseHourFileName } from "../format/hour-file-names.ts";
import type { HourFileName } from "../format/hour-file-names.ts";
import { copiedMarker, isCopiedTo, MAX_MARKER_BYTES, parseCopiedMarker } from "./copied-marker.ts";
import type { CopiedFile, CopiedMarker } from "./copied-marker.ts";
import { objectErrors } from "./errors.ts";
import { systemCodeOf } from "./local-file-storage.ts";

/** A finished hour of a stream: the files ROOT/STREAM/PATH.* together. */
export type HourRef = {
  /** The stream's folder below the root. */
  readonly stream: string;
  /** Of the hour, UTC, below the stream's folder: `2026/11/23/08`. */
  readonly path: string;
};

/** A file of an hour. */
export type HourFile = {
  /** Without its folder: `08.mp4`. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
};

/** Which hours are looked for. */
export type HourSearch = {
  /** Hours that are noted as copied to this place are passed over. */
  readonly location: string;
  /** At most so many; as many say that there may be more. */
  readonly limit: number;
  /** The path of an hour: only later ones. */
  readonly after: string | null;
};

/** The recorded hours of one root, as whoever copies them sees them. */
export type RecordedHours = {
  /**
   * The files of an hour that are to be copied, in the order in which they are: media before the index that promises it.
   * Empty when there is no index any more, or no media and no note that it was copied. Throws: OBJECT_FILE_UNREADABLE,
   * OBJECT_FILE_CHANGED.
   */
  filesOf(hour: HourRef): Promise<readonly HourFile[]>;
  /** By how much the stream's fills move numbers; `null`: it has none. Throws as `filesOf`. */
  numbersOf(stream: string): Promise<HourFile | null>;
  /** Finished hours of a stream that are not noted as copied as they are now, the oldest first. Throws: OBJECT_FILE_UNREADABLE. */
  uncopied(stream: string, search: HourSearch): Promise<readonly HourRef[]>;
  /** Whether the hour is noted as copied to `location`, as it is now. */
  isCopied(hour: HourRef, location: string): Promise<boolean>;
  /**
   * Notes beside its index that an hour is copied. What was noted of the same place before stays noted: media may have left
   * the disk. Throws: OBJECT_MARKER_UNWRITABLE.
   */
  markCopied(hour: HourRef, location: string, files: readonly CopiedFile[]): Promise<void>;
};

/** What `DiskHours` needs. */
export type DiskHoursOptions = {
  /** ROOT: the folder of the archive. */
  readonly root: string;
  /** Whether an hour is still being written, or may be again. */
  readonly isOpen: (hour: HourRef) => boolean | Promise<boolean>;
};

/** Spec: docs/archive-format.md. */
const HOUR_PATH = /^(\d{4}\/\d{2}\/\d{2})\/(\d{2})$/;
const DAY_NAME = /^\d{2}(\.fill)?(\.\d{1,3})?\.(mp4|idx|copied|del|fill)$/;
/** Year, month, day. */
const LEVELS = [/^\d{4}$/, /^\d{2}$/, /^\d{2}$/];
/** Names of one folder that are kept: more than the pattern of a year, or of a day's files, lets through in earnest. */
const MAX_NAMES = 50_000;

/** Hours in the folders of a disk. Nothing is remembered: what lies there is what holds. */
export class DiskHours implements RecordedHours {
  readonly #root: string;
  readonly #isOpen: (hour: HourRef) => boolean | Promise<boolean>;

  constructor(options: DiskHoursOptions) {
    this.#root = options.root;
    this.#isOpen = options.isOpen;
  }

  async filesOf(hour: HourRef): Promise<readonly HourFile[]> {
    const found = HOUR_PATH.exec(hour.path);
    if (found === null) return [];
    const folder = join(this.#root, hour.stream, found[1]!);
    const files = hourFilesOf(await namesIn(folder, DAY_NAME), found[2]!);
    const names = new Set(files.map(({ kind }) => kind));
    const hasMedia =
      (names.has("index") && names.has("media")) || (names.has("fills") && names.has("fill-media"));
    const hasIndex = names.has("index") || names.has("fills");
    if (!hasMedia && !(hasIndex && (await this.#marker(hour)) !== null)) return [];
    return await Promise.all(
      files.map(async ({ name }) => {
        const path = join(folder, name);
        return { name, path, bytes: await sizeOf(path) };
      }),
    );
  }

  async numbersOf(stream: string): Promise<HourFile | null> {
    const name = FILL_NUMBERS_FILE;
    const path = join(this.#root, stream, name);
    const names = await namesIn(join(this.#root, stream), /^\.fills$/);
    return names.length === 0 ? null : { name, path, bytes: await sizeOf(path) };
  }

  async uncopied(stream: string, search: HourSearch): Promise<readonly HourRef[]> {
    const { location, limit, after } = search;
    const hours: HourRef[] = [];
    for await (const day of foldersBelow(join(this.#root, stream), LEVELS)) {
      if (after !== null && `${day}/99` <= after) continue;
      const names = await namesIn(join(this.#root, stream, day), DAY_NAME);
      for (const hourOfDay of hoursWithIndex(names)) {
        const hour = { stream, path: `${day}/${hourOfDay}` };
        const isWanted = after === null || hour.path > after;
        if (!isWanted || (await this.#isOpen(hour))) continue;
        const isMarked = names.includes(`${hourOfDay}.copied`);
        if (isMarked && (await this.#isCopiedAsIs(hour, location, names))) continue;
        hours.push(hour);
        if (hours.length >= limit) return hours;
      }
    }
    return hours;
  }

  async isCopied(hour: HourRef, location: string): Promise<boolean> {
    const found = HOUR_PATH.exec(hour.path);
    if (found === null) return false;
    const names = await namesIn(join(this.#root, hour.stream, found[1]!), DAY_NAME);
    return await this.#isCopiedAsIs(hour, location, names);
  }

  /** `names`: in the day's folder. */
  async #isCopiedAsIs(hour: HourRef, location: string, names: readonly string[]): Promise<boolean> {
    const marker = await this.#marker(hour);
    if (marker === null || !isCopiedTo(marker, location)) return false;
    const noted = new Map(marker.files.map(({ name, bytes }) => [name, bytes]));
    const folder = dirname(this.#markerPath(hour));
    for (const file of hourFilesOf(names, hour.path.slice(-2)).filter(mayHourFileChange))
      if (noted.get(file.name) !== (await sizeOf(join(folder, file.name)))) return false;
    return true;
  }

  /** One that is torn, or cannot be read, is one that is not there: the store is asked once more. */
  async #marker(hour: HourRef): Promise<CopiedMarker | null> {
    try {
      const bytes = await readFile(this.#markerPath(hour));
      return bytes.byteLength > MAX_MARKER_BYTES ? null : parseCopiedMarker(bytes.toString("utf8"));
    } catch (caught) {
      if (systemCodeOf(caught) === null) throw caught;
      return null;
    }
  }

  async markCopied(hour: HourRef, location: string, files: readonly CopiedFile[]): Promise<void> {
    const path = this.#markerPath(hour);
    try {
      // An hour that was deleted meanwhile leaves no note behind.
      if ((await this.filesOf(hour)).length === 0) return;
      const before = await this.#marker(hour);
      const known = before !== null && isCopiedTo(before, location) ? before.files : [];
      const others = known.filter(({ name }) => !files.some((file) => file.name === name));
      await writeFile(path, copiedMarker(location, [...others, ...files]));
    } catch (caught) {
      const reason = systemCodeOf(caught) ?? messageOf(caught);
      throw objectErrors.error("OBJECT_MARKER_UNWRITABLE", { path, reason }, caught);
    }
  }

  #markerPath(hour: HourRef): string {
    return join(this.#root, hour.stream, `${hour.path}.copied`);
  }
}

/** The folders of days, as paths below `root`, in order of time. */
async function* foldersBelow(root: string, levels: readonly RegExp[]): AsyncGenerator<string> {
  const [level, ...deeper] = levels;
  if (level === undefined) return;
  for (const name of (await namesIn(root, level)).toSorted()) {
    if (deeper.length === 0) yield name;
    else for await (const below of foldersBelow(join(root, name), deeper)) yield `${name}/${below}`;
  }
}

/** The names in a folder that fit, none of one that is not there. Throws: OBJECT_FILE_UNREADABLE. */
async function namesIn(folder: string, wanted: RegExp): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      if (wanted.test(name)) names.push(name);
      if (names.length >= MAX_NAMES) break;
    }
  } catch (caught) {
    if (isGone(caught)) return [];
    throw unreadable(folder, caught);
  }
  return names;
}

/** Throws: OBJECT_FILE_UNREADABLE, OBJECT_FILE_CHANGED when the file was deleted since it was listed. */
async function sizeOf(path: string): Promise<number> {
  try {
    const status = await stat(path);
    if (status.isFile()) return status.size;
  } catch (caught) {
    if (isGone(caught))
      throw objectErrors.error("OBJECT_FILE_CHANGED", { path, reason: "it is gone" }, caught);
    throw unreadable(path, caught);
  }
  throw objectErrors.error("OBJECT_FILE_UNREADABLE", { path, reason: "it is not a file" });
}

function isGone(caught: unknown): boolean {
  const code = systemCodeOf(caught);
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(path: string, caught: unknown): unknown {
  const reason = systemCodeOf(caught);
  return reason === null ? caught : objectErrors.error("OBJECT_FILE_UNREADABLE", { path, reason }, caught);
}

/** The files of one hour among the names in a day's folder, in the order in which they are copied. */
function hourFilesOf(
  names: readonly string[],
  hour: string,
): readonly (HourFileName & { readonly name: string })[] {
  return names
    .flatMap((name) => {
      const parsed = parseHourFileName(name);
      return parsed?.hourOfDay === hour ? [{ ...parsed, name }] : [];
    })
    .toSorted(compareHourFiles);
}

/** Two digits each, in order. */
function hoursWithIndex(names: readonly string[]): string[] {
  const hours = names.flatMap((name) => {
    const parsed = parseHourFileName(name);
    return parsed !== null && isHourIndex(parsed) ? [parsed.hourOfDay] : [];
  });
  return [...new Set(hours)].toSorted();
}
