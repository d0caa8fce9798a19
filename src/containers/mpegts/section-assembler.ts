import { readU16 } from "../../base/bytes.ts";
import { tsErrors } from "./errors.ts";

/** Longest PAT or PMT section. Spec: ISO/IEC 13818-1 sections 2.4.4.5, 2.4.4.9. */
export const MAX_SECTION_BYTES = 1024;

const LENGTH_FIELD_BYTES = 3;
const NO_TABLE = 0xff;

/**
 * Puts the sections of one PID together.
 *
 * Ownership: the section that `onSection` gets is good during the call. Bound: `MAX_SECTION_BYTES`.
 * Spec: ISO/IEC 13818-1 sections 2.4.4, 2.4.4.1 (pointer_field).
 */
export class SectionAssembler {
  readonly #pid: number;
  readonly #onSection: (section: Uint8Array) => void;
  readonly #buffer = new Uint8Array(MAX_SECTION_BYTES);
  #lengthBytes = 0;
  #isOpen = false;

  constructor(pid: number, onSection: (section: Uint8Array) => void) {
    this.#pid = pid;
    this.#onSection = onSection;
  }

  /** Takes the payload of a packet. Throws: TS_SECTION_BROKEN, and what `onSection` throws. */
  payload(bytes: Uint8Array, from: number, to: number, isStart: boolean): void {
    if (!isStart) {
      this.#continue(bytes, from, to);
      return;
    }
    const start = from + 1 + bytes[from]!;
    if (start > to) {
      this.lost();
      throw this.#broken("the pointer to a section goes past the end of its packet");
    }
    this.#continue(bytes, from + 1, start);
    this.#lengthBytes = 0;
    this.#isOpen = true;
    this.#continue(bytes, start, to);
  }

  /** Packets are missing: the section that was begun is not to be finished. */
  lost(): void {
    this.#isOpen = false;
    this.#lengthBytes = 0;
  }

  /** Nothing waits for an end here. */
  end(): void {
    this.lost();
  }

  #continue(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (this.#isOpen && at < to) {
      if (this.#lengthBytes === 0 && bytes[at] === NO_TABLE) return this.lost(); // stuffing up to the packet's end
      const missing = this.#neededBytes() - this.#lengthBytes;
      const taken = Math.min(missing, to - at);
      for (let i = 0; i < taken; i++) this.#buffer[this.#lengthBytes + i] = bytes[at + i]!;
      this.#lengthBytes += taken;
      at += taken;
      if (this.#lengthBytes >= LENGTH_FIELD_BYTES && this.#lengthBytes === this.#neededBytes())
        this.#finish();
    }
  }

  #neededBytes(): number {
    if (this.#lengthBytes < LENGTH_FIELD_BYTES) return LENGTH_FIELD_BYTES;
    const needed = LENGTH_FIELD_BYTES + (readU16(this.#buffer, 1) & 0x0fff);
    if (needed <= MAX_SECTION_BYTES) return needed;
    this.lost();
    throw this.#broken(`a section of ${needed} bytes is longer than ${MAX_SECTION_BYTES}`);
  }

  #finish(): void {
    const section = this.#buffer.subarray(0, this.#lengthBytes);
    this.#lengthBytes = 0;
    this.#onSection(section);
  }

  #broken(reason: string): Error {
    return tsErrors.error("TS_SECTION_BROKEN", { pid: this.#pid, reason });
  }
}
