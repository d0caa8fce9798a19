import type { Credentials } from "./plan.ts";

/** Longest text of credentials that is read, in UTF-16 code units. */
export const MAX_CREDENTIALS_LENGTH = 4096;

/** Credentials, or what is wrong with their text: without the text, which is a secret. */
export type CredentialsReading =
  | { readonly credentials: Credentials }
  | { readonly fault: string; readonly line: number; readonly column: number };

/**
 * Reads `LOGIN:PASSWORD`, as variables, files and Secrets hold it.
 *
 * Line ends at the end are no part of it: Secrets made by `echo ... | base64` have one, files of editors too. The
 * login ends at the first colon; the password may have more of them.
 *
 * Units: `line` and `column` count from 1, in characters. Spec: RFC 7617 section 2.
 */
export function readCredentials(text: string): CredentialsReading {
  const value = text.replace(/[\r\n]+$/, "");
  const colon = value.indexOf(":");
  const found = faultOf(value, colon);
  if (found === undefined)
    return { credentials: { login: value.slice(0, colon), password: value.slice(colon + 1) } };
  const before = value.slice(0, found.at).split(/\r\n|\r|\n/);
  return { fault: found.fault, line: before.length, column: Array.from(before.at(-1)!).length + 1 };
}

function faultOf(value: string, colon: number): { fault: string; at: number } | undefined {
  if (value === "") return { fault: "there is nothing in it", at: 0 };
  if (value.length > MAX_CREDENTIALS_LENGTH) return { fault: "the value is too long", at: 0 };
  if (value.startsWith("\uFEFF"))
    return { fault: "it begins with a byte order mark: save it as UTF-8 without one", at: 0 };
  const control = /\p{Cc}/u.exec(value);
  if (control !== null) {
    const isLineEnd = control[0] === "\r" || control[0] === "\n";
    return {
      fault: isLineEnd ? "there is more than one line in it" : "there is a control character in it",
      at: control.index,
    };
  }
  if (colon === -1) return { fault: withoutColon(value), at: 0 };
  if (colon === 0) return { fault: "the login is empty", at: 0 };
  return colon === value.length - 1 ? { fault: "the password is empty", at: value.length } : undefined;
}

/** A Secret's `data` is base64 already; who encodes the value as well gets base64 where the login should be. */
function withoutColon(value: string): string {
  return decoded(value)?.includes(":") === true
    ? "it is base64 twice: encode it once under `data` of a Secret, not at all under `stringData`"
    : `there is no ":" between login and password`;
}

function decoded(value: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{4,}={0,2}$/.test(value)) return undefined;
  try {
    return atob(value);
  } catch {
    return undefined;
  }
}
