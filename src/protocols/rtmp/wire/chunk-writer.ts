import assert from "node:assert/strict";
import { readU24, readU32, writeU24, writeU32 } from "../../../base/bytes.ts";
import { allocate } from "./allocate.ts";

/** Where a message goes and when. */
export type MessageHeader = {
  /** 2 to 63: the one-byte form is all that we write. */
  readonly chunkStreamId: number;
  /** Milliseconds, absolute; taken modulo 2^32. */
  readonly timestampMs: number;
  readonly typeId: number;
  readonly messageStreamId: number;
};

const EXTENDED = 0xffffff;

/** Bytes before the body of a message as `buildMessage` writes it: 12, or 16 with an extended timestamp. */
export function headerBytes(timestampMs: number): number {
  return timestampMs >>> 0 >= EXTENDED ? 16 : 12;
}

/** Builds one complete message, as `writeMessage` does. Ownership: the result is new; `body` is not retained. */
export function buildMessage(header: MessageHeader, body: Uint8Array, chunkSize: number): Uint8Array {
  const out = allocate(messageBytes(header.timestampMs, body.byteLength, chunkSize));
  writeMessage(out, 0, header, body, { chunkSize, prefixBytes: 0 });
  return out;
}

/**
 * Writes one complete message at `start`: a chunk with a full header (form 0), the others of form 3, the extended
 * timestamp repeated in each as the specification says. `messageBytes` tells how long it is.
 *
 * `prefixBytes` of the body, in front of the payload, are left as they are, at `start + headerBytes(timestampMs)`,
 * for the caller to write, so that a tag header and a payload become one message with one copy; they lie in the
 * first chunk. Ownership: `payload` is not retained.
 * Spec: Adobe RTMP 1.0 section 5.3.1.
 */
export function writeMessage(
  out: Uint8Array,
  start: number,
  header: MessageHeader,
  payload: Uint8Array,
  { chunkSize, prefixBytes }: { readonly chunkSize: number; readonly prefixBytes: number },
): void {
  assert(prefixBytes <= chunkSize);
  const timestamp = header.timestampMs >>> 0;
  writeHeader(out, start, { header, timestamp, bodyBytes: prefixBytes + payload.byteLength });
  let at = start + headerBytes(timestamp) + prefixBytes;
  let taken = Math.min(chunkSize - prefixBytes, payload.byteLength);
  out.set(taken === payload.byteLength ? payload : payload.subarray(0, taken), at);
  at += taken;
  while (taken < payload.byteLength) {
    at = writeContinuation(out, at, header.chunkStreamId, timestamp);
    const end = Math.min(taken + chunkSize, payload.byteLength);
    out.set(payload.subarray(taken, end), at);
    at += end - taken;
    taken = end;
  }
}

/** The time of the message that `buildMessage` wrote at `at`. Units: milliseconds, modulo 2^32. */
export function writtenTimestampMs(bytes: Uint8Array, at: number): number {
  const timestamp = readU24(bytes, at + 1);
  return timestamp === EXTENDED ? readU32(bytes, at + 12) : timestamp;
}

/** The type id of the message that `buildMessage` wrote at `at`. Spec: Adobe RTMP 1.0 section 5.3.1.2.1. */
export function writtenTypeId(bytes: Uint8Array, at: number): number {
  return bytes[at + 7]!;
}

/** The length of the message that `buildMessage` wrote at `at` with this chunk size, all headers included. */
export function writtenMessageBytes(bytes: Uint8Array, at: number, chunkSize: number): number {
  return messageBytes(writtenTimestampMs(bytes, at), readU24(bytes, at + 4), chunkSize);
}

/** The length of a message of this time and body with this chunk size, all headers included. */
export function messageBytes(timestampMs: number, bodyBytes: number, chunkSize: number): number {
  const firstBytes = headerBytes(timestampMs);
  const moreChunks = bodyBytes === 0 ? 0 : Math.ceil(bodyBytes / chunkSize) - 1;
  return firstBytes + bodyBytes + moreChunks * (firstBytes - 11);
}

function writeHeader(
  out: Uint8Array,
  at: number,
  facts: { readonly header: MessageHeader; readonly timestamp: number; readonly bodyBytes: number },
): void {
  const { header, timestamp, bodyBytes } = facts;
  out[at] = header.chunkStreamId;
  writeU24(out, at + 1, Math.min(timestamp, EXTENDED));
  writeU24(out, at + 4, bodyBytes);
  out[at + 7] = header.typeId;
  out[at + 8] = header.messageStreamId;
  out[at + 9] = header.messageStreamId >>> 8;
  out[at + 10] = header.messageStreamId >>> 16;
  out[at + 11] = header.messageStreamId >>> 24;
  if (timestamp >= EXTENDED) writeU32(out, at + 12, timestamp);
}

function writeContinuation(out: Uint8Array, at: number, chunkStreamId: number, timestamp: number): number {
  out[at] = 0xc0 | chunkStreamId;
  if (timestamp < EXTENDED) return at + 1;
  writeU32(out, at + 1, timestamp);
  return at + 5;
}
