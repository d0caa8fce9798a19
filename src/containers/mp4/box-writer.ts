import { writeFourCc, writeU16, writeU24, writeU32, writeU64 } from "../../base/bytes.ts";

/**
 * Writes nested boxes into one growing buffer: for init segments, which are rare. Fragments are not made with it.
 *
 * Spec: ISO/IEC 14496-12 section 4.2.
 */
export class BoxWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Writes a box whose contents `fill` writes; the size is put in afterwards. */
  box(type: string, fill: () => void): this {
    const start = this.#reserve(8);
    writeFourCc(this.#bytes, start + 4, type);
    fill();
    writeU32(this.#bytes, start, this.#length - start);
    return this;
  }

  /** Writes a box with version and flags. */
  fullBox(type: string, version: number, flags: number, fill: () => void): this {
    return this.box(type, () => {
      this.u8(version).u24(flags);
      fill();
    });
  }

  /** Writes one byte. */
  u8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    return this;
  }

  /** Writes 2 bytes, big-endian, as all numbers here. */
  u16(value: number): this {
    const at = this.#reserve(2);
    writeU16(this.#bytes, at, value);
    return this;
  }

  /** Writes 3 bytes. */
  u24(value: number): this {
    const at = this.#reserve(3);
    writeU24(this.#bytes, at, value);
    return this;
  }

  /** Writes 4 bytes. */
  u32(value: number): this {
    const at = this.#reserve(4);
    writeU32(this.#bytes, at, value);
    return this;
  }

  /** Writes a safe non-negative integer in 8 bytes. */
  u64(value: number): this {
    const at = this.#reserve(8);
    writeU64(this.#bytes, at, value);
    return this;
  }

  /** Writes four characters. */
  fourCc(text: string): this {
    const at = this.#reserve(4);
    writeFourCc(this.#bytes, at, text);
    return this;
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Writes ASCII text with a zero byte after it. */
  cString(text: string): this {
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i));
    return this.u8(0);
  }

  /** Writes `count` zero bytes. */
  zeros(count: number): this {
    this.#reserve(count);
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.byteLength * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
}
