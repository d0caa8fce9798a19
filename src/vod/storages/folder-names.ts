import { opendir, stat } from "node:fs/promises";
import type { Clock } from "../../base/clock.ts";
import { ByteLru } from "../../base/byte-lru.ts";
import type { ByteLruLimits } from "../../base/byte-lru.ts";

/** Entries of one folder that are looked at for a set, or for subtitles. */
export const MAX_FOLDER_ENTRIES = 10_000;

/** What is kept of the folders that were looked into lately. */
const KEPT: ByteLruLimits = { bytes: 8 * 2 ** 20, items: 256 };
/** What a name takes beside its letters. */
const BYTES_PER_NAME = 48;

/**
 * A folder that changed so lately may change once more without another time: file systems count in steps of up to two
 * seconds.
 */
const SETTLED_US = 3_000_000;

type Listing = { readonly modifiedNs: bigint; readonly names: readonly string[] };

/**
 * Names of the files in folders. Each film that plays asks every second whether its subtitles changed, so a folder is
 * read again only when its time of change is another one.
 */
export class FolderNames {
  readonly #clock: Clock;
  readonly #kept: ByteLru<Listing>;

  constructor(clock: Clock, limits: ByteLruLimits = KEPT) {
    this.#clock = clock;
    this.#kept = new ByteLru(limits);
  }

  /** Folders whose names are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * The names of files and links, in no order, at most `MAX_FOLDER_ENTRIES`; hidden ones are left out.
   * Throws: what the file system says. Ownership: shared, nobody writes to it.
   */
  async of(realPath: string): Promise<readonly string[]> {
    const modifiedNs = (await stat(realPath, { bigint: true })).mtimeNs;
    const kept = this.#kept.get(realPath);
    if (kept?.modifiedNs === modifiedNs) return kept.names;
    const names = await readNames(realPath);
    const isSettled = BigInt(this.#clock.wallUs()) * 1000n - modifiedNs > BigInt(SETTLED_US) * 1000n;
    const bytes = names.reduce((sum, name) => sum + 2 * name.length + BYTES_PER_NAME, BYTES_PER_NAME);
    if (isSettled) this.#kept.set(realPath, { modifiedNs, names }, bytes);
    else this.#kept.delete(realPath);
    return names;
  }
}

async function readNames(realPath: string): Promise<string[]> {
  const names: string[] = [];
  let entries = 0;
  for await (const entry of await opendir(realPath)) {
    if (++entries > MAX_FOLDER_ENTRIES) break;
    // A link is looked at when it is opened.
    const mayBeFile = entry.isFile() || entry.isSymbolicLink();
    if (mayBeFile && !entry.name.startsWith(".")) names.push(entry.name);
  }
  return names;
}
