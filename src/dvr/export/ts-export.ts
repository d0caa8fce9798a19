import { canCarryInTs } from "../../containers/mpegts/carriage.ts";
import { TsMuxer } from "../../containers/mpegts/muxer.ts";
import type { TrackId } from "../../media/ids.ts";
import type { TrackSet } from "../../media/track.ts";
import { TS_ORIGIN_TICKS } from "../../packaging/ts-segments.ts";
import { StoredPackets } from "./stored-packets.ts";
import type { StoredRange } from "./stored-range.ts";

/**
 * A range of an archive as one transport stream: its clock begins at `TS_ORIGIN_TICKS`, gaps are closed, and continuity
 * counters go on over chunks and files. How long it is nobody knows before it has been made.
 *
 * Where the configuration of a track changes, or other tracks come, the time base is marked as broken, and the program map
 * is another one.
 */
export class TsExport {
  readonly #packets: StoredPackets;

  /**
   * `tracks`: those that are wanted; all that can be carried unless given. Reads nothing.
   * Throws: DVR_EXPORT_EMPTY, also when none can be carried; _LIMIT, _UNKNOWN_TRACK, _BAD_CHUNK, CODEC_BAD_CONFIG.
   */
  constructor(range: StoredRange, options: { readonly tracks?: readonly TrackId[] | undefined } = {}) {
    this.#packets = new StoredPackets(range, { tracks: { ids: options.tracks, accepts: canCarryInTs } });
  }

  /** When the last track ends; the first one begins at 0. Units: microseconds. */
  get durationUs(): number {
    return this.#packets.endUs;
  }

  /**
   * The whole, in pieces of some hundred KB that are each made when they are asked for.
   * Ownership: the pieces are the caller's. Throws: DVR_EXPORT_BAD_CHUNK, DVR_EXPORT_LIMIT, whatever the reader throws.
   */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const muxer = new TsMuxer({ pcrWaitMs: 0, originTicks: TS_ORIGIN_TICKS });
    let tracks: TrackSet | null = null;
    for (let fromUs = 0, isLast = false; !isLast;) {
      const run = await this.#packets.read(fromUs);
      if (run.tracks !== tracks) muxer.setTracks(run.tracks);
      tracks = run.tracks;
      for (const packet of run.packets) muxer.write(packet);
      ({ toUs: fromUs, isLast } = run);
      if (isLast) muxer.flush();
      if (muxer.lengthBytes > 0) yield muxer.take();
    }
  }
}
