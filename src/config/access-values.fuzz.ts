import assert from "node:assert/strict";
import {
  parseAccessWord,
  readAuthorizer,
  readSessionKeys,
  readTime,
  showSessionKey,
} from "./access-values.ts";
import { readHost, readNetwork } from "./network-values.ts";
import type { AccessWord } from "./access-values.ts";

const KINDS: readonly AccessWord[] = [
  "algorithm",
  "authorizer",
  "countries",
  "domains",
  "host",
  "network",
  "query-key",
  "session-keys",
  "share",
  "sink-url",
  "time",
  "web-url",
];

/**
 * Asserts that a word of access is read the same again once it is written in full, or is refused.
 */
export function checkAccessWord(text: string): void {
  for (const kind of KINDS) {
    const read = parseAccessWord(kind, text);
    if ("text" in read) assert.deepEqual(parseAccessWord(kind, read.text), read, kind);
    if ("number" in read) assert.ok(Number.isFinite(read.number) && read.number >= 0, kind);
  }
  checkNetwork(text);
  const keys = readSessionKeys([text]);
  if ("keys" in keys) assert.deepEqual(readSessionKeys([keys.keys.map(showSessionKey).join(",")]), keys);
  const time = readTime(text);
  if ("timeMs" in time) assert.deepEqual(readTime(new Date(time.timeMs).toISOString()), time);
  const who = readAuthorizer(text);
  // What may be a key is in no message.
  if ("fault" in who) assert.ok(text.length < 12 || !who.fault.includes(text));
}

function checkNetwork(text: string): void {
  const read = readNetwork(text);
  if ("fault" in read) return;
  assert.match(read.network, /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:]+)\/\d{1,3}$/);
  assert.deepEqual(readNetwork(read.network), read);
  assert.deepEqual(readHost(read.network), { host: read.network });
}

/** The words of access, for the long fuzz loop. */
export const fuzz = {
  name: "access-words",
  seeds: [
    "10.10/16",
    "2001:db8::1.2.3.4/32",
    "*.example.com",
    "http://user:pass@host:80/path?query=1",
    "securetoken://KEY?no_check_ip=true",
    "auth://portal",
    "ip,proto,name,token,header.X-Id,query.device",
    "2027-01-31T18:00:00.123+02:00",
    "jsonlog:///var/log/events.log",
    "DE,at",
  ],
  dictionary: [
    "://",
    "signed://",
    "jwt://",
    "auth://",
    "/",
    "::",
    ".",
    ",",
    "header.",
    "%",
    "*.",
    "?",
    ".lua",
    "T",
  ],
  run: checkAccessWord,
};
