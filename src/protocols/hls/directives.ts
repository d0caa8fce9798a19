import type { EdgePoint } from "../../packaging/presentation.ts";
import { hlsErrors } from "./errors.ts";

/** What a request for a low-latency playlist asks for beside the playlist. */
export type DeliveryDirectives = {
  /** What is waited for; `null`: nothing. */
  readonly point: EdgePoint | null;
  /** A delta update is enough. */
  readonly skips: boolean;
};

const NUMBER = /^[0-9]{1,15}$/;
const NONE: DeliveryDirectives = { point: null, skips: false };

/** What was read of a query: many ask with the same one, and nobody changes it. */
const known = new WeakMap<URLSearchParams, DeliveryDirectives>();

/**
 * Reads the delivery directives of a query. A value of `_HLS_skip` that is none is passed over.
 * Throws: HLS_BAD_DIRECTIVE.
 * Spec: RFC 8216bis section 6.2.5.
 */
export function readDirectives(query: URLSearchParams): DeliveryDirectives {
  const read = known.get(query);
  if (read !== undefined) return read;
  const directives = query.size === 0 ? NONE : parseDirectives(query);
  known.set(query, directives);
  return directives;
}

function parseDirectives(query: URLSearchParams): DeliveryDirectives {
  const skip = query.get("_HLS_skip");
  const sequence = readNumber(query, "_HLS_msn");
  const part = readNumber(query, "_HLS_part");
  if (part !== null && sequence === null)
    throw hlsErrors.error("HLS_BAD_DIRECTIVE", { directive: "_HLS_part", reason: "needs _HLS_msn" });
  return { point: sequence === null ? null : { sequence, part }, skips: skip === "YES" || skip === "v2" };
}

function readNumber(query: URLSearchParams, directive: string): number | null {
  const text = query.get(directive);
  if (text === null) return null;
  if (!NUMBER.test(text))
    throw hlsErrors.error("HLS_BAD_DIRECTIVE", { directive, reason: "is not a whole number" });
  return Number(text);
}
