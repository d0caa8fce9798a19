/**
 * The files in which events wait for a sink.
 *
 * A segment is lines, so that people can read it:
 *
 *     CRC-32 of the JSON as 8 hexadecimal digits, a space, its length in bytes the same, a space, JSON, a line feed
 *
 * Lines are only added. One that a crash has cut is the last, or has a segment behind it that was begun after the crash.
 *
 * The position is a file of two slots that are written in turns, so that one of them is always whole:
 *
 *     number of the last event that was taken as 16 hexadecimal digits, a space, the CRC-32 of those 16, 6 spaces, a line feed
 */
import { crc32 } from "node:zlib";

/** Of a line, in front of its JSON. */
const HEAD_BYTES = 18;
const LINE_FEED = 10;

/** A longer event is none of ours: four bytes a character at most, see `MAX_EVENT_LENGTH`. */
export const MAX_RECORD_BYTES = 65_536;

/** One event in a segment. */
export type QueuedEvent = {
  readonly id: number;
  readonly utcMs: number;
  readonly json: string;
  /** Where the next one begins. */
  readonly endOffset: number;
};

/** What a piece of a segment has. */
export type ReadEvents = {
  readonly events: readonly QueuedEvent[];
  /** Up to where it was read. */
  readonly endOffset: number;
  /** Lines that were passed over. */
  readonly damagedLines: number;
};

/** Writes one event as a line of a segment. */
export function writeQueuedEvent(json: string): Buffer {
  const payload = Buffer.from(json);
  return Buffer.concat([
    Buffer.from(`${hex8(crc32(payload))} ${hex8(payload.byteLength)} `),
    payload,
    NEW_LINE,
  ]);
}

const NEW_LINE = Buffer.of(LINE_FEED);

/**
 * Reads the events of a piece of a segment; lines that are not as they were written are passed over.
 *
 * `bytes`: begins with a line. `isLast`: nothing comes behind it, so that a line without an end is damaged.
 * Returns: up to `most` events; a line that goes on behind the piece is left for the next piece. Takes linear time.
 */
export function readQueuedEvents(bytes: Uint8Array, isLast: boolean, most = Infinity): ReadEvents {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: QueuedEvent[] = [];
  let damagedLines = 0;
  let at = 0;
  while (at < view.byteLength && events.length < most) {
    const end = view.indexOf(LINE_FEED, at);
    if (end < 0) {
      const isTooLong = view.byteLength - at > MAX_RECORD_BYTES + HEAD_BYTES;
      if (!isLast && !isTooLong) break;
      damagedLines++;
      at = view.byteLength;
      break;
    }
    const event = eventOf(view, at, end);
    at = end + 1;
    if (event === null) damagedLines++;
    else events.push({ ...event, endOffset: at });
  }
  return { events, endOffset: at, damagedLines };
}

function eventOf(view: Buffer, at: number, end: number): Omit<QueuedEvent, "endOffset"> | null {
  const lengthBytes = end - at - HEAD_BYTES;
  if (lengthBytes < 2 || lengthBytes > MAX_RECORD_BYTES) return null;
  const head = view.toString("latin1", at, at + HEAD_BYTES);
  const payload = view.subarray(at + HEAD_BYTES, end);
  if (head !== `${hex8(crc32(payload))} ${hex8(lengthBytes)} `) return null;
  const json = payload.toString();
  try {
    const value = JSON.parse(json) as { event_id?: unknown; utc_ms?: unknown } | null;
    const { event_id: id, utc_ms: utcMs } = value ?? {};
    if (!isCount(id) || !isCount(utcMs)) return null;
    return { id, utcMs, json };
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Bytes of one slot of the position. */
export const SLOT_BYTES = 32;

/** Writes one slot of the position. */
export function writeSlot(id: number): Buffer {
  const digits = id.toString(16).padStart(16, "0");
  return Buffer.from(`${digits} ${hex8(crc32(digits))}      \n`);
}

/** The position that both slots tell, 0 where neither is whole, and which of them tells it. */
export function readPosition(bytes: Uint8Array): { readonly id: number; readonly slot: 0 | 1 } {
  const [first, second] = [readSlot(bytes, 0), readSlot(bytes, SLOT_BYTES)];
  return second > first ? { id: second, slot: 1 } : { id: Math.max(0, first), slot: 0 };
}

/** Returns: -1 when it is not whole. */
function readSlot(bytes: Uint8Array, at: number): number {
  const slot = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(at, at + SLOT_BYTES);
  const id = Number.parseInt(slot.toString("latin1", 0, 16), 16);
  return Number.isSafeInteger(id) && id >= 0 && slot.equals(writeSlot(id)) ? id : -1;
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
