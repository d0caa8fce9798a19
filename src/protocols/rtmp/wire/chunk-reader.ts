import { readU24, readU32 } from "../../../base/bytes.ts";
import type { Slab, SlabAllocator } from "../../../base/slab-allocator.ts";
import { rtmpErrors } from "../errors.ts";
import { allocate } from "./allocate.ts";

/** What a peer may make the reader hold. */
export type ChunkLimits = {
  /** Longest message. */
  readonly messageBytes: number;
  /** Chunk streams that may be in use; real senders use fewer than ten. */
  readonly chunkStreams: number;
  /** Bytes allocated for messages that are not complete, over all chunk streams. */
  readonly partialBytes: number;
};

/** Good for pictures up to 16 MiB, and small enough that a peer cannot hurt. */
export const DEFAULT_CHUNK_LIMITS: ChunkLimits = {
  messageBytes: 16 * 1024 * 1024,
  chunkStreams: 64,
  partialBytes: 32 * 1024 * 1024,
};

/** One complete message. Ownership: `body` is exactly sized and never written again. */
export type RtmpMessage = {
  readonly typeId: number;
  /** Milliseconds modulo 2^32, absolute. */
  readonly timestampMs: number;
  readonly messageStreamId: number;
  readonly body: Uint8Array;
  /** What `body` is a part of; whoever takes the message releases it, after the last use. */
  readonly slab: Slab | null;
};

const DEFAULT_CHUNK_SIZE = 128;
const MAX_HEADER_BYTES = 3 + 11 + 4;
const EXTENDED = 0xffffff;
/** Message header bytes by form (`fmt`). */
const HEADER_BYTES = [11, 7, 3, 0] as const;
/** A message up to this size is allocated when its header is read; a longer one as its bytes arrive. */
const FIRST_STEP_BYTES = 64 * 1024;
/** A buffer grows when it is full, by at most this factor: a peer sends 1/8 of what it makes us allocate. */
const GROWTH = 8;
const EMPTY = new Uint8Array(0);
const NO_INPUT = Buffer.alloc(0);

const SET_CHUNK_SIZE = 1;
const ABORT = 2;
const AUDIO = 8;
const VIDEO = 9;

type ChunkStream = {
  readonly id: number;
  timestampMs: number;
  deltaMs: number;
  lengthBytes: number;
  typeId: number;
  messageStreamId: number;
  /** The value of the extended timestamp field of the last header that had one, else -1. */
  extended: number;
  /** True between the first and the last chunk of a message. */
  isOpen: boolean;
  body: Uint8Array;
  slab: Slab | null;
  filled: number;
};

/**
 * Puts messages together from chunks, without a socket. Feed bytes, then call `next` until it gives `null`.
 *
 * Set Chunk Size and Abort are obeyed here, since they change how the very next byte is read, and are handed on too.
 * Chunks of form 3 with an extended timestamp come both with the field repeated (the specification, ffmpeg, Flash)
 * and without (older librtmp): four bytes that equal the field's last value are taken for it, others for payload.
 * Bounds: `ChunkLimits`. Ownership: fed bytes are read until the `next` that gives `null`, and then not kept.
 * Spec: Adobe RTMP 1.0 sections 5.3, 5.4.1, 5.4.2.
 */
export class ChunkReader {
  readonly #limits: ChunkLimits;
  readonly #streams = new Map<number, ChunkStream>();
  /** The one that was looked up last: chunks of one message follow each other. */
  #recent: ChunkStream | null = null;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerFilled = 0;
  readonly #payloadMemory: SlabAllocator | null;
  #input: Buffer = NO_INPUT;
  #offset = 0;
  /** The chunk whose payload is being read, or `null` between chunks. */
  #current: ChunkStream | null = null;
  #chunkLeft = 0;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #partialBytes = 0;

  /** `payloadMemory`: what audio and video are put into; memory of their own when absent, as for all else. */
  constructor(limits: ChunkLimits = DEFAULT_CHUNK_LIMITS, payloadMemory: SlabAllocator | null = null) {
    this.#limits = limits;
    this.#payloadMemory = payloadMemory;
  }

  /** Bytes allocated for messages that are not complete. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /** Hands over the next bytes of the connection. */
  feed(bytes: Uint8Array): void {
    this.#input =
      this.#offset < this.#input.byteLength ? Buffer.concat([this.#rest(), bytes]) : asBuffer(bytes);
    this.#offset = 0;
  }

  /**
   * Copies what has not been read yet, and `more` behind it, so that both outlive the buffer that they were read into.
   * Throws: RTMP_PARTIAL_LIMIT when that is more than may wait.
   */
  keep(more: Uint8Array = EMPTY): void {
    const rest = this.#rest();
    const limitBytes = this.#limits.partialBytes;
    if (rest.byteLength + more.byteLength > limitBytes)
      throw rtmpErrors.error("RTMP_PARTIAL_LIMIT", { limitBytes });
    this.#input = Buffer.concat([rest, more]);
    this.#offset = 0;
  }

