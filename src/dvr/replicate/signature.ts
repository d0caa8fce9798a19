/** How the servers of a cluster know each other; docs/archive-format.md, "Copying", is the specification. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { replicateErrors } from "./errors.ts";

/** The scheme of the `Authorization` header. */
const SCHEME = "Weir-Cluster";
/** How far the clocks of two servers may be apart. Units: seconds. */
const MAX_SKEW_S = 300;

const HEADER = /^Weir-Cluster ([0-9]{1,12}):([0-9a-f]{64})$/;

/** What is signed of a request. `target`: path and query as they are sent. */
export type SignedRequest = { readonly key: string; readonly target: string; readonly nowS: number };

/** The value of `Authorization`: the time, and an HMAC-SHA256 of it and the target by the key. */
export function signRequest({ key, target, nowS }: SignedRequest): string {
  return `${SCHEME} ${nowS}:${macOf(key, target, String(nowS)).toString("hex")}`;
}

/** Refuses a request that nobody who has the key has made within the last minutes. Throws: DVR_PEER_NOT_KNOWN. */
export function checkSignature(header: string | undefined, { key, target, nowS }: SignedRequest): void {
  const [, time, mac] = HEADER.exec(header ?? "") ?? [];
  if (time === undefined || mac === undefined) throw notKnown("the request is not signed");
  // Compared first: to whoever has no key nothing is told about clocks.
  if (!timingSafeEqual(Buffer.from(mac, "hex"), macOf(key, target, time)))
    throw notKnown("the request is signed by another cluster_key");
  const skewS = Math.abs(Number(time) - nowS);
  if (skewS > MAX_SKEW_S) throw notKnown(`its time and the clock here are ${Math.round(skewS)} s apart`);
}

function notKnown(reason: string): Error {
  return replicateErrors.error("DVR_PEER_NOT_KNOWN", { reason });
}

function macOf(key: string, target: string, time: string): Buffer {
  return createHmac("sha256", key).update(`weir-archive 1\nGET\n${target}\n${time}`).digest();
}
