import { JWT_ALGORITHMS } from "../auth/rules.ts";
import { nameFault } from "./names.ts";
import { readDomain, readHost, readNetwork } from "./network-values.ts";
import { shownWord } from "./secret-words.ts";
import { nearestName } from "./suggest.ts";
import type { Authorizer, JwtAlgorithm, SessionKey } from "../auth/rules.ts";
import type { Fault } from "./recording-values.ts";

/** Who decides, as a word of the config says it: blocks are named, not yet found. */
export type AuthorizerWord =
  | Exclude<Authorizer, { readonly kind: "block" | "jwt" }>
  | { readonly kind: "block"; readonly name: string }
  | { readonly kind: "jwt"; readonly name: string };

/** Most keys of a session's identity; each is read from every request. */
export const MAX_SESSION_KEYS = 16;

/** The last moment whose year has four digits. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const ALWAYS = ["name", "ip", "proto"] as const;
const AUTHORIZERS = ["http", "https", "auth", "jwt", "securetoken", "signed"];
const AUTHORIZER_FORM =
  "http://HOST/PATH, auth://NAME, jwt://NAME, securetoken://KEY, signed://KEY, true or false";

/**
 * Reads who decides about a session. Faults do not quote the text: it may be a key.
 *
 * `securetoken://KEY?no_check_ip=true`: the token is good for every address.
 */
export function readAuthorizer(text: string): { readonly authorizer: AuthorizerWord } | Fault {
  if (text === "true") return { authorizer: { kind: "everyone" } };
  if (text === "false") return { authorizer: { kind: "nobody" } };
  if (/\.lua$/i.test(text))
    return { fault: "scripts of Lua are not run here", hint: "let a server decide: http://HOST/PATH" };
  const match = /^([a-z]+):\/\/(.*)$/is.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? "";
  const rest = match?.[2] ?? "";
  // dispatch
  switch (scheme) {
    case "http":
    case "https": {
      const read = readWebUrl(text);
      return "url" in read ? { authorizer: { kind: "http", url: read.url } } : read;
    }
    case "auth":
      return named("block", rest);
    case "jwt":
      return named("jwt", rest);
    case "securetoken":
      return readSecuretoken(rest);
    case "signed":
      return readSigned(rest);
  }
  const near = scheme === "" ? undefined : nearestName(scheme, AUTHORIZERS);
  const hint = near === undefined ? AUTHORIZER_FORM : `did you mean ${near}://?`;
  return { fault: "this says nobody who could decide", hint };
}

function named(kind: "block" | "jwt", name: string): { authorizer: AuthorizerWord } | Fault {
  const hint = nameFault(name);
  return hint === undefined ? { authorizer: { kind, name } } : { fault: "this is not a good name", hint };
}

function readSecuretoken(rest: string): { authorizer: AuthorizerWord } | Fault {
  const [, key = "", query] = /^([^?]*)(?:\?(.*))?$/s.exec(rest) ?? [];
  if (key === "") return { fault: "the key is missing", hint: "as in securetoken://KEY" };
  const option = /^no_check_ip=(true|false)$/.exec(query ?? "no_check_ip=false");
  if (option === null)
    return {
      fault: "what stands behind the ? is not known",
      hint: "as in securetoken://KEY?no_check_ip=true",
    };
  return { authorizer: { kind: "securetoken", key, checksAddress: option[1] === "false" } };
}

function readSigned(key: string): { authorizer: AuthorizerWord } | Fault {
  if (key === "") return { fault: "the key is missing", hint: "as in signed://KEY" };
  if (key.includes("?")) return { fault: "a key has no ? in it", hint: "as in signed://KEY" };
  return { authorizer: { kind: "signed", key } };
}

/**
 * Reads the URL of a server. Faults do not quote the text: there may be a password in it.
 */
