import { performance } from "node:perf_hooks";
import type { EventLoopUtilization } from "node:perf_hooks";
import type { Clock } from "../../base/clock.ts";

/** Looks that come closer together get what the one before them got. Units: microseconds. */
const MIN_SPAN_US = 1_000_000;

/** How busy the event loop of this thread is, between two looks. */
export class LoopMeter {
  readonly #clock: Clock;
  readonly #read: () => EventLoopUtilization;
  #last: EventLoopUtilization;
  #lastUs: number;
  #percent = 0;

  /** `read`: the sums of the loop; those of this thread unless given. */
  constructor(clock: Clock, read: () => EventLoopUtilization = () => performance.eventLoopUtilization()) {
    this.#clock = clock;
    this.#read = read;
    this.#last = read();
    this.#lastUs = clock.nowUs();
  }

  /** The share of its time in which it did not wait. Units: percent. */
  percent(): number {
    const nowUs = this.#clock.nowUs();
    if (nowUs - this.#lastUs < MIN_SPAN_US) return this.#percent;
    const now = this.#read();
    const [active, idle] = [now.active - this.#last.active, now.idle - this.#last.idle];
    this.#percent = active + idle <= 0 ? 0 : Math.round((100 * active) / (active + idle));
    this.#last = now;
    this.#lastUs = nowUs;
    return this.#percent;
  }
}
