import type { Clock } from "../../base/clock.ts";
import { ticksToUs } from "../../base/time.ts";
import type { SourcePacket } from "../../media/packet.ts";

/** A stream's end may be so far ahead of the clock: an encoder that was held up may catch up, a file may not be gulped. */
export const MAX_LEAD_MS = 2000;
/** Once it is too far ahead, nothing is read until it is nearer by this. */
const STEP_MS = 500;
/** Between two frames more than this is a jump of the source's clock, which the stream's own does not follow. */
const JUMP_US = 10_000_000;

/**
 * How far the media of one upload is ahead of the time that has passed. What was sent as fast as the network takes it would
 * put the stream's clock ahead, for this publisher and all who come after it.
 */
export class UploadPace {
  readonly #clock: Clock;
  readonly #limitUs: number;
  /** Monotonic time at which an upload that is as fast as the clock would have begun. */
  #sinceUs: number;
  #mediaUs = 0;
  #newestUs: number | null = null;

  /** `leadMs`: how far the stream's end is ahead already, by what others have published. */
  constructor(clock: Clock, leadMs: number) {
    this.#clock = clock;
    const leadUs = Math.max(0, leadMs) * 1000;
    this.#limitUs = Math.max(MAX_LEAD_MS * 1000, leadUs);
    this.#sinceUs = clock.nowUs();
    this.#mediaUs = leadUs;
  }

  /** Takes note of the next packet. */
  note({ dts, track }: Pick<SourcePacket, "dts" | "track">): void {
    const us = ticksToUs(dts, track.timescale);
    const stepUs = this.#newestUs === null ? 0 : us - this.#newestUs;
    if (Math.abs(stepUs) > JUMP_US) {
      // The stream goes on where it ends or where the clock stands, whichever is later.
      if (this.#aheadUs() < 0) this.#sinceUs = this.#clock.nowUs() - this.#mediaUs;
      this.#newestUs = us;
    } else if (stepUs > 0 || this.#newestUs === null) {
      this.#mediaUs += stepUs;
      this.#newestUs = us;
    }
  }

  /** How long nothing more should be read. Units: milliseconds; 0: read on. */
  waitMs(): number {
    const overUs = this.#aheadUs() - this.#limitUs;
    return overUs <= 0 ? 0 : Math.ceil(overUs / 1000) + STEP_MS;
  }

  #aheadUs(): number {
    return this.#mediaUs - (this.#clock.nowUs() - this.#sinceUs);
  }
}
