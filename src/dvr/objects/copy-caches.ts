import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { FileBlockDisk } from "./blocks-storage.ts";
import { temporaryCacheFolder, threadCacheFolder } from "./cache-folders-storage.ts";
import type { CacheOwner } from "./cache-folders-storage.ts";
import type { CacheRule } from "./copy-rules.ts";
import { RangeCache } from "./range-cache.ts";

/** What the caches of a thread need. */
export type CopyCachesOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly owner: CacheOwner;
  /** The system's temporary folder unless given. */
  readonly temporary?: string;
};

/** Of all threads together, where nothing is said of it: some two hours of one stream. Units: bytes. */
const DEFAULT_BYTES = 2 ** 30;
/** Folders that are used for caches at a time; those beyond share the first one. */
const MAX_CACHES = 16;

/** The caches of what one thread reads from buckets: one for each folder that is configured. */
export class CopyCaches {
  readonly #options: CopyCachesOptions;
  readonly #caches = new Map<string, Promise<RangeCache>>();

  constructor(options: CopyCachesOptions) {
    this.#options = options;
  }

  /** The cache that a rule names; `null` for the one of the process. Never rejects: a cache may do without its disk. */
  get(rule: CacheRule | null): Promise<RangeCache> {
    const path = rule?.path ?? "";
    const known = this.#caches.get(path);
    if (known !== undefined) return known;
    const first = this.#caches.values().next().value;
    if (first !== undefined && this.#caches.size >= MAX_CACHES) return first;
    const cache = this.#open(rule);
    this.#caches.set(path, cache);
    return cache;
  }

  /** Resolves when nothing waits to be written any more. */
  async settled(): Promise<void> {
    for (const cache of this.#caches.values()) await (await cache).settled();
  }

  async #open(rule: CacheRule | null): Promise<RangeCache> {
    const { clock, log, owner } = this.#options;
    const bytes = Math.floor((rule?.sizeBytes ?? DEFAULT_BYTES) / owner.count);
    const folder = await this.#folder(rule);
    return await RangeCache.open({ disk: new FileBlockDisk(folder), bytes, clock, log });
  }

  /** One that cannot be made ready is tried again by the cache, which says what is wrong with it. */
  async #folder(rule: CacheRule | null): Promise<string> {
    const { log, owner, temporary = tmpdir() } = this.#options;
    try {
      if (rule !== null) return await threadCacheFolder(rule.path, owner);
      return await temporaryCacheFolder(owner, temporary);
    } catch (caught) {
      const path = rule?.path ?? join(temporary, `weir-archive-cache-${process.pid}`);
      log.debug("the folder of a cache cannot be made ready", { path, reason: messageOf(caught) });
      return join(path, `thread-${owner.index}`);
    }
  }
}