  /** The next complete message, or `null`: wait for bytes. */
  next(): RtmpMessage | null {
    for (;;) {
      if (this.#current === null && !this.#readHeader()) return this.#drained();
      const message = this.#readPayload(this.#current!);
      if (message !== null) return message;
      if (this.#current !== null) return this.#drained();
    }
  }

  #rest(): Uint8Array {
    return this.#input.subarray(this.#offset);
  }

  #drained(): null {
    this.#input = NO_INPUT;
    this.#offset = 0;
    return null;
  }

  /** Collects header bytes up to `count`; false when the input ends before. */
  #gather(count: number): boolean {
    while (this.#headerFilled < count) {
      if (this.#offset === this.#input.byteLength) return false;
      this.#header[this.#headerFilled++] = this.#input[this.#offset++]!;
    }
    return true;
  }

  /** Reads one chunk header; true when `#current` is set. Safe to call again after more bytes came. */
  #readHeader(): boolean {
    if (!this.#gather(1)) return false;
    const first = this.#header[0]!;
    const low = first & 0x3f;
    const basicBytes = low === 0 ? 2 : low === 1 ? 3 : 1;
    const form = first >>> 6;
    const fieldsEnd = basicBytes + HEADER_BYTES[form]!;
    if (!this.#gather(fieldsEnd)) return false;
    const stream = this.#streamOf(this.#chunkStreamId(low), form);
    if (form === 3) return this.#readContinuation(stream, fieldsEnd);
    const timestamp = readU24(this.#header, basicBytes);
    if (timestamp === EXTENDED && !this.#gather(fieldsEnd + 4)) return false;
    this.#applyFields(stream, form, basicBytes);
    stream.extended = timestamp === EXTENDED ? readU32(this.#header, fieldsEnd) : -1;
    const value = stream.extended === -1 ? timestamp : stream.extended;
    stream.deltaMs = value;
    this.#openMessage(stream, form === 0 ? value : (stream.timestampMs + value) >>> 0);
    this.#beginChunk(stream);
    return true;
  }

  #chunkStreamId(low: number): number {
    if (low === 0) return 64 + this.#header[1]!;
    if (low === 1) return 64 + this.#header[1]! + this.#header[2]! * 256;
    return low;
  }

  /** A form-3 chunk: goes on with an open message, or begins one with everything as in the last. */
  #readContinuation(stream: ChunkStream, fieldsEnd: number): boolean {
    let replay: Uint8Array | null = null;
    if (stream.extended !== -1) {
      const verdict = this.#peekExtended(stream.extended, fieldsEnd);
      if (verdict === "wait") return false;
      if (verdict === "absent") replay = this.#header.slice(fieldsEnd, this.#headerFilled);
    }
    if (!stream.isOpen) this.#openMessage(stream, (stream.timestampMs + stream.deltaMs) >>> 0);
    this.#beginChunk(stream);
    if (replay !== null) this.#unread(replay);
    return true;
  }

  /** Compares byte by byte, so that payload is told from the field as early as its first byte differs. */
  #peekExtended(expected: number, at: number): "present" | "absent" | "wait" {
    for (let i = 0; i < 4; i++) {
      if (!this.#gather(at + i + 1)) return "wait";
      if (this.#header[at + i] !== ((expected >>> (24 - 8 * i)) & 0xff)) return "absent";
    }
    return "present";
  }

  /** Puts bytes that proved to be no header back in front of the input; at most four. */
  #unread(bytes: Uint8Array): void {
    if (this.#offset >= bytes.byteLength) {
      this.#offset -= bytes.byteLength;
      return;
    }
    this.#input = Buffer.concat([bytes, this.#rest()]);
    this.#offset = 0;
  }

  #streamOf(id: number, form: number): ChunkStream {
    const known = this.#recent?.id === id ? this.#recent : this.#streams.get(id);
    if (known !== undefined) {
      this.#recent = known;
      if (known.isOpen && form !== 3) {
        const missingBytes = known.lengthBytes - known.filled;
        throw rtmpErrors.error("RTMP_CHUNK_INTERRUPTED", { chunkStreamId: id, missingBytes });
      }
      return known;
    }
    // librtmp sends its first ping with form 1; forms 2 and 3 would leave the message's length unknown.
    if (form >= 2) throw rtmpErrors.error("RTMP_CHUNK_HEADER", { chunkStreamId: id, form });
    if (this.#streams.size >= this.#limits.chunkStreams) {
      throw rtmpErrors.error("RTMP_CHUNK_STREAM_LIMIT", { limit: this.#limits.chunkStreams });
    }
    const fresh: ChunkStream = {
      id,
      timestampMs: 0,
      deltaMs: 0,
      lengthBytes: 0,
      typeId: 0,
      messageStreamId: 0,
      extended: -1,
      isOpen: false,
      body: EMPTY,
      slab: null,
      filled: 0,
    };
    this.#streams.set(id, fresh);
    return fresh;
  }

  #applyFields(stream: ChunkStream, form: number, at: number): void {
    if (form >= 2) return;
    stream.lengthBytes = readU24(this.#header, at + 3);
    stream.typeId = this.#header[at + 6]!;
    if (form === 1) return;
    const h = this.#header;
    // The only little-endian field of the protocol.
    stream.messageStreamId =
      (h[at + 7]! | (h[at + 8]! << 8) | (h[at + 9]! << 16) | (h[at + 10]! << 24)) >>> 0;
  }

  #openMessage(stream: ChunkStream, timestampMs: number): void {
    if (stream.lengthBytes > this.#limits.messageBytes) {
      const limitBytes = this.#limits.messageBytes;
      throw rtmpErrors.error("RTMP_MESSAGE_TOO_BIG", { lengthBytes: stream.lengthBytes, limitBytes });
    }
    stream.timestampMs = timestampMs;
    stream.isOpen = true;
    stream.filled = 0;
    this.#takeBody(stream);
  }

  #beginChunk(stream: ChunkStream): void {
    this.#headerFilled = 0;
    this.#current = stream;
    this.#chunkLeft = Math.min(this.#chunkSize, stream.lengthBytes - stream.filled);
  }

  /** Takes memory for as much of the message as may be allocated now. */
  #takeBody(stream: ChunkStream): void {
    this.#allocate(stream, Math.min(stream.lengthBytes, FIRST_STEP_BYTES));
  }

