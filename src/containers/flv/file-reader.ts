import { concatBytes, readU24, readU32 } from "../../base/bytes.ts";
import { flvErrors } from "./errors.ts";
import { BACK_POINTER_BYTES, TAG_HEADER_BYTES } from "./file-writer.ts";

/** One tag of a file. Ownership: `body` is new and exactly sized. */
export type FlvTag = {
  /** 8 audio, 9 video, 18 script data. */
  readonly type: number;
  /** Milliseconds modulo 2^32. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
};

/** Longest tag that is read unless told otherwise. */
export const DEFAULT_TAG_BYTES = 16 * 1024 * 1024;

const FILE_HEADER_BYTES = 9;
/** A file header may be longer than nine bytes; more than this is no FLV. */
const MAX_FILE_HEADER_BYTES = 1024;

/**
 * Reads an FLV file or stream as it comes. Feed bytes, then call `next` until it gives `null`.
 *
 * Back pointers are not checked: many writers leave them wrong, and nothing here walks backwards.
 * Bound: `maxTagBytes` plus the last chunk fed.
 * Throws: FLV_FILE_SIGNATURE, FLV_FILE_TAG_TOO_BIG.
 * Spec: FLV 10.1 E.2, E.3, E.4.1.
 */
export class FlvFileReader {
  readonly #maxTagBytes: number;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #hasHeader = false;

  constructor(maxTagBytes = DEFAULT_TAG_BYTES) {
    this.#maxTagBytes = maxTagBytes;
  }

  /** Hands over the next bytes; they are kept until read. */
  feed(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#chunks.push(bytes);
    this.#bufferedBytes += bytes.byteLength;
  }

  /** The next tag, or `null`: wait for bytes. */
  next(): FlvTag | null {
    if (!this.#hasHeader && !this.#readFileHeader()) return null;
    const header = this.#peek(TAG_HEADER_BYTES);
    if (header === null) return null;
    const lengthBytes = readU24(header, 1);
    if (lengthBytes > this.#maxTagBytes) {
      throw flvErrors.error("FLV_FILE_TAG_TOO_BIG", { lengthBytes, limitBytes: this.#maxTagBytes });
    }
    const tag = this.#peek(TAG_HEADER_BYTES + lengthBytes + BACK_POINTER_BYTES);
    if (tag === null) return null;
    this.#drop(tag.byteLength);
    // The two top bits of the type are reserved, the third marks encryption.
    const timestampMs = (readU24(tag, 4) | (tag[7]! << 24)) >>> 0;
    const body = tag.slice(TAG_HEADER_BYTES, TAG_HEADER_BYTES + lengthBytes);
    return { type: tag[0]! & 0x1f, timestampMs, body };
  }

  #readFileHeader(): boolean {
    const start = this.#peek(FILE_HEADER_BYTES);
    if (start === null) return false;
    const isFlv = start[0] === 0x46 && start[1] === 0x4c && start[2] === 0x56 && start[3] === 1;
    const headerBytes = readU32(start, 5);
    if (!isFlv || headerBytes < FILE_HEADER_BYTES || headerBytes > MAX_FILE_HEADER_BYTES) {
      throw flvErrors.error("FLV_FILE_SIGNATURE");
    }
    const all = this.#peek(headerBytes + BACK_POINTER_BYTES);
    if (all === null) return false;
    this.#drop(all.byteLength);
    this.#hasHeader = true;
    return true;
  }

  /** The next `count` bytes, joined only when they are all there. */
  #peek(count: number): Uint8Array | null {
    if (this.#bufferedBytes < count) return null;
    if (this.#chunks[0]!.byteLength < count) this.#chunks = [concatBytes(this.#chunks)];
    return plain(this.#chunks[0]!).subarray(0, count);
  }

  #drop(count: number): void {
    this.#bufferedBytes -= count;
    const first = this.#chunks[0]!;
    if (first.byteLength === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
  }
}

/** A `Buffer` as a `Uint8Array`, whose `slice` copies. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
