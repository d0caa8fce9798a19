/** Events as they are sent to a server. */
import { createHmac } from "node:crypto";

/** Most events of one batch. */
export const BATCH_EVENTS = 100;
/** Most bytes of one batch; a single event may have more. */
export const BATCH_BYTES = 256 * 1024;

/** The array of events that are JSON already. Returns: UTF-8. */
export function batchBody(events: readonly string[]): Buffer {
  return Buffer.from(`[${events.join(",")}]`);
}

/**
 * What proves to who has the key that a batch comes from us: the value of `X-Weir-Signature`.
 * Spec: RFC 2104, FIPS 180-4.
 */
export function batchSignature(body: Uint8Array, key: string): string {
  return `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
}
