import { readU16, readU24, readU32, writeU32 } from "../base/bytes.ts";
import { badUnit, codecErrors } from "./errors.ts";

/** Bytes of the length field before each NAL unit in this project's payloads. */
export const NAL_LENGTH_BYTES = 4;

/** Largest access unit that is converted: over the largest picture of level 6.2, and a bound for a hostile sender. */
export const MAX_ACCESS_UNIT_BYTES = 64 * 1024 * 1024;

/** Longest parameter set that is unescaped; real ones have tens of bytes. */
export const MAX_PARAMETER_SET_BYTES = 16 * 1024;

/**
 * The offset after the NAL unit whose 4-byte length field stands at `at`; the unit itself begins at `at + 4`.
 *
 * Returns: -1 when the field or the unit goes past the end. An empty unit gives `at + 4`.
 * The loop of all readers, without allocation:
 * `for (let at = 0, end = 0; at < au.length; at = end) { end = nalUnitEnd(au, at); if (end < 0) ...; }`
 * Spec: ISO/IEC 14496-15 section 5.3.4.2.
 */
export function nalUnitEnd(accessUnit: Uint8Array, at: number): number {
  if (at + NAL_LENGTH_BYTES > accessUnit.byteLength) return -1;
  const end = at + NAL_LENGTH_BYTES + readU32(accessUnit, at);
  return end > accessUnit.byteLength ? -1 : end;
}

/** True when the payload is whole length-prefixed NAL units, at least one, and nothing else. */
export function isLengthPrefixed(accessUnit: Uint8Array): boolean {
  if (accessUnit.byteLength === 0) return false;
  let at = 0;
  while (at >= 0 && at < accessUnit.byteLength) at = nalUnitEnd(accessUnit, at);
  return at === accessUnit.byteLength;
}

/**
 * Removes emulation prevention bytes: `00 00 03` becomes `00 00`.
 *
 * Returns: the RBSP of `bytes[start, end)`; a view of the input when there is nothing to remove, else a copy.
 * Reads at most `maxBytes` of the input: enough for a header, and a bound for parameter sets.
 * Spec: ITU-T H.264 section 7.3.1, H.265 section 7.3.1.1.
 */
export function unescapeRbsp(bytes: Uint8Array, start: number, end: number, maxBytes: number): Uint8Array {
  const stop = Math.min(end, start + maxBytes, bytes.byteLength);
  const first = nextEscape(bytes, start, stop);
  if (first === stop) return bytes.subarray(start, stop);
  const rbsp = new Uint8Array(stop - start - 1);
  let length = 0;
  let from = start;
  for (let at = first; ; at = nextEscape(bytes, from, stop)) {
    rbsp.set(bytes.subarray(from, at), length);
    length += at - from;
    if (at === stop) return rbsp.subarray(0, length);
    from = at + 1;
  }
}

