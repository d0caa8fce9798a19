import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { dropOldest } from "../../base/oldest.ts";
import { addressGroup } from "../addresses.ts";

/** From this failure on the reply waits. */
export const DELAYED_FROM = 5;

/** From this failure on nothing is judged for a while. */
export const REFUSED_FROM = 20;

/** A failure is forgotten after so long without another. */
export const FORGOTTEN_MS = 60_000;

/** So long nothing is judged. */
export const REFUSED_MS = 30_000;

/** The longest delay of a reply. */
export const MAX_DELAY_MS = 10_000;

/** Addresses that are remembered: the one heard of longest ago is forgotten. */
export const MAX_ADDRESSES = 4096;

/** Requests of one address that are judged or wait at the same time, once it has failed often. */
export const MAX_OPEN_PER_ADDRESS = 4;

/** Replies that wait, of all addresses. */
export const MAX_DELAYED = 64;

/** A request whose credentials are about to be judged; one of both is called once. */
export type Attempt = {
  /**
   * They were wrong. Resolves when the reply may be sent. `guess`: what was said; the same again is no failure more, as with
   * a program that was left with an old password. Absent: each counts.
   */
  failed(guess?: string): Promise<void>;
  /** They were right, or were not judged. */
  done(): void;
};

/** Whether credentials are judged now. */
export type Admission =
  | { readonly kind: "admitted"; readonly attempt: Attempt }
  | { readonly kind: "refused"; readonly retryAfterMs: number };

/** What is told of somebody who fails again and again. */
export type RepeatedFailures = { readonly ip: string; readonly count: number };

type Entry = {
  failures: number;
  lastUs: number;
  open: number;
  /** Digests of what was said, of the failures that count. */
  guesses: string[];
};

/**
 * Slows down who tries credentials: from the fifth failure of an address within a minute each reply of a failure takes
 * longer, from half a second to ten; from the twentieth nothing is judged for half a minute. IPv6 counts by /64.
 *
 * What is right is answered at once, unless the address is refused: else a refusal would tell nothing and cost nothing.
 * So clients behind one proxy share its fate. Everything is bounded: addresses, requests of one, replies that wait.
 */
export class Failures {
  readonly #clock: Clock;
  readonly #onRepeated: (what: RepeatedFailures) => void;
  readonly #maxDelayMs: number;
  readonly #key = randomBytes(16);
  readonly #entries = new Map<string, Entry>();
  #delayed = 0;

  /** `onRepeated`: called once for each burst, with its fifth failure. `maxDelayMs`: of a reply. */
  constructor(
    clock: Clock,
    onRepeated: (what: RepeatedFailures) => void,
    maxDelayMs: number = MAX_DELAY_MS,
  ) {
    this.#clock = clock;
    this.#onRepeated = onRepeated;
    this.#maxDelayMs = maxDelayMs;
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#entries.size;
  }

  /** Before the credentials of a request are judged. */
  admit(ip: string): Admission {
    const group = addressGroup(ip);
    const entry = this.#known(group);
    const failures = entry?.failures ?? 0;
    const quietMs = entry === undefined ? 0 : (this.#clock.nowUs() - entry.lastUs) / 1000;
    if (failures >= REFUSED_FROM && quietMs < REFUSED_MS)
      return { kind: "refused", retryAfterMs: REFUSED_MS - quietMs };
    const isFull = entry !== undefined && entry.open >= MAX_OPEN_PER_ADDRESS;
    if (failures >= DELAYED_FROM && (isFull || this.#delayed >= MAX_DELAYED))
      return { kind: "refused", retryAfterMs: this.#delayMs(failures) };
    return { kind: "admitted", attempt: this.#attempt(ip, group) };
  }

  /** Counts a failure of an address that is not slowed down, for many may come from it. `guess`: as with an attempt. */
  count(ip: string, guess?: string): void {
    const group = addressGroup(ip);
    this.#note(ip, group, this.#known(group) ?? this.#begin(group), guess);
  }

  #begin(group: string): Entry {
    const entry = this.#entries.get(group) ?? {
      ...{ failures: 0, lastUs: this.#clock.nowUs(), open: 0, guesses: [] },
    };
    this.#entries.set(group, entry);
    dropOldest(this.#entries, MAX_ADDRESSES);
    return entry;
  }

  #attempt(ip: string, group: string): Attempt {
    const entry = this.#begin(group);
    entry.open++;
    let isOver = false;
    const done = (): void => {
      if (isOver) return;
      isOver = true;
      entry.open--;
      const isIdle = entry.failures === 0 && entry.open === 0;
      if (isIdle && this.#entries.get(group) === entry) this.#entries.delete(group);
    };
    return { done, failed: (guess) => this.#failed({ ip, group, entry, guess }, done) };
  }

  async #failed(
    { ip, group, entry, guess }: { ip: string; group: string; entry: Entry; guess: string | undefined },
    done: () => void,
  ): Promise<void> {
    this.#note(ip, group, entry, guess);
    if (entry.failures >= DELAYED_FROM && this.#delayed < MAX_DELAYED)
      await this.#wait(this.#delayMs(entry.failures));
    done();
  }

  #note(ip: string, group: string, entry: Entry, guess: string | undefined): void {
    if (guess !== undefined) {
      const digest = createHmac("sha256", this.#key).update(guess).digest("base64url").slice(0, 16);
      if (entry.guesses.includes(digest)) return;
      entry.guesses.push(digest);
      if (entry.guesses.length > REFUSED_FROM) entry.guesses.shift();
    }
    entry.failures++;
    entry.lastUs = this.#clock.nowUs();
    // The one heard of last is the youngest.
    this.#entries.delete(group);
    this.#entries.set(group, entry);
    if (entry.failures === DELAYED_FROM) this.#onRepeated({ ip, count: entry.failures });
  }

  #delayMs(failures: number): number {
    return Math.min(500 * 2 ** (failures - DELAYED_FROM), this.#maxDelayMs);
  }

  async #wait(ms: number): Promise<void> {
    this.#delayed++;
    await new Promise<void>((resolve) => this.#clock.schedule(ms, resolve));
    this.#delayed--;
  }

  /** An entry whose failures still count. */
  #known(group: string): Entry | undefined {
    const entry = this.#entries.get(group);
    if (entry === undefined || this.#clock.nowUs() - entry.lastUs < FORGOTTEN_MS * 1000) return entry;
    entry.failures = 0;
    entry.guesses = [];
    if (entry.open === 0) this.#entries.delete(group);
    return entry.open === 0 ? undefined : entry;
  }
}
