import { parseAccessWord } from "./access-values.ts";
import { readBucketUrl } from "./bucket-url.ts";
import { nameFault } from "./names.ts";
import { readDayRanges, readRecordingRoot } from "./recording-values.ts";
import { shownWord } from "./secret-words.ts";
import { nearestName } from "./suggest.ts";
import type { AccessWord } from "./access-values.ts";

/**
 * The kinds of value that a directive can ask for. Ranges are in the unit of the parsed value.
 *
 * `duration` with `words` also takes those: `true` and `false` as truth, others as text. `bareUnit`: what a number
 * without a unit counts, seconds unless it is given. `url` with `orBoolean`, and `recording-root` with `orOff` (`false`
 * or `off`), also give truth.
 */
export type ValueType =
  | { readonly kind: "text"; readonly minLength?: number }
  | { readonly kind: "login" }
  | { readonly kind: "path" }
  | { readonly kind: "hostname" }
  | { readonly kind: "name" }
  | { readonly kind: "prefix" }
  | { readonly kind: "boolean" }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | {
      readonly kind: "duration";
      readonly minMs: number;
      readonly maxMs: number;
      readonly words?: readonly string[];
      readonly bareUnit?: "ms";
    }
  | { readonly kind: "size"; readonly minBytes: number; readonly maxBytes: number }
  | { readonly kind: "bitrate"; readonly minBps: number; readonly maxBps: number }
  | { readonly kind: "percent"; readonly min?: number }
  | { readonly kind: "address" }
  | { readonly kind: "url"; readonly schemes?: readonly string[]; readonly orBoolean?: true }
  | { readonly kind: "bucket-url" }
  | { readonly kind: "day-ranges" }
  | { readonly kind: "recording-root"; readonly orOff?: true }
  | {
      readonly kind: "choice";
      readonly values: readonly string[];
      readonly aliases?: ReadonlyMap<string, string>;
    }
  | { readonly kind: "signed-choice"; readonly values: readonly string[] }
  | { readonly kind: "access"; readonly of: AccessWord }
  | { readonly kind: "pair" };

/**
 * A value in its canonical unit: durations in ms, sizes in bytes, bitrates in bits per second, percent as 0..100.
 */
export type Value =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "boolean"; readonly boolean: boolean }
  | { readonly kind: "address"; readonly host?: string; readonly port: number }
  | { readonly kind: "pair"; readonly key: string; readonly text: string };

/** A value, or what is wrong with the text of it. */
export type Parsed = { readonly value: Value } | { readonly fault: string; readonly hint?: string };

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const POWER_PER_UNIT: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 };

/**
 * Reads `text` as a value of the kind that `type` asks for.
 *
 * Faults quote `text`: do not show them where the value is a secret.
 */
export function parseValue(type: ValueType, text: string): Parsed {
  // dispatch
  switch (type.kind) {
    case "text":
      return parseText(type.minLength ?? 0, text);
    case "login":
      return parseLogin(text);
    case "path":
      return parsePath(text);
    case "hostname":
      return parseHostname(text);
    case "name":
      return faultOr(nameFault(text), text);
    case "prefix":
      return faultOr(text === "" ? undefined : nameFault(text), text);
    case "boolean":
      return parseBoolean(text);
    case "integer":
      return parseInteger(type, text);
    case "duration":
      return parseDuration(type, text);
    case "size":
      return parseSize(type, text);
    case "bitrate":
      return parseBitrate(type, text);
    case "percent":
      return parsePercent(type.min ?? 0, text);
    case "address":
      return parseAddress(text);
    case "url":
      return parseUrl(type, text);
    case "bucket-url":
      return parseBucketUrl(text);
    case "day-ranges":
      return parseDayRanges(text);
    case "recording-root":
      return parseRecordingRoot(type.orOff === true, text);
    case "choice":
      return parseChoice(type.values, type.aliases?.get(text) ?? text);
    case "signed-choice":
      return parseSignedChoice(type.values, text);
    case "access":
      return parseAccess(type.of, text);
    case "pair":
      return parsePair(text);
  }
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|[smhd])?$/;
const SIZE_WITH_UNIT = /^\d+(?:\.\d+)?[kmgt]$/i;
const PERCENT = /^(\d+(?:\.\d+)?)%$/;

/**
 * Whether `text` is written as durations, sizes with a unit or percentages are, in range or not; false for other kinds.
 * `90m` has the form of both a duration and a size.
 */
export function hasForm(type: ValueType, text: string): boolean {
  if (type.kind === "duration") return DURATION.test(text);
  if (type.kind === "size") return SIZE_WITH_UNIT.test(text);
  return type.kind === "percent" && PERCENT.test(text);
}

/**
 * Cuts `scheme://rest` in two; `undefined` when `text` does not begin with a scheme.
 *
 * Spec: RFC 3986 section 3.1 (the scheme's characters).
 */
export function splitUrl(text: string): { scheme: string; rest: string } | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (match === null) return undefined;
  return { scheme: match[1]!.toLowerCase(), rest: text.slice(match[0].length) };
}

