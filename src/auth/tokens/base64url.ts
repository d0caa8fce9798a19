/**
 * Decodes base64url as tokens have it: without padding, without anything else in it, and only in the one form that the
 * bytes have. `null`: it is none.
 *
 * Spec: RFC 7515 section 2, RFC 4648 section 5; bits behind the last byte have to be zero (section 3.5).
 */
export function decodeBase64url(text: string): Buffer | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
