import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CREDENTIALS_LENGTH, readCredentials } from "./credentials.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const CASES: readonly [name: string, text: string, expected: string][] = [
  ["a login and a password", "root:secret", "root / secret"],
  ["a password with colons", "root:a:b:", "root / a:b:"],
  ["a password with spaces at its ends", "root: a ", "root /  a "],
  ["a line end", "root:secret\n", "root / secret"],
  ["a Windows line end", "root:secret\r\n", "root / secret"],
  ["no letters of ASCII", "\u00fc:\u4e2d", "\u00fc / \u4e2d"],
  ["nothing", "", "1:1 there is nothing in it"],
  ["line ends alone", "\r\n\n", "1:1 there is nothing in it"],
  ["no colon", "root secret", '1:1 there is no ":" between login and password'],
  ["no login", ":secret", "1:1 the login is empty"],
  ["no password", "root:", "1:6 the password is empty"],
  ["no password, behind letters of two code units", "\u{1f600}:", "1:3 the password is empty"],
  ["two lines", "root\r\nsecret", "1:5 there is more than one line in it"],
  ["a second pair of credentials", "a:b\nc:d\n", "1:4 there is more than one line in it"],
  ["a control character", "root:a\u0000b", "1:7 there is a control character in it"],
  [
    "a byte order mark",
    "\uFEFFroot:secret",
    "1:1 it begins with a byte order mark: save it as UTF-8 without one",
  ],
  [
    "base64",
    base64("root:secret"),
    "1:1 it is base64 twice: encode it once under `data` of a Secret, not at all under `stringData`",
  ],
  ["base64 of something else", base64("secret"), '1:1 there is no ":" between login and password'],
  ["what looks like base64", "abcde", '1:1 there is no ":" between login and password'],
  ["too much", `a:${"b".repeat(MAX_CREDENTIALS_LENGTH)}`, "1:1 the value is too long"],
];
for (const [name, text, expected] of CASES) {
  test(`credentials with ${name} are read as: ${expected.slice(0, 50)}`, () => {
    const read = readCredentials(text);
    const shown =
      "credentials" in read
        ? `${read.credentials.login} / ${read.credentials.password}`
        : `${read.line}:${read.column} ${read.fault}`;
    assert.equal(shown, expected);
  });
}
