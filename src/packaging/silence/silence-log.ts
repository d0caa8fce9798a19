import type { Logger } from "../../base/log.ts";
import type { TrackId } from "../../media/ids.ts";

/** A sender whose sound comes and goes all the time is said to do so once a minute of media. Units: microseconds. */
const QUIET_US = 60_000_000;

/** Says when silence takes the place of sound, and when sound is back: a line each, of the stream's media clock. */
export class SilenceLog {
  readonly #log: Logger;
  #isSilent = false;
  /** Whether the begin of the present silence was said, so that its end is. */
  #isSaid = false;
  #saidUs = -Infinity;
  #unsaid = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** `silent`: the tracks that are filled now; `atUs`: where the pictures are. */
  note(silent: readonly TrackId[], atUs: number): void {
    const isSilent = silent.length > 0;
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    if (isSilent) this.#begin(silent, atUs);
    else if (this.#isSaid) this.#log.info("sound is back where silence was packaged");
  }

  #begin(silent: readonly TrackId[], atUs: number): void {
    this.#isSaid = atUs - this.#saidUs >= QUIET_US;
    if (!this.#isSaid) {
      this.#unsaid++;
      return;
    }
    this.#log.warn("sound is missing, silence is packaged in its place", {
      tracks: silent.join(", "),
      ...(this.#unsaid === 0 ? {} : { timesSinceLastLine: this.#unsaid }),
    });
    this.#saidUs = atUs;
    this.#unsaid = 0;
  }
}
