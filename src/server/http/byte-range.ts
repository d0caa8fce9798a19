/** Half-open range of bytes. */
export type ByteRange = { readonly start: number; readonly end: number };

const SINGLE_RANGE = /^bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))$/;

/**
 * Reads a `Range` header against a body of `sizeBytes`.
 *
 * Returns: the range; `"unsatisfiable"`; or `null` where the header is to be ignored: another unit, several ranges, or
 * not well formed.
 * Spec: RFC 9110 section 14.2.
 */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | "unsatisfiable" | null {
  const match = header === undefined ? null : SINGLE_RANGE.exec(header.trim());
  if (match === null) return null;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Number(last) + 1;
  if (last !== "" && end <= start) return null;
  return start >= sizeBytes ? "unsatisfiable" : { start, end: Math.min(end, sizeBytes) };
}

/** The part of a body, given as chunks, that lies in a range; views, not copies. */
export function sliceBody(body: readonly Uint8Array[], range: ByteRange): Uint8Array[] {
  const part: Uint8Array[] = [];
  let offset = 0;
  for (const chunk of body) {
    const from = Math.max(range.start - offset, 0);
    const to = Math.min(range.end - offset, chunk.byteLength);
    if (from < to) part.push(chunk.subarray(from, to));
    offset += chunk.byteLength;
  }
  return part;
}
