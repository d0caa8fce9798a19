/** Longest header that is looked at, in characters. */
export const MAX_AUTHORIZATION_LENGTH = 8192;

/** An `Authorization` header, taken apart. */
export type Authorization =
  | {
      readonly scheme: "basic" | "bearer";
      /** As it was sent: a token of its own, maybe. */
      readonly text: string;
      /** What it has in base64; both "" where it has no colon. */
      readonly login: string;
      readonly password: string;
    }
  | {
      readonly scheme: "cluster";
      /** UTC in seconds, as it was written. */
      readonly time: string;
      /** SHA-1 in hex, lower case. */
      readonly hash: string;
    };

/**
 * Reads an `Authorization` header: `Basic` and `Bearer` with base64, of either alphabet, of `login:password`, or with a
 * token; `Cluster TIME:HASH`. Line ends at the end of what is in base64 are no part of it: one made by
 * `echo root:password | base64`, as in a Secret, has one. `null`: it is none of them.
 *
 * Spec: RFC 7617 section 2, RFC 6750 section 2.1.
 */
export function readAuthorization(header: string): Authorization | null {
  if (header.length > MAX_AUTHORIZATION_LENGTH) return null;
  const [, name = "", text = ""] = /^([A-Za-z]+) +(\S+) *$/.exec(header) ?? [];
  const scheme = name.toLowerCase();
  if (scheme === "cluster") {
    const [, time, hash] = /^(\d{1,12}):([0-9a-f]{40})$/i.exec(text) ?? [];
    return time === undefined || hash === undefined ? null : { scheme, time, hash: hash.toLowerCase() };
  }
  return scheme === "basic" || scheme === "bearer" ? { scheme, text, ...loginOf(text) } : null;
}

function loginOf(text: string): { login: string; password: string } {
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);
  const line = isBase64
    ? Buffer.from(text, "base64")
        .toString("utf8")
        .replace(/[\r\n]+$/, "")
    : "";
  const colon = line.indexOf(":");
  if (colon === -1) return { login: "", password: "" };
  return { login: line.slice(0, colon), password: line.slice(colon + 1) };
}
