import type { Clock } from "../../base/clock.ts";
import { late } from "../../base/late/late.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { ObjectStore, S3Place } from "./object-store.ts";

/** How a store is asked. */
export type OpenStoreOptions = {
  readonly clock: Clock;
  /** How often a request that failed for the moment is sent in all; 3 unless given. */
  readonly attempts?: number | undefined;
  /** How long a host may be silent; 30 s unless given. */
  readonly silenceMs?: number | undefined;
  /** Where buckets may be; absent: everywhere. */
  readonly hosts?: OutsideHosts | undefined;
};

/** The SDK behind it costs tens of megabytes and some hundreds of milliseconds: only whoever copies pays them. */
const stores = late("object storage", () => import("./s3-store.ts"));

/**
 * Opens the store of a bucket. Nothing is sent yet, so a host that is away is met by the first request.
 * Ownership: whoever opens it closes it. Throws: OBJECT_BAD_PLACE, LATE_NOT_LOADED, LATE_TOO_MANY.
 */
export async function openObjectStore(place: S3Place, options: OpenStoreOptions): Promise<ObjectStore> {
  return await stores(({ S3Store }) => new S3Store(place, options));
}
