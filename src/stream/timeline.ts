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

type TrackState = {
  readonly track: Track;
  readonly offsetTicks: number;
  /** How far it was behind the newest packet of all tracks. */
  lagUs: number;
  lastSourceDts: number;
  lastDts: number;
};

/** A track without a place in the run, whose packets are far from all others. */
type StrayTrack = { readonly track: Track; count: number; lastSourceDts: number; placedBefore: number };

/**
 * Puts the packets of one source after another on one continuous media clock: microseconds since 1970 UTC.
 *
 * A run is a stretch of packets whose source clock makes sense. Its first packet is anchored at the wall clock, or at
 * the end of the media before it where that is later; every later packet keeps its distance to it exactly. A new run
 * begins when a source (re)connects, and when its times jump back by more than a second or forward by more than ten.
 * So a stream's times never go back, names made of them stay unique, and a restarted process continues the numbering.
 *
 * Tracks may arrive up to ten seconds apart: broadcast multiplexes send video a second or more ahead of its sound. What
 * a track has from more than a second before the run's beginning is dropped: there is nothing to play it with.
 */
export class Timeline {
  /** A step back up to this is reordering or a sloppy muxer, not a jump. */
  static readonly MAX_BACK_US = 1_000_000;
  /** A hole up to this is packet loss or silence, not a jump; tracks that arrive further apart have nothing in common. */
  static readonly MAX_FORWARD_US = 10_000_000;
  /** Stragglers of a track in a row after which they are taken for the truth. */
  static readonly MAX_STRAYS = 100;

  /** Those of the present run: few, so that looking through them is quicker than a map. */
  #tracks: TrackState[] = [];
  #strays: StrayTrack[] = [];
  #offsetUs: number | null = null;
  #runStartUs = 0;
  #runNewestUs = 0;
  /** Packets of the run. */
  #placed = 0;
  #endUs = 0;
  #clamped = 0;

  /** End of the newest media on the stream's clock; 0 before the first packet. */
  get endUs(): number {
    return this.#endUs;
  }

  /** Packets whose `dts` had to be moved since the beginning to keep it rising. */
  get clampedPackets(): number {
    return this.#clamped;
  }

