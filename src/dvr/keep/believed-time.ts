import type { Clock } from "../../base/clock.ts";

/** A wall clock goes otherwise than the monotonic one by less between two looks, if nobody sets it. Units: milliseconds. */
const STEP_MS = 120_000;
/** So long nothing is deleted for an age that it has by a step of the clock alone. Units: milliseconds. */
const DOUBT_MS = 86_400_000;

/**
 * What time it is for deleting what is old. A wall clock that is suddenly hours on was set, rightly or not; what was
 * recorded by the clock before is as old as it was. So it is believed after a day, in which whoever watches the machine, or
 * NTP, may put it right. A clock that is set back is believed at once: that makes nothing older.
 *
 * It is to be asked every few minutes. A process that starts while the clock is wrong cannot know it.
 */
export class BelievedTime {
  readonly #clock: Clock;
  #seen: { readonly wallMs: number; readonly nowMs: number } | null = null;
  #doubt: { readonly aheadMs: number; readonly untilMs: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    const [wallMs, nowMs] = [this.#clock.wallUs() / 1000, this.#clock.nowUs() / 1000];
    if (this.#seen !== null) this.#noteStep(wallMs - this.#seen.wallMs - (nowMs - this.#seen.nowMs), nowMs);
    this.#seen = { wallMs, nowMs };
    if (this.#doubt !== null && nowMs >= this.#doubt.untilMs) this.#doubt = null;
    return wallMs - (this.#doubt?.aheadMs ?? 0);
  }

  #noteStep(stepMs: number, nowMs: number): void {
    if (Math.abs(stepMs) < STEP_MS) return;
    const aheadMs = (this.#doubt?.aheadMs ?? 0) + stepMs;
    const untilMs = stepMs > 0 ? nowMs + DOUBT_MS : (this.#doubt?.untilMs ?? 0);
    this.#doubt = aheadMs < STEP_MS ? null : { aheadMs, untilMs };
  }
}
