import { rescale, ticksToUs, usToTicks } from "../base/time.ts";
import type { MediaPacket, SourcePacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";

/** Where a packet of the source lands on the stream's timeline. */
export type Placement =
  /** Its time fits: `ticks` is to be added to the source's times of this track. */
  | "fits"
  /** The source's clock jumped: the timeline breaks before this packet. */
  | "breaks"
  /** A straggler from the other side of a break. */
  | "stray";

/** More tracks than a stream has at one time; a source that changes its tracks all the time leaves no more behind. */
const MAX_TRACK_STATES = 64;

type TrackState = { readonly track: Track; offsetTicks: number; lastSourceDts: number; lastDts: number };

/**
 * Puts the packets of one source after another on one continuous media clock: microseconds since 1970 UTC.
 *
 * A run is a stretch of packets whose source clock makes sense. Its first packet is anchored at the wall clock, or at
 * the end of the media before it where that is later; every later packet keeps its distance to it exactly. A new run
 * begins when a source (re)connects, and when its times jump back by more than a second or forward by more than ten.
 * So a stream's times never go back, names made of them stay unique, and a restarted process continues the numbering.
 */
export class Timeline {
  /** A step back up to this is reordering or a sloppy muxer, not a jump. */
  static readonly MAX_BACK_US = 1_000_000;
  /** A hole up to this is packet loss or silence, not a jump. */
  static readonly MAX_FORWARD_US = 10_000_000;
  /** Stragglers in a row after which they are taken for the truth. */
  static readonly MAX_STRAYS = 100;

  /** Those of the present run: few, so that looking through them is quicker than a map. */
  #tracks: TrackState[] = [];
  #offsetUs: number | null = null;
  #runNewestUs = 0;
  #endUs = 0;
  #strays = 0;
  #clamped = 0;

  /** End of the newest media on the stream's clock; 0 before the first packet. */
  get endUs(): number {
    return this.#endUs;
  }

  /** Packets whose `dts` had to be moved since the beginning to keep it rising. */
  get clampedPackets(): number {
    return this.#clamped;
  }

  /** The next packet begins a new run. */
  breakRun(): void {
    this.#offsetUs = null;
    this.#strays = 0;
    this.#tracks = [];
  }

  /**
   * Judges a packet against the present run; counts strays and changes nothing else. It fits when it is near the newest
   * packet of any track, so that a microphone that was muted for a while is no jump, or near the last of its own track.
   */
  judge(packet: SourcePacket): Placement {
    if (this.#offsetUs === null) return "fits";
    const us = ticksToUs(packet.dts, packet.track.timescale) + this.#offsetUs;
    if (isStep(us - this.#runNewestUs)) {
      this.#strays = 0;
      return "fits";
    }
    const last = this.#stateOf(packet.track);
    if (last !== null) {
      const ownUs = ticksToUs(last.lastSourceDts, packet.track.timescale) + this.#offsetUs;
      if (!isStep(us - ownUs)) return "breaks";
      this.#strays = 0;
      return "fits";
    }
    this.#strays++;
    return this.#strays > Timeline.MAX_STRAYS ? "breaks" : "stray";
  }

  /**
   * Gives the packet its place; `judge` said that it fits. `wallUs` anchors the first packet of a run.
   * Returns: the packet's times on the stream's clock, in ticks of its track. `dts` rises with every packet of a track.
   */
  place(packet: SourcePacket, wallUs: number): Pick<MediaPacket, "dts" | "pts"> {
    const { timescale } = packet.track;
    this.#offsetUs ??= Math.max(wallUs, this.#endUs) - ticksToUs(packet.dts, timescale);
    const state = this.#stateOf(packet.track) ?? this.#addState(packet.track, this.#offsetUs);
    let dts = packet.dts + state.offsetTicks;
    if (dts <= state.lastDts) {
      dts = state.lastDts + 1;
      this.#clamped++;
    }
    state.lastDts = dts;
    state.lastSourceDts = packet.dts;
    const us = ticksToUs(dts, timescale);
    this.#runNewestUs = Math.max(this.#runNewestUs, us);
    this.#endUs = Math.max(this.#endUs, us + rescale(packet.durationTicks, timescale, 1_000_000));
    return { dts, pts: Math.max(packet.pts + state.offsetTicks, dts - timescale) };
  }

  #stateOf(track: Track): TrackState | null {
    for (const state of this.#tracks) if (state.track === track) return state;
    return null;
  }

  #addState(track: Track, offsetUs: number): TrackState {
    const offsetTicks = usToTicks(offsetUs, track.timescale);
    const state = { track, offsetTicks, lastSourceDts: 0, lastDts: -1 };
    if (this.#tracks.length >= MAX_TRACK_STATES) this.#tracks.shift();
    this.#tracks.push(state);
    return state;
  }
}

function isStep(us: number): boolean {
  return us >= -Timeline.MAX_BACK_US && us <= Timeline.MAX_FORWARD_US;
}
