import { createHmac, randomBytes } from "node:crypto";
import { dropOldest } from "../../base/oldest.ts";
import { authErrors } from "../errors.ts";
import { isHashed, parseHash } from "./hash-format.ts";
import { isPasswordOf, isSecretAtOnce } from "./password-hash.ts";

/** Verified passwords that are remembered. */
export const MAX_VERIFIED = 64;

/** Hashes that are computed at the same time. */
export const MAX_AT_ONCE = 2;

/** Hashes that wait to be computed. */
export const MAX_WAITING = 32;

/** What the verifier computes with; another one in tests. */
export type ComputeHash = typeof isPasswordOf;

/**
 * Compares passwords with those stored, plain or hashed.
 *
 * A hash takes some 100 ms: passwords that were right are remembered, by a digest that only this process can make, so
 * that a program that asks every second costs nothing. Wrong ones are not, or guessing would fill the memory. Few are
 * computed at once, few wait, and the same question is computed once.
 */
export class PasswordVerifier {
  readonly #key = randomBytes(32);
  readonly #compute: ComputeHash;
  readonly #verified = new Map<string, true>();
  readonly #asked = new Map<string, Promise<boolean>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(compute: ComputeHash = isPasswordOf) {
    this.#compute = compute;
  }

  /** What can be said at once; `null`: it takes a hash. */
  knows(given: string, stored: string): boolean | null {
    const atOnce = isSecretAtOnce(given, stored);
    if (atOnce !== null) return atOnce;
    const digest = this.#digest(given, stored);
    if (!this.#verified.delete(digest)) return null;
    this.#verified.set(digest, true);
    return true;
  }

  /** Rejects: AUTH_BUSY. */
  async verify(given: string, stored: string): Promise<boolean> {
    const known = this.knows(given, stored);
    if (known !== null) return known;
    const digest = this.#digest(given, stored);
    const asked = this.#asked.get(digest);
    if (asked !== undefined) return asked;
    // Those in the map run or wait, so it is bounded with them.
    if (this.#running >= MAX_AT_ONCE && this.#waiting.length >= MAX_WAITING)
      throw authErrors.error("AUTH_BUSY");
    const verdict = this.#verify(given, stored, digest).finally(() => this.#asked.delete(digest));
    this.#asked.set(digest, verdict);
    return verdict;
  }

  async #verify(given: string, stored: string, digest: string): Promise<boolean> {
    const hash = parseHash(stored);
    if (!isHashed(stored) || "fault" in hash) return false;
    await this.#turn();
    try {
      const isRight = await this.#compute(given, hash);
      if (isRight) this.#verified.set(digest, true);
      dropOldest(this.#verified, MAX_VERIFIED);
      return isRight;
    } finally {
      this.#next();
    }
  }

  #turn(): Promise<void> {
    if (this.#running < MAX_AT_ONCE) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the turn on, or gives it back. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  #digest(given: string, stored: string): string {
    const lengths = `${given.length},${stored.length},`;
    return createHmac("sha256", this.#key).update(lengths).update(given).update(stored).digest("base64");
  }
}
