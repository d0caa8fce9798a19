/** What the server keeps in its Secret, and what is wrong with what it finds there. */
import { hashText } from "../base/hash.ts";

/** A login and its password, in clear. Never log it. */
export type KeptCredentials = { readonly login: string; readonly password: string };

/** Reads `LOGIN:PASSWORD`; `fault` does not quote the text. */
export type CredentialsReader = (
  text: string,
) => { readonly credentials: KeptCredentials } | { readonly fault: string };

/** Under this key is the id of servers that stand in for each other; see `serverIdKey`. */
export const SERVER_ID_KEY = "server_id";

/** Spec: Kubernetes API, Secret, `data`: letters, digits, "-", "_" and ".", at most 253. */
const MAX_KEY_LENGTH = 253;

/**
 * Under which key a server's id is kept: servers with a name of their own have an id of their own, though they share the
 * Secret. A name is one that the configuration gives, as DaemonSets have it from the node, or that of a StatefulSet's pod,
 * which ends in a number. Pods with names that are made up are replaced by others of other names: they are one server.
 *
 * Spec: Kubernetes documentation, "StatefulSets", "Ordinal Index"; the suffix that is made up is of 5 characters.
 */
export function serverIdKey(hostname: string | undefined, podName: string | undefined): string {
  const name = hostname ?? (/-(?:0|[1-9]\d{0,3})$/.test(podName ?? "") ? podName : undefined);
  if (name === undefined) return SERVER_ID_KEY;
  const key = `${SERVER_ID_KEY}.${name.toLowerCase()}`;
  if (key.length <= MAX_KEY_LENGTH) return key;
  const hash = hashText(name.toLowerCase()).toString(16).padStart(8, "0");
  return `${key.slice(0, MAX_KEY_LENGTH - hash.length - 1)}-${hash}`;
}

/** Under this key, as `LOGIN:PASSWORD`, operators look for credentials that a server made up. */
export const EDIT_AUTH_KEY = "edit_auth";

/** A value of the Secret. "absent": there is no such key, or it is empty, as placeholders are. */
export type KeptValue<T> = { readonly value: T } | { readonly fault: string } | "absent";

/** Reads the server's id: what this server, or another of the same state, wrote. */
export function readServerId(
  data: Readonly<Record<string, string>>,
  key = SERVER_ID_KEY,
): KeptValue<string> {
  const text = textOf(data, key);
  if (typeof text === "string" || "fault" in text) return text;
  const id = text.value.replace(/[\r\n]+$/, "");
  if (ID.test(id)) return isEncodedId(id) ? { fault: "it is base64 twice: encode it once" } : { value: id };
  if (id.startsWith("\uFEFF"))
    return { fault: "it begins with a byte order mark: save it as UTF-8 without one" };
  return { fault: "it is not 8 to 64 letters, digits and hyphens" };
}

const ID = /^[0-9A-Za-z][0-9A-Za-z-]{7,63}$/;

/** Base64 of an id looks like an id. That another one decodes to nothing but the letters of an id is as good as ruled out. */
function isEncodedId(id: string): boolean {
  return !id.includes("-") && ID.test(Buffer.from(id, "base64").toString("latin1"));
}

/** Reads the administrator's credentials. */
export function readEditAuth(
  data: Readonly<Record<string, string>>,
  read: CredentialsReader,
): KeptValue<KeptCredentials> {
  const text = textOf(data, EDIT_AUTH_KEY);
  if (typeof text === "string" || "fault" in text) return text;
  const found = read(text.value);
  return "credentials" in found ? { value: found.credentials } : { fault: found.fault };
}

/** Spec: RFC 4648 section 4; the API server stores no other alphabet. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function textOf(data: Readonly<Record<string, string>>, key: string): KeptValue<string> {
  const written = Object.hasOwn(data, key) ? data[key]! : "";
  if (!BASE64.test(written)) return { fault: "it is not base64" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(written, "base64"),
    );
    return text.trim() === "" ? "absent" : { value: text };
  } catch {
    return { fault: "it is not UTF-8 text" };
  }
}
