import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { FLAG, LONG } from "./packet-batch.ts";
import type { LinkId, PacketBatch } from "./packet-batch.ts";
import { PayloadRing } from "./payload-ring.ts";

/** How packets and news leave this thread for one sibling. */
export type PacketWay = {
  packets(batch: PacketBatch): void;
  tracks(link: LinkId, tracks: TrackSet): void;
  pause(link: LinkId): void;
  end(link: LinkId, reason: string): void;
  /** The ring is used no more. */
  forgetRing(): void;
  /** Runs at the end of the present turn of the event loop. */
  defer(run: () => void): void;
};

/** Memory between two threads, in one direction: a quarter of a second of 25 MB a second. */
const RING_BYTES = 8 * 1024 * 1024;

/** A longer payload has shared memory of its own. */
const MAX_RING_PAYLOAD_BYTES = RING_BYTES / 8;

/** Bytes of long payloads that a sibling may leave untaken. */
const MAX_LONG_BYTES = 64 * 1024 * 1024;

/**
 * Sends the packets of this thread's streams to one sibling: each packet once, however many viewers wait there, through
 * a ring of shared memory. What came in one turn of the event loop goes as one message.
 *
 * Bounded: when the ring is full the sibling gets nothing more of a stream until half of the ring is free and the
 * stream's next GOP starts.
 */
export class PacketSender {
  static readonly RING_BYTES = RING_BYTES;
  static readonly MAX_RING_PAYLOAD_BYTES = MAX_RING_PAYLOAD_BYTES;
  static readonly MAX_LONG_BYTES = MAX_LONG_BYTES;

  readonly #way: PacketWay;
  #ring: PayloadRing | null = null;
  #isRingSent = false;
  #records: number[] = [];
  #long: SharedArrayBuffer[] = [];
  #longBytes = 0;
  #isDeferred = false;
  #dropped = 0;
  readonly #links = new Set<LinkId>();

  constructor(way: PacketWay) {
    this.#way = way;
  }

  /** Packets that were not sent since the sibling was too slow. */
  get droppedPackets(): number {
    return this.#dropped;
  }

  /** Where a stream puts the packets of one link. */
  open(link: LinkId): PacketSink {
    this.#links.add(link);
    return new Outlet(this, link);
  }

  /** Nothing more goes through a link. The last one takes the ring with it. */
  close(link: LinkId): void {
    this.#links.delete(link);
    this.#rest();
  }

  /** Bytes of shared memory that it holds. */
  get heldBytes(): number {
    return (this.#ring?.memory.byteLength ?? 0) + this.#longBytes;
  }

  /** The sibling has taken so much: bytes of the ring, and of long payloads. */
  taken(span: number, longBytes: number): void {
    this.#ring?.giveBack(span);
    this.#longBytes -= longBytes;
    this.#rest();
  }

  /** For `Outlet`: half of all room is free again. */
  get isRelaxed(): boolean {
    return (this.#ring?.usedBytes ?? 0) < RING_BYTES / 2 && this.#longBytes < MAX_LONG_BYTES / 2;
  }

  /** For `Outlet`: a packet was left out. */
  drop(): void {
    this.#dropped++;
  }

  /** For `Outlet`: sends a packet, unless there is no room for it. */
  push(link: LinkId, trackIndex: number, packet: MediaPacket): boolean {
    if (!this.#links.has(link)) return false;
    const { payload } = packet;
    const offset = this.#place(payload);
    if (offset === null) return false;
    const flags = (packet.isSync ? FLAG.isSync : 0) | (packet.startsGop ? FLAG.startsGop : 0);
    const { dts, pts, durationTicks, epoch } = packet;
    this.#records.push(link, trackIndex, dts, pts, durationTicks, flags, epoch, offset, payload.byteLength);
    if (!this.#isDeferred) {
      this.#isDeferred = true;
      this.#way.defer(() => this.#flush());
    }
    return true;
  }

  /** For `Outlet`: news, behind the packets before them. */
  say(news: (way: PacketWay) => void): void {
    this.#flush();
    news(this.#way);
  }

  /** Copies a payload to where the sibling can read it. Returns: its offset in the ring, `LONG`, or `null`: no room. */
  #place(payload: Uint8Array): number | null {
    if (payload.byteLength <= MAX_RING_PAYLOAD_BYTES) {
      this.#ring ??= new PayloadRing(RING_BYTES);
      return this.#ring.write(payload);
    }
    if (this.#longBytes + payload.byteLength > MAX_LONG_BYTES) return null;
    const memory = new SharedArrayBuffer(payload.byteLength);
    new Uint8Array(memory).set(payload);
    this.#long.push(memory);
    this.#longBytes += payload.byteLength;
    return LONG;
  }

  /** Gives the ring up when no link needs it and the sibling has taken all. */
  #rest(): void {
    if (this.#links.size > 0 || this.#ring === null || this.#ring.usedBytes > 0) return;
    this.#ring = null;
    this.#isRingSent = false;
    this.#way.forgetRing();
  }

  #flush(): void {
    this.#isDeferred = false;
    if (this.#records.length === 0) return;
    const records = Float64Array.from(this.#records);
    const long = this.#long;
    const ring = this.#isRingSent ? null : (this.#ring?.memory ?? null);
    this.#isRingSent ||= ring !== null;
    this.#records = [];
    this.#long = [];
    this.#way.packets({ ring, records, span: this.#ring?.takeSpan() ?? 0, long });
  }
}

/** One link's end: a sink that a stream is attached to. */
class Outlet implements PacketSink {
  /** What is sent is copied at once. */
  readonly releasesSlabs = true;
  readonly #sender: PacketSender;
  readonly #link: LinkId;
  #tracks: readonly Track[] = [];
  #isSkipping = false;

  constructor(sender: PacketSender, link: LinkId) {
    this.#sender = sender;
    this.#link = link;
  }

  onTracks(tracks: TrackSet): void {
    this.#tracks = tracks.tracks;
    this.#sender.say((way) => way.tracks(this.#link, tracks));
  }

  onPacket(packet: MediaPacket): void {
    const mayGo = !this.#isSkipping || (packet.startsGop && this.#sender.isRelaxed);
    this.#isSkipping = !(
      mayGo && this.#sender.push(this.#link, this.#tracks.indexOf(packet.track), packet)
    );
    if (this.#isSkipping) this.#sender.drop();
  }

  onPause(): void {
    this.#sender.say((way) => way.pause(this.#link));
  }

  onEnd(reason: string): void {
    this.#sender.say((way) => way.end(this.#link, reason));
  }
}
