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
};

/**
 * Media that is all there already, such as a file: packets from any point on, as soon as they are asked for. Its clock
 * begins near 0, and no time on it is negative.
 */
export type RecordedPackets = {
  readonly tracks: TrackSet;
  /** When the last track ends. Units: microseconds. */
  readonly endUs: number;
  /** How much later than it is decoded a picture at a random access point is shown. Units: microseconds. */
  readonly reorderUs: number;
  /** The decode time of the last random access point at or before a time; 0 when there is none. Units: microseconds. */
  startAt(us: number): number;
  /**
   * The packets whose decode time is `fromUs` or later, as many of them as are read at a time: a bounded number of bytes.
   * Ownership: payloads are shared with others who read the same. Rejects with a `MediaError`.
   */
  read(fromUs: number): Promise<PacketRun>;
};
