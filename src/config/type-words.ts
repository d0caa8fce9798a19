import { showDuration, showSize } from "./values.ts";
import type { AccessWord } from "./access-values.ts";
import type { ValueType } from "./values.ts";

/** What is longer is said in days. */
const DAY_MS = 86_400_000;

const ACCESS_WORDS: Readonly<Record<AccessWord, string>> = {
  algorithm: "`HS256` `RS256` `ES256` `EdDSA`",
  authorizer: "",
  countries: "two letters each",
  domains: "",
  host: "",
  network: "",
  "query-key": "at most 64 letters, digits, `.` `-` `_` `~`",
  "session-keys": "`name` `ip` `proto` `token` `header.NAME` `query.NAME`",
  share: "0 to 1",
  "sink-url": "`http://` `https://` `log://` `jsonlog://`",
  time: "RFC 3339, or a date",
  "web-url": "`http://` `https://`",
};

/**
 * Says in words which values a type allows; empty where the argument's label says it all.
 */
export function describeType(type: ValueType): string {
  // dispatch
  switch (type.kind) {
    case "integer":
      return `${type.min} to ${type.max}`;
    case "duration":
      return [durationRange(type), ...(type.words ?? []).map(code)].join(", ");
    case "size":
      return `${showSize(type.minBytes)} to ${showSize(type.maxBytes)}`;
    case "bitrate":
      return `${type.minBps} to ${type.maxBps} bit/s`;
    case "choice":
      return [...type.values, ...(type.aliases?.keys() ?? [])].map(code).join(" ");
    case "signed-choice":
      return type.values.map(code).join(" ");
    case "percent":
      return `${type.min ?? 0}% to 100%`;
    case "login":
      return 'no ":"';
    case "path":
      return "begins with `/`";
    case "recording-root":
      return "a path begins with `/`";
    case "bucket-url":
      return "begins with `s3://` or `s3s://`";
    case "day-ranges":
      return "from `0000` to `2400`, UTC";
    case "url":
      return [
        ...(type.schemes ?? []).map((scheme) => `${scheme}://`),
        ...(type.orBoolean === true ? ["true", "false"] : []),
      ]
        .map(code)
        .join(" ");
    case "access":
      return ACCESS_WORDS[type.of];
    case "text":
    case "hostname":
    case "name":
    case "prefix":
    case "boolean":
    case "address":
    case "pair":
      return "";
  }
}

function durationRange({ minMs, maxMs, bareUnit }: Extract<ValueType, { kind: "duration" }>): string {
  return bareUnit === "ms" ? `${minMs} to ${maxMs} ms` : `${seconds(minMs)} to ${seconds(maxMs)}`;
}

function seconds(ms: number): string {
  if (ms > DAY_MS && ms % DAY_MS === 0) return `${ms / DAY_MS} d`;
  return ms < 1000 ? `${ms} ms` : `${showDuration(ms)} s`;
}

function code(text: string): string {
  return `\`${text}\``;
}
