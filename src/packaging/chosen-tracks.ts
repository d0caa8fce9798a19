import type { TrackId } from "../media/ids.ts";
import type { MediaPacket } from "../media/packet.ts";
import { makeTrackSet } from "../media/track.ts";
import type { TrackSet } from "../media/track.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../stream/wire-format.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { TrackSelection } from "./presentation.ts";

/**
 * A format of which viewers get those tracks alone that they chose; who chose the same, in whatever order, is sent the same
 * bytes. They stay one sequence of bytes when a track of the choice comes or goes.
 */
export function chosenTracks(format: WireFormatFactory, selection: TrackSelection): WireFormatFactory {
  const ids = selection.toSorted();
  const choice = new Set(ids);
  return {
    id: `${format.id}-${formatTrackSelection(ids)}`,
    choice,
    ...(format.carries === undefined ? {} : { carries: (track) => format.carries!(track) }),
    create: (originUs) => new ChosenTracks(format.create(originUs), choice),
  };
}

class ChosenTracks implements WireFormat {
  readonly #format: WireFormat;
  readonly #choice: ReadonlySet<TrackId>;

  constructor(format: WireFormat, choice: ReadonlySet<TrackId>) {
    this.#format = format;
    this.#choice = choice;
  }

  preamble(tracks: TrackSet): Uint8Array {
    return this.#format.preamble?.(this.#chosenOf(tracks)) ?? NOTHING;
  }

  begin(tracks: TrackSet): void {
    this.#format.begin?.(this.#chosenOf(tracks));
  }

  tracks(tracks: TrackSet, atUs: number): Uint8Array {
    return this.#format.tracks(this.#chosenOf(tracks), atUs);
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    if (this.#choice.has(packet.track.id)) this.#format.packet(packet, room);
  }

  #chosenOf(set: TrackSet): TrackSet {
    const chosen = set.tracks.filter(({ id }) => this.#choice.has(id));
    return chosen.length === 0 ? { ...set, tracks: [] } : makeTrackSet(set.epoch, chosen);
  }
}

const NOTHING = new Uint8Array(0);
