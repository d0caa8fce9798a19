import type { Slab } from "../base/slab-allocator.ts";
import type { Track, TrackSet } from "./track.ts";

/**
 * One coded unit of one track: an access unit of video, a frame of audio. Immutable and shared after creation.
 *
 * Times are unwrapped integer ticks of the track's timescale. Payload: H.264 and H.265 as 4-byte length-prefixed NAL
 * units (parameter sets left in are harmless), others as the codec's plain frame. The payload is copied once, when it
 * is taken off the wire, and not written to after that as long as anybody holds it.
 */
export type MediaPacket = {
  readonly track: Track;
  readonly dts: number;
  readonly pts: number;
  /** 0 when the next packet's `dts` alone tells. */
  readonly durationTicks: number;
  /** A decoder may start here. */
  readonly isSync: boolean;
  /** `isSync` on the reference track: a GOP begins. Every packet of a stream without video. */
  readonly startsGop: boolean;
  /** The epoch of the `TrackSet` that this packet belongs to. */
  readonly epoch: number;
  /** Monotonic arrival time, for latency figures. */
  readonly arrivalUs: number;
  readonly payload: Uint8Array;
  /** What `payload` is a part of, where its memory is used again; see `PacketSink.releasesSlabs`. */
  readonly slab?: Slab | null;
};

/** What a source hands over: a packet before the stream has put it on its own timeline. */
export type SourcePacket = {
  readonly track: Track;
  readonly dts: number;
  readonly pts: number;
  readonly durationTicks: number;
  readonly isSync: boolean;
  readonly payload: Uint8Array;
  readonly slab?: Slab | null;
};

/**
 * Takes packets in decode order. `onTracks` comes before the first packet and again before the first packet of each
 * new epoch. `onEnd` comes once, last. Calls are synchronous and must not throw.
 */
export type PacketSink = {
  /**
   * True: it retains the slab of each packet whose payload it keeps, and releases it when that is gone; it has no use for
   * a payload later than that. Of what is given to other sinks the memory is not used again.
   */
  readonly releasesSlabs?: boolean;
  /** How long a packet may wait before this sink has any use for it. Units: milliseconds; none when absent. */
  patienceMs?(): number;
  onTracks(tracks: TrackSet): void;
  onPacket(packet: MediaPacket): void;
  /** The source left; nothing comes until it, or another, is back with a new epoch. */
  onPause(): void;
  onEnd(reason: string): void;
};
