import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import type { FragmentTrack } from "../containers/mp4/fragment.ts";
import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import { selectTracks } from "./init-segments.ts";
import type { PartCutter, TrackPackets } from "./part-cutter.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { MediaBody, PartEntry, TrackSelection } from "./presentation.ts";
import { inSharedMemory } from "./segment-track.ts";
import type { SegmentTrack } from "./segment-track.ts";
import { tableOf } from "./track-parts.ts";

/** Bodies kept for each segment: its parts in more selections than players ask for. */
const MAX_CACHED_BODIES = 512;

/** Where the samples of the parts are. A finished segment does not keep its packets: they weigh more than its parts. */
type Source =
  | { readonly kind: "open"; readonly cutter: PartCutter; readonly packets: TrackPackets }
  | { readonly kind: "finished"; readonly media: ReadonlyMap<TrackId, SegmentTrack> };

/**
 * The parts of one segment and their bytes, which are put together when somebody asks for them: from the packets while
 * the segment grows, from its tracks once it is finished. The bytes are the same.
 */
export class SegmentParts {
  /** The complete parts. */
  readonly entries: readonly PartEntry[];
  readonly #tracks: TrackSet;
  readonly #sequence: number;
  #source: Source;
  readonly #bodies = new Map<string, MediaBody>();

  /** `packets`: those that the cutter cuts. */
  constructor(cutter: PartCutter, sequence: number, tracks: TrackSet, packets: TrackPackets) {
    this.entries = cutter.entries;
    this.#sequence = sequence;
    this.#tracks = tracks;
    this.#source = { kind: "open", cutter, packets };
  }

  /** The segment is finished: the packets are not needed any more. */
  finish(media: ReadonlyMap<TrackId, SegmentTrack>): void {
    this.#source = { kind: "finished", media };
  }

  /** The fragment of a part with the selected tracks, or `null` when it has none of them or is not complete. */
  body(index: number, selection: TrackSelection): MediaBody | null {
    const key = `${index}/${formatTrackSelection(selection)}`;
    const made = this.#bodies.get(key);
    if (made !== undefined) return made;
    const entry = this.entries[index];
    if (entry === undefined) return null;
    const tables: FragmentTrack[] = [];
    const pieces: Uint8Array[] = [];
    for (const { id } of selectTracks(this.#tracks, selection)) {
      if (!entry.tracks.some((track) => track.id === id)) continue;
      tables.push(this.#table(id, index));
      pieces.push(this.#piece(id, index));
    }
    if (tables.length === 0) return null;
    const body = [buildFragmentHeader(this.#sequence % 2 ** 32, tables), ...pieces];
    if (this.#bodies.size >= MAX_CACHED_BODIES) this.#bodies.clear();
    this.#bodies.set(key, body);
    return body;
  }

  /** `body` with the payloads in shared memory. */
  sharedBody(index: number, selection: TrackSelection): MediaBody | null {
    const entry = this.entries[index];
    if (entry === undefined) return null;
    for (const { id } of entry.tracks) {
      if (selection.includes(id) && this.#share(id, index)) this.#bodies.clear();
    }
    return this.body(index, selection);
  }

  #table(id: TrackId, index: number): FragmentTrack {
    if (this.#source.kind === "finished") return this.#source.media.get(id)!.partTable(index);
    const parts = this.#source.cutter.track(id);
    const packets = this.#source.packets.get(id)!;
    const [from, to] = [parts.start(index), parts.end(index)];
    return tableOf(packets[from]!.track, packets, from, to, parts.lastDuration(index));
  }

  #piece(id: TrackId, index: number): Uint8Array {
    if (this.#source.kind === "finished") return this.#source.media.get(id)!.piece(index);
    const parts = this.#source.cutter.track(id);
    const known = parts.piece(index);
    if (known !== undefined) return known;
    const packets = this.#source.packets.get(id)!.slice(parts.start(index), parts.end(index));
    const piece = new Uint8Array(packets.reduce((sum, { payload }) => sum + payload.byteLength, 0));
    let at = 0;
    for (const { payload } of packets) {
      piece.set(payload, at);
      at += payload.byteLength;
    }
    parts.keep(index, piece);
    return piece;
  }

  /** Moves what a track has in a part to shared memory. Returns: whether it was elsewhere. */
  #share(id: TrackId, index: number): boolean {
    if (this.#source.kind === "finished") return this.#source.media.get(id)!.sharePiece(index);
    const piece = this.#piece(id, index);
    const shared = inSharedMemory(piece);
    this.#source.cutter.track(id).keep(index, shared);
    return shared !== piece;
  }
}
