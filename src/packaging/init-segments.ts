import { createHash } from "node:crypto";
import { dropOldest } from "../base/oldest.ts";
import { buildInitSegment } from "../containers/mp4/init-segment.ts";
import type { Track, TrackSet } from "../media/track.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { MediaBody, TrackSelection } from "./presentation.ts";

type InitSegment = { readonly name: string; readonly body: MediaBody };

/**
 * The init segments of a presentation, built when first asked for and named by their content: the first 12 hex digits
 * of the SHA-256 of the bytes. Two pods with the same tracks give the same name, and a changed track gives another.
 *
 * Bounded: the newest `MAX_SETS` track sets, each with the selections that its tracks allow.
 */
export class InitSegments {
  /** A stream that changes its tracks more often within one window is not worth serving from a cache. */
  static readonly MAX_SETS = 64;
  static readonly #MAX_SELECTIONS = 32;

  readonly #sets = new Map<TrackSet, Map<string, InitSegment>>();

  /** The name for a selection of a set's tracks, e.g. `3f9a01bc22de`. */
  nameOf(tracks: TrackSet, selection: TrackSelection): string {
    return this.#get(tracks, selection).name;
  }

  /** The init segment of that name, if one of the known sets has it with this selection. */
  find(name: string, selection: TrackSelection): MediaBody | null {
    for (const tracks of this.#sets.keys()) {
      if (selectTracks(tracks, selection).length === 0) continue;
      const init = this.#get(tracks, selection);
      if (init.name === name) return init.body;
    }
    return null;
  }

  /** Makes a set known, so that `find` answers for it before any playlist named it. */
  add(tracks: TrackSet): void {
    if (this.#sets.has(tracks)) return;
    this.#sets.set(tracks, new Map());
    dropOldest(this.#sets, InitSegments.MAX_SETS);
  }

  #get(tracks: TrackSet, selection: TrackSelection): InitSegment {
    this.add(tracks);
    const known = this.#sets.get(tracks)!;
    const key = formatTrackSelection(selection);
    const found = known.get(key);
    if (found !== undefined) return found;
    const bytes = buildInitSegment(selectTracks(tracks, selection));
    const made = { name: nameOfInit(bytes), body: [bytes] };
    if (known.size >= InitSegments.#MAX_SELECTIONS) known.clear();
    known.set(key, made);
    return made;
  }
}

/** The name of the init segment of a selection of a set's tracks, of which it has at least one. */
export function initName(tracks: TrackSet, selection: TrackSelection): string {
  return nameOfInit(buildInitSegment(selectTracks(tracks, selection)));
}

function nameOfInit(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 12);
}

/**
 * Those tracks of the set that the selection names, in the set's order. A selection may name a track that only other
 * stretches of the presentation have; here it is left out.
 */
export function selectTracks(tracks: TrackSet, selection: TrackSelection): readonly Track[] {
  return tracks.tracks.filter((track) => selection.includes(track.id));
}
