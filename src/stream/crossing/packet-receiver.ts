import type { Clock } from "../../base/clock.ts";
import { SlabAllocator } from "../../base/slab-allocator.ts";
import type { PacketSink } from "../../media/packet.ts";
import type { TrackSet } from "../../media/track.ts";
import { FIELD, FLAG, LONG, RECORD_FIELDS } from "./packet-batch.ts";
import type { LinkId, PacketBatch } from "./packet-batch.ts";

const EMPTY = new Uint8Array(0);

type Inlet = {
  readonly sink: PacketSink;
  /** Of this thread, which takes the payloads out of the ring before it is used again. */
  readonly memory: SlabAllocator;
  tracks: TrackSet | null;
};

/**
 * Takes what a `PacketSender` of another thread sends and gives it to the sinks of this one, payloads copied into memory
 * of this thread. Links that are not open any more are passed over.
 */
export class PacketReceiver {
  readonly #clock: Clock;
  readonly #inlets = new Map<LinkId, Inlet>();
  #ring: Uint8Array = EMPTY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Links that are open. */
  get size(): number {
    return this.#inlets.size;
  }

  /** Gives what comes through a link to `sink`. */
  open(link: LinkId, sink: PacketSink): void {
    this.#inlets.set(link, { sink, memory: new SlabAllocator(), tracks: null });
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

  /** The sender uses its ring no more. */
  forgetRing(): void {
    this.#ring = EMPTY;
  }

  /** Packets of any links. Returns: bytes of long payloads, for the sender to know. */
  packets({ ring, records, long }: PacketBatch): number {
    if (ring !== null) this.#ring = new Uint8Array(ring);
    let longBytes = 0;
    let nextLong = 0;
    for (let at = 0; at < records.length; at += RECORD_FIELDS) {
      const offset = records[at + FIELD.offset]!;
      const lengthBytes = records[at + FIELD.length]!;
      if (offset === LONG) {
        longBytes += lengthBytes;
        this.#packet(records, at, new Uint8Array(long[nextLong++]!));
      } else this.#packet(records, at, this.#ring.subarray(offset, offset + lengthBytes));
    }
    return longBytes;
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

  #packet(records: Float64Array, at: number, shared: Uint8Array): void {
    const inlet = this.#inlets.get(records[at + FIELD.link]!);
    const track = inlet?.tracks?.tracks[records[at + FIELD.track]!];
    if (inlet === undefined || track === undefined) return;
    const payload = inlet.memory.allocate(shared.byteLength);
    payload.set(shared);
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
      payload,
      slab: inlet.memory.lastSlab,
    });
  }
}
