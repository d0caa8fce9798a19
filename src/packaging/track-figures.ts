import type { TrackId } from "../media/ids.ts";
import { measureBandwidth, measureFrameRate } from "./bandwidth.ts";
import type { Bandwidth } from "./bandwidth.ts";
import type { Timeline } from "./presentation.ts";

/**
 * What is measured of single tracks over a timeline, once for each track: who lists them again for every stretch of a
 * recording with thousands would measure all of it as often. Bounded by the ids that tracks may have.
 */
export class TrackFigures {
  readonly #timeline: Timeline;
  readonly #bandwidths = new Map<TrackId, Bandwidth>();
  readonly #frameRates = new Map<TrackId, number>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** See `measureBandwidth`. */
  bandwidth(id: TrackId): Bandwidth {
    return remember(this.#bandwidths, id, () => measureBandwidth(this.#timeline, [id]));
  }

  /** See `measureFrameRate`. */
  frameRate(id: TrackId): number {
    return remember(this.#frameRates, id, () => measureFrameRate(this.#timeline, id));
  }
}

function remember<Figure>(known: Map<TrackId, Figure>, id: TrackId, measure: () => Figure): Figure {
  const found = known.get(id);
  if (found !== undefined) return found;
  const made = measure();
  known.set(id, made);
  return made;
}
