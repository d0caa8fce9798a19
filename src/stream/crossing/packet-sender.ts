import { SlabAllocator } from "../../base/slab-allocator.ts";
import type { MediaPacket, PacketSink } from "../../media/packet.ts";
import type { Track, TrackSet } from "../../media/track.ts";
import { FIELD, FLAG, REMEMBERED_SLABS } from "./packet-batch.ts";
import type { LinkId, PacketBatch, SlabEntry } from "./packet-batch.ts";

/** How packets and news leave this thread for one sibling. */
export type PacketWay = {
  packets(batch: PacketBatch): void;
  tracks(link: LinkId, tracks: TrackSet): void;
  pause(link: LinkId): void;
  end(link: LinkId, reason: string): void;
  /** Runs at the end of the present turn of the event loop. */
  defer(run: () => void): void;
};

/** Payload bytes that a sibling may leave untaken before streams are cut to their next GOP. */
const MAX_UNTAKEN_BYTES = 64 * 1024 * 1024;

/**
 * Sends the packets of this thread's streams to one sibling: each packet once, however many viewers wait there, and
 * without a copy where its payload lies in shared memory. What came in one turn of the event loop goes as one message.
 *
 * Bounded: a sibling that does not take what it is sent gets nothing more of a stream until half of it is taken and the
 * stream's next GOP starts.
 */
export class PacketSender {
  static readonly MAX_UNTAKEN_BYTES = MAX_UNTAKEN_BYTES;

  readonly #way: PacketWay;
  #slabs: SlabEntry[] = [];
  #records: number[] = [];
  #untakenBytes = 0;
  #isDeferred = false;
  #dropped = 0;

  constructor(way: PacketWay) {
    this.#way = way;
  }

  /** Packets that were not sent since the sibling was too slow. */
  get droppedPackets(): number {
    return this.#dropped;
  }

  /** Where a stream puts the packets of one link. */
  open(link: LinkId): PacketSink {
    return new Outlet(this, link);
  }

  /** The sibling has taken so many payload bytes. */
  taken(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
  }

  /** For `Outlet`: whether the sibling takes more; one that fell behind not before half is taken. */
  hasRoom(wasSkipping: boolean): boolean {
    return this.#untakenBytes < (wasSkipping ? MAX_UNTAKEN_BYTES / 2 : MAX_UNTAKEN_BYTES);
  }

  /** For `Outlet`: a packet was left out. */
  drop(): void {
    this.#dropped++;
  }

  /** For `Outlet`: adds a record and, where it is new to the sibling, the slab that it lies in. */
  push(record: readonly number[], slab: SlabEntry | null): void {
    if (slab !== null) this.#slabs.push(slab);
    this.#records.push(...record);
    this.#untakenBytes += record[FIELD.length]!;
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#way.defer(() => this.#flush());
  }

  /** For `Outlet`: news, behind the packets before them. */
  say(news: (way: PacketWay) => void): void {
    this.#flush();
    news(this.#way);
  }

  #flush(): void {
    this.#isDeferred = false;
    if (this.#records.length === 0) return;
    const batch = { slabs: this.#slabs, records: Float64Array.from(this.#records) };
    this.#slabs = [];
    this.#records = [];
    this.#way.packets(batch);
  }
}

/** One link's end: a sink that a stream is attached to. */
class Outlet implements PacketSink {
  readonly #sender: PacketSender;
  readonly #link: LinkId;
  readonly #remembered: SharedArrayBuffer[] = [];
  #firstRemembered = 0;
  #tracks: readonly Track[] = [];
  #isSkipping = false;
  /** For payloads that do not lie in shared memory. */
  #copies: SlabAllocator | null = null;

  constructor(sender: PacketSender, link: LinkId) {
    this.#sender = sender;
    this.#link = link;
  }

  onTracks(tracks: TrackSet): void {
    this.#tracks = tracks.tracks;
    this.#sender.say((way) => way.tracks(this.#link, tracks));
  }

  onPacket(packet: MediaPacket): void {
    if (!this.#isWanted(packet)) return;
    const payload = this.#shared(packet.payload);
    const memory = payload.buffer as SharedArrayBuffer;
    const isNew = !this.#remembered.includes(memory);
    if (isNew) this.#remember(memory);
    const slab = this.#firstRemembered + this.#remembered.indexOf(memory);
    const flags = (packet.isSync ? FLAG.isSync : 0) | (packet.startsGop ? FLAG.startsGop : 0);
    const record = [
      this.#link,
      this.#tracks.indexOf(packet.track),
      packet.dts,
      packet.pts,
      packet.durationTicks,
      flags,
      packet.epoch,
      slab,
      payload.byteOffset,
      payload.byteLength,
    ];
    this.#sender.push(record, isNew ? { link: this.#link, slab, memory } : null);
  }

  onPause(): void {
    this.#sender.say((way) => way.pause(this.#link));
  }

  onEnd(reason: string): void {
    this.#sender.say((way) => way.end(this.#link, reason));
  }

  #isWanted(packet: MediaPacket): boolean {
    const resumes = packet.startsGop || !this.#isSkipping;
    this.#isSkipping = !(resumes && this.#sender.hasRoom(this.#isSkipping));
    if (this.#isSkipping) this.#sender.drop();
    return !this.#isSkipping;
  }

  #shared(payload: Uint8Array): Uint8Array {
    if (payload.buffer instanceof SharedArrayBuffer) return payload;
    this.#copies ??= new SlabAllocator({ isShared: true });
    const copy = this.#copies.allocate(payload.byteLength);
    copy.set(payload);
    return copy;
  }

  #remember(memory: SharedArrayBuffer): void {
    this.#remembered.push(memory);
    if (this.#remembered.length <= REMEMBERED_SLABS) return;
    this.#remembered.shift();
    this.#firstRemembered++;
  }
}
