/**
 * Reads bit fields and Exp-Golomb codes from a byte string, most significant bit first.
 *
 * Reading past the end sets `isExhausted` and returns zeros: a parser checks it once at its end instead of at
 * every field, and a truncated SPS can never throw or loop.
 * Spec: ITU-T H.264 section 7.2 (u), 9.1 (ue, se).
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #endBit: number;
  #bit = 0;
  #exhausted = false;

  constructor(bytes: Uint8Array, startByte = 0) {
    this.#bytes = bytes;
    this.#endBit = bytes.byteLength * 8;
    this.#bit = startByte * 8;
  }

  /** True when any read went past the end; what was read since the start is then not to be trusted. */
  get isExhausted(): boolean {
    return this.#exhausted;
  }

  /** Position in bits from the start of the byte string. */
  get position(): number {
    return this.#bit;
  }

  /** Bits that are left. */
  get remaining(): number {
    return Math.max(0, this.#endBit - this.#bit);
  }

  /** Reads `count` bits (0 to 32) as an unsigned number. */
  read(count: number): number {
    if (this.#bit + count > this.#endBit) {
      this.#exhausted = true;
      this.#bit = this.#endBit;
      return 0;
    }
    let value = 0;
    let left = count;
    while (left > 0) {
      const inByte = this.#bit & 7;
      const take = Math.min(8 - inByte, left);
      const chunk = (this.#bytes[this.#bit >>> 3]! >>> (8 - inByte - take)) & ((1 << take) - 1);
      value = value * 2 ** take + chunk;
      this.#bit += take;
      left -= take;
    }
    return value;
  }

  /** Reads one bit as a truth value. */
  flag(): boolean {
    return this.read(1) === 1;
  }

  /** Moves on by `count` bits. */
  skip(count: number): void {
    this.#bit += count;
    if (this.#bit > this.#endBit) {
      this.#exhausted = true;
      this.#bit = this.#endBit;
    }
  }

  /** Moves to the next byte boundary. */
  align(): void {
    this.skip((8 - (this.#bit & 7)) & 7);
  }

  /** Unsigned Exp-Golomb code, ue(v); at most 32 leading zeros. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros++;
      if (zeros > 32 || this.#exhausted) {
        this.#exhausted = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.read(zeros);
  }

  /** Signed Exp-Golomb code, se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
  }
}
