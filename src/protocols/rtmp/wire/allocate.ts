/**
 * A byte string of exact size whose bytes are all to be overwritten.
 *
 * Small ones share slabs, as `Buffer.allocUnsafe` does it, which costs a sixth of `new Uint8Array`. The result is a
 * plain `Uint8Array`, since `slice` of a `Buffer` does not copy.
 */
export function allocate(lengthBytes: number): Uint8Array {
  const slab = Buffer.allocUnsafe(lengthBytes);
  return new Uint8Array(slab.buffer, slab.byteOffset, lengthBytes);
}
