/** Payloads begin at multiples of this: shared memory is copied several times faster so. */
const ALIGNMENT_BYTES = 8;

/**
 * Room for payloads in a ring of shared memory that one thread writes and another reads, given back in the order in
 * which it was taken. Its size is its bound: what finds no room is not sent.
 */
export class PayloadRing {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  #usedBytes = 0;
  #head = 0;
  /** Taken since `takeSpan` was last called. */
  #span = 0;

  constructor(sizeBytes: number) {
    this.memory = new SharedArrayBuffer(sizeBytes);
    this.#bytes = new Uint8Array(this.memory);
  }

  /** Bytes that the reader has not given back. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Copies a payload in, in one piece. Returns: its offset, or `null` when there is no room. */
  write(payload: Uint8Array): number | null {
    const sizeBytes = this.#bytes.byteLength;
    const needed = Math.ceil(payload.byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    const wraps = this.#head + needed > sizeBytes;
    const gap = wraps ? sizeBytes - this.#head : 0;
    if (this.#usedBytes + gap + needed > sizeBytes) return null;
    const offset = wraps ? 0 : this.#head;
    this.#bytes.set(payload, offset);
    this.#head = offset + needed;
    this.#usedBytes += gap + needed;
    this.#span += gap + needed;
    return offset;
  }

  /** What was taken since the last call, for the reader to give back. Units: bytes. */
  takeSpan(): number {
    const span = this.#span;
    this.#span = 0;
    return span;
  }

  /** The reader has done with so many bytes. */
  giveBack(span: number): void {
    this.#usedBytes -= span;
  }
}
