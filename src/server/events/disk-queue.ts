import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { BATCH_BYTES, BATCH_EVENTS } from "../../api/events/batch.ts";
import {
  readPosition,
  readQueuedEvents,
  SLOT_BYTES,
  writeQueuedEvent,
  writeSlot,
} from "../../api/events/queue-format.ts";
import type { QueuedEvent } from "../../api/events/queue-format.ts";
import type { Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import type { EventQueue, QueueBounds, QueueFigures, WaitingBatch, WaitingEvent } from "./event-queue.ts";
import { UnwrittenEvents } from "./unwritten-events.ts";

/** What a queue on disk needs. */
export type DiskQueueOptions = QueueBounds & {
  /** Of this sink alone; made where it is not there. */
  readonly folder: string;
  readonly log: Logger;
};

/** One file of events. `events` and `bytes`: as far as they are written and not known to be damaged. */
type Segment = {
  readonly path: string;
  lastId: number;
  lastUtcMs: number;
  bytes: number;
  events: number;
};

/** Where the next batch is read. */
type Cursor = { segment: Segment; offset: number };

/** A batch with where the next one begins. */
type DiskBatch = WaitingBatch & { readonly next: Cursor };

const SEGMENT_NAME = /^(\d{16})\.events$/;
const POSITION_NAME = "position";
const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_SEGMENT_BYTES = 1024 * 1024;
const MAX_SEGMENTS = 16_384;
/** How much is read for one batch: more than it may have, so that one event of the greatest length is whole. */
const READ_BYTES = BATCH_BYTES + 128 * 1024;
/** What is written may be lost with the machine, not with the process, for so long. Units: milliseconds. */
const SYNC_MS = 1000;
/** After a failure of the disk. Units: milliseconds. */
const RETRY_MS = 1000;

/**
 * Events that wait on disk: what was written outlives the process, and a second later the machine. Files are written in
 * groups, one write at a time; what waits for the disk is bounded too.
 *
 * One process a folder. Bound: `maxSizeBytes` of files, above which the oldest file goes.
 */
export class DiskQueue implements EventQueue {
  readonly #options: DiskQueueOptions;
  readonly #segmentBytes: number;
  readonly #failures: PerSecondLog;
  readonly #unwritten: UnwrittenEvents;
  readonly #segments: Segment[] = [];
  #cursor: Cursor | null = null;
  #position!: FileHandle;
  #slot = 0;
  /** The number of the last event that was taken or given up. */
  #takenId = 0;
  #peeked: DiskBatch | null = null;
  #file: FileHandle | null = null;
  #writing: Promise<void> | null = null;
  #syncTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  #dropped = 0;
  #isClosed = false;
  onReadable: (() => void) | null = null;

  private constructor(options: DiskQueueOptions) {
    this.#options = options;
    const share = Math.floor(options.maxSizeBytes / 8);
    this.#segmentBytes = Math.max(MIN_SEGMENT_BYTES, Math.min(MAX_SEGMENT_BYTES, share));
    this.#unwritten = new UnwrittenEvents(options.maxSizeBytes);
    this.#failures = new PerSecondLog(options.log, "events cannot be written to disk, they wait in memory");
  }

  /** Opens the queue with what a process before left in it. Rejects with the system's error. */
  static async open(options: DiskQueueOptions): Promise<DiskQueue> {
    const queue = new DiskQueue(options);
    await queue.#open();
    return queue;
  }

  /** The greatest number that it has seen: those of new events have to be greater. */
  get lastId(): number {
    return Math.max(this.#takenId, this.#segments.at(-1)?.lastId ?? 0);
  }

  push(event: WaitingEvent): void {
    if (this.#isClosed) return;
    this.#dropped += this.#unwritten.push(event);
    if (this.#retryTimer === null) this.#writeSoon();
  }

  async peek(): Promise<WaitingBatch | null> {
    while (this.#peeked === null) {
      const cursor = this.#cursorToRead();
      if (cursor === null) {
        if (this.#writing === null) return null;
        await this.#writing;
        if (this.#cursorToRead() === null) return null;
        continue;
      }
      this.#peeked = await this.#read(cursor);
    }
    return this.#peeked;
  }

  async acknowledge(batch: WaitingBatch): Promise<void> {
    if (batch === this.#peeked) {
      this.#peeked = null;
      const { next } = batch as DiskBatch;
      if (this.#segments.includes(next.segment)) this.#cursor = { ...next };
    }
    this.#takenId = Math.max(this.#takenId, batch.lastId);
    this.#slot = 1 - this.#slot;
    await this.#position.write(writeSlot(this.#takenId), 0, SLOT_BYTES, this.#slot * SLOT_BYTES);
    this.#syncSoon();
    await this.#deleteTaken();
  }

  figures(): QueueFigures {
    const { length, bytes } = this.#unwritten;
    // A batch on its way waits until it is acknowledged.
    const besides = length + (this.#peeked?.events.length ?? 0);
    const [first] = this.#segments;
    const begun = this.#cursor !== null && this.#cursor.segment === first ? this.#cursor.offset : 0;
    return {
      waitingEvents: this.#segments.reduce((sum, { events }) => sum + events, besides),
      waitingBytes: this.#segments.reduce((sum, segment) => sum + segment.bytes, bytes) - begun,
      droppedEvents: this.#dropped,
    };
  }

  async written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async close(): Promise<void> {
    await this.written();
    this.#isClosed = true;
    this.#syncTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.#sync();
    await this.#file?.close();
    await this.#position.close();
  }

  async #open(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const positionPath = join(folder, POSITION_NAME);
    this.#position = await open(positionPath, constants.O_RDWR | constants.O_CREAT, 0o600);
    const slots = Buffer.alloc(2 * SLOT_BYTES);
    await this.#position.read(slots, 0, slots.byteLength, 0);
    const { id, slot } = readPosition(slots);
    this.#takenId = id;
    this.#slot = slot;
    const names = (await readdir(folder)).filter((name) => SEGMENT_NAME.test(name)).toSorted();
    for (const [i, name] of names.entries()) await this.#openSegment(name, names[i + 1]);
    await this.#keepBounds();
  }

  async #openSegment(name: string, nextName: string | undefined): Promise<void> {
    const path = join(this.#options.folder, name);
    const nextId = nextName === undefined ? Infinity : idOf(nextName);
    if (nextId <= this.#takenId) return rm(path, { force: true });
    const bytes = await readFile(path);
    const { events, endOffset, damagedLines } = readQueuedEvents(bytes, true);
    if (damagedLines > 0)
      this.#options.log.warn("lines of the queue of events are damaged", { path, damagedLines });
    const waiting = events.filter(({ id }) => id > this.#takenId);
    const last = events.at(-1);
    if (last === undefined || waiting.length === 0) return rm(path, { force: true });
    const { id: lastId, utcMs: lastUtcMs } = last;
    this.#segments.push({ path, lastId, lastUtcMs, bytes: endOffset, events: waiting.length });
  }

  #cursorToRead(): Cursor | null {
    const [first] = this.#segments;
    if (first === undefined) return null;
    let cursor = this.#cursor;
    if (cursor === null || !this.#segments.includes(cursor.segment)) cursor = { segment: first, offset: 0 };
    while (cursor.offset >= cursor.segment.bytes) {
      const next: Segment | undefined = this.#segments[this.#segments.indexOf(cursor.segment) + 1];
      if (next === undefined) return null;
      cursor = { segment: next, offset: 0 };
    }
    this.#cursor = cursor;
    return cursor;
  }

  /** Returns: `null` where what is there is not to be sent; the cursor is behind it then. */
  async #read({ segment, offset }: Cursor): Promise<DiskBatch | null> {
    const knownBytes = segment.bytes;
    const bytes = await readPiece(segment.path, offset, Math.min(READ_BYTES, knownBytes - offset));
    if (bytes === null) {
      await this.#forget(segment);
      return null;
    }
    const isLast = offset + bytes.byteLength >= knownBytes;
    const read = readQueuedEvents(bytes, isLast, BATCH_EVENTS);
    const taken = fittingEvents(read.events);
    const endOffset = taken.length < read.events.length ? taken.at(-1)!.endOffset : read.endOffset;
    const wanted = taken.filter((event, i) => event.id > Math.max(this.#takenId, taken[i - 1]?.id ?? 0));
    const fresh = wanted.filter(({ utcMs }) => !this.#isTooOld(utcMs));
    this.#dropped += wanted.length - fresh.length;
    const next = { segment, offset: offset + endOffset };
    segment.events -= wanted.length;
    if (fresh.length > 0) {
      return { events: fresh.map(({ json }) => json), lastId: fresh.at(-1)!.id, next };
    }
    if (endOffset === 0) await this.#forget(segment);
    else this.#cursor = next;
    return null;
  }

  #isTooOld(utcMs: number): boolean {
    const { maxDepthMs, clock } = this.#options;
    return maxDepthMs !== undefined && utcMs < clock.wallUs() / 1000 - maxDepthMs;
  }

  #writeSoon(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
      if (this.#unwritten.length > 0 && this.#retryTimer === null) this.#writeSoon();
    });
  }

  /** Writes what waits, group by group; never rejects. */
  async #writeAll(): Promise<void> {
    // What is told in one turn of the loop is one group.
    await Promise.resolve();
    try {
      for (let group = this.#unwritten.take(); group.length > 0; group = this.#unwritten.take()) {
        await this.#writeGroup(group);
        this.#unwritten.settle();
        await this.#keepBounds();
        this.onReadable?.();
      }
    } catch (caught) {
      this.#failures.add(this.#options.clock.nowUs(), { reason: messageOf(caught) });
      await this.#file?.close().catch(() => undefined);
      this.#file = null;
      if (this.#isClosed) return;
      this.#retryTimer = this.#options.clock.schedule(RETRY_MS, () => {
        this.#retryTimer = null;
        this.#writeSoon();
      });
    }
  }

  async #writeGroup(group: readonly WaitingEvent[]): Promise<void> {
    const [first, last] = [group[0]!, group.at(-1)!];
    const bytes = Buffer.concat(group.map(({ json }) => writeQueuedEvent(json)));
    const { file, segment } = await this.#segmentFor(first);
    for (let at = 0; at < bytes.byteLength;) {
      const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, segment.bytes + at);
      at += bytesWritten;
    }
    if (segment.bytes === 0) this.#segments.push(segment);
    segment.bytes += bytes.byteLength;
    segment.events += group.length;
    segment.lastId = last.id;
    segment.lastUtcMs = last.utcMs;
    this.#syncSoon();
  }

  /** Who begins with a new file after each start, and after each failure, never writes behind half a line. */
  async #segmentFor({ id, utcMs }: WaitingEvent): Promise<{ file: FileHandle; segment: Segment }> {
    const present = this.#segments.at(-1);
    if (this.#file !== null && present !== undefined && present.bytes < this.#segmentBytes) {
      return { file: this.#file, segment: present };
    }
    await this.#sync();
    await this.#file?.close();
    this.#file = null;
    const path = join(this.#options.folder, `${String(id).padStart(16, "0")}.events`);
    this.#file = await open(path, "w", 0o600);
    const segment = { path, lastId: id, lastUtcMs: utcMs, bytes: 0, events: 0 };
    return { file: this.#file, segment };
  }

  /** The oldest files go while there is too much, or while all that they have is too old. */
  async #keepBounds(): Promise<void> {
    const { maxSizeBytes } = this.#options;
    let bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    while (this.#segments.length > 1) {
      const oldest = this.#segments[0]!;
      const isTooMuch = bytes > maxSizeBytes || this.#segments.length > MAX_SEGMENTS;
      if (!isTooMuch && !this.#isTooOld(oldest.lastUtcMs)) return;
      bytes -= oldest.bytes;
      this.#dropped += oldest.events;
      await this.#forget(oldest);
    }
  }

  async #deleteTaken(): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[0]!.lastId <= this.#takenId) {
      await this.#forget(this.#segments[0]!);
    }
  }

  async #forget(segment: Segment): Promise<void> {
    const at = this.#segments.indexOf(segment);
    if (at < 0) return;
    if (at === this.#segments.length - 1) {
      await this.#file?.close().catch(() => undefined);
      this.#file = null;
    }
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    await rm(segment.path, { force: true }).catch((caught: unknown) =>
      this.#failures.add(this.#options.clock.nowUs(), { reason: messageOf(caught) }),
    );
  }

  #syncSoon(): void {
    this.#syncTimer ??= this.#options.clock.schedule(SYNC_MS, () => {
      this.#syncTimer = null;
      void this.#sync();
    });
  }

  /** Never rejects: what is not on the disk now may be a second later. */
  async #sync(): Promise<void> {
    try {
      await this.#file?.datasync();
      await this.#position.datasync();
    } catch (caught) {
      this.#failures.add(this.#options.clock.nowUs(), { reason: messageOf(caught) });
    }
  }
}

function idOf(name: string): number {
  return Number(SEGMENT_NAME.exec(name)![1]);
}

/** Returns: `null` when the file is gone or shorter. */
async function readPiece(path: string, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
  const file = await open(path, "r").catch((caught: unknown) => {
    if (caught instanceof Error && "code" in caught && caught.code === "ENOENT") return null;
    throw caught;
  });
  if (file === null) return null;
  try {
    const bytes = Buffer.allocUnsafe(lengthBytes);
    const { bytesRead } = await file.read(bytes, 0, lengthBytes, offset);
    return bytesRead === 0 ? null : bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** As many as one batch takes, at least one. */
function fittingEvents(events: readonly QueuedEvent[]): readonly QueuedEvent[] {
  let bytes = 0;
  const most = events.findIndex(({ json }, i) => {
    bytes += Buffer.byteLength(json) + 1;
    return bytes > BATCH_BYTES && i > 0;
  });
  return most < 0 ? events : events.slice(0, most);
}
