import { concatBytes } from "../../base/bytes.ts";
import { tsErrors } from "./errors.ts";
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "./layout.ts";

/** Takes one packet: the 188 bytes from `at` on, which are good during the call. */
export type TsPacketTaker = (bytes: Uint8Array, at: number) => void;

/** Bytes in a row without a packet after which it is no transport stream. */
export const MAX_UNSYNCED_BYTES = 256 * 1024;

/**
 * Distances of packets: bare, with a time of arrival in front (M2TS), and with a Reed-Solomon code behind.
 * Spec: ISO/IEC 13818-1 section 2.4.3.2; BDAV MPEG-2 TS; ETSI EN 300 429 section 4.4.2.
 */
const DISTANCES_BYTES = [TS_PACKET_BYTES, 192, 204] as const;
const MAX_DISTANCE_BYTES = 204;

/** Sync bytes in a row, a packet apart, by which a packet's place is known. */
const CONFIRMATIONS = 3;

/**
 * Finds the packets in a byte stream, however it is cut, and again after bytes were lost or put in.
 *
 * Three sync bytes at a distance of packets are a place; from there on each packet's own sync byte is enough. What is
 * between packets of 192 or 204 bytes is left out.
 * Bound: keeps less than three packets. Spec: ISO/IEC 13818-1 section 2.4.3.3 (sync_byte).
 */
export class TsPacketFramer {
  readonly #take: TsPacketTaker;
  #tail = new Uint8Array(CONFIRMATIONS * MAX_DISTANCE_BYTES);
  #tailBytes = 0;
  #isSynced = false;
  #distance: number = TS_PACKET_BYTES;
  #skippedBytes = 0;
  #unsyncedBytes = 0;

  constructor(take: TsPacketTaker) {
    this.#take = take;
  }

  /** Bytes that belonged to no packet. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  /** Takes the next bytes; nothing of them is kept but a copy of the last few. Throws: TS_NO_SYNC. */
  push(bytes: Uint8Array): void {
    if (this.#tailBytes === 0) return this.#run(bytes, 0);
    if (!this.#isSynced) {
      const joined = concatBytes([this.#tail.subarray(0, this.#tailBytes), bytes]);
      this.#tailBytes = 0;
      return this.#run(joined, 0);
    }
    const missing = this.#distance - this.#tailBytes;
    if (bytes.byteLength < missing) return this.#keep(bytes, 0);
    this.#keep(bytes.subarray(0, missing), 0);
    this.#tailBytes = 0;
    this.#take(this.#tail, 0);
    this.#run(bytes, missing);
  }

  /** Nothing more comes: packets at the end are taken with fewer sync bytes behind them. */
  end(): void {
    const tail = this.#tail.slice(0, this.#tailBytes);
    this.#tailBytes = 0;
    if (this.#isSynced) {
      if (tail.byteLength >= TS_PACKET_BYTES) this.#take(tail, 0);
      return;
    }
    for (let at = 0; at + TS_PACKET_BYTES <= tail.byteLength;) {
      const isPlace =
        tail[at] === TS_SYNC_BYTE && (tail[at + TS_PACKET_BYTES] ?? TS_SYNC_BYTE) === TS_SYNC_BYTE;
      if (isPlace) this.#take(tail, at);
      else this.#skippedBytes++;
      at += isPlace ? TS_PACKET_BYTES : 1;
    }
  }

  #run(bytes: Uint8Array, start: number): void {
    let at = start;
    while (at < bytes.byteLength) {
      if (!this.#isSynced) {
        at = this.#search(bytes, at);
        if (!this.#isSynced) return this.#keep(bytes, at);
      } else if (bytes[at] !== TS_SYNC_BYTE) this.#isSynced = false;
      else if (at + this.#distance > bytes.byteLength) return this.#keep(bytes, at);
      else {
        this.#take(bytes, at);
        at += this.#distance;
      }
    }
  }

  /** Returns: the place that was found, or the first one that more bytes may prove. */
  #search(bytes: Uint8Array, start: number): number {
    let at = start;
    for (; at < bytes.byteLength; at++) {
      if (bytes[at] !== TS_SYNC_BYTE) continue;
      const distance = distanceAt(bytes, at);
      if (distance === 0) continue;
      this.#isSynced = distance > 0;
      if (distance > 0) this.#distance = distance;
      break;
    }
    this.#skip(at - start);
    if (this.#isSynced) this.#unsyncedBytes = 0;
    return at;
  }

  #skip(count: number): void {
    this.#skippedBytes += count;
    this.#unsyncedBytes += count;
    if (this.#unsyncedBytes <= MAX_UNSYNCED_BYTES) return;
    throw tsErrors.error("TS_NO_SYNC", { skippedBytes: this.#unsyncedBytes });
  }

  #keep(bytes: Uint8Array, from: number): void {
    this.#tail.set(from === 0 ? bytes : bytes.subarray(from), this.#tailBytes);
    this.#tailBytes += bytes.byteLength - from;
  }
}

/** The distance at which sync bytes follow the one at `at`; 0 for none, -1 when more bytes are needed to tell. */
function distanceAt(bytes: Uint8Array, at: number): number {
  let isOpen = false;
  for (const distance of DISTANCES_BYTES) {
    let proven = 1;
    while (proven < CONFIRMATIONS && bytes[at + proven * distance] === TS_SYNC_BYTE) proven++;
    if (proven === CONFIRMATIONS) return distance;
    isOpen ||= at + proven * distance >= bytes.byteLength;
  }
  return isOpen ? -1 : 0;
}
