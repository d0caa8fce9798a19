import type { Clock } from "../../base/clock.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { ObjectStore, S3Place } from "./object-store.ts";
import { openObjectStore } from "./open-store.ts";

/** What opening stores needs. */
export type CopyStoresOptions = {
  readonly clock: Clock;
  /** See `openObjectStore`. */
  readonly attempts?: number;
  readonly silenceMs?: number;
  readonly hosts?: OutsideHosts | undefined;
  /** `openObjectStore` unless given. */
  readonly open?: (place: S3Place) => Promise<ObjectStore>;
};

/** Buckets that are open at a time; the one that was not asked for for the longest time is closed for another one. */
const MAX_STORES = 64;

/** Opens each bucket once for all who use it. */
export class CopyStores {
  readonly #open: (place: S3Place) => Promise<ObjectStore>;
  /** In order of use. Keys have secrets in them: they are looked up and never shown. */
  readonly #stores = new Map<string, Promise<ObjectStore>>();
  #isClosed = false;

  constructor(options: CopyStoresOptions) {
    this.#open = options.open ?? ((place) => openObjectStore(place, options));
  }

  /** The store of a place. Ownership: it is closed here. Rejects with OBJECT_BAD_PLACE, LATE_*. */
  async get(place: S3Place): Promise<ObjectStore> {
    const { endpoint, bucket, prefix, region, accessKey, secretKey } = place;
    const key = JSON.stringify([endpoint, bucket, prefix, region, accessKey, secretKey]);
    const known = this.#stores.get(key);
    const store = known ?? this.#open(place);
    this.#stores.delete(key);
    this.#stores.set(key, store);
    if (known === undefined) {
      store.catch(() => this.#stores.delete(key));
      this.#dropOldest();
    }
    const opened = await store;
    if (this.#isClosed) opened.close();
    return opened;
  }

  /** Ends what is under way, for good. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const store of this.#stores.values()) closeLater(store);
    this.#stores.clear();
  }

  #dropOldest(): void {
    for (const [key, store] of this.#stores) {
      if (this.#stores.size <= MAX_STORES) return;
      this.#stores.delete(key);
      closeLater(store);
    }
  }
}

/** One that could not be opened has told whoever asked for it. */
function closeLater(store: Promise<ObjectStore>): void {
  store.then(
    (opened) => opened.close(),
    () => {},
  );
}
