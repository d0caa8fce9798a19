import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import { LateParts, takeInto } from "./late-parts.ts";
import type { Arrival } from "./late-parts.ts";
import { PartCutter } from "./part-cutter.ts";
import type { PartRule } from "./part-rule.ts";
import { SegmentParts } from "./segment-parts.ts";
import { layOut } from "./segment-track.ts";
import type { SegmentTrack } from "./segment-track.ts";

/**
 * A segment that still takes packets.
 *
 * Parts are a function of its packets and their order. Where nobody follows them, it only notes that order, and is cut into
 * parts when somebody asks: they are the same then.
 */
export class OpenSegment {
  readonly sequence: number;
  readonly startUs: number;
  readonly tracks: TrackSet;
  readonly isIndependent: boolean;
  /** The timeline breaks before it. */
  discontinuity: boolean;
  readonly #packets = new Map<TrackId, MediaPacket[]>();
  readonly #partRule: PartRule | null;
  #cutter: PartCutter | null = null;
  #parts: SegmentParts | null = null;
  /** What came, in its order, as long as nobody asked for parts. */
  #arrivals: Arrival[] | null = null;
  /** The latest of the reference track. */
  #lastPts = -Infinity;
  #bytes = 0;

  /** `partRule`: how it is cut into parts; `null`: it is not. `isFollowed`: somebody waits for them. */
  constructor(
    options: Pick<OpenSegment, "sequence" | "startUs" | "tracks" | "isIndependent" | "discontinuity"> & {
      readonly partRule: PartRule | null;
      readonly isFollowed: boolean;
    },
  ) {
    this.sequence = options.sequence;
    this.startUs = options.startUs;
    this.tracks = options.tracks;
    this.isIndependent = options.isIndependent;
    this.discontinuity = options.discontinuity;
    for (const track of options.tracks.tracks) this.#packets.set(track.id, []);
    this.#partRule = options.partRule;
    if (options.partRule !== null) this.#arrivals = [];
    if (options.isFollowed) this.#cut();
  }

  /** Its parts, where it may be cut into parts: from now on it is. */
  get parts(): SegmentParts | null {
    this.#cut();
    return this.#parts;
  }

