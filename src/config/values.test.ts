import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStreamName } from "../media/ids.ts";
import { MAX_NAME_LENGTH, nameFault } from "./names.ts";
import { editDistance, MAX_COMPARED, nearestName } from "./suggest.ts";
import { hasForm, parseValue, quoted, showDuration, showLongDuration, showSize } from "./values.ts";
import type { ValueType } from "./values.ts";

const duration: ValueType = { kind: "duration", minMs: 0, maxMs: 1e12, words: ["false"] };
const size: ValueType = { kind: "size", minBytes: 0, maxBytes: 1e15 };
const bitrate: ValueType = { kind: "bitrate", minBps: 0, maxBps: 1e12 };

const NUMBERS: readonly [type: ValueType, text: string, number: number][] = [
  [duration, "4", 4000],
  [duration, "2.5", 2500],
  [duration, "0", 0],
  [duration, "500ms", 500],
  [duration, "4s", 4000],
  [duration, "5m", 300_000],
  [duration, "48h", 172_800_000],
  [duration, "7d", 604_800_000],
  [duration, "0.0004", 0],
  [size, "100", 100],
  [size, "1024k", 1_048_576],
  [size, "40M", 41_943_040],
  [size, "10G", 10_737_418_240],
  [size, "1T", 1_099_511_627_776],
  [size, "1.5k", 1536],
  [size, "2K", 2048],
  [bitrate, "40M", 40_000_000],
  [bitrate, "1024k", 1_024_000],
  [bitrate, "2500", 2500],
  [{ kind: "percent" }, "97%", 97],
  [{ kind: "percent" }, "0.5%", 0.5],
  [{ kind: "integer", min: 1, max: 10 }, "10", 10],
];

for (const [type, text, number] of NUMBERS) {
  test(`${text} is a ${type.kind} of ${number}`, () => {
    assert.deepEqual(parseValue(type, text), { value: { kind: "number", number } });
  });
}

const REFUSED: readonly [type: ValueType, text: string][] = [
  ...["", "-1", "1e3", "4 s", "s", "4S", "4w", "1.", ".5", "4ss", "true", "\u0664", "9".repeat(400)].map(
    (text): [ValueType, string] => [duration, text],
  ),
  ...["", "1kk", "1KB", "-1", "M", "1 M", "0x10", "9".repeat(400)].map((text): [ValueType, string] => [
    size,
    text,
  ]),
  ...["40%", "1MB", "9".repeat(20)].map((text): [ValueType, string] => [bitrate, text]),
  ...["0%", "0.9%", "101%"].map((text): [ValueType, string] => [{ kind: "percent", min: 1 }, text]),
  ...["rtmp://x", "http:/x", "true", "x"].map((text): [ValueType, string] => [
    { kind: "url", schemes: ["http", "https"] },
    text,
  ]),
  ...["", "TRUE", "yes"].map((text): [ValueType, string] => [{ kind: "url", orBoolean: true }, text]),
  ...["97", "101%", "-1%", "%"].map((text): [ValueType, string] => [{ kind: "percent" }, text]),
  ...["0", "11", "1.0", "", "+1", "9".repeat(400)].map((text): [ValueType, string] => [
    { kind: "integer", min: 1, max: 10 },
    text,
  ]),
  ...["yes", "1", "TRUE", ""].map((text): [ValueType, string] => [{ kind: "boolean" }, text]),
  ...["", "a b", "-a", "a-", "a/b", "a".repeat(254)].map((text): [ValueType, string] => [
    { kind: "hostname" },
    text,
  ]),
  ...["", "a:b"].map((text): [ValueType, string] => [{ kind: "login" }, text]),
  ...["", "publish:", "publish", "//x", "1a://x"].map((text): [ValueType, string] => [
    { kind: "url" },
    text,
  ]),
  ...["", "color", "=a", "a b=c"].map((text): [ValueType, string] => [{ kind: "pair" }, text]),
  ...["constructor", "__proto__", "", "A"].map((text): [ValueType, string] => [
    { kind: "choice", values: ["a"], aliases: new Map([["b", "a"]]) },
    text,
  ]),
  ...["--a", "-", "-b"].map((text): [ValueType, string] => [
    { kind: "signed-choice", values: ["a"] },
    text,
  ]),
  ...[
    "",
    "65536",
    "80x",
    "a b:80",
    ":80",
    "[::1]",
    "[1.2.3.4]:80",
    "[]:80",
    "::1:80",
    "1.2.3:80",
    "256.1.1.1:80",
    "-a:80",
    "a..b:80",
    "80:90",
    "100000",
    "[::1%eth0]:80",
  ].map((text): [ValueType, string] => [{ kind: "address" }, text]),
];

