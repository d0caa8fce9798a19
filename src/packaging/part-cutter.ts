import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { PartRule } from "./part-rule.ts";
import type { PartEntry, PartTrack } from "./presentation.ts";
import { TrackParts, lastDuration } from "./track-parts.ts";

/** What parts depend on of a packet. */
export type PartPacket = Pick<MediaPacket, "track" | "dts" | "pts" | "isSync" | "durationTicks">;

/** The packets of a segment, by track, in decode order. */
export type TrackPackets<Packet = MediaPacket> = ReadonlyMap<TrackId, readonly Packet[]>;

/** A track that has come no further by then is not waited for any more. As long as a segment waits for late sound. */
const MAX_LAG_US = 1_000_000;

/** A part whose end is known and that is not complete yet: a track that goes on has nothing in it so far. */
type PendingPart = {
  readonly endUs: number;
  readonly nextDts: number | null;
  /** Packets of the reference track that had come: the rest is of later parts. */
  readonly references: number;
};

/** What of a track goes into a part. */
type TrackShare = {
  /** What begins in front of it; `null`: all. Units: microseconds. */
  readonly beforeUs: number | null;
  /** The packets from that index on are left for later parts. */
  readonly end: number;
  /** Where the track goes on behind its packets. */
  readonly nextDts: number | null;
};

/**
 * Cuts the packets of a growing segment into parts.
 *
 * A part is complete when the reference track has passed its boundary, or, where that track is silent, when others have,
 * and no track that goes on has nothing in it, for `MAX_LAG_US` at most: where pictures are reordered and the frame rate
 * varies, the reference is ahead by more than a part. A function of the packets and their order alone. The frames of the reference track that begin in front of the
 * boundary are in it, and of the other tracks what begins in front of it and has come by then.
 */
export class PartCutter {
  readonly #rule: PartRule;
  readonly #set: TrackSet;
  readonly #packets: TrackPackets<PartPacket>;
  readonly #entries: PartEntry[] = [];
  readonly #tracks = new Map<TrackId, TrackParts>();
  readonly #startUs: number;
  /** Where each other track has come, in microseconds. */
  readonly #reachedUs = new Map<TrackId, number>();
  readonly #pending: PendingPart[] = [];
  #referenceUs: number;
  /** Where the part that grows begins. */
  #partUs: number;
  /** Boundaries that the grid has passed. */
  #steps = 0;
  #gridUs: number;
  /** From `dts`, which rises, to the clock of the segment, which is that of `pts`; in ticks of the reference track. */
  #ctsTicks: number | null = null;

  /** `packets`: those of the segment, also the ones that are yet to come. */
  constructor(rule: PartRule, startUs: number, set: TrackSet, packets: TrackPackets<PartPacket>) {
    this.#rule = rule;
    this.#set = set;
    this.#packets = packets;
    this.#startUs = startUs;
    this.#partUs = startUs;
    this.#referenceUs = startUs;
    this.#gridUs = startUs + rule.stepUs;
    for (const { id } of set.tracks) this.#tracks.set(id, new TrackParts());
  }

  /** The complete parts. */
  get entries(): readonly PartEntry[] {
    return this.#entries;
  }

  /** Where the last part ends whose end is known, in microseconds on the media clock. */
  get closedUs(): number {
    return this.#pending.at(-1)?.endUs ?? this.#partUs;
  }

  /** Which samples of a track are in which part. */
  track(id: TrackId): TrackParts {
    return this.#tracks.get(id)!;
  }

  /** Whether a packet is of the reference track. */
  isReference({ track }: Pick<PartPacket, "track">): boolean {
    return track === this.#set.reference;
  }