  /** Commands and control messages keep no slab alive. */
  #allocate(stream: ChunkStream, bytes: number): void {
    this.#hold(bytes);
    const memory = this.#payloadMemory;
    const isMedia = stream.typeId === VIDEO || stream.typeId === AUDIO;
    if (memory !== null && isMedia && bytes > 0) {
      stream.body = memory.allocate(bytes);
      stream.slab = memory.lastSlab;
      stream.slab?.retain();
    } else stream.body = bytes === 0 ? EMPTY : allocate(bytes);
  }

  #hold(bytes: number): void {
    this.#partialBytes += bytes;
    if (this.#partialBytes <= this.#limits.partialBytes) return;
    throw rtmpErrors.error("RTMP_PARTIAL_LIMIT", { limitBytes: this.#limits.partialBytes });
  }

  #grow(stream: ChunkStream): void {
    const { body, slab } = stream;
    this.#partialBytes -= body.byteLength;
    this.#allocate(stream, Math.min(stream.lengthBytes, body.byteLength * GROWTH));
    stream.body.set(body);
    slab?.release();
  }

  /** Takes payload of the current chunk; leaves `#current` set when the input ended inside the chunk. */
  #readPayload(stream: ChunkStream): RtmpMessage | null {
    while (this.#chunkLeft > 0) {
      const available = this.#input.byteLength - this.#offset;
      if (available === 0) return null;
      if (stream.filled === stream.body.byteLength) this.#grow(stream);
      const take = Math.min(available, this.#chunkLeft, stream.body.byteLength - stream.filled);
      this.#copy(stream, take);
    }
    this.#current = null;
    return stream.filled === stream.lengthBytes ? this.#finish(stream) : null;
  }

  #copy(stream: ChunkStream, take: number): void {
    const end = this.#offset + take;
    // Copies natively into shared memory too, which `set` does byte by byte, and makes no view.
    this.#input.copy(stream.body, stream.filled, this.#offset, end);
    stream.filled += take;
    this.#offset = end;
    this.#chunkLeft -= take;
  }

  #finish(stream: ChunkStream): RtmpMessage {
    const { body, slab, typeId, timestampMs, messageStreamId } = stream;
    this.#close(stream);
    if (typeId === SET_CHUNK_SIZE) this.#setChunkSize(body);
    else if (typeId === ABORT) this.#abort(body);
    return { typeId, timestampMs, messageStreamId, body, slab };
  }

  #close(stream: ChunkStream): void {
    this.#partialBytes -= stream.body.byteLength;
    stream.isOpen = false;
    stream.body = EMPTY;
    stream.slab = null;
    stream.filled = 0;
  }

  #setChunkSize(body: Uint8Array): void {
    requireBytes(SET_CHUNK_SIZE, body, 4);
    const chunkSizeBytes = readU32(body, 0);
    if (chunkSizeBytes === 0 || chunkSizeBytes > 0x7fffffff) {
      throw rtmpErrors.error("RTMP_CHUNK_SIZE", { chunkSizeBytes });
    }
    this.#chunkSize = chunkSizeBytes;
  }

  #abort(body: Uint8Array): void {
    requireBytes(ABORT, body, 4);
    const stream = this.#streams.get(readU32(body, 0));
    if (stream?.isOpen !== true) return;
    stream.slab?.release();
    this.#close(stream);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function requireBytes(typeId: number, body: Uint8Array, lengthBytes: number): void {
  if (body.byteLength >= lengthBytes) return;
  throw rtmpErrors.error("RTMP_CONTROL_TRUNCATED", { typeId, lengthBytes: body.byteLength });
}