  /** Payload bytes taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** End of the longest track as far as it is known, in microseconds on the media clock. */
  get endUs(): number {
    let endUs = this.startUs;
    for (const packets of this.#packets.values()) endUs = Math.max(endUs, endOf(packets));
    return endUs;
  }

  /** Takes the next packet of any of its tracks. */
  add(packet: MediaPacket): void {
    packet.slab?.retain();
    this.adopt(packet);
  }

  /** A track that is not the reference goes on in the segment before this one. */
  follow(packet: MediaPacket): void {
    if (this.#arrivals !== null) this.#arrivals.push({ followed: packet });
    else this.#cutter?.other(packet);
  }

  /** Parts that are complete, as far as somebody asked for them. */
  get partCount(): number {
    return this.#cutter === null ? 0 : this.#cutter.entries.length;
  }

  /** Where the last complete part ends; the segment's start where there is none. Units: microseconds. */
  get closedUs(): number {
    this.#cut();
    return this.#cutter?.closedUs ?? this.startUs;
  }

  /** Whether a complete part reaches there: what was shown as a part stays in its segment. */
  isClosedAt(us: number): boolean {
    // No part ends behind the last picture unless in silence, which cuts at once.
    const isOpen =
      this.#arrivals !== null && us > ticksToUs(this.#lastPts, this.tracks.reference.timescale);
    return !isOpen && us <= this.closedUs;
  }

  /** The reference track is silent, and the others have come to `us`; no part may reach to `limitUs`. */
  closePartsInSilence(us: number, limitUs: number): void {
    this.#cut();
    this.#cutter?.silence(us, limitUs);
  }

  /** What a frame of the reference track lasts on average, in microseconds; 0 where there are too few to tell. */
  frameUs(): number {
    const packets = this.#packets.get(this.tracks.reference.id)!;
    const [first, last] = [packets[0], packets.at(-1)];
    if (first === undefined || last === undefined || packets.length < 2) return 0;
    const ticks = (last.dts - first.dts) / (packets.length - 1);
    return (ticks * 1_000_000) / first.track.timescale;
  }

  /** Takes a packet that another segment gave up, with its hold on the slab. */
  adopt(packet: MediaPacket): void {
    const packets = this.#packets.get(packet.track.id);
    this.#bytes += packet.payload.byteLength;
    if (packets === undefined) {
      packet.slab?.release();
      return;
    }
    this.#arrivals?.push(packet);
    this.#put(packet, packets);
  }

  #put(packet: MediaPacket, packets: MediaPacket[]): void {
    if (this.#cutter !== null) takeInto(this.#cutter, packet, packets);
    else packets.push(packet);
    if (packet.track === this.tracks.reference && packet.pts > this.#lastPts) this.#lastPts = packet.pts;
  }

  /** Makes parts of what has come, in the order in which it came. */
  #cut(): void {
    const [arrivals, partRule] = [this.#arrivals, this.#partRule];
    if (arrivals === null || partRule === null) return;
    const { startUs, tracks, sequence } = this;
    this.#arrivals = null;
    for (const packets of this.#packets.values()) packets.length = 0;
    this.#cutter = new PartCutter(partRule, startUs, tracks, this.#packets);
    this.#parts = new SegmentParts(this.#cutter, sequence, tracks, this.#packets);
    for (const arrival of arrivals) {
      if ("followed" in arrival) this.#cutter.other(arrival.followed);
      else this.#put(arrival, this.#packets.get(arrival.track.id)!);
    }
  }

  /** Gives up the packets of all tracks but the reference that lie at or behind `atUs`; they are to be adopted. */
  splitOff(atUs: number): MediaPacket[] {
    const given: MediaPacket[] = [];
    for (const [id, packets] of this.#packets) {
      if (id === this.tracks.reference.id) continue;
      let keep = packets.length;
      while (keep > 0 && ticksToUs(packets[keep - 1]!.dts, packets[keep - 1]!.track.timescale) >= atUs)
        keep--;
      given.push(...packets.splice(keep));
    }
    for (const packet of given) this.#bytes -= packet.payload.byteLength;
    return given;
  }

  /** What has come of a track, in decode order. */
  packetsOf(id: TrackId): readonly MediaPacket[] {
    return this.#packets.get(id) ?? [];
  }

  /** The first packet of a track, if it has one. */
  first(id: TrackId): MediaPacket | undefined {
    return this.#packets.get(id)?.[0];
  }

  /**
   * Lays the packets of each track out as a sample table and a block.
   *
   * `next`: the segment that follows without a break, whose first packets end the last samples of this one; `null`
   * where the timeline ends, so that a last sample lasts as long as the one before it. `endUs`: where its parts end.
   * Returns: also its parts, where it may have any.
   */
  finish(
    next: OpenSegment | null,
    endUs: number,
  ): {
    readonly media: ReadonlyMap<TrackId, SegmentTrack>;
    readonly parts: SegmentParts | LateParts | null;
  } {
    const nextReferenceDts = next?.first(this.tracks.reference.id)?.dts ?? null;
    this.#cutter?.finish(endUs, nextReferenceDts);
    const finished = new Map<TrackId, SegmentTrack>();
    for (const track of this.tracks.tracks) {
      const packets = this.#packets.get(track.id)!;
      if (packets.length === 0) continue;
      const nextDts = next?.first(track.id)?.dts ?? null;
      finished.set(track.id, layOut(track, packets, nextDts, this.#cutter?.track(track.id)));
    }
    this.#parts?.finish(finished);
    const parts = this.#parts ?? this.#lateParts(finished, endUs, nextReferenceDts);
    return { media: finished, parts };
  }

  #lateParts(
    media: ReadonlyMap<TrackId, SegmentTrack>,
    endUs: number,
    nextDts: number | null,
  ): LateParts | null {
    const [arrivals, rule] = [this.#arrivals, this.#partRule];
    if (arrivals === null || rule === null) return null;
    const { sequence, startUs, tracks } = this;
    return new LateParts(arrivals, { rule, sequence, startUs, endUs, nextDts, tracks, media });
  }
}

/** Where the packets of one track end; 0 for none. */
function endOf(packets: readonly MediaPacket[]): number {
  let endTicks = 0;
  for (let i = 0; i < packets.length; i++) {
    const packet = packets[i]!;
    const durationTicks = packet.durationTicks || (i === 0 ? 0 : packet.dts - packets[i - 1]!.dts);
    endTicks = Math.max(endTicks, packet.pts + Math.min(durationTicks, packet.track.timescale));
  }
  return packets.length === 0 ? 0 : ticksToUs(endTicks, packets[0]!.track.timescale);
}
