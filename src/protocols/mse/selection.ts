import type { TrackId } from "../../media/ids.ts";
import type { Track, TrackKind, TrackSet } from "../../media/track.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
import { parseTrackSelection } from "../../packaging/presentation.ts";

/** Which tracks one viewer gets: one video and one audio track at most, as many as a media element plays. */
export type MseSelection = {
  readonly video: TrackId | null;
  readonly audio: TrackId | null;
  /** Nobody chose: the first of each kind. */
  readonly isDefault: boolean;
};

/** The first of each kind. */
export const FIRST_TRACKS: MseSelection = { video: null, audio: null, isDefault: true };

/**
 * Reads what a client asks for, `v1a1`, `a2` or nothing. Of several tracks of one kind the first counts.
 *
 * Returns: `null` when it is not of that form.
 */
export function parseMseSelection(text: string): MseSelection | null {
  if (text === "") return FIRST_TRACKS;
  const ids: TrackSelection | null = parseTrackSelection(text);
  if (ids === null) return null;
  const video = ids.find((id) => id.startsWith("v")) ?? null;
  const audio = ids.find((id) => id.startsWith("a")) ?? null;
  return video === null && audio === null ? null : { video, audio, isDefault: false };
}

/** The same text for the same tracks, in whatever order they were asked for; `none` for no track. */
export function selectionKey({ video, audio, isDefault }: MseSelection): string {
  if (isDefault) return "first";
  return isNothing({ video, audio, isDefault }) ? "none" : `${video ?? ""}${audio ?? ""}`;
}

/** Whether a selection means no track at all. */
export function isNothing({ video, audio, isDefault }: MseSelection): boolean {
  return !isDefault && video === null && audio === null;
}

/** What is left of a selection where there are only the tracks of a set, or none yet. */
export function resolveSelection(selection: MseSelection, set: TrackSet | null): MseSelection {
  const selected = set === null ? [] : selectedTracks(set, selection);
  const idOf = (kind: TrackKind): TrackId | null =>
    selected.find((track) => track.kind === kind)?.id ?? null;
  return { video: idOf("video"), audio: idOf("audio"), isDefault: false };
}

/**
 * Whether a viewer with this selection gets a track. By the track alone, as ids count the tracks of a kind: the first ones
 * are `v1` and `a1`.
 */
export function isSelected({ id, kind }: Track, { video, audio, isDefault }: MseSelection): boolean {
  if (kind === "text") return false;
  return isDefault ? id === `${kind[0]}1` : id === (kind === "video" ? video : audio);
}

/** The tracks of a set that a selection means; none where the set has none of them. */
export function selectedTracks(set: TrackSet, selection: MseSelection): readonly Track[] {
  return set.tracks.filter((track) => isSelected(track, selection));
}