for (const [type, text] of REFUSED) {
  test(`${quoted(text)} is no ${type.kind}`, () => {
    const parsed = parseValue(type, text);
    assert.ok("fault" in parsed);
    assert.ok(parsed.fault.length > 0 && parsed.fault.length < 120, parsed.fault);
  });
}

/** The first of the three kinds that a word has the form of. */
const FORMS: readonly [text: string, kind: string | undefined][] = [
  ["7d", "duration"],
  ["90m", "duration"],
  ["2.5h", "duration"],
  ["10", "duration"],
  ["999999999d", "duration"],
  ["90M", "size"],
  ["10G", "size"],
  ["10g", "size"],
  ["2t", "size"],
  ["97%", "percent"],
  ["101%", "percent"],
  ["7D", undefined],
  ["7w", undefined],
  ["7d ", undefined],
  ["-7d", undefined],
  ["10GB", undefined],
  ["%", undefined],
  ["", undefined],
];

for (const [text, kind] of FORMS) {
  test(`${quoted(text)} has the form of ${kind === undefined ? "no value" : `a ${kind}`}`, () => {
    const types: readonly ValueType[] = [
      { ...duration, minMs: 1, maxMs: 2 },
      { kind: "size", minBytes: 1, maxBytes: 2 },
      { kind: "percent" },
      { kind: "text" },
    ];
    assert.equal(types.find((type) => hasForm(type, text))?.kind, kind);
  });
}

test("long durations are written in the biggest unit that leaves a whole number", () => {
  for (const [ms, text] of [
    [0, "0"],
    [1500, "1500ms"],
    [90_000, "90"],
    [5_400_000, "90m"],
    [7_200_000, "2h"],
    [172_800_000, "2d"],
    [176_400_000, "49h"],
  ] as const) {
    assert.equal(showLongDuration(ms), text);
    assert.deepEqual(parseValue(duration, text), { value: { kind: "number", number: ms } });
  }
});

test("a range of many days is told in days", () => {
  const type: ValueType = { kind: "duration", minMs: 60_000, maxMs: 36_500 * 86_400_000 };
  assert.deepEqual(parseValue(type, "7"), { fault: "7 is out of range", hint: "allowed: 60s to 36500d" });
});

test("a URL of a scheme that is not asked for is told which is", () => {
  const type: ValueType = { kind: "url", schemes: ["http", "https"], orBoolean: true };
  assert.deepEqual(parseValue(type, "false"), { value: { kind: "boolean", boolean: false } });
  assert.deepEqual(parseValue(type, "HTTPS://x"), { value: { kind: "text", text: "HTTPS://x" } });
  assert.deepEqual(parseValue(type, "m4f://u:p@x"), {
    fault: "no URL of m4f:// is taken",
    hint: "it begins with http:// or https://",
  });
});

const ADDRESSES: readonly [text: string, host: string | undefined, port: number][] = [
  ["80", undefined, 80],
  ["0", undefined, 0],
  ["65535", undefined, 65_535],
  ["*:80", undefined, 80],
  ["127.0.0.1:80", "127.0.0.1", 80],
  ["[::1]:80", "::1", 80],
  ["[2001:DB8::1]:80", "2001:db8::1", 80],
  ["localhost:80", "localhost", 80],
  ["Host-1.example.org:80", "host-1.example.org", 80],
];

for (const [text, host, port] of ADDRESSES) {
  test(`${text} is an address`, () => {
    const value = host === undefined ? { kind: "address", port } : { kind: "address", host, port };
    assert.deepEqual(parseValue({ kind: "address" }, text), { value });
  });
}

test("a duration in milliseconds that was written without its unit is explained", () => {
  const parsed = parseValue({ kind: "duration", minMs: 1000, maxMs: 15_000 }, "4000");
  assert.deepEqual(parsed, {
    fault: "4000 is out of range",
    hint: "allowed: 1s to 15s; a bare number counts seconds, for milliseconds write 4000ms",
  });
});

test("an alias of a choice gives the choice", () => {
  const type: ValueType = { kind: "choice", values: ["warning"], aliases: new Map([["warn", "warning"]]) };
  assert.deepEqual(parseValue(type, "warn"), { value: { kind: "text", text: "warning" } });
});

