/** What a reply says of the range that it has. `totalBytes`: `null` when the host does not know. */
export type ContentRange = {
  readonly from: number;
  readonly to: number;
  readonly totalBytes: number | null;
};

/**
 * Reads a `Content-Range`. Returns: bytes `from` up to, not including, `to`; `null` for anything that is no range of
 * bytes. Spec: RFC 9110 section 14.4.
 */
export function parseContentRange(text: string): ContentRange | null {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(text);
  if (found === null) return null;
  const [from, last] = [Number(found[1]), Number(found[2])];
  const totalBytes = found[3] === undefined ? null : Number(found[3]);
  if (last < from || (totalBytes !== null && last >= totalBytes)) return null;
  return { from, to: last + 1, totalBytes };
}