  /** What comes from now on is behind that time. Units: microseconds. */
  goOnFrom(us: number): void {
    if (us <= this.#endUs) return;
    this.#endUs = us;
    this.breakRun();
  }

  /** The next packet begins a new run. */
  breakRun(): void {
    this.#offsetUs = null;
    this.#placed = 0;
    this.#strays = [];
    this.#tracks = [];
  }

  /**
   * Judges a packet against the present run; counts strays and changes nothing else. It fits when its track is as far
   * behind the newest packet as before, so that a microphone that was muted for a while is no jump, or when it is near
   * the last of its own track. The first packet of a track fits when it is no further than ten seconds from the newest, or
   * near the last of the track that it takes the place of; when that is far as well, the source's clock jumped while its
   * tracks changed.
   */
  judge(packet: SourcePacket): Placement {
    if (this.#offsetUs === null) return "fits";
    const { timescale } = packet.track;
    const state = this.#stateOf(packet.track);
    if (state !== null) {
      const us = ticksToUs(packet.dts + state.offsetTicks, timescale);
      const isNear = isStep(us - (this.#runNewestUs - state.lagUs)) || isStep(us - this.#runNewestUs);
      if (isNear || isStep(ticksToUs(packet.dts - state.lastSourceDts, timescale))) return "fits";
      return "breaks";
    }
    const us = ticksToUs(packet.dts, timescale) + this.#offsetUs;
    if (!isAmong(us - this.#runNewestUs)) {
      const before = this.#predecessorOf(packet.track);
      if (before === null) return this.#judgeStray(packet);
      return isNext(before, packet) ? "fits" : "breaks";
    }
    return us >= this.#runStartUs - Timeline.MAX_BACK_US ? "fits" : "stray";
  }

  /**
   * Gives the packet its place; `judge` said that it fits. `wallUs` anchors the first packet of a run.
   * Returns: the packet's times on the stream's clock, in ticks of its track. `dts` rises with every packet of a track.
   */
  place(packet: SourcePacket, wallUs: number): Pick<MediaPacket, "dts" | "pts"> {
    const { timescale } = packet.track;
    if (this.#offsetUs === null) this.#beginRun(packet, wallUs);
    const state = this.#stateOf(packet.track) ?? this.#addState(packet);
    let dts = packet.dts + state.offsetTicks;
    if (dts <= state.lastDts) {
      dts = state.lastDts + 1;
      this.#clamped++;
    }
    state.lastDts = dts;
    state.lastSourceDts = packet.dts;
    const us = ticksToUs(dts, timescale);
    this.#placed++;
    this.#runNewestUs = Math.max(this.#runNewestUs, us);
    state.lagUs = this.#runNewestUs - us;
    this.#endUs = Math.max(this.#endUs, us + rescale(packet.durationTicks, timescale, 1_000_000));
    return { dts, pts: Math.max(packet.pts + state.offsetTicks, dts - timescale) };
  }

  #beginRun(packet: SourcePacket, wallUs: number): void {
    this.#runStartUs = Math.max(wallUs, this.#endUs);
    this.#runNewestUs = this.#runStartUs;
    this.#offsetUs = this.#runStartUs - ticksToUs(packet.dts, packet.track.timescale);
  }

  /**
   * A straggler from before a break soon ends. One that goes on alone is the truth, and the run was an accident; one that
   * goes on beside the others has a clock of its own.
   */
  #judgeStray({ track, dts }: SourcePacket): Placement {
    let stray = this.#strays.find((known) => known.track === track);
    if (stray === undefined) {
      stray = { track, count: 0, lastSourceDts: dts, placedBefore: this.#placed };
      if (this.#strays.length >= MAX_TRACK_STATES) this.#strays.shift();
      this.#strays.push(stray);
    }
    if (!isStep(ticksToUs(dts - stray.lastSourceDts, track.timescale))) {
      stray.count = 0;
      stray.placedBefore = this.#placed;
    }
    stray.count++;
    stray.lastSourceDts = dts;
    if (stray.count <= Timeline.MAX_STRAYS) return "stray";
    return stray.placedBefore === this.#placed ? "breaks" : "fits";
  }

  #stateOf(track: Track): TrackState | null {
    for (const state of this.#tracks) if (state.track === track) return state;
    return null;
  }

  /** The last track of the run with the same id: a source that changes its configuration makes a new one. */
  #predecessorOf({ id }: Track): TrackState | null {
    return this.#tracks.findLast(({ track }) => track.id === id) ?? null;
  }

  /** A track with a clock of its own begins where the run is now, or goes on with the clock of the one before it. */
  #addState(packet: SourcePacket): TrackState {
    const { track, dts } = packet;
    const before = this.#predecessorOf(track);
    const ownUs = ticksToUs(dts, track.timescale);
    const isOfRun = isAmong(ownUs + this.#offsetUs! - this.#runNewestUs);
    let offsetUs = isOfRun ? this.#offsetUs! : this.#runNewestUs - ownUs;
    if (!isOfRun && before !== null && isNext(before, packet))
      offsetUs = ticksToUs(before.offsetTicks, before.track.timescale);
    const offsetTicks = usToTicks(offsetUs, track.timescale);
    const state = { track, offsetTicks, lagUs: 0, lastSourceDts: dts, lastDts: -1 };
    if (this.#tracks.length >= MAX_TRACK_STATES) this.#tracks.shift();
    this.#tracks.push(state);
    this.#strays = this.#strays.filter((stray) => stray.track !== track);
    return state;
  }
}

/** Whether a packet follows the last one of the track that its own takes the place of, by the source's times. */
function isNext({ track, lastSourceDts }: TrackState, packet: SourcePacket): boolean {
  return isStep(ticksToUs(packet.dts, packet.track.timescale) - ticksToUs(lastSourceDts, track.timescale));
}

function isStep(us: number): boolean {
  return us >= -Timeline.MAX_BACK_US && us <= Timeline.MAX_FORWARD_US;
}

/** Whether tracks that are so far apart may be of one clock. */
function isAmong(us: number): boolean {
  return Math.abs(us) <= Timeline.MAX_FORWARD_US;
}
