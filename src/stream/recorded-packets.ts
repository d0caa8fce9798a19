import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";

/** A stretch of recorded media. */
export type PacketRun = {
  /** Of all tracks, in order of decode time; none where nothing plays for a while. */
  readonly packets: readonly MediaPacket[];
  /** Decode time at which the next run begins. Units: microseconds. */
  readonly toUs: number;
  /** Nothing comes after it. */
  readonly isLast: boolean;
  /** The tracks that its packets are of; left out where they are the same all along. */
  readonly tracks?: TrackSet;
  /** What is to be added to its times to have UTC; left out where nobody knows. Units: microseconds. */
  readonly utcOffsetUs?: number;
};

/**
 * Media that was recorded, such as a file or a stretch of an archive: packets from any point on, as soon as they are asked
 * for. No time on its clock is negative.
 */
export type RecordedPackets = {
  /** Where others come in the course of it, those at the point that `startAt` told last. */
  readonly tracks: TrackSet;
  /** When the last track ends; `Infinity` while it goes on. Units: microseconds. */
  readonly endUs: number;
  /** How much later than it is decoded a picture at a random access point is shown. Units: microseconds. */
  readonly reorderUs: number;
  /**
   * The decode time of the last random access point at or before a time; of the first one when there is none, or of the
   * next one where nothing is recorded at the time. Units: microseconds. May reject with a `MediaError`.
   */
  startAt(us: number): number | Promise<number>;
  /** The time on its clock of a time of day; left out where it was not recorded at one. Units: microseconds, since 1970. */
  atUtc?(utcUs: number): number;
  /**
   * The packets whose decode time is `fromUs` or later, as many of them as are read at a time: a bounded number of bytes.
   * What is still being recorded is waited for, for a moment: a run without packets may end where it begins.
   * Ownership: payloads are shared with others who read the same. Rejects with a `MediaError`.
   */
  read(fromUs: number): Promise<PacketRun>;
};
