import { trackId } from "../../media/ids.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { canCarry } from "./tag-writer.ts";

const CARRIED_IDS: ReadonlySet<TrackId> = new Set([trackId("video", 1), trackId("audio", 1)]);

/**
 * Whether a player gets the track: the first video and the first audio track, in a codec that a tag can carry.
 *
 * By the track alone, so that a packet's bytes do not depend on what was asked before.
 */
export function isCarried(track: Track): boolean {
  return CARRIED_IDS.has(track.id) && canCarry(track);
}
