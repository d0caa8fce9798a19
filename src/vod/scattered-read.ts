import type { ByteSource } from "./byte-source.ts";

/**
 * Reads what lies behind one another in a source into targets that lie anywhere in memory: at one go where the source can,
 * else by a copy.
 *
 * Returns: the bytes that were read, fewer than there is room for only where the source ends; what is behind them is not
 * written to. Throws whatever the source throws; nothing writes to the targets any more then.
 */
export async function readScattered(
  source: ByteSource,
  offset: number,
  targets: readonly Uint8Array[],
): Promise<number> {
  if (source.readInto !== undefined) return await source.readInto(offset, targets);
  const bytes = await source.read(offset, roomOf(targets));
  let at = 0;
  for (const target of targets) {
    target.set(bytes.subarray(at, at + target.byteLength));
    at += target.byteLength;
    if (at >= bytes.byteLength) break;
  }
  return bytes.byteLength;
}

/** Bytes that fit into targets. */
export function roomOf(targets: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { byteLength } of targets) bytes += byteLength;
  return bytes;
}

/** The room of targets from a place on, up to another one; views. */
export function partOfTargets(targets: readonly Uint8Array[], from: number, to: number): Uint8Array[] {
  const part: Uint8Array[] = [];
  let at = 0;
  for (const target of targets) {
    const start = Math.max(from - at, 0);
    const end = Math.min(to - at, target.byteLength);
    if (start < end) part.push(target.subarray(start, end));
    at += target.byteLength;
  }
  return part;
}
