import { ticksToUs } from "../../base/time.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";

/** Who takes what a demuxer reads; a publisher of a stream is one. */
export type TsSink = {
  /** The tracks from here on. Always before the first packet; again when any of them changes. */
  setTracks(tracks: readonly Track[]): void;
  /** The next packet, in decode order per track. Ownership of the payload: the sink's. */
  write(packet: SourcePacket): void;
};

/** How long packets wait for the other tracks of the program to show their configuration. */
export const TS_TRACK_WAIT = { mediaUs: 1_000_000, packets: 512, bytes: 8 * 1024 * 1024 } as const;

/**
 * Holds the first packets back until all tracks are known, so that a stream begins with one set of tracks.
 *
 * Bound: `TS_TRACK_WAIT`. After that a track that comes later makes a new set in front of its first packet.
 */
export class PacketGate {
  readonly #sink: TsSink;
  #waiting: SourcePacket[] | null = [];
  #waitingBytes = 0;
  #firstUs = 0;
  #announced: readonly Track[] = [];
  /** As the newest packet knew them; all packets that wait are of these. */
  #tracks: readonly Track[] = [];

  constructor(sink: TsSink) {
    this.#sink = sink;
  }

  /**
   * Takes a packet. `tracks`: all that are known now, the packet's own among them; `isComplete`: there are no others.
   * What waits belongs to the tracks before, so that a change or an end of one of those ends the waiting.
   */
  write(packet: SourcePacket, tracks: readonly Track[], isComplete: boolean): void {
    if (this.#waiting !== null && this.#tracks.some((track) => !tracks.includes(track))) this.settle();
    this.#tracks = tracks;
    if (this.#waiting === null) {
      this.#announce();
      this.#sink.write(packet);
      return;
    }
    this.#waiting.push(packet);
    this.#waitingBytes += packet.payload.byteLength;
    const us = ticksToUs(packet.dts, packet.track.timescale);
    if (this.#waiting.length === 1) this.#firstUs = us;
    const hasWaited =
      Math.abs(us - this.#firstUs) >= TS_TRACK_WAIT.mediaUs ||
      this.#waiting.length >= TS_TRACK_WAIT.packets ||
      this.#waitingBytes >= TS_TRACK_WAIT.bytes;
    if (isComplete || hasWaited) this.settle();
  }

  /** Lets what waits go. */
  settle(): void {
    const waiting = this.#waiting;
    if (waiting === null || waiting.length === 0) return;
    this.#waiting = null;
    this.#waitingBytes = 0;
    this.#announce();
    for (const packet of waiting) this.#sink.write(packet);
  }

  #announce(): void {
    const tracks = this.#tracks;
    const known = this.#announced;
    if (known.length === tracks.length && known.every((track, i) => track === tracks[i])) return;
    this.#announced = tracks;
    this.#sink.setTracks(tracks);
  }
}
