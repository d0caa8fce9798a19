import { opendir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { copiedMarker, isCopiedTo, MAX_MARKER_BYTES, parseCopiedMarker } from "./copied-marker.ts";
import type { CopiedFile } from "./copied-marker.ts";
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
   * The files of an hour that are to be copied, in the order in which they are: media, then the index, which promises
   * that the media is there. Empty when there is no index or no media any more. Throws: OBJECT_FILE_UNREADABLE,
   * OBJECT_FILE_CHANGED.
   */
  filesOf(hour: HourRef): Promise<readonly HourFile[]>;
  /** Finished hours of a stream that are not noted as copied, the oldest first. Throws: OBJECT_FILE_UNREADABLE. */
  uncopied(stream: string, search: HourSearch): Promise<readonly HourRef[]>;
  /** Whether the hour is noted as copied to `location`. */
  isCopied(hour: HourRef, location: string): Promise<boolean>;
  /** Notes beside its index that an hour is copied. Throws: OBJECT_MARKER_UNWRITABLE. */
  markCopied(hour: HourRef, location: string, files: readonly CopiedFile[]): Promise<void>;
};

/** What `DiskHours` needs. */
export type DiskHoursOptions = {
  /** ROOT: the folder of the archive. */
  readonly root: string;
  /** Whether an hour is still being written, or may be again. */
  readonly isOpen: (hour: HourRef) => boolean | Promise<boolean>;
};

/** Spec: docs/archive-format.md. HH.idx, and HH.mp4, HH.1.mp4 ... */
const MEDIA_NAME = /^(\d{2})(?:\.(\d{1,3}))?\.mp4$/;
const INDEX_NAME = /^(\d{2})\.idx$/;
const HOUR_PATH = /^(\d{4}\/\d{2}\/\d{2})\/(\d{2})$/;
const DAY_NAME = /^\d{2}(\.\d{1,3})?\.(mp4|idx|copied)$/;
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
    const names = (await namesIn(folder, DAY_NAME)).filter((name) => isOfHour(name, found[2]!));
    const hasBoth = [INDEX_NAME, MEDIA_NAME].every((kind) => names.some((name) => kind.test(name)));
    if (!hasBoth) return [];
    const files: HourFile[] = [];
    for (const name of names.toSorted((a, b) => orderOf(a) - orderOf(b))) {
      const path = join(folder, name);
      files.push({ name, path, bytes: await sizeOf(path) });
    }
    return files;
  }

  async uncopied(stream: string, search: HourSearch): Promise<readonly HourRef[]> {
    const { location, limit, after } = search;
    const hours: HourRef[] = [];
    for await (const day of foldersBelow(join(this.#root, stream), LEVELS)) {
      if (after !== null && `${day}/99` <= after) continue;
      const names = new Set(await namesIn(join(this.#root, stream, day), DAY_NAME));
      for (const name of [...names].toSorted()) {
        const hour = { stream, path: `${day}/${name.slice(0, 2)}` };
        const isWanted = INDEX_NAME.test(name) && (after === null || hour.path > after);
        if (!isWanted || (await this.#isOpen(hour))) continue;
        const isMarked = names.has(`${name.slice(0, 2)}.copied`);
        if (isMarked && (await this.isCopied(hour, location))) continue;
        hours.push(hour);
        if (hours.length >= limit) return hours;
      }
    }
    return hours;
  }

  async isCopied(hour: HourRef, location: string): Promise<boolean> {
    try {
      const bytes = await readFile(this.#markerPath(hour));
      if (bytes.byteLength > MAX_MARKER_BYTES) return false;
      const marker = parseCopiedMarker(bytes.toString("utf8"));
      return marker !== null && isCopiedTo(marker, location);
    } catch (caught) {
      if (systemCodeOf(caught) === null) throw caught;
      // One that cannot be read is one that is not there: the store is asked once more.
      return false;
    }
  }

  async markCopied(hour: HourRef, location: string, files: readonly CopiedFile[]): Promise<void> {
    const path = this.#markerPath(hour);
    try {
      // An hour that was deleted meanwhile leaves no note behind.
      if ((await this.filesOf(hour)).length > 0) await writeFile(path, copiedMarker(location, files));
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

function isOfHour(name: string, hour: string): boolean {
  return (MEDIA_NAME.exec(name) ?? INDEX_NAME.exec(name))?.[1] === hour;
}

/** Media by their numbers, then the index. */
function orderOf(name: string): number {
  const media = MEDIA_NAME.exec(name);
  return media === null ? Infinity : Number(media[2] ?? 0);
}