/** Offset of the next emulation prevention byte at or after `from`, or `stop`. */
function nextEscape(bytes: Uint8Array, from: number, stop: number): number {
  for (let at = from + 2; at < stop; at++) {
    if (bytes[at] === 3 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at;
  }
  return stop;
}

/**
 * Converts one Annex B access unit to length-prefixed form.
 *
 * Input: NAL units after 3- or 4-byte start codes; zero bytes after a unit and bytes before the first start code are
 * dropped.
 * Returns: a copy with 4-byte length prefixes, exact size; `null` when there is no NAL unit.
 * Throws: CODEC_TOO_BIG.
 * Spec: ITU-T H.264 Annex B.1; ISO/IEC 14496-15 section 5.3.4.2.
 */
export function annexBToLengthPrefixed(annexB: Uint8Array): Uint8Array | null {
  checkSize(annexB.byteLength);
  const first = startCodeEnd(annexB, 0);
  let lengthBytes = 0;
  for (let start = first, next = 0; start >= 0; start = next) {
    next = startCodeEnd(annexB, start);
    const unitBytes = unitEnd(annexB, start, next) - start;
    if (unitBytes > 0) lengthBytes += NAL_LENGTH_BYTES + unitBytes;
  }
  if (lengthBytes === 0) return null;
  const prefixed = new Uint8Array(lengthBytes);
  let to = 0;
  for (let start = first, next = 0; start >= 0; start = next) {
    next = startCodeEnd(annexB, start);
    const end = unitEnd(annexB, start, next);
    if (end === start) continue;
    writeU32(prefixed, to, end - start);
    prefixed.set(annexB.subarray(start, end), to + NAL_LENGTH_BYTES);
    to += NAL_LENGTH_BYTES + end - start;
  }
  return prefixed;
}

/** Offset after the first start code (`00 00 01`) at or after `from`; -1 when there is none. */
function startCodeEnd(bytes: Uint8Array, from: number): number {
  let at = from + 2;
  while (at < bytes.byteLength) {
    const byte = bytes[at]!;
    if (byte === 1 && bytes[at - 1] === 0 && bytes[at - 2] === 0) return at + 1;
    at += byte === 0 ? 1 : 3; // a byte that is not zero stands in no start code that ends before at + 3
  }
  return -1;
}

/** End of the unit that begins at `start`: before the next start code, if any, and the zero bytes in front of it. */
function unitEnd(bytes: Uint8Array, start: number, next: number): number {
  let end = next < 0 ? bytes.byteLength : next - 3;
  while (end > start && bytes[end - 1] === 0) end--;
  return end;
}

/**
 * Converts a length-prefixed access unit to Annex B with 4-byte start codes.
 *
 * Returns: a copy of the same size. Throws: CODEC_BAD_UNIT when a length goes past the end; CODEC_TOO_BIG.
 * Spec: ITU-T H.264 Annex B.1.
 */
export function lengthPrefixedToAnnexB(accessUnit: Uint8Array): Uint8Array {
  checkSize(accessUnit.byteLength);
  const annexB = accessUnit.slice();
  for (let at = 0, end = 0; at < annexB.byteLength; at = end) {
    end = nalUnitEnd(accessUnit, at);
    if (end < 0) throw badUnit("NAL", "a NAL unit goes past the end of its access unit");
    writeU32(annexB, at, 1);
  }
  return annexB;
}

/**
 * Rewrites an access unit whose length fields have 1, 2 or 3 bytes (`lengthSizeMinusOne` of its configuration) to the
 * 4-byte fields that payloads have here.
 *
 * Returns: a copy, or the input itself when `lengthSize` is 4. Throws: CODEC_BAD_UNIT, CODEC_TOO_BIG.
 * Spec: ISO/IEC 14496-15 section 5.3.4.2.
 */
export function toFourByteLengths(accessUnit: Uint8Array, lengthSize: number): Uint8Array {
  if (lengthSize === NAL_LENGTH_BYTES) return accessUnit;
  checkSize(accessUnit.byteLength);
  let units = 0;
  for (let at = 0; at < accessUnit.byteLength; at = shortUnitEnd(accessUnit, at, lengthSize)) units++;
  const widened = new Uint8Array(accessUnit.byteLength + units * (NAL_LENGTH_BYTES - lengthSize));
  let to = 0;
  for (let at = 0, end = 0; at < accessUnit.byteLength; at = end) {
    end = shortUnitEnd(accessUnit, at, lengthSize);
    const unitBytes = end - at - lengthSize;
    writeU32(widened, to, unitBytes);
    widened.set(accessUnit.subarray(at + lengthSize, end), to + NAL_LENGTH_BYTES);
    to += NAL_LENGTH_BYTES + unitBytes;
  }
  return widened;
}

function shortUnitEnd(accessUnit: Uint8Array, at: number, lengthSize: number): number {
  const start = at + lengthSize;
  if (start > accessUnit.byteLength) throw badUnit("NAL", "a NAL length field is cut off");
  const end = start + readLength(accessUnit, at, lengthSize);
  if (end > accessUnit.byteLength) throw badUnit("NAL", "a NAL unit goes past the end of its access unit");
  return end;
}

function readLength(bytes: Uint8Array, at: number, lengthSize: number): number {
  if (lengthSize === 1) return bytes[at]!;
  if (lengthSize === 2) return readU16(bytes, at);
  if (lengthSize === 3) return readU24(bytes, at);
  throw badUnit("NAL", `NAL length fields of ${lengthSize} bytes do not exist`);
}

function checkSize(lengthBytes: number): void {
  if (lengthBytes <= MAX_ACCESS_UNIT_BYTES) return;
  throw codecErrors.error("CODEC_TOO_BIG", {
    codec: "NAL",
    lengthBytes,
    limitBytes: MAX_ACCESS_UNIT_BYTES,
  });
}
