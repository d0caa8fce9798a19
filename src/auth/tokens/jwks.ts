import type { Clock } from "../../base/clock.ts";
import { keyOfJwk, MAX_JWT_KEYS } from "./jwt-keys.ts";
import type { JwtKey } from "./jwt-keys.ts";
import { KeySource } from "./key-source.ts";

/** Longest document that is read. Units: UTF-16 code units. */
export const MAX_JWKS_LENGTH = 1024 * 1024;

/** For so long the keys of a document are good. */
export const JWKS_TTL_MS = 10 * 60 * 1000;

/** The least time between two requests for a document. */
export const JWKS_RETRY_MS = 30_000;

/** Gets a text of at most so many bytes; rejects when it cannot. */
export type FetchText = (url: string, maxBytes: number) => Promise<string>;

/**
 * Reads a JWK Set. Keys that are not for checking signatures of ours are passed over; of more than `MAX_JWT_KEYS` the
 * first count. `null`: it is no JWK Set.
 *
 * Spec: RFC 7517 section 5.
 */
export function parseJwks(text: string): JwtKey[] | null {
  if (text.length > MAX_JWKS_LENGTH) return null;
  try {
    const document = JSON.parse(text) as unknown;
    const keys =
      typeof document === "object" && document !== null && "keys" in document ? document.keys : null;
    if (!Array.isArray(keys)) return null;
    const some: unknown[] = keys.slice(0, MAX_JWT_KEYS);
    return some.map(keyOfJwk).filter((key) => key !== null);
  } catch {
    return null;
  }
}

/** The keys of a JWK Set at a URL. */
export function jwksSource(url: string, fetchText: FetchText, clock: Clock): KeySource {
  const load = async (): Promise<readonly JwtKey[]> => {
    const keys = parseJwks(await fetchText(url, MAX_JWKS_LENGTH));
    // Never seen outside: the source keeps the keys before.
    if (keys === null) throw new Error("no JWK Set");
    return keys;
  };
  return new KeySource({ clock, load, ttlMs: JWKS_TTL_MS, retryMs: JWKS_RETRY_MS });
}
