import type { Clock } from "../../base/clock.ts";
import { ByteLru } from "../../base/byte-lru.ts";
import { objectErrors } from "./errors.ts";
import type { ObjectFacts, ObjectStore } from "./object-store.ts";

/** What lies in a folder of a stream's archive in a bucket. */
export type BucketFolder = {
  /** Folders in it: years, months, or days. */
  readonly folders: ReadonlySet<string>;
  /** Of a day: objects in it, by their names. */
  readonly files: ReadonlyMap<string, ObjectFacts>;
  /** Monotonic: when the store was asked. */
  readonly askedUs: number;
};

/** A folder: of a stream, and below that `2026`, `2026/11`, `2026/11/23`, or the empty text for all of it. */
export type BucketPath = { readonly stream: string; readonly inside: string };

/** Bounds of what is remembered of one bucket. */
const LIMITS = { bytes: 16 * 2 ** 20, items: 8192 };
const ENTRY_BYTES = 300;
const FOLDER_BYTES = 500;
/** More names than that below a month, or in a year, are not ours. */
const MAX_NAMES = 200_000;
/** A stream may have other streams in its folder, whose names begin as years do: more than so many are not passed over. */
const MAX_HOPS = 2000;
/**
 * What is known is right for so long; older than that it is given, and asked for anew meanwhile, of days up to `OLD_US`, or
 * as long as the store does not answer; then it is not given.
 */
const FRESH_US = { days: 60_000_000, months: 600_000_000 };
const OLD_US = 180_000_000;
const STALE_US = 3_600_000_000;
/** A store that failed is asked again after so long. */
const FAILED_US = 10_000_000;

const YEAR = /^\d{4}$/;
const PART = /^\d{2}$/;
const DAY = /^\d{4}\/\d{2}\/\d{2}$/;
const MONTH = /^\d{4}\/\d{2}$/;
const NO_FOLDERS: ReadonlySet<string> = new Set();
const NO_FILES: BucketFolder["files"] = new Map();

/**
 * Folders of a bucket, as they were lately: what lets an archive in a bucket be read as one on a disk, without asking for each
 * file. A folder is asked for only when the one above it has it: what was never recorded costs nothing.
 */
export class BucketFolders {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #known = new ByteLru<BucketFolder>(LIMITS);
  readonly #asking = new Map<string, Promise<BucketFolder>>();
  #failure: { readonly caught: unknown; readonly untilUs: number } | null = null;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * What lies in a folder; nothing, where there is none. `sinceUs`: what was asked for earlier will not do. Rejects with what
   * `ObjectStore.list` rejects with.
   */
  async folder(path: BucketPath, sinceUs = -Infinity): Promise<BucketFolder> {
    const known = this.#known.get(keyOf(path));
    const ageUs = this.#clock.nowUs() - (known?.askedUs ?? -Infinity);
    if (known !== undefined && known.askedUs >= sinceUs && ageUs < freshUs(path)) return known;
    const asking = this.#ask(path, sinceUs);
    if (known === undefined || known.askedUs < sinceUs || ageUs >= STALE_US) return await asking;
    // What was deleted meanwhile is not to be seen for long; when the store does not answer, that is all that is known.
    if (ageUs >= OLD_US && isDays(path)) return await asking.catch(() => known);
    asking.catch(() => {}); // what is known is given for as long
    return known;
  }

  /** What is known of a folder is not so. */
  forget(path: BucketPath): void {
    this.#known.delete(keyOf(path));
  }

