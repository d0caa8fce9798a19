import type { Clock } from "../../base/clock.ts";
import type { ObjectFacts, ObjectStore } from "./object-store.ts";
import { objectErrors } from "./errors.ts";
import { ByteLru } from "../../vod/byte-lru.ts";

/** What lies in a folder of a bucket. */
export type BucketFolder = {
  /** Folders in it. */
  readonly folders: ReadonlySet<string>;
  /** Objects in it, by their names. */
  readonly files: ReadonlyMap<string, ObjectFacts>;
  /** Monotonic: when the store was asked. */
  readonly askedUs: number;
};

/** Bounds of what is remembered of one bucket. */
const LIMITS = { bytes: 16 * 2 ** 20, items: 4096 };
const ENTRY_BYTES = 300;
const FOLDER_BYTES = 500;
/** More names than that in a folder of an archive are not ours. */
const MAX_NAMES = 20_000;
/** What is known is right for so long; older than that it is given, and asked for anew meanwhile; then it is not given. */
const FRESH_US = 60_000_000;
const STALE_US = 3_600_000_000;
/** A store that failed is asked again after so long. */
const FAILED_US = 10_000_000;

const NOTHING: Omit<BucketFolder, "askedUs"> = { folders: new Set(), files: new Map() };

/**
 * Folders of a bucket, as they were lately: what makes a bucket be read like a disk without asking for each file. A folder
 * is asked for only when the one above it has it.
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
   * What lies in a folder; nothing, where there is none. `top`: the folder from which on the way down is looked at, the
   * stream's. `sinceUs`: what was asked for earlier will not do. Rejects with what `ObjectStore.list` rejects with.
   */
  async folder(path: string, top: string, sinceUs = -Infinity): Promise<BucketFolder> {
    const known = this.#known.get(path);
    const ageUs = this.#clock.nowUs() - (known?.askedUs ?? -Infinity);
    if (known !== undefined && known.askedUs >= sinceUs && ageUs < FRESH_US) return known;
    const asking = this.#ask(path, top, sinceUs);
    if (known === undefined || known.askedUs < sinceUs || ageUs >= STALE_US) return await asking;
    asking.catch(() => {}); // what is known is given for as long
    return known;
  }

  /** What is known of a folder is not so. */
  forget(path: string): void {
    this.#known.delete(path);
  }

  async #ask(path: string, top: string, sinceUs: number): Promise<BucketFolder> {
    const asking = this.#asking.get(path);
    if (asking !== undefined) return await asking;
    const asked = this.#look(path, top, sinceUs).finally(() => this.#asking.delete(path));
    this.#asking.set(path, asked);
    return await asked;
  }

  async #look(path: string, top: string, sinceUs: number): Promise<BucketFolder> {
    const askedUs = this.#clock.nowUs();
    if (path !== top) {
      const end = path.lastIndexOf("/");
      const above = await this.folder(path.slice(0, end), top, sinceUs);
      if (!above.folders.has(path.slice(end + 1))) return { ...NOTHING, askedUs: above.askedUs };
    }
    if (this.#failure !== null && askedUs < this.#failure.untilUs) throw this.#failure.caught;
    try {
      const found = await this.#list(`${path}/`);
      this.#failure = null;
      const folder = { ...found, askedUs };
      const entries = folder.files.size + folder.folders.size;
      this.#known.set(path, folder, FOLDER_BYTES + entries * ENTRY_BYTES);
      return folder;
    } catch (caught) {
      this.#failure = { caught, untilUs: this.#clock.nowUs() + FAILED_US };
      throw caught;
    }
  }

  async #list(prefix: string): Promise<Omit<BucketFolder, "askedUs">> {
    const folders = new Set<string>();
    const files = new Map<string, ObjectFacts>();
    let after: string | undefined;
    do {
      const page = await this.#store.list(prefix, { after, isFolder: true });
      for (const name of page.folders) folders.add(name);
      for (const facts of page.objects) files.set(facts.key.slice(prefix.length), facts);
      if (page.next === after || folders.size + files.size > MAX_NAMES) {
        const reason = `there are more than ${MAX_NAMES} names in one folder`;
        const { location } = this.#store;
        throw objectErrors.error("OBJECT_LIST_ENDLESS", { prefix, location, reason });
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    return { folders, files };
  }
}
