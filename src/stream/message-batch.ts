import type { WireRoom } from "./wire-format.ts";

/**
 * Room for the messages of one player, handed on in pieces of some size instead of one by one. Ownership: what was
 * handed on is never written to again.
 */
export class MessageBatch implements WireRoom {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #pieceBytes: number;
  #buffer: Uint8Array | null = null;
  #end = 0;
  #totalBytes = 0;
  offset = 0;

  constructor(write: (bytes: Uint8Array) => void, pieceBytes: number) {
    this.#write = write;
    this.#pieceBytes = pieceBytes;
  }

  /** What it has made room for. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  reserve(lengthBytes: number): Uint8Array {
    if (this.#buffer === null || this.#end + lengthBytes > this.#buffer.byteLength) {
      this.flush();
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(lengthBytes, this.#pieceBytes));
    }
    this.offset = this.#end;
    this.#end += lengthBytes;
    this.#totalBytes += lengthBytes;
    return this.#buffer;
  }

  /** Hands on what has gathered. */
  flush(): void {
    if (this.#buffer !== null && this.#end > 0) this.#write(this.#buffer.subarray(0, this.#end));
    this.#buffer = null;
    this.#end = 0;
  }
}
