/** Branded names, so that a track's id is never taken for a stream's name. */

/** The name of a published entity: segments of letters, digits, `.`, `-`, `_` joined by `/`, e.g. `pub/camera`. */
export type StreamName = string & { readonly __brand: "StreamName" };

/** A track within its stream: `v1`, `a1`, `a2`, `t1`. */
export type TrackId = string & { readonly __brand: "TrackId" };

/** One connection or viewer in logs and, later, the API. */
export type SessionId = string & { readonly __brand: "SessionId" };

/** Longest stream name in characters: names travel in file names, URLs and log lines. */
export const MAX_STREAM_NAME_LENGTH = 255;

const NAME_SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * Checks a name that came from outside.
 *
 * Returns: the name, or `null` for anything that is not segments of `A-Z a-z 0-9 . _ -`, a segment that begins with a
 * dot (so never `.` or `..`), empty segments and names that are too long.
 */
export function parseStreamName(text: string): StreamName | null {
  if (text.length === 0 || text.length > MAX_STREAM_NAME_LENGTH) return null;
  for (const segment of text.split("/")) if (!NAME_SEGMENT.test(segment)) return null;
  return text as StreamName;
}

/** The id of the `ordinal`-th track (from 1) of its kind. */
export function trackId(kind: "video" | "audio" | "text", ordinal: number): TrackId {
  return `${kind[0]}${ordinal}` as TrackId;
}
