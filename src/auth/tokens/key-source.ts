import type { Clock } from "../../base/clock.ts";
import type { JwtKey } from "./jwt-keys.ts";

/** Where keys come from, and how long they are good. */
export type KeySourceOptions = {
  readonly clock: Clock;
  /** Rejects when they cannot be had. */
  readonly load: () => Promise<readonly JwtKey[]>;
  /** For so long nobody asks anew. */
  readonly ttlMs: number;
  /** The least time between two loads. */
  readonly retryMs: number;
};

/** How long those wait who have no keys yet. */
export const KEY_LOAD_LIMIT_MS = 10_000;

/** Keys that could not be had anew for so long are not good any more. */
export const KEYS_STALE_MS = 24 * 3600 * 1000;

/**
 * Public keys from outside, kept. One load at a time, whatever asks; a key that is not known starts one, but none sooner
 * than `retryMs` after the last, so that tokens with made-up ids load nothing. What cannot be had anew goes on to hold
 * for a day, and nobody waits for it who has a key; keys that are not much older than `ttlMs` are given at once, and asked for behind the caller's back.
 */
export class KeySource {
  readonly #options: KeySourceOptions;
  #keys: readonly JwtKey[] = [];
  #loadedUs = Number.NEGATIVE_INFINITY;
  #triedUs = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #loading: Promise<void> | null = null;

  constructor(options: KeySourceOptions) {
    this.#options = options;
  }

  /** Keys that a token with this id may be signed with; `null`: nobody knows at the moment. Never rejects. */
  async keysFor(kid: string | undefined): Promise<readonly JwtKey[] | null> {
    const { ttlMs } = this.#options;
    const ageMs = this.#ageMs();
    const isOld = ageMs >= 2 * ttlMs && !this.#hasFailed;
    if (!this.#knows(kid) || isOld) await this.#refresh();
    else if (ageMs >= ttlMs) void this.#refresh();
    return this.#ageMs() < KEYS_STALE_MS ? this.#keys : null;
  }

  #knows(kid: string | undefined): boolean {
    return this.#keys.some((key) => kid === undefined || key.kid === undefined || key.kid === kid);
  }

  #ageMs(): number {
    return (this.#options.clock.nowUs() - this.#loadedUs) / 1000;
  }

  #refresh(): Promise<void> {
    if (this.#loading !== null) return this.#loading;
    const nowUs = this.#options.clock.nowUs();
    if (nowUs - this.#triedUs < this.#options.retryMs * 1000) return Promise.resolve();
    this.#triedUs = nowUs;
    this.#loading = this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Never rejects: who asked has the keys before, or none. */
  async #load(): Promise<void> {
    const { clock, load } = this.#options;
    const late = Promise.withResolvers<null>();
    const limit = clock.schedule(KEY_LOAD_LIMIT_MS, () => late.resolve(null));
    const loaded = load().catch(() => null);
    const keys = await Promise.race([loaded, late.promise]);
    limit.cancel();
    this.#hasFailed = keys === null;
    if (keys === null) return;
    this.#keys = keys;
    this.#loadedUs = clock.nowUs();
  }
}
