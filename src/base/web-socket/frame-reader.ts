import { readU16, readU32 } from "../bytes.ts";
import type { MediaError } from "../errors.ts";
import { webSocketErrors } from "./errors.ts";
import { MAX_CONTROL_BYTES, OPCODE } from "./frame-writer.ts";

/** What a client says: a message put together from its frames, or a control frame. */
export type WebSocketMessage =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly bytes: Uint8Array }
  /** `code`: 1005 when the frame has none. */
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** Longest message of a client: what clients say here are commands and a line of figures. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Frames of one message. Stops a client that sends empty ones without end. */
export const MAX_MESSAGE_FRAGMENTS = 256;

const FIN = 0x80;
const RSV = 0x70;
const MASK = 0x80;
const CONTROL = 0x8;
const NO_STATUS = 1005;
const KEY_BYTES = 4;
const MAX_HEADER_BYTES = 14;
/** What is kept of a message that has only begun; it grows with what comes, not with what is promised. */
const FIRST_BUFFER_BYTES = 512;

const NOTHING = new Uint8Array(0);

/**
 * Reads the frames of one client, in pieces as they come. `feed` gives it bytes, `next` the messages in them, one after
 * the other; nothing of the fed bytes is kept once `next` has returned `null`.
 *
 * Throws, from `next`: WEBSOCKET_BAD_FRAME, _TOO_BIG, _BAD_TEXT; the connection is over then.
 * Spec: RFC 6455 sections 5.2 to 5.5, 7.4, 8.1. No extensions: a reserved bit is an error.
 */
export class WebSocketReader {
  #fed: Uint8Array = NOTHING;
  #offset = 0;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerBytes = 0;
  /** Of the frame whose payload is being read; `null` while a header is. */
  #frame: Frame | null = null;
  /** The data message under way: its opcode, or 0 between messages. */
  #opcode = 0;
  #fragments = 0;
  readonly #message = new Collected();
  readonly #control = new Collected();

  /** Bytes that came; what was fed before must have been read to its end. */
  feed(bytes: Uint8Array): void {
    this.#fed = bytes;
    this.#offset = 0;
  }

  /** The next message; `null`: more bytes are needed. */
  next(): WebSocketMessage | null {
    for (;;) {
      const frame = this.#frame ?? this.#readHeader();
      if (frame === null) return this.#rest();
      this.#frame = frame;
      if (!this.#readPayload(frame)) return this.#rest();
      this.#frame = null;
      this.#headerBytes = 0;
      const message = this.#finish(frame);
      if (message !== null) return message;
    }
  }

  #rest(): null {
    this.#fed = NOTHING;
    this.#offset = 0;
    return null;
  }