  /** The next packet of the reference track is about to be added. */
  reference(packet: PartPacket): void {
    this.#ctsTicks ??= packet.pts - packet.dts;
    const ticks = Math.min(packet.dts + this.#ctsTicks, packet.pts);
    const us = ticksToUs(ticks, packet.track.timescale);
    const { slackUs } = this.#rule;
    this.#referenceUs = us;
    const references = this.#packets.get(packet.track.id)!.length;
    while (us >= this.#gridUs - slackUs) {
      const endUs = us <= this.#gridUs + slackUs ? us : this.#gridUs;
      this.#pending.push({ endUs, nextDts: packet.dts, references });
      this.#nextStep();
    }
    this.#closePending();
  }

  /** A packet of a track that is not the reference was added, to this segment or to the one before it. */
  other(packet: Pick<PartPacket, "track" | "dts">): void {
    if (!this.#packets.has(packet.track.id)) return;
    this.#reachedUs.set(packet.track.id, ticksToUs(packet.dts, packet.track.timescale));
    this.#closePending();
  }

  /** The reference track is silent, and others have come to `us`; no part may reach to `limitUs`. */
  silence(us: number, limitUs: number): void {
    this.#closePending(true);
    while (us > this.#gridUs + this.#rule.slackUs && this.#gridUs < limitUs) {
      this.#close(this.#gridUs, null);
      this.#nextStep();
    }
  }

  /** Closes the last parts of a segment that ends at `endUs`; `nextDts`: the reference track goes on there. */
  finish(endUs: number, nextDts: number | null): void {
    const { stepUs, targetUs } = this.#rule;
    this.#closePending(true);
    while (endUs - this.#partUs > targetUs) {
      // A rest that is shorter than a frame has no frame of its own: it is given the last one.
      const isNearEnd = endUs - this.#partUs <= targetUs + stepUs;
      this.#close(this.#gridUs, nextDts, isNearEnd ? "but-last" : "all");
      this.#nextStep();
    }
    if (endUs > this.#partUs || this.#entries.length === 0 || this.#hasRest())
      this.#close(Math.max(endUs, this.#partUs + 1000), nextDts, "last-part");
  }

  #nextStep(): void {
    this.#steps++;
    this.#gridUs = this.#startUs + (this.#steps + 1) * this.#rule.stepUs;
  }

  /** Closes the parts that nobody waits for any more, or all. */
  #closePending(isForced = false): void {
    for (let part = this.#pending[0]; part !== undefined; part = this.#pending[0]) {
      if (!isForced && this.#isAwaited(part.endUs)) return;
      this.#pending.shift();
      this.#close(part.endUs, part.nextDts, "all", part.references);
    }
  }

  /** Whether a track that goes on has nothing in the part that ends there, and may still have. */
  #isAwaited(endUs: number): boolean {
    for (const [id, reachedUs] of this.#reachedUs) {
      const isEmpty = this.#packets.get(id)?.length === this.#taken(id);
      if (isEmpty && reachedUs < endUs && this.#referenceUs - reachedUs < MAX_LAG_US) return true;
    }
    return false;
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
  #close(
    endUs: number,
    nextDts: number | null,
    share: "all" | "but-last" | "last-part" = "all",
    references: number | null = null,
  ): void {
    const tracks: PartTrack[] = [];
    for (const { id } of this.#set.tracks) {
      const isReference = id === this.#set.reference.id;
      const beforeUs = share === "last-part" || isReference ? null : endUs;
      const all = this.#packets.get(id)!.length;
      // At least one stays in this part.
      const butLast = Math.max(all - 1, Math.min(this.#taken(id) + 1, all));
      const end = !isReference ? all : share === "but-last" ? butLast : (references ?? all);
      const track = this.#closeTrack(id, { beforeUs, end, nextDts: isReference ? nextDts : null });
      if (track !== null) tracks.push(track);
    }
    this.#entries.push({ durationUs: endUs - this.#partUs, tracks });
    this.#partUs = endUs;
  }

  /** Gives the part what a track has. Returns `null` when that is nothing. */
  #closeTrack(id: TrackId, { beforeUs, end, nextDts }: TrackShare): PartTrack | null {
    const packets = this.#packets.get(id)!;
    const from = this.#taken(id);
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
