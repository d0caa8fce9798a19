import { asMediaError } from "../../base/errors.ts";
import { canCarryInTs } from "../../containers/mpegts/carriage.ts";
import { TsMuxer } from "../../containers/mpegts/muxer.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import { chosenTracks } from "../../packaging/chosen-tracks.ts";
import type { TrackSelection } from "../../packaging/presentation.ts";
import type { WireFormat, WireFormatFactory, WireRoom } from "../../stream/wire-format.ts";

/**
 * The stream as a transport stream without an end, one sequence of TS packets for every player: PAT and PMT stand in front
 * of each key frame, where players begin, and every 100 ms. Times are the media clock, modulo 2^33.
 * Spec: ISO/IEC 13818-1.
 */
export const tsFormat: WireFormatFactory = {
  id: "mpegts",
  create: () => new TsFormat(),
  carries: canCarryInTs,
};

/** The same of the tracks that a viewer chose; `null`: of all. */
export function tsFormatOf(selection: TrackSelection | null): WireFormatFactory {
  return selection === null ? tsFormat : chosenTracks(tsFormat, selection);
}

/** Each sound goes out by itself, at once; then the clock may be as far behind as the standard's decoder allows. */
const AUDIO_DELAY_MS = 0;
const PCR_DELAY_MS = 240;

const NOTHING = new Uint8Array(0);

class TsFormat implements WireFormat {
  readonly #muxer = new TsMuxer({ audioDelayMs: AUDIO_DELAY_MS, pcrDelayMs: PCR_DELAY_MS });

  begin(tracks: TrackSet): void {
    try {
      this.#muxer.setTracks(tracks);
    } catch (caught) {
      // A configuration that cannot be written: its stream is not sent, and the next epoch may have another.
      if (asMediaError(caught) === null) throw caught;
      // The muxer would go on under the tracks before.
      this.#muxer.setTracks({ ...tracks, tracks: [] });
    }
  }

  /** The tables are in the sequence, with its continuity counters. */
  tracks(): Uint8Array {
    return NOTHING;
  }

  packet(packet: MediaPacket, room: WireRoom): void {
    const muxer = this.#muxer;
    muxer.write(packet);
    const { lengthBytes } = muxer;
    if (lengthBytes === 0) return;
    const out = room.reserve(lengthBytes);
    muxer.moveTo(out, room.offset);
  }
}
