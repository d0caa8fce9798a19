import { parseTrackSelection } from "./presentation.ts";
import type { TrackSelection } from "./presentation.ts";

/** Bytes of a presentation as URLs name them: the same for every protocol, so that a cache in front has each once. */
export type MediaFile = {
  readonly kind: "init" | "segment";
  readonly selection: TrackSelection;
  readonly name: string;
};

/** A part of a segment; see `EdgeSource`. */
export type PartFile = {
  readonly kind: "part";
  readonly selection: TrackSelection;
  readonly name: string;
  readonly index: number;
};

const TRACKS_PREFIX = "tracks-";
const INIT = /^init-([0-9a-f]{12}(?:-[a-z0-9-]{1,640})?)\.mp4$/;
const SEGMENT = /^seg-([0-9]{1,16}(?:-[a-z0-9-]{1,640})?)\.m4s$/;

/**
 * Splits a decoded path `/NAME/tracks-v1a1/FILE` into its parts; NAME may hold slashes. `null`: it has another form, or
 * no tracks that can be chosen.
 */
export function parseTracksPath(
  path: string,
): { name: string; selection: TrackSelection; file: string } | null {
  const lastSlash = path.lastIndexOf("/");
  const tracksSlash = path.lastIndexOf("/", lastSlash - 1);
  if (!path.startsWith("/") || tracksSlash < 2) return null;
  const folder = path.slice(tracksSlash + 1, lastSlash);
  if (!folder.startsWith(TRACKS_PREFIX)) return null;
  const selection = parseTrackSelection(folder.slice(TRACKS_PREFIX.length));
  if (selection === null) return null;
  return { name: path.slice(1, tracksSlash), selection, file: path.slice(lastSlash + 1) };
}

/**
 * The init segment or segment that a file's name stands for: `init-HASH.mp4`, `seg-MILLISECONDS.m4s`; else `null`. Behind hash
 * and time there may be a note, see `Presentation.noteOf`.
 */
export function parseMediaFile(file: string, selection: TrackSelection): MediaFile | null {
  const init = INIT.exec(file);
  if (init !== null) return { kind: "init", selection, name: init[1]! };
  const segment = SEGMENT.exec(file);
  return segment === null ? null : { kind: "segment", selection, name: segment[1]! };
}
