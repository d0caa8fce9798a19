import { dropOldest } from "../../base/oldest.ts";
import { silentFrameOf } from "../../codecs/silence.ts";
import type { TrackId } from "../../media/ids.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track, TrackSet } from "../../media/track.ts";

/**
 * The sound that a window has had: players that have begun with it go on only while it is there.
 *
 * An audio track that a new set lacks stays in the packaged set, the same object in the same place, so that init segments
 * stay what they were. It stays for the window's life: see docs/decisions/0012. Nothing is kept of what has no form of
 * silence, nor in a set without video: there is no clock to fill it by.
 *
 * Bounded: `MAX_TRACKS`; of more the oldest is forgotten.
 */
export class KeptSound {
  /** A publisher that comes with ever new tracks leaves no more behind. */
  static readonly MAX_TRACKS = 8;

  /** Audio tracks that have a form of silence, the newest of each id; oldest first. */
  readonly #heard = new Map<TrackId, Track>();
  /** Ids of the last packaged set, in order. */
  #order: readonly TrackId[] = [];

  /** `heard`: what a window before this one had. */
  constructor(heard: readonly Track[] = []) {
    for (const track of heard) this.#hear(track);
  }

  /** What a window that takes this one's place is to keep as well. */
  get heard(): readonly Track[] {
    return [...this.#heard.values()];
  }

  /** The set to package: `set` itself when nothing is missing in it. */
  complete(set: TrackSet): TrackSet {
    const missing =
      set.reference.kind === "video"
        ? this.heard.filter(({ id }) => !set.tracks.some((track) => track.id === id))
        : [];
    for (const track of set.tracks) this.#hear(track);
    const packaged =
      missing.length === 0 ? set : makeTrackSet(set.epoch, this.#sorted([...set.tracks, ...missing]));
    if (set.reference.kind === "video") this.#order = packaged.tracks.map(({ id }) => id);
    return packaged;
  }

  #hear(track: Track): void {
    if (track.kind !== "audio" || silentFrameOf(track) === null) return;
    this.#heard.set(track.id, track);
    dropOldest(this.#heard, KeptSound.MAX_TRACKS);
  }

  /** As they were in the last set; new ones behind those. */
  #sorted(tracks: readonly Track[]): readonly Track[] {
    const place = ({ id }: Track): number => {
      const index = this.#order.indexOf(id);
      return index < 0 ? this.#order.length : index;
    };
    return tracks.toSorted((a, b) => place(a) - place(b));
  }
}