function parseText(minLength: number, text: string): Parsed {
  if (text.length >= minLength) return textValue(text);
  if (text === "") return { fault: "the value is empty" };
  return { fault: "the value is too short", hint: `it has at least ${minLength} characters` };
}

function textValue(text: string): Parsed {
  return { value: { kind: "text", text } };
}

function numberValue(number: number): Parsed {
  return { value: { kind: "number", number } };
}

function faultOr(fault: string | undefined, text: string): Parsed {
  return fault === undefined
    ? textValue(text)
    : { fault: `${quoted(text)} is not a good name`, hint: fault };
}

/** RFC 7617 section 2: the user-id of Basic credentials cannot have a colon. */
function parseLogin(text: string): Parsed {
  if (text === "") return { fault: "the login is empty" };
  if (text.includes(":"))
    return { fault: `a login has no ":" in it`, hint: "write the login and the password apart" };
  return textValue(text);
}

/** Whole, since few know in which directory a server runs. Not quoted: what stands there may be a password. */
function parsePath(text: string): Parsed {
  if (text.startsWith("/") && !/\p{Cc}/u.test(text)) return textValue(text);
  return { fault: "this is not a whole path", hint: 'it begins with "/"' };
}

function parseHostname(text: string): Parsed {
  if (text.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text)) return textValue(text);
  return {
    fault: `${quoted(text)} is not a host name`,
    hint: `Latin letters, digits, ".", "-" and "_", at most 253`,
  };
}

function parseBoolean(text: string): Parsed {
  if (text === "true" || text === "false") return { value: { kind: "boolean", boolean: text === "true" } };
  return { fault: `${quoted(text)} is neither true nor false` };
}

function parseInteger(type: { min: number; max: number }, text: string): Parsed {
  if (!/^\d+$/.test(text)) return { fault: `${quoted(text)} is not a whole number` };
  const number = Number(text);
  if (number >= type.min && number <= type.max) return numberValue(number);
  return { fault: `${shortened(text)} is out of range`, hint: `allowed: ${type.min} to ${type.max}` };
}

type DurationType = Extract<ValueType, { kind: "duration" }>;

function parseDuration(type: DurationType, text: string): Parsed {
  const { words = [], bareUnit = "s" } = type;
  if (words.includes(text)) {
    const isTruth = text === "true" || text === "false";
    return isTruth ? { value: { kind: "boolean", boolean: text === "true" } } : textValue(text);
  }
  const match = DURATION.exec(text);
  if (match === null) {
    const others = words.map((word) => `, or ${word}`).join("");
    return {
      fault: `${quoted(text)} is not a duration`,
      hint: `${bareUnit === "ms" ? "milliseconds" : "seconds"}, or a number with ms, s, m, h or d${others}`,
    };
  }
  const ms = Math.round(Number(match[1]) * MS_PER_UNIT[match[2] ?? bareUnit]!);
  if (ms >= type.minMs && ms <= type.maxMs) return numberValue(ms);
  const range = `allowed: ${withUnit(type.minMs)} to ${withUnit(type.maxMs)}`;
  const isSeconds = match[2] === undefined && bareUnit === "s";
  const meantMs = isSeconds && ms / 1000 >= type.minMs && ms / 1000 <= type.maxMs;
  return {
    fault: `${shortened(text)} is out of range`,
    hint: meantMs ? `${range}; a bare number counts seconds, for milliseconds write ${text}ms` : range,
  };
}

function withUnit(ms: number): string {
  if (ms > MS_PER_UNIT["d"]!) return showLongDuration(ms);
  return ms < 1000 ? `${ms}ms` : `${showDuration(ms)}s`;
}

function parseSize(type: { minBytes: number; maxBytes: number }, text: string): Parsed {
  const bytes = scaled(text, 1024);
  if (bytes === undefined)
    return { fault: `${quoted(text)} is not a size`, hint: "bytes, or a number with k, M, G or T" };
  if (bytes >= type.minBytes && bytes <= type.maxBytes) return numberValue(bytes);
  const range = `allowed: ${showSize(type.minBytes)} to ${showSize(type.maxBytes)}`;
  return { fault: `${shortened(text)} is out of range`, hint: range };
}

function parseBitrate(type: { minBps: number; maxBps: number }, text: string): Parsed {
  const bps = scaled(text, 1000);
  if (bps === undefined) {
    return {
      fault: `${quoted(text)} is not a bitrate`,
      hint: "bits per second, or a number with k, M or G",
    };
  }
  if (bps >= type.minBps && bps <= type.maxBps) return numberValue(bps);
  return {
    fault: `${shortened(text)} is out of range`,
    hint: `allowed: ${type.minBps} to ${type.maxBps} bits per second`,
  };
}

function scaled(text: string, base: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kmgt])?$/i.exec(text);
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : POWER_PER_UNIT[match[2].toLowerCase()]!;
  return Math.round(Number(match[1]) * base ** power);
}

function parsePercent(min: number, text: string): Parsed {
  const match = PERCENT.exec(text);
  if (match === null)
    return { fault: `${quoted(text)} is not a percentage`, hint: "a number with %, as in 97%" };
  const percent = Number(match[1]);
  return percent >= min && percent <= 100
    ? numberValue(percent)
    : { fault: `${shortened(text)} is out of range`, hint: `allowed: ${min}% to 100%` };
}

