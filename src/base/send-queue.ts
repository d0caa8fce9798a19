import { Ring } from "./ring.ts";

/**
 * Bytes of one write to the socket; a longer one is handed over in pieces, so that its progress is seen. Enough for
 * 350 ms of 3 Mbit/s; sockets whose high-water mark is as much take that without a `drain`.
 */
export const SLICE_BYTES = 128 * 1024;

/** Writes that wait at one time. Stops a peer that asks for many small replies and takes none. */
const MAX_WAITING_WRITES = 65_536;

/** What the queue uses of a socket. */
export type SendSocket = {
  readonly writable: boolean;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  readonly bytesWritten: number;
  write(bytes: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  end(): unknown;
};

/**
 * What waits to be sent on one socket: the socket holds little more than its high-water mark, the rest waits here.
 *
 * Node joins everything that a socket holds into one operation and counts it as sent when all of it is, so one write of
 * 32 MiB, or a thousand small ones, looks for its whole duration as if the peer took nothing. Small portions finish one
 * after the other. Ownership: bytes are referred to, never copied or changed.
 */
export class SendQueue {
  readonly #socket: SendSocket;
  readonly #maxBytes: number;
  readonly #waiting = new Ring<Uint8Array>(MAX_WAITING_WRITES);
  /** How much of the oldest one is with the socket already. */
  #offset = 0;
  #waitingBytes = 0;
  #isOverflowing = false;

  constructor(socket: SendSocket, maxBytes: number) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
  }

  /** True from the first write on that found no room. */
  get isOverflowing(): boolean {
    return this.#isOverflowing;
  }

  /** Bytes that were written and that the system has not taken yet. */
  get unsentBytes(): number {
    return this.#waitingBytes + this.#socket.writableLength;
  }

  /** Bytes that the system has taken, in steps of at most the socket's high-water mark and a slice. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Takes bytes to send; `false`, and nothing more is ever taken, when they would go beyond the bound. */
  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    const isRoom = !this.#isOverflowing && this.unsentBytes + bytes.byteLength <= this.#maxBytes;
    if (
      isRoom &&
      this.#waitingBytes === 0 &&
      !socket.writableNeedDrain &&
      bytes.byteLength <= SLICE_BYTES
    ) {
      socket.write(bytes);
      return true;
    }
    if (!isRoom || !this.#waiting.push(bytes)) {
      this.#isOverflowing = true;
      return false;
    }
    this.#waitingBytes += bytes.byteLength;
    this.#handOver();
    return true;
  }

  /** To be called when the socket has drained. */
  drained(): void {
    if (this.#socket.writable) this.#handOver();
  }

  /** Hands everything over and ends the socket behind it. */
  end(): void {
    if (this.#socket.writable) this.#handOver(true);
    this.discard();
    this.#socket.end();
  }

  /** Forgets what waits. */
  discard(): void {
    this.#waiting.clear();
    this.#offset = 0;
    this.#waitingBytes = 0;
  }

  /** As much as the socket wants, or all there is. */
  #handOver(isAll = false): void {
    const socket = this.#socket;
    if (socket.writableNeedDrain && !isAll) return;
    socket.cork();
    for (let slice = this.#nextSlice(); slice !== null; slice = this.#nextSlice()) {
      socket.write(slice);
      if (socket.writableNeedDrain && !isAll) break;
    }
    socket.uncork();
  }

  #nextSlice(): Uint8Array | null {
    const oldest = this.#waiting.at(0);
    if (oldest === undefined) return null;
    const end = Math.min(this.#offset + SLICE_BYTES, oldest.byteLength);
    const isWhole = this.#offset === 0 && end === oldest.byteLength;
    const slice = isWhole ? oldest : oldest.subarray(this.#offset, end);
    this.#offset = end;
    this.#waitingBytes -= slice.byteLength;
    if (end === oldest.byteLength) {
      this.#waiting.shift();
      this.#offset = 0;
    }
    return slice;
  }
}
