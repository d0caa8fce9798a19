import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { PartRule } from "./part-rule.ts";
import type { PartEntry, PartTrack } from "./presentation.ts";
import { TrackParts, lastDuration } from "./track-parts.ts";

/** The packets of a segment, by track, in decode order. */
export type TrackPackets = ReadonlyMap<TrackId, readonly MediaPacket[]>;

/** What of a track goes into a part. */
type TrackShare = {
  /** What begins in front of it; `null`: all. Units: microseconds. */
  readonly beforeUs: number | null;
  /** So many packets are left for the next part. */
  readonly keeps: number;
  /** Where the track goes on behind its packets. */
  readonly nextDts: number | null;
};

/**
 * Cuts the packets of a growing segment into parts.
 *
 * A part is complete when the reference track has passed its boundary, or, where that track is silent, when others have:
 * a function of the packets and their order alone. The frames of the reference track that begin in front of the
 * boundary are in it, and of the other tracks what begins in front of it and has come by then.
 */
export class PartCutter {
  readonly #rule: PartRule;
  readonly #set: TrackSet;
  readonly #packets: TrackPackets;
  readonly #entries: PartEntry[] = [];
  readonly #tracks = new Map<TrackId, TrackParts>();
  readonly #startUs: number;
  /** Where the part that grows begins. */
  #partUs: number;
  /** Boundaries that the grid has passed. */
  #steps = 0;
  #gridUs: number;
  /** From `dts`, which rises, to the clock of the segment, which is that of `pts`; in ticks of the reference track. */
  #ctsTicks: number | null = null;

  /** `packets`: those of the segment, also the ones that are yet to come. */
  constructor(rule: PartRule, startUs: number, set: TrackSet, packets: TrackPackets) {
    this.#rule = rule;
    this.#set = set;
    this.#packets = packets;
    this.#startUs = startUs;
    this.#partUs = startUs;
    this.#gridUs = startUs + rule.stepUs;
    for (const { id } of set.tracks) this.#tracks.set(id, new TrackParts());
  }

  /** The complete parts. */
  get entries(): readonly PartEntry[] {
    return this.#entries;
  }

  /** Where the last complete part ends, in microseconds on the media clock. */
  get closedUs(): number {
    return this.#partUs;
  }

  /** Which samples of a track are in which part. */
  track(id: TrackId): TrackParts {
    return this.#tracks.get(id)!;
  }

  /** The next packet of the reference track is about to be added. */
  reference(packet: MediaPacket): void {
    this.#ctsTicks ??= packet.pts - packet.dts;
    const ticks = Math.min(packet.dts + this.#ctsTicks, packet.pts);
    const us = ticksToUs(ticks, packet.track.timescale);
    const { slackUs } = this.#rule;
    while (us >= this.#gridUs - slackUs)
      this.#close(us <= this.#gridUs + slackUs ? us : this.#gridUs, packet.dts);
  }

  /** The reference track is silent, and others have come to `us`; no part may reach to `limitUs`. */
  silence(us: number, limitUs: number): void {
    while (us > this.#gridUs + this.#rule.slackUs && this.#gridUs < limitUs)
      this.#close(this.#gridUs, null);
  }

  /** Closes the last parts of a segment that ends at `endUs`; `nextDts`: the reference track goes on there. */
  finish(endUs: number, nextDts: number | null): void {
    const { stepUs, targetUs } = this.#rule;
    while (endUs - this.#partUs > targetUs) {
      // A rest that is shorter than a frame has no frame of its own: it is given the last one.
      const isNearEnd = endUs - this.#partUs <= targetUs + stepUs;
      this.#close(this.#gridUs, nextDts, isNearEnd ? "but-last" : "all");
    }
    if (endUs > this.#partUs || this.#entries.length === 0 || this.#hasRest())
      this.#close(Math.max(endUs, this.#partUs + 1000), nextDts, "last-part");
  }

  #hasRest(): boolean {
    for (const [id, packets] of this.#packets) if (packets.length > this.#taken(id)) return true;
    return false;
  }

  #taken(id: TrackId): number {
    const parts = this.#tracks.get(id)!;
    return parts.count === 0 ? 0 : parts.end(parts.count - 1);
  }

  /** `share`: what of the reference track's packets is in it; with the last part, all that is left of any track. */
  #close(endUs: number, nextDts: number | null, share: "all" | "but-last" | "last-part" = "all"): void {
    const tracks: PartTrack[] = [];
    for (const { id } of this.#set.tracks) {
      const isReference = id === this.#set.reference.id;
      const beforeUs = share === "last-part" || isReference ? null : endUs;
      const keeps = isReference && share === "but-last" ? 1 : 0;
      const track = this.#closeTrack(id, { beforeUs, keeps, nextDts: isReference ? nextDts : null });
      if (track !== null) tracks.push(track);
    }
    this.#entries.push({ durationUs: endUs - this.#partUs, tracks });
    this.#partUs = endUs;
    this.#steps++;
    this.#gridUs = this.#startUs + (this.#steps + 1) * this.#rule.stepUs;
  }

  /** Gives the part what a track has. Returns `null` when that is nothing. */
  #closeTrack(id: TrackId, { beforeUs, keeps, nextDts }: TrackShare): PartTrack | null {
    const packets = this.#packets.get(id)!;
    const from = this.#taken(id);
    // At least one stays in this part.
    const end = Math.max(packets.length - keeps, Math.min(from + 1, packets.length));
    let to = from;
    let hasSync = false;
    for (; to < end; to++) {
      const { dts, track, isSync } = packets[to]!;
      if (beforeUs !== null && ticksToUs(dts, track.timescale) >= beforeUs) break;
      if (isSync) hasSync = true;
    }
    const last = packets[to - 1];
    const previous = packets[to - 2];
    const after = packets[to]?.dts ?? nextDts;
    const ticks =
      last === undefined || to === from
        ? 0
        : lastDuration(last, after, previous === undefined ? 0 : last.dts - previous.dts);
    this.#tracks.get(id)!.close(to, ticks);
    return to === from ? null : { id, samples: to - from, hasSync };
  }
}
