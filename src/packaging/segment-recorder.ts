import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";

/** A segment as a recorder sees it: still growing, or just complete. */
export type RecordedSegment = {
  /** Media sequence number. */
  readonly sequence: number;
  readonly startUs: number;
  readonly tracks: TrackSet;
  /** It begins with a random access point of the reference track. */
  readonly isIndependent: boolean;
  /** The timeline breaks before it. */
  readonly discontinuity: boolean;
  /** What has come of a track, in decode order. Theirs is the segment's hold on the packets' slabs. */
  packetsOf(id: TrackId): readonly MediaPacket[];
};

/** Where a complete segment ends. */
export type RecordedEnd = {
  readonly endUs: number;
  /** Decode time at which a track goes on in the segment behind; `null` where it does not, or is not known to. */
  nextDts(id: TrackId): number | null;
};

/**
 * Who keeps what a live window packages. Hears of each segment while it grows, one after the other: of no packet of a
 * segment before the one before it is complete. Calls are synchronous and must not throw.
 */
export type SegmentRecorder = {
  /** In the segment that grows a GOP is complete; the next one begins with `next`, which is not in it yet. */
  onGop(segment: RecordedSegment, next: MediaPacket): void;
  /** A segment is complete. Whoever keeps payloads retains their slabs by now. */
  onSegment(segment: RecordedSegment, end: RecordedEnd): void;
  /** Nothing follows for now: the source left, or sends other tracks. */
  onBreak(): void;
};
