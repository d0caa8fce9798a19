/**
 * Big-endian integers at an offset. Callers check lengths first, once per unit; these functions do not.
 * Numbers above 31 bits use arithmetic, never shifts.
 */

/** Reads 2 bytes, big-endian. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** Reads 3 bytes, big-endian. */
export function readU24(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
}

/** Reads 3 bytes, big-endian, two's complement. */
export function readI24(bytes: Uint8Array, offset: number): number {
  return (readU24(bytes, offset) << 8) >> 8;
}

/** Reads 4 bytes, big-endian, as an unsigned number. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) |
      (bytes[offset + 1]! << 16) |
      (bytes[offset + 2]! << 8) |
      bytes[offset + 3]!) >>>
    0
  );
}

/** Reads 4 bytes, big-endian, two's complement. */
export function readI32(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) | 0;
}

/** Reads 8 bytes, big-endian, unsigned. Exact below 2^53; larger values lose low bits, so check the range. */
export function readU64(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) * 2 ** 32 + readU32(bytes, offset + 4);
}

/** Reads 8 bytes, big-endian, two's complement. Exact within ±2^53. */
export function readI64(bytes: Uint8Array, offset: number): number {
  return readI32(bytes, offset) * 2 ** 32 + readU32(bytes, offset + 4);
}

/** Writes the low 16 bits, big-endian. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

/** Writes the low 24 bits, big-endian. */
export function writeU24(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value;
}

/** Writes the low 32 bits, big-endian; takes negative numbers as two's complement. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** Writes a safe non-negative integer as 8 bytes, big-endian. */
export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, Math.floor(value / 2 ** 32));
  writeU32(bytes, offset + 4, value >>> 0);
}

/** Reads a four-character code as Latin-1 text, e.g. `moov` or `avc1`. */
export function readFourCc(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(bytes[offset]!, bytes[offset + 1]!, bytes[offset + 2]!, bytes[offset + 3]!);
}

/** Writes four Latin-1 characters. */
export function writeFourCc(bytes: Uint8Array, offset: number, text: string): void {
  for (let i = 0; i < 4; i++) bytes[offset + i] = text.charCodeAt(i);
}

/** True when both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Joins chunks into one exactly sized new buffer. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const chunk of chunks) lengthBytes += chunk.byteLength;
  const joined = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return joined;
}

/** The sum of the chunks' lengths. */
export function totalBytes(chunks: readonly Uint8Array[]): number {
  let sum = 0;
  for (const chunk of chunks) sum += chunk.byteLength;
  return sum;
}
