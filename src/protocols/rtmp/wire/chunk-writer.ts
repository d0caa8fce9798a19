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

/**
 * Builds one complete message: a chunk with a full header (form 0), the others of form 3, the extended timestamp
 * repeated in each as the specification says.
 *
 * `prefixBytes` of the body are left as zeros, at `headerBytes(timestampMs)`, for the caller to write in place, so
 * that a tag header and a payload become one message with one allocation and one copy; they lie in the first chunk.
 * Ownership: the result is new; `payload` is not retained.
 * Spec: Adobe RTMP 1.0 section 5.3.1.
 */
export function buildMessage(
  header: MessageHeader,
  payload: Uint8Array,
  chunkSize: number,
  prefixBytes = 0,
): Uint8Array {
  assert(prefixBytes <= chunkSize);
  const timestamp = header.timestampMs >>> 0;
  const firstBytes = headerBytes(timestamp);
  const bodyBytes = prefixBytes + payload.byteLength;
  const out = allocate(messageBytes(firstBytes, bodyBytes, chunkSize));
  writeHeader(out, header, timestamp, bodyBytes);
  out.fill(0, firstBytes, firstBytes + prefixBytes);
  let at = firstBytes + prefixBytes;
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
  return out;
}

/** The time of the message that `buildMessage` wrote at `at`. Units: milliseconds, modulo 2^32. */
export function writtenTimestampMs(bytes: Uint8Array, at: number): number {
  const timestamp = readU24(bytes, at + 1);
  return timestamp === EXTENDED ? readU32(bytes, at + 12) : timestamp;
}

/** The length of the message that `buildMessage` wrote at `at` with this chunk size, all headers included. */
export function writtenMessageBytes(bytes: Uint8Array, at: number, chunkSize: number): number {
  return messageBytes(headerBytes(writtenTimestampMs(bytes, at)), readU24(bytes, at + 4), chunkSize);
}

function messageBytes(firstBytes: number, bodyBytes: number, chunkSize: number): number {
  const moreChunks = bodyBytes === 0 ? 0 : Math.ceil(bodyBytes / chunkSize) - 1;
  return firstBytes + bodyBytes + moreChunks * (firstBytes - 11);
}

function writeHeader(out: Uint8Array, header: MessageHeader, timestamp: number, bodyBytes: number): void {
  out[0] = header.chunkStreamId;
  writeU24(out, 1, Math.min(timestamp, EXTENDED));
  writeU24(out, 4, bodyBytes);
  out[7] = header.typeId;
  out[8] = header.messageStreamId;
  out[9] = header.messageStreamId >>> 8;
  out[10] = header.messageStreamId >>> 16;
  out[11] = header.messageStreamId >>> 24;
  if (timestamp >= EXTENDED) writeU32(out, 12, timestamp);
}

function writeContinuation(out: Uint8Array, at: number, chunkStreamId: number, timestamp: number): number {
  out[at] = 0xc0 | chunkStreamId;
  if (timestamp < EXTENDED) return at + 1;
  writeU32(out, at + 1, timestamp);
  return at + 5;
}