  #readHeader(): Frame | null {
    const header = this.#header;
    for (;;) {
      const wantedBytes = headerLength(header, this.#headerBytes);
      if (this.#headerBytes === wantedBytes) break;
      if (this.#offset === this.#fed.byteLength) return null;
      header[this.#headerBytes++] = this.#fed[this.#offset++]!;
      if (this.#headerBytes === 2) this.#check(header[0]!, header[1]!);
    }
    const isControl = (header[0]! & CONTROL) !== 0;
    const lengthBytes = payloadLength(header);
    const heldBytes = isControl ? 0 : this.#message.lengthBytes;
    if (heldBytes + lengthBytes > MAX_MESSAGE_BYTES) throw tooBig();
    return {
      opcode: header[0]! & 0xf,
      isLast: (header[0]! & FIN) !== 0,
      keyAt: this.#headerBytes - KEY_BYTES,
      lengthBytes,
      takenBytes: 0,
    };
  }

  /** What the first two bytes must not say. */
  #check(first: number, second: number): void {
    const opcode = first & 0xf;
    if ((first & RSV) !== 0) throw badFrame("a reserved bit is set, and no extension was agreed on");
    if ((second & MASK) === 0) throw badFrame("it is not masked");
    if ((opcode & CONTROL) !== 0) {
      if (opcode > OPCODE.pong) throw badFrame(`opcode ${opcode} has no meaning`);
      if ((first & FIN) === 0) throw badFrame("a control frame in fragments");
      if ((second & 0x7f) > MAX_CONTROL_BYTES) throw badFrame("a control frame of more than 125 bytes");
      return;
    }
    if (opcode > OPCODE.binary) throw badFrame(`opcode ${opcode} has no meaning`);
    if (opcode === OPCODE.continuation && this.#opcode === 0) throw badFrame("it continues nothing");
    if (opcode !== OPCODE.continuation && this.#opcode !== 0)
      throw badFrame("a message begins within another");
    if (opcode !== OPCODE.continuation) this.#fragments = 0;
    if (++this.#fragments > MAX_MESSAGE_FRAGMENTS) throw tooBig();
    if (opcode !== OPCODE.continuation) this.#opcode = opcode;
  }

  /** Takes what is there of the payload. Returns: whether that is all of it. */
  #readPayload(frame: Frame): boolean {
    const count = Math.min(frame.lengthBytes - frame.takenBytes, this.#fed.byteLength - this.#offset);
    if (count > 0) {
      const into = (frame.opcode & CONTROL) !== 0 ? this.#control : this.#message;
      const at = into.lengthBytes;
      const out = into.grow(count);
      for (let i = 0; i < count; i++) {
        const key = this.#header[frame.keyAt + ((frame.takenBytes + i) & 3)]!;
        out[at + i] = this.#fed[this.#offset + i]! ^ key;
      }
      frame.takenBytes += count;
      this.#offset += count;
    }
    return frame.takenBytes === frame.lengthBytes;
  }

  /** The message that a frame completes, if it does. */
  #finish(frame: Frame): WebSocketMessage | null {
    if ((frame.opcode & CONTROL) !== 0) {
      const bytes = this.#control.take();
      if (frame.opcode === OPCODE.close) return parseClose(bytes);
      return { type: frame.opcode === OPCODE.ping ? "ping" : "pong", bytes };
    }
    if (!frame.isLast) return null;
    const isText = this.#opcode === OPCODE.text;
    this.#opcode = 0;
    const bytes = this.#message.take();
    return isText ? { type: "text", text: decodeText(bytes) } : { type: "binary", bytes };
  }
}

type Frame = {
  readonly opcode: number;
  readonly isLast: boolean;
  /** Where in the header the masking key is. */
  readonly keyAt: number;
  readonly lengthBytes: number;
  takenBytes: number;
};

/** Bytes that come one after the other, in one buffer that grows with them. */
class Collected {
  lengthBytes = 0;
  #buffer: Uint8Array = NOTHING;

  /** Makes so many bytes more. Returns: the buffer, to be written from the old length on. */
  grow(count: number): Uint8Array {
    const wantedBytes = this.lengthBytes + count;
    if (wantedBytes > this.#buffer.byteLength) {
      const sizeBytes = Math.max(wantedBytes, this.#buffer.byteLength * 2, FIRST_BUFFER_BYTES);
      const grown = new Uint8Array(sizeBytes);
      grown.set(this.#buffer.subarray(0, this.lengthBytes));
      this.#buffer = grown;
    }
    this.lengthBytes = wantedBytes;
    return this.#buffer;
  }

  /** All of it, and begins anew. */
  take(): Uint8Array {
    const bytes = this.#buffer.subarray(0, this.lengthBytes);
    this.#buffer = NOTHING;
    this.lengthBytes = 0;
    return bytes;
  }
}

/** How long a header is as far as its first bytes tell. */
function headerLength(header: Uint8Array, knownBytes: number): number {
  if (knownBytes < 2) return 2;
  const length = header[1]! & 0x7f;
  if (length <= MAX_CONTROL_BYTES) return 2 + KEY_BYTES;
  return (length === 126 ? 4 : 10) + KEY_BYTES;
}

/** Of a whole header. Units: bytes; exact as far as it may be, larger ones are refused. */
function payloadLength(header: Uint8Array): number {
  const length = header[1]! & 0x7f;
  if (length <= MAX_CONTROL_BYTES) return length;
  if (length === 126) {
    const long = readU16(header, 2);
    if (long <= MAX_CONTROL_BYTES) throw badFrame("its length is written longer than it has to be");
    return long;
  }
  const high = readU32(header, 2);
  const low = readU32(header, 6);
  if (high >= 0x8000_0000) throw badFrame("its length is negative");
  if (high === 0 && low <= 0xffff) throw badFrame("its length is written longer than it has to be");
  return high * 2 ** 32 + low;
}

/** Spec: RFC 6455 sections 5.5.1, 7.4. */
function parseClose(bytes: Uint8Array): WebSocketMessage {
  if (bytes.byteLength === 0) return { type: "close", code: NO_STATUS, reason: "" };
  if (bytes.byteLength === 1) throw badFrame("half a close code");
  const code = readU16(bytes, 0);
  const isKnown = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  if (!isKnown && (code < 3000 || code > 4999)) throw badFrame(`close code ${code} is not to be sent`);
  return { type: "close", code, reason: decodeText(bytes.subarray(2)) };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (caught) {
    throw webSocketErrors.error("WEBSOCKET_BAD_TEXT", {}, caught);
  }
}

function badFrame(reason: string): MediaError {
  return webSocketErrors.error("WEBSOCKET_BAD_FRAME", { reason });
}

function tooBig(): MediaError {
  return webSocketErrors.error("WEBSOCKET_TOO_BIG", {
    limitBytes: MAX_MESSAGE_BYTES,
    limitFragments: MAX_MESSAGE_FRAGMENTS,
  });
}
