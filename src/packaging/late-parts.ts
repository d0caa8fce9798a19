import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";
import { PartCutter } from "./part-cutter.ts";
import type { PartPacket } from "./part-cutter.ts";
import type { PartRule } from "./part-rule.ts";
import { SegmentParts } from "./segment-parts.ts";
import type { SegmentTrack } from "./segment-track.ts";

/** A packet of a track that went on in the segment before. */
export type Followed = { readonly followed: MediaPacket };

/** In which order the packets of a segment came, those included that went into the segment before. */
export type Arrival = MediaPacket | Followed;

/** What is needed of a finished segment to cut it into parts. */
export type LatePartsFacts = {
  readonly rule: PartRule;
  readonly sequence: number;
  readonly startUs: number;
  readonly endUs: number;
  /** Where the reference track goes on; `null` where it does not. */
  readonly nextDts: number | null;
  readonly tracks: TrackSet;
  readonly media: ReadonlyMap<TrackId, SegmentTrack>;
};

/** Marks a packet that went into the segment before. */
const FOLLOWED = 0x8000;

/**
 * The parts of a finished segment for which nobody asked while it grew. They are a function of its packets and the order in
 * which those came, so it keeps that order, a few bytes a packet, and makes them when somebody asks. They are what they would
 * have been, but for what a part's last sample lasts where its packet did not say: the next one is known by now.
 */
export class LateParts {
  readonly #facts: LatePartsFacts;
  /** For each packet, the place of its track in the set. */
  readonly #order: Uint16Array;
  /** Decode times of those that went into the segment before. */
  readonly #followedDts: readonly number[];

  constructor(arrivals: readonly Arrival[], facts: LatePartsFacts) {
    this.#facts = facts;
    const places = new Map<Track, number>(facts.tracks.tracks.map((track, place) => [track, place]));
    const followedDts: number[] = [];
    this.#order = new Uint16Array(arrivals.length);
    for (let i = 0; i < arrivals.length; i++) {
      const arrival = arrivals[i]!;
      const isFollowed = "followed" in arrival;
      const { track, dts } = isFollowed ? arrival.followed : arrival;
      if (isFollowed) followedDts.push(dts);
      this.#order[i] = places.get(track)! | (isFollowed ? FOLLOWED : 0);
    }
    this.#followedDts = followedDts;
  }

  /** Cuts the segment; to be called once. */
  make(): SegmentParts {
    const { rule, startUs, endUs, nextDts, tracks, sequence, media } = this.#facts;
    const packets = new Map<TrackId, PartPacket[]>(tracks.tracks.map(({ id }) => [id, []]));
    const cutter = new PartCutter(rule, startUs, tracks, packets);
    const samples = tracks.tracks.map((track) => samplesOf(track, media.get(track.id)?.table));
    let followed = 0;
    for (const mark of this.#order) {
      const track = tracks.tracks[mark & ~FOLLOWED]!;
      if ((mark & FOLLOWED) === 0) {
        const { value } = samples[mark]!.next();
        if (value !== undefined) takeInto(cutter, value, packets.get(track.id)!);
      } else cutter.other({ track, dts: this.#followedDts[followed++]! });
    }
    cutter.finish(endUs, nextDts);
    for (const [id, track] of media) track.cutInto(cutter.track(id));
    const parts = new SegmentParts(cutter, sequence, tracks, new Map());
    parts.finish(media);
    return parts;
  }
}

/** Adds a packet to those of its track, and tells the cutter in the order that it wants. */
export function takeInto<Packet extends PartPacket>(
  cutter: PartCutter,
  packet: Packet,
  packets: Packet[],
): void {
  const isReference = cutter.isReference(packet);
  if (isReference) cutter.reference(packet);
  packets.push(packet);
  if (!isReference) cutter.other(packet);
}

/** The samples of one track as the cutter knows packets. */
function* samplesOf(track: Track, table: FragmentTrack | undefined): Generator<PartPacket, undefined> {
  if (table === undefined) return undefined;
  let dts = table.baseDts;
  for (let i = 0; i < table.count; i++) {
    const durationTicks = table.durations[i]!;
    yield { track, dts, pts: dts + table.ctsOffsets[i]!, isSync: table.syncFlags[i] === 1, durationTicks };
    dts += durationTicks;
  }
  return undefined;
}
