import { TS_TIMESCALE } from "./layout.ts";

/** A step of one track that is longer is a break of the time base; the same as the stream's own timeline has it. */
const MAX_FORWARD_TICKS = 10 * TS_TIMESCALE;
/** A step back by more than this is one, too. */
const MAX_BACK_TICKS = TS_TIMESCALE;

/** How the clock is set, in 90 kHz ticks. */
export type ProgramClockOptions = {
  /** How far the PCR is behind the newest decode time, at least. */
  readonly delayTicks: number;
  /** How far the PCR falls behind the newest decode time for the sake of a late track, at most. */
  readonly waitTicks: number;
  /** By how much the PCR is to be in front of the slowest track. */
  readonly marginTicks: number;
};

/** One track: its last decode time, `null` before the first, and how far behind the newest it has been. */
type TrackTime = { lastTicks: number | null; lagTicks: number };

/**
 * Where the tracks of a program are in time, and where its PCR may be.
 *
 * What was late once stays late: the PCR follows the newest track at the largest distance that any track has been behind
 * it, so that a track which falls silent does not stop the clock. Until each track has shown itself the PCR waits where
 * it began. All that goes as far as `waitTicks`; a track that is later than that is played late, or not at all.
 * Units: 90 kHz ticks, not wrapped. Spec: ISO/IEC 13818-1 section 2.4.2.
 */
export class ProgramClock {
  readonly #options: ProgramClockOptions;
  #times: TrackTime[] = [];
  #newest: number | null = null;
  /** Where the tracks began, the late ones as well. */
  #startTicks: number | null = null;
  #lagTicks = 0;
  /** Tracks without a packet. */
  #unseen = 0;

  constructor(options: ProgramClockOptions) {
    this.#options = options;
  }

  /** The newest decode time; `null` before the first. */
  get newest(): number | null {
    return this.#newest;
  }

  /** Where the PCR may be now; it goes back when a track proves later than any before. 0 before the first packet. */
  get due(): number {
    const newest = this.#newest ?? 0;
    const { delayTicks, waitTicks, marginTicks } = this.#options;
    const waited = newest - (this.#startTicks ?? newest);
    const lagTicks = this.#unseen > 0 && waited <= waitTicks ? waited + delayTicks : 0;
    const lateTicks = this.#lagTicks === 0 ? 0 : Math.min(this.#lagTicks + marginTicks, waitTicks);
    return newest - Math.max(delayTicks, Math.min(lagTicks, waitTicks), lateTicks);
  }

  /** So many tracks from here on, none of which has shown itself; the time goes on. */
  begin(tracks: number): void {
    this.#times = Array.from({ length: tracks }, () => ({ lastTicks: null, lagTicks: 0 }));
    this.#unseen = tracks;
    this.#startTicks = this.#newest;
    this.#lagTicks = 0;
  }

  /** The time base breaks: nothing is known of any track. */
  reset(): void {
    this.#newest = null;
    this.begin(this.#times.length);
  }

  /** Whether the next packet of a track is on another time base than the track, and the others, were. */
  isJump(track: number, ticks: number): boolean {
    const newest = this.#newest;
    if (newest === null) return false;
    const { lastTicks, lagTicks } = this.#times[track]!;
    // Tracks may begin far apart; one that was silent comes back as far behind as it was.
    if (lastTicks === null) return Math.abs(ticks - newest) > MAX_FORWARD_TICKS;
    return !isStep(ticks - lastTicks) && !isStep(ticks - (newest - lagTicks));
  }

  /** The next packet of a track is written. */
  note(track: number, ticks: number): void {
    const time = this.#times[track]!;
    if (time.lastTicks === null) this.#unseen--;
    this.#newest = Math.max(this.#newest ?? ticks, ticks);
    this.#startTicks ??= ticks;
    time.lastTicks = ticks;
    time.lagTicks = this.#newest - ticks;
    this.#lagTicks = Math.max(this.#lagTicks, time.lagTicks);
  }
}

function isStep(ticks: number): boolean {
  return ticks >= -MAX_BACK_TICKS && ticks <= MAX_FORWARD_TICKS;
}
