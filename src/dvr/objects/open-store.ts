import type { Clock } from "../../base/clock.ts";
import { late } from "../../base/late/late.ts";
import type { ObjectStore, S3Place } from "./object-store.ts";

/** The SDK behind it costs tens of megabytes and some hundreds of milliseconds: only whoever copies pays them. */
const stores = late("object storage", () => import("./s3-store.ts"));

/**
 * Opens the store of a bucket. Nothing is sent yet, so a host that is away is met by the first request.
 * Ownership: whoever opens it closes it. Throws: OBJECT_BAD_PLACE, LATE_NOT_LOADED, LATE_TOO_MANY.
 */
export async function openObjectStore(
  place: S3Place,
  options: { readonly clock: Clock },
): Promise<ObjectStore> {
  return await stores(({ S3Store }) => new S3Store(place, options));
}
