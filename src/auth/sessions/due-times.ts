import type { Clock, Timer } from "../../base/clock.ts";

/** Something that is to be looked at at some time. The second is set by `DueTimes` alone. */
export type DueItem = { dueS: number | null };

/** Nothing waits for longer; what is due later is looked at meanwhile, and put in again. A power of two. */
const SECONDS = 64;

/**
 * What is to be looked at when: one timer a second for all, constant time for each. Without items there is no timer.
 * Units: milliseconds of the clock of ages; items come up to a second late.
 */
export class DueTimes<Item extends DueItem> {
  readonly #clock: Clock;
  readonly #run: (item: Item, nowMs: number) => void;
  readonly #buckets: readonly Set<Item>[] = Array.from({ length: SECONDS }, () => new Set<Item>());
  #size = 0;
  #doneS = 0;
  #timer: Timer | null = null;

  /** `run`: is called with an item that was put in and is out again. */
  constructor(clock: Clock, run: (item: Item, nowMs: number) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts an item in, or moves it. */
  put(item: Item, atMs: number): void {
    const nowS = this.#nowMs() / 1000;
    const dueS = Math.ceil(Math.min(Math.max(atMs / 1000, nowS), nowS + SECONDS - 2));
    if (item.dueS === dueS) return;
    this.remove(item);
    if (this.#size === 0) this.#doneS = Math.ceil(nowS) - 1;
    item.dueS = Math.max(dueS, this.#doneS + 1);
    this.#bucket(item.dueS).add(item);
    this.#size++;
    this.#timer ??= this.#clock.schedule((Math.floor(nowS) + 1 - nowS) * 1000, () => this.#tick());
  }

  remove(item: Item): void {
    if (item.dueS === null) return;
    this.#bucket(item.dueS).delete(item);
    item.dueS = null;
    this.#size--;
    if (this.#size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tick(): void {
    this.#timer = null;
    const nowMs = this.#nowMs();
    const nowS = Math.floor(nowMs / 1000);
    // Behind a long pause of the machine each bucket is gone through once.
    const fromS = Math.max(this.#doneS + 1, nowS - SECONDS + 1);
    this.#doneS = nowS;
    for (let second = fromS; second <= nowS; second++) this.#runAll(this.#bucket(second), nowMs);
    if (this.#size > 0) this.#timer ??= this.#clock.schedule((nowS + 1) * 1000 - nowMs, () => this.#tick());
  }

  #runAll(bucket: Set<Item>, nowMs: number): void {
    for (const item of [...bucket]) {
      if (item.dueS === null || !bucket.has(item)) continue;
      this.remove(item);
      this.#run(item, nowMs);
    }
  }

  #bucket(second: number): Set<Item> {
    return this.#buckets[second & (SECONDS - 1)]!;
  }

  #nowMs(): number {
    return this.#clock.nowUs() / 1000;
  }
}
