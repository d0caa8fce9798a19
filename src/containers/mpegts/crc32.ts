const POLYNOMIAL = 0x04c11db7;
const TABLE = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte << 24;
    for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest < 0 ? POLYNOMIAL : 0);
    table[byte] = rest;
  }
  return table;
}

/**
 * CRC_32 of `bytes[start, end)`; over a whole section with its own CRC it is 0.
 *
 * Returns: an unsigned 32-bit integer. Spec: ISO/IEC 13818-1 annex A.
 */
export function mpegCrc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff_ffff;
  for (let at = start; at < end; at++) crc = (crc << 8) ^ TABLE[(crc >>> 24) ^ bytes[at]!]!;
  return crc >>> 0;
}
