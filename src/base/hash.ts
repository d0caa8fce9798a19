/** The offset basis of FNV-1a, 32 bits. */
const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * Spreads texts over 32 bits; not for secrets. `basis`: another one gives another, independent hash.
 *
 * FNV-1a over UTF-16 code units, folded once. Returns: an unsigned 32-bit integer.
 */
export function hashText(text: string, basis = BASIS): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  hash ^= hash >>> 15;
  return hash >>> 0;
}
