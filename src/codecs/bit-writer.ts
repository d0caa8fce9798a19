/** Writes bit fields, most significant bit first, into a small growing buffer: for configuration records. */
export class BitWriter {
  #bytes = new Uint8Array(32);
  #bit = 0;

  /** Writes the low `count` bits (0 to 32) of `value`. */
  write(value: number, count: number): this {
    this.#grow(count);
    for (let left = count - 1; left >= 0; left--) {
      if (Math.floor(value / 2 ** left) % 2 === 1)
        this.#bytes[this.#bit >>> 3]! |= 0x80 >>> (this.#bit & 7);
      this.#bit++;
    }
    return this;
  }

  /** What was written, filled up with zero bits to a whole byte; a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, (this.#bit + 7) >>> 3);
  }

  #grow(count: number): void {
    const needed = (this.#bit + count + 7) >>> 3;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
