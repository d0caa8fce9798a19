import { readU16 } from "../../base/bytes.ts";
import { tsErrors } from "./errors.ts";
import { PES_FIXED_BYTES, PES_PREFIX_BYTES } from "./pes-header.ts";
import { TIMESTAMP_BYTES, readTimestamp } from "./timestamps.ts";

/** The contents of a PES packet. Ownership: `bytes` from `from` to `to` is good during the call that hands it over. */
export type PesPayload = {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** 33 bits of 90 kHz ticks; `null` when the header has none. */
  readonly pts: number | null;
  /** The same as `pts` when there is no DTS. */
  readonly dts: number | null;
};

const FIRST_BUFFER_BYTES = 16 * 1024;
/** A buffer that grew over this for one packet is given up after it. */
const KEPT_BUFFER_BYTES = 1024 * 1024;
/** stream_ids whose packets have no such header. Spec: ISO/IEC 13818-1 section 2.4.3.7. */
const BARE_STREAM_IDS: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/**
 * Puts the PES packets of one PID together.
 *
 * One whose length is stated is handed over as soon as it is there; one of open length when the next begins.
 * Bound: `limitBytes`; a longer one is dropped. Spec: ISO/IEC 13818-1 sections 2.4.3.6, 2.4.3.7.
 */
export class PesAssembler {
  readonly #pid: number;
  readonly #limitBytes: number;
  readonly #onPes: (pes: PesPayload) => void;
  #buffer = new Uint8Array(0);
  #lengthBytes = 0;
  #isOpen = false;

  constructor(pid: number, limitBytes: number, onPes: (pes: PesPayload) => void) {
    this.#pid = pid;
    this.#limitBytes = limitBytes;
    this.#onPes = onPes;
  }

  /** Takes the payload of a packet. Throws: TS_PES_BROKEN, and what `onPes` throws. */
  payload(bytes: Uint8Array, from: number, to: number, isStart: boolean): void {
    try {
      if (isStart) this.end();
    } finally {
      if (isStart) this.#isOpen = true;
      if (this.#isOpen) this.#append(bytes, from, to);
    }
    if (this.#isOpen) this.#handOverWhenWhole();
  }

  /** Packets are missing: what was begun is dropped. Returns: whether anything was. */
  lost(): boolean {
    const had = this.#isOpen && this.#lengthBytes > 0;
    this.#isOpen = false;
    this.#lengthBytes = 0;
    return had;
  }

  /** Nothing more comes: a packet of open length ends here. Throws: TS_PES_BROKEN, and what `onPes` throws. */
  end(): void {
    if (!this.#isOpen || this.#lengthBytes === 0) return;
    const isWhole = this.#lengthBytes >= PES_PREFIX_BYTES && readU16(this.#buffer, 4) === 0;
    if (!isWhole) {
      this.lost();
      throw this.#broken("a PES packet is shorter than it says");
    }
    this.#handOver(this.#lengthBytes);
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#lengthBytes + to - from;
    if (needed > this.#limitBytes) {
      this.lost();
      this.#buffer = new Uint8Array(0);
      throw this.#broken(`a PES packet is longer than ${this.#limitBytes} bytes`);
    }
    if (needed > this.#buffer.byteLength) {
      const size = Math.max(needed, this.#buffer.byteLength * 2, FIRST_BUFFER_BYTES);
      const grown = new Uint8Array(Math.min(size, this.#limitBytes));
      grown.set(this.#buffer.subarray(0, this.#lengthBytes));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes.subarray(from, to), this.#lengthBytes);
    this.#lengthBytes = needed;
  }

  #handOverWhenWhole(): void {
    if (this.#lengthBytes < PES_PREFIX_BYTES) return;
    const stated = readU16(this.#buffer, 4);
    const whole = PES_PREFIX_BYTES + stated;
    if (stated > 0 && this.#lengthBytes >= whole) this.#handOver(whole);
  }

  #handOver(lengthBytes: number): void {
    const buffer = this.#buffer;
    this.#isOpen = false;
    this.#lengthBytes = 0;
    if (buffer.byteLength > KEPT_BUFFER_BYTES) this.#buffer = new Uint8Array(0);
    const pes = this.#parse(buffer, lengthBytes);
    if (pes !== null) this.#onPes(pes);
  }

  #parse(bytes: Uint8Array, to: number): PesPayload | null {
    if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) throw this.#broken("no PES start code");
    if (BARE_STREAM_IDS.has(bytes[3]!)) return null;
    if (to < PES_FIXED_BYTES) throw this.#broken("a PES header is cut off");
    if (bytes[6]! >> 6 !== 2) throw this.#broken("a PES header is not of MPEG-2");
    const from = PES_FIXED_BYTES + bytes[8]!;
    if (from > to) throw this.#broken("a PES header is longer than its packet");
    const flags = bytes[7]! >> 6;
    const timesBytes = flags === 3 ? 2 * TIMESTAMP_BYTES : flags === 2 ? TIMESTAMP_BYTES : 0;
    if (timesBytes > bytes[8]!) throw this.#broken("the times of a PES packet are cut off");
    const pts = timesBytes > 0 ? readTimestamp(bytes, PES_FIXED_BYTES) : null;
    const dts = flags === 3 ? readTimestamp(bytes, PES_FIXED_BYTES + TIMESTAMP_BYTES) : pts;
    return { bytes, from, to, pts, dts };
  }

  #broken(reason: string): Error {
    return tsErrors.error("TS_PES_BROKEN", { pid: this.#pid, reason });
  }
}
