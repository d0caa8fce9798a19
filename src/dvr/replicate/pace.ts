import type { Clock } from "../../base/clock.ts";
import { pause } from "../objects/back-off.ts";

/** Holds a transfer to so many bytes a second, over any time, and a little more at its beginning. */
export class Pace {
  readonly #clock: Clock;
  readonly bytesPerSecond: number;
  /** When what was let through so far would have come at exactly that speed. */
  #dueUs = -Infinity;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Waits until so many bytes more may be asked for. Never rejects. */
  async wait(bytes: number, signal: AbortSignal): Promise<void> {
    const nowUs = this.#clock.nowUs();
    const fromUs = Math.max(this.#dueUs, nowUs);
    this.#dueUs = fromUs + Math.ceil((bytes / this.bytesPerSecond) * 1_000_000);
    if (fromUs > nowUs) await pause(this.#clock, (fromUs - nowUs) / 1000, signal);
  }
}
