import type { Clock } from "../../base/clock.ts";
import type { PacketSink } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import { FIELD, FLAG, RECORD_FIELDS, REMEMBERED_SLABS } from "./packet-batch.ts";
import type { LinkId, PacketBatch } from "./packet-batch.ts";

type Inlet = {
  readonly sink: PacketSink;
  tracks: TrackSet | null;
  /** The newest slabs by their numbers, oldest first. */
  readonly slabs: { readonly slab: number; readonly memory: SharedArrayBuffer }[];
};

/**
 * Takes what a `PacketSender` of another thread sends and gives it to the sinks of this one. Payloads are views of the
 * sender's memory, which lives as long as anybody refers to it. Links that are not open any more are passed over.
 */
export class PacketReceiver {
  readonly #clock: Clock;
  readonly #inlets = new Map<LinkId, Inlet>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Links that are open. */
  get size(): number {
    return this.#inlets.size;
  }

  /** Gives what comes through a link to `sink`. */
  open(link: LinkId, sink: PacketSink): void {
    this.#inlets.set(link, { sink, tracks: null, slabs: [] });
  }

  /** Takes no more from a link. */
  close(link: LinkId): void {
    this.#inlets.delete(link);
  }

  /** The tracks from here on. */
  tracks(link: LinkId, tracks: TrackSet): void {
    const inlet = this.#inlets.get(link);
    if (inlet === undefined) return;
    // A clone has another object for the reference than for the same track in the list.
    const reference = tracks.tracks.find((track) => track.id === tracks.reference.id)!;
    inlet.tracks = { ...tracks, reference };
    inlet.sink.onTracks(inlet.tracks);
  }

  /** Packets of any links. Returns: their payload bytes, for the sender to know. */
  packets({ slabs, records }: PacketBatch): number {
    for (const { link, slab, memory } of slabs) this.#inlets.get(link)?.slabs.push({ slab, memory });
    let bytes = 0;
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      bytes += records[at + FIELD.length]!;
      this.#packet(records, at);
    }
    // Behind the packets: one message may bring more slabs than are remembered.
    for (const { link } of slabs) {
      const known = this.#inlets.get(link)?.slabs;
      if (known !== undefined) known.splice(0, known.length - REMEMBERED_SLABS);
    }
    return bytes;
  }

  /** The source is away. */
  pause(link: LinkId): void {
    this.#inlets.get(link)?.sink.onPause();
  }

  /** The stream has ended; the link is closed. */
  end(link: LinkId, reason: string): void {
    const inlet = this.#inlets.get(link);
    this.#inlets.delete(link);
    inlet?.sink.onEnd(reason);
  }

  #packet(records: Float64Array, at: number): void {
    const inlet = this.#inlets.get(records[at + FIELD.link]!);
    const track = inlet?.tracks?.tracks[records[at + FIELD.track]!];
    const slab = records[at + FIELD.slab]!;
    const memory = inlet?.slabs.find((known) => known.slab === slab)?.memory;
    if (inlet === undefined || track === undefined || memory === undefined) return;
    const flags = records[at + FIELD.flags]!;
    inlet.sink.onPacket({
      track,
      dts: records[at + FIELD.dts]!,
      pts: records[at + FIELD.pts]!,
      durationTicks: records[at + FIELD.durationTicks]!,
      isSync: (flags & FLAG.isSync) !== 0,
      startsGop: (flags & FLAG.startsGop) !== 0,
      epoch: records[at + FIELD.epoch]!,
      arrivalUs: this.#clock.nowUs(),
      payload: new Uint8Array(memory, records[at + FIELD.offset], records[at + FIELD.length]),
    });
  }
}
