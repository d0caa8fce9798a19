import { createHash, timingSafeEqual } from "node:crypto";

/** A login with its password. */
export type ApiCredentials = { readonly login: string; readonly password: string };

/** What a caller of the API may do. */
export type ApiAccess = "edit" | "view" | "none";

/**
 * Judges an `Authorization` header against the administrator's and the reader's credentials.
 *
 * Both `Basic` and `Bearer` carry base64 of `login:password`, as API clients of the reference product send them.
 * Line ends at the end are no part of it: a token made by `echo root:password | base64`, as in a Secret, has one.
 * Comparison takes the same time whatever is wrong. Without any credentials configured nobody gets in.
 */
export function accessOf(
  authorization: string | undefined,
  editAuth: ApiCredentials | undefined,
  viewAuth: ApiCredentials | undefined,
): ApiAccess {
  const given = /^(?:basic|bearer) +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization ?? "")?.[1];
  if (given === undefined) return "none";
  const text = Buffer.from(given, "base64")
    .toString("utf8")
    .replace(/[\r\n]+$/, "");
  const mayEdit = isSame(text, editAuth);
  const mayView = isSame(text, viewAuth);
  if (mayEdit) return "edit";
  return mayView ? "view" : "none";
}

function isSame(given: string, wanted: ApiCredentials | undefined): boolean {
  const expected = wanted === undefined ? "" : `${wanted.login}:${wanted.password}`;
  const isEqual = timingSafeEqual(digest(given), digest(expected));
  return isEqual && wanted !== undefined;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
