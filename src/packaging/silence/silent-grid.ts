import { rescale } from "../../base/time.ts";
import type { SilentFrame } from "../../codecs/silence.ts";

/**
 * Where frames of silence lie on a track's clock: on a grid of their own, counted in whole frames from the zero of the media
 * clock. Whoever fills the same time makes the same frames. Times are ticks of the track.
 */
export class SilentGrid {
  readonly #frame: SilentFrame;
  readonly #timescale: number;

  /** `timescale`: the track's. */
  constructor(frame: SilentFrame, timescale: number) {
    this.#frame = frame;
    this.#timescale = timescale;
  }

  /** Where a frame begins. */
  ticksOf(index: number): number {
    const { samples, sampleRate } = this.#frame;
    return rescale(index * samples, sampleRate, this.#timescale);
  }

  /** The first frame that begins no earlier. */
  indexFrom(ticks: number): number {
    const { samples, sampleRate } = this.#frame;
    let index = Math.ceil(rescale(ticks, this.#timescale, sampleRate) / samples);
    while (this.ticksOf(index) < ticks) index++;
    return index;
  }
}