test("durations and sizes are written so that they read back the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), (number) => {
      assert.deepEqual(parseValue(duration, showDuration(number)), { value: { kind: "number", number } });
      assert.deepEqual(parseValue(duration, showLongDuration(number)), {
        value: { kind: "number", number },
      });
      assert.deepEqual(parseValue(size, showSize(number)), { value: { kind: "number", number } });
    }),
  );
});

const NAMES: readonly [name: string, isGood: boolean][] = [
  ["news", true],
  ["a/b.c/d-e_F9", true],
  ["a".repeat(MAX_NAME_LENGTH), true],
  ["a".repeat(MAX_NAME_LENGTH + 1), false],
  ["", false],
  ["/a", false],
  ["a/", false],
  ["a//b", false],
  ["a/../b", false],
  [".", false],
  ["..", false],
  [".hidden", false],
  ["a/.hidden", false],
  ["a b", false],
  ["caf\u00e9", false],
  ["a\u0000", false],
  ["a\n", false],
  ["a%2fb", false],
  ["a\\b", false],
];

for (const [name, isGood] of NAMES) {
  test(`${quoted(JSON.stringify(name))} is ${isGood ? "a good" : "no"} name, here and in the core`, () => {
    assert.equal(nameFault(name) === undefined, isGood);
    assert.equal(parseStreamName(name) !== null, isGood);
  });
}

test("the config and the core have the same idea of a good name", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", "Z", "9", ".", "-", "_", "/", " ", "%", "\u00e9"),
    maxLength: 8,
  });
  fc.assert(
    fc.property(texts, (name) =>
      assert.equal(nameFault(name) === undefined, parseStreamName(name) !== null),
    ),
  );
});

const DISTANCES: readonly [a: string, b: string, distance: number][] = [
  ["", "", 0],
  ["a", "", 1],
  ["templat", "template", 1],
  ["tempalte", "template", 1],
  ["stream", "steam", 1],
  ["ab", "ba", 1],
  ["kitten", "sitting", 3],
];

for (const [a, b, distance] of DISTANCES) {
  test(`${quoted(a)} is ${distance} changes away from ${quoted(b)}`, () => {
    assert.equal(editDistance(a, b), distance);
    assert.equal(editDistance(b, a), distance);
  });
}

test("a suggestion is the nearest name, and none when all are far", () => {
  const names = ["template", "stream", "http", "https", "vod"];
  assert.equal(nearestName("templat", names), "template");
  assert.equal(nearestName("HTTP", names), "http");
  assert.equal(nearestName("htps", names), "https");
  assert.equal(nearestName("x", names), undefined);
  assert.equal(nearestName("vo", names), "vod");
  assert.equal(nearestName("completely", names), undefined);
  assert.equal(nearestName("", names), undefined);
});

test("a suggestion is looked for among a bounded number of names", () => {
  const many = Array.from({ length: MAX_COMPARED }, (_, index) => `name${index}`);
  assert.equal(nearestName("vodd", [...many, "vod"]), undefined);
  assert.equal(nearestName("vodd", ["vod", ...many]), "vod");
});

test("a duration that counts milliseconds says so, and knows its words", () => {
  const type: ValueType = { kind: "duration", minMs: 0, maxMs: 2000, words: ["auto"], bareUnit: "ms" };
  const text = (word: string): unknown => parseValue(type, word);
  assert.deepEqual(text("350"), { value: { kind: "number", number: 350 } });
  assert.deepEqual(text("1s"), { value: { kind: "number", number: 1000 } });
  assert.deepEqual(text("auto"), { value: { kind: "text", text: "auto" } });
  assert.deepEqual(text("3000"), { fault: "3000 is out of range", hint: "allowed: 0ms to 2s" });
  assert.deepEqual(text("soon"), {
    fault: '"soon" is not a duration',
    hint: "milliseconds, or a number with ms, s, m, h or d, or auto",
  });
});

test("a text that is too short is told from one that is empty", () => {
  const type: ValueType = { kind: "text", minLength: 3 };
  assert.deepEqual(parseValue(type, "abc"), { value: { kind: "text", text: "abc" } });
  assert.deepEqual(parseValue(type, ""), { fault: "the value is empty" });
  assert.deepEqual(parseValue(type, "ab"), {
    fault: "the value is too short",
    hint: "it has at least 3 characters",
  });
});