  async #ask(path: BucketPath, sinceUs: number): Promise<BucketFolder> {
    const key = keyOf(path);
    const asking = this.#asking.get(key);
    if (asking !== undefined) return await asking;
    const asked = this.#look(path, sinceUs).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return await asked;
  }

  async #look(path: BucketPath, sinceUs: number): Promise<BucketFolder> {
    const { stream, inside } = path;
    const askedUs = this.#clock.nowUs();
    if (inside !== "") {
      const end = inside.lastIndexOf("/");
      const above = await this.folder({ stream, inside: inside.slice(0, Math.max(0, end)) }, sinceUs);
      if (!above.folders.has(inside.slice(end + 1)))
        return { folders: NO_FOLDERS, files: NO_FILES, askedUs: above.askedUs };
      // A month that was asked about just now has told of its days.
      const told = this.#known.get(keyOf(path));
      if (told !== undefined && told.askedUs >= askedUs) return told;
    }
    if (this.#failure !== null && askedUs < this.#failure.untilUs) throw this.#failure.caught;
    try {
      const folder = await this.#list(path, askedUs);
      this.#failure = null;
      return folder;
    } catch (caught) {
      this.#failure = { caught, untilUs: this.#clock.nowUs() + FAILED_US };
      throw caught;
    }
  }

  async #list(path: BucketPath, askedUs: number): Promise<BucketFolder> {
    const { inside } = path;
    if (DAY.test(inside)) {
      const files = (await this.#files(path)).get("") ?? new Map<string, ObjectFacts>();
      return this.#keep(path, { folders: NO_FOLDERS, files, askedUs });
    }
    if (!MONTH.test(inside)) {
      const folders = await this.#folders(path);
      return this.#keep(path, { folders, files: NO_FILES, askedUs });
    }
    // Some thousand names at most: two questions tell of all days.
    const days = await this.#files(path);
    for (const [day, files] of days)
      this.#keep({ ...path, inside: `${inside}/${day}` }, { folders: NO_FOLDERS, files, askedUs });
    return this.#keep(path, { folders: new Set(days.keys()), files: NO_FILES, askedUs });
  }

  #keep(path: BucketPath, folder: BucketFolder): BucketFolder {
    const entries = folder.files.size + folder.folders.size;
    this.#known.set(keyOf(path), folder, FOLDER_BYTES + entries * ENTRY_BYTES);
    return folder;
  }

  /** The names of years or months: a page tells of some, and the next one begins behind the last of them. */
  async #folders({ stream, inside }: BucketPath): Promise<Set<string>> {
    const prefix = inside === "" ? `${stream}/` : `${stream}/${inside}/`;
    const wanted = inside === "" ? YEAR : PART;
    const folders = new Set<string>();
    let behind: string | undefined;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const { objects, next } = await this.#store.list(prefix, { behind });
      let last: readonly string[] = [];
      for (const { key } of objects) {
        last = key.slice(prefix.length).split("/");
        if (last.length > 1 && wanted.test(last[0]!)) folders.add(last[0]!);
      }
      const [name = ""] = last;
      // Behind digits nothing of an archive comes; what says how fills move numbers is in front of them.
      if (next === null || name > ":") return folders;
      // "0" is what comes next to "/".
      behind = last.length > 1 ? `${prefix}${name}0` : prefix + name;
    }
    throw this.#endless(prefix, `there are more than ${MAX_HOPS} folders in it`);
  }

  /** All files below a day, or below a month by day. */
  async #files({ stream, inside }: BucketPath): Promise<Map<string, Map<string, ObjectFacts>>> {
    const prefix = `${stream}/${inside}/`;
    const form = DAY.test(inside) ? /^()([^/]+)$/ : /^(\d{2})\/([^/]+)$/;
    const found = new Map<string, Map<string, ObjectFacts>>();
    let after: string | undefined;
    let names = 0;
    do {
      const page = await this.#store.list(prefix, { after });
      names += page.objects.length;
      for (const facts of page.objects) {
        const [, day, name] = form.exec(facts.key.slice(prefix.length)) ?? [];
        if (day === undefined || name === undefined) continue;
        const files = found.get(day) ?? new Map<string, ObjectFacts>();
        found.set(day, files.set(name, facts));
      }
      if (page.next !== null && (page.next === after || names > MAX_NAMES))
        throw this.#endless(prefix, `there are more than ${names} names, or the same again and again`);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return found;
  }

  #endless(prefix: string, reason: string): Error {
    return objectErrors.error("OBJECT_LIST_ENDLESS", { prefix, location: this.#store.location, reason });
  }
}

/** Years and months hardly ever come. */
function freshUs(path: BucketPath): number {
  return isDays(path) ? FRESH_US.days : FRESH_US.months;
}

function isDays({ inside }: BucketPath): boolean {
  return MONTH.test(inside) || DAY.test(inside);
}

function keyOf({ stream, inside }: BucketPath): string {
  return `${stream}\0${inside}`;
}
