/** The polynomial 0x04c11db7 with its bits reversed. */
const POLYNOMIAL = 0xedb88320;

/** Four tables of 256 words, one behind the other: four bytes are taken at a time. */
const TABLES = makeTables();

/**
 * The CRC-32 of `view[start, end)`, the one of gzip, PNG and `zlib.crc32`. Made here because a day of an archive has
 * some hundred thousand records of 60 bytes, and a call out of JavaScript costs several times what such a sum does.
 *
 * Returns: an unsigned number. Spec: RFC 1952 section 8.
 */
export function crc32(view: DataView, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = crc ^ view.getInt32(at, true);
    crc =
      TABLES[768 + (word & 0xff)]! ^
      TABLES[512 + ((word >>> 8) & 0xff)]! ^
      TABLES[256 + ((word >>> 16) & 0xff)]! ^
      TABLES[word >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ TABLES[(crc ^ view.getUint8(at)) & 0xff]!;
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? POLYNOMIAL : 0);
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!;
    tables[at] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}
