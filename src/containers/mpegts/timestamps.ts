import { rescale } from "../../base/time.ts";
import { TS_TIMESCALE, TS_WRAP_TICKS } from "./layout.ts";

/** Bytes of a PTS or DTS field. */
export const TIMESTAMP_BYTES = 5;

/** Bytes of a PCR field. */
export const PCR_BYTES = 6;

const TWO_POW_30 = 2 ** 30;

/** A track's time on the 90 kHz clock, not wrapped. */
export function toTsTicks(ticks: number, timescale: number): number {
  return rescale(ticks, timescale, TS_TIMESCALE);
}

/** A time modulo 2^33, never negative. */
export function wrapTicks(ticks: number): number {
  const rest = ticks % TS_WRAP_TICKS;
  return rest < 0 ? rest + TS_WRAP_TICKS : rest;
}

/** The difference of two wrapped times that is nearest to 0. */
export function nearestDifference(from: number, to: number): number {
  const ahead = wrapTicks(to - from);
  return ahead >= TS_WRAP_TICKS / 2 ? ahead - TS_WRAP_TICKS : ahead;
}

/**
 * Writes a PTS or DTS field; `prefix` is 2 for a PTS alone, 3 for a PTS with a DTS behind it, 1 for that DTS.
 *
 * Input: any integer; wrapped here. Spec: ISO/IEC 13818-1 section 2.4.3.6.
 */
export function writeTimestamp(out: Uint8Array, at: number, prefix: number, ticks: number): void {
  const wrapped = wrapTicks(ticks);
  const high = Math.floor(wrapped / TWO_POW_30);
  const low = wrapped % TWO_POW_30;
  out[at] = (prefix << 4) | (high << 1) | 1;
  out[at + 1] = low >>> 22;
  out[at + 2] = ((low >>> 14) & 0xfe) | 1;
  out[at + 3] = low >>> 7;
  out[at + 4] = ((low << 1) & 0xfe) | 1;
}

/**
 * Reads a PTS or DTS field. Marker bits are not checked: some muxers leave them out.
 *
 * Returns: ticks below 2^33. Spec: ISO/IEC 13818-1 section 2.4.3.6.
 */
export function readTimestamp(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >> 1) & 7;
  const middle = (bytes[at + 1]! << 7) | (bytes[at + 2]! >> 1);
  const low = (bytes[at + 3]! << 7) | (bytes[at + 4]! >> 1);
  return high * TWO_POW_30 + middle * 2 ** 15 + low;
}

/**
 * Writes a PCR field with an extension of 0: our clock ticks at 90 kHz, and what is written is exact on it.
 *
 * Input: 90 kHz ticks, any integer. Spec: ISO/IEC 13818-1 sections 2.4.3.4, 2.4.3.5.
 */
export function writePcr(out: Uint8Array, at: number, ticks: number): void {
  const wrapped = wrapTicks(ticks);
  const high = Math.floor(wrapped / 2); // 33 bits less the lowest
  out[at] = high >>> 24;
  out[at + 1] = high >>> 16;
  out[at + 2] = high >>> 8;
  out[at + 3] = high;
  out[at + 4] = ((wrapped % 2) << 7) | 0x7e; // six reserved bits, the highest bit of the extension
  out[at + 5] = 0;
}