export function readWebUrl(text: string): { readonly url: string } | Fault {
  const hint = "it begins with http:// or https://";
  if (!/^https?:\/\/[^/?#]/i.test(text)) return { fault: "this is no URL of a server", hint };
  if (!URL.canParse(text) || text.includes("#") || /\s/.test(text))
    return { fault: "there is a mistake in this URL", hint };
  return { url: text };
}

/**
 * Reads where events go: a server, a file as `log://PATH` or `jsonlog://PATH`, or `log://`, the server's log.
 */
export function readSinkUrl(text: string): { readonly url: string } | Fault {
  if (/\.lua$/i.test(text))
    return {
      fault: "scripts of Lua are not run here",
      hint: "send the events to a server: http://HOST/PATH",
    };
  if (text === "log://") return { url: text };
  const file = /^(?:log|jsonlog):\/\/(.*)$/s.exec(text);
  if (file === null) {
    const read = readWebUrl(text);
    return "url" in read
      ? read
      : { ...read, hint: "it begins with http://, https://, log:// or jsonlog://" };
  }
  const path = file[1]!;
  const isGood = path.startsWith("/") && !/\p{Cc}/u.test(path) && !path.split("/").includes("..");
  if (isGood && !path.endsWith("/")) return { url: text };
  return {
    fault: "this is not the whole path of a file",
    hint: "as in jsonlog:///var/log/weir/events.log",
  };
}

/**
 * Reads keys of a session's identity, with commas between them. Always in: name, ip and proto, in front.
 */
export function readSessionKeys(
  texts: readonly string[],
): { readonly keys: readonly SessionKey[] } | Fault {
  const words = new Set<string>(ALWAYS);
  for (const word of texts.flatMap((text) => text.split(","))) {
    const key = sessionKeyOf(word);
    if (key === null) {
      const hint = "name, ip, proto, token, header.NAME or query.NAME";
      return { fault: `${shown(word)} is no key of a session`, hint };
    }
    words.add(showSessionKey(key));
  }
  if (words.size > MAX_SESSION_KEYS)
    return { fault: `these are too many keys`, hint: `at most ${MAX_SESSION_KEYS}` };
  return { keys: [...words].map((word) => sessionKeyOf(word)!) };
}

/** Header names are told apart without regard to case. Spec: RFC 9110 section 5.1. */
function sessionKeyOf(word: string): SessionKey | null {
  if (word === "name" || word === "ip" || word === "proto" || word === "token") return { kind: word };
  const [, kind, name] = /^(header|query)\.([\w.~-]{1,128})$/.exec(word) ?? [];
  if (kind === "header" && name !== undefined) return { kind, name: name.toLowerCase() };
  return kind === "query" && name !== undefined ? { kind, name } : null;
}

/** Writes a key as the config has it. */
export function showSessionKey(key: SessionKey): string {
  return "name" in key ? `${key.kind}.${key.name}` : key.kind;
}

/**
 * Reads countries, with commas between them, as two capital letters. Spec: ISO 3166-1 alpha-2.
 */
export function readCountries(text: string): { readonly countries: readonly string[] } | Fault {
  const countries = text.split(",").map((word) => word.toUpperCase());
  const bad = countries.find((word) => !/^[A-Z]{2}$/.test(word));
  if (bad === undefined) return { countries };
  return { fault: `${shown(bad)} is no country`, hint: "two letters, as in DE" };
}

/**
 * Reads the names of sites, with commas between them.
 */
export function readDomains(text: string): { readonly domains: readonly string[] } | Fault {
  const domains: string[] = [];
  for (const word of text.split(",")) {
    const read = readDomain(word);
    if ("fault" in read) return { ...read, fault: `${shown(word)} is no name of a site` };
    domains.push(read.domain);
  }
  return { domains };
}

/**
 * Reads a moment: a date, which begins at midnight UTC, or date and time with a zone.
 *
 * Units: UTC in milliseconds. Spec: RFC 3339 section 5.6.
 */
export function readTime(text: string): { readonly timeMs: number } | Fault {
  const form = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))?$/.exec(
    text,
  );
  const [, year, month, day, time = "00:00:00", fraction = "", zone = "Z"] = form ?? [];
  const date = `${year}-${month}-${day}`;
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  const timeMs = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  // The parser takes the 31st of every month.
  const isDay = !Number.isNaN(midnightMs) && new Date(midnightMs).toISOString().startsWith(date);
  if (form !== null && isDay && timeMs >= 0 && timeMs <= LAST_TIME_MS) return { timeMs };
  return { fault: `${shown(text)} is no time`, hint: "as in 2027-01-31 or 2027-01-31T18:00:00Z" };
}

/** What a directive of access may ask for; see `parseAccessWord`. */
export type AccessWord =
  | "algorithm"
  | "authorizer"
  | "countries"
  | "domains"
  | "host"
  | "network"
  | "query-key"
  | "session-keys"
  | "share"
  | "sink-url"
  | "time"
  | "web-url";

/** A word that is good; one that is more than its text is read again by whoever needs what is in it. */
export type AccessParsed = { readonly text: string } | { readonly number: number } | Fault;

const READERS: Readonly<Record<AccessWord, (text: string) => AccessParsed>> = {
  algorithm: readAlgorithm,
  authorizer: (text) => kept(readAuthorizer(text), text),
  countries: (text) => kept(readCountries(text), text),
  domains: (text) => kept(readDomains(text), text),
  host: (text) => as(readHost(text), ({ host }) => ({ text: host })),
  network: (text) => as(readNetwork(text), ({ network }) => ({ text: network })),
  "query-key": readQueryKey,
  "session-keys": (text) => kept(readSessionKeys([text]), text),
  share: readShare,
  "sink-url": (text) => kept(readSinkUrl(text), text),
  time: (text) => as(readTime(text), ({ timeMs }) => ({ number: timeMs })),
  "web-url": (text) => kept(readWebUrl(text), text),
};

/**
 * Reads a word of one of these kinds. Faults do not quote what may be a secret.
 */
export function parseAccessWord(of: AccessWord, text: string): AccessParsed {
  return READERS[of](text);
}

function as<T extends object>(read: T | Fault, convert: (good: T) => AccessParsed): AccessParsed {
  return "fault" in read ? read : convert(read);
}

function kept(read: object | Fault, text: string): AccessParsed {
  return "fault" in read ? read : { text };
}

function readAlgorithm(text: string): AccessParsed {
  const found = JWT_ALGORITHMS.find((one) => one.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return { text: found };
  return {
    fault: `${shown(text)} is no algorithm that is taken`,
    hint: `one of: ${JWT_ALGORITHMS.join(" ")}`,
  };
}

/** The algorithm of a word that `readAlgorithm` gave. */
export function algorithmOf(text: string): JwtAlgorithm {
  const found = JWT_ALGORITHMS.find((one) => one === text);
  if (found === undefined) throw new TypeError("expected an algorithm");
  return found;
}

function readQueryKey(text: string): AccessParsed {
  if (/^[\w.~-]{1,64}$/.test(text)) return { text };
  return {
    fault: `${shown(text)} is no name of a key`,
    hint: `Latin letters, digits, ".", "-", "_" and "~", at most 64`,
  };
}

function readShare(text: string): AccessParsed {
  const number = /^\d(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  return number <= 1 ? { number } : { fault: `${shown(text)} is no share`, hint: "from 0 to 1, as in 0.1" };
}

function shown(text: string): string {
  const word = shownWord(text);
  return `"${word.length <= 60 ? word : `${word.slice(0, 57)}...`}"`;
}