/** `PORT`, `*:PORT`, `IPV4:PORT`, `[IPV6]:PORT` or `NAME:PORT`; port 0 asks the system for a free one. */
function parseAddress(text: string): Parsed {
  const match = /^(?:(\[[^\]]*\]|[^:]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    return { fault: `${quoted(text)} is not a port`, hint: "a number up to 65535, or ADDRESS:PORT" };
  }
  const written = match[1];
  if (written === undefined || written === "*") return { value: { kind: "address", port } };
  const host = written.startsWith("[") ? written.slice(1, -1).toLowerCase() : written.toLowerCase();
  const good = written.startsWith("[") ? isIpv6(host) : isIpv4(host) || isHostName(host);
  if (good) return { value: { kind: "address", host, port } };
  return {
    fault: `${quoted(written)} is not an address`,
    hint: "an IPv4 address, an IPv6 address in [ ], or a host name",
  };
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]{2,45}$/.test(text) && text.includes(":") && URL.canParse(`http://[${text}]/`);
}

/** RFC 1123 section 2.1; all-numeric names are left out, since they are mistyped IPv4 addresses. */
function isHostName(text: string): boolean {
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split(".").every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(part));
}

function parseUrl({ schemes, orBoolean }: UrlType, text: string): Parsed {
  if (orBoolean === true && (text === "true" || text === "false")) return parseBoolean(text);
  const scheme = splitUrl(text)?.scheme;
  if (scheme === undefined)
    return { fault: `${quoted(text)} is not a URL`, hint: `it begins with ${beginning(schemes)}` };
  if (schemes === undefined || schemes.includes(scheme)) return textValue(text);
  return {
    fault: `no URL of ${shortened(scheme)}:// is taken`,
    hint: `it begins with ${beginning(schemes)}`,
  };
}

type UrlType = Extract<ValueType, { kind: "url" }>;

function beginning(schemes: readonly string[] | undefined): string {
  return schemes?.map((scheme) => `${scheme}://`).join(" or ") ?? "a scheme, as in publish://";
}

/** The text itself is the value; whoever needs what is in it reads it again. */
function parseBucketUrl(text: string): Parsed {
  const read = readBucketUrl(text);
  return "bucket" in read ? textValue(text) : read;
}

function parseDayRanges(text: string): Parsed {
  const read = readDayRanges(text);
  return "ranges" in read ? textValue(text) : read;
}

function parseRecordingRoot(orOff: boolean, text: string): Parsed {
  if (orOff && (text === "false" || text === "off")) return { value: { kind: "boolean", boolean: false } };
  const read = readRecordingRoot(text);
  return "root" in read ? textValue(read.root) : read;
}

function parseChoice(values: readonly string[], text: string): Parsed {
  if (values.includes(text)) return textValue(text);
  const near = nearestName(text, values);
  const hint = near === undefined ? `one of: ${values.join(" ")}` : `did you mean "${near}"?`;
  return { fault: `${quoted(text)} is not one of its values`, hint };
}

function parseSignedChoice(values: readonly string[], text: string): Parsed {
  const negative = text.startsWith("-");
  const parsed = parseChoice(values, negative ? text.slice(1) : text);
  return "value" in parsed ? textValue(text) : parsed;
}

function parseAccess(of: AccessWord, text: string): Parsed {
  const read = parseAccessWord(of, text);
  if ("fault" in read) return read;
  return "text" in read ? textValue(read.text) : numberValue(read.number);
}

function parsePair(text: string): Parsed {
  const at = text.indexOf("=");
  const key = text.slice(0, Math.max(at, 0));
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(key))
    return { fault: `${quoted(text)} is not of the form key=value` };
  return { value: { kind: "pair", key, text: text.slice(at + 1) } };
}

/**
 * Puts a word of the config in quotes for a message, without the secrets in it, and shortened when it is long.
 */
export function quoted(text: string): string {
  return `"${shortened(shownWord(text))}"`;
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/**
 * Writes a duration the way the config does: bare seconds where they are whole, `ms` otherwise.
 *
 * Units: `ms` in milliseconds.
 */
export function showDuration(ms: number): string {
  return ms % 1000 === 0 ? String(ms / 1000) : `${ms}ms`;
}

/**
 * Writes a duration with the biggest of d, h and m that leaves a whole number, else as `showDuration` does.
 *
 * Units: `ms` in milliseconds.
 */
export function showLongDuration(ms: number): string {
  if (ms === 0) return "0";
  for (const [unit, length] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const) {
    if (ms % length === 0) return `${ms / length}${unit}`;
  }
  return showDuration(ms);
}

/**
 * Writes a size the way the config does, with the biggest of k, M, G, T that leaves a whole number.
 *
 * Units: bytes, powers of 1024.
 */
export function showSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const [unit, scale] of [
    ["T", 1024 ** 4],
    ["G", 1024 ** 3],
    ["M", 1024 ** 2],
    ["k", 1024],
  ] as const) {
    if (bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return String(bytes);
}
