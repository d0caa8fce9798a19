import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { checkAccessWord, fuzz } from "./access-values.fuzz.ts";
import {
  algorithmOf,
  MAX_SESSION_KEYS,
  parseAccessWord,
  readAuthorizer,
  readSessionKeys,
  showSessionKey,
} from "./access-values.ts";
import type { AccessWord } from "./access-values.ts";

/** `null`: refused. */
const WORDS: Readonly<
  Partial<Record<AccessWord, readonly [text: string, read: string | number | null][]>>
> = {
  network: [
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.10/16", "10.10.0.0/16"],
    ["10/8", "10.0.0.0/8"],
    ["0/0", "0.0.0.0/0"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["192.168.255.255/17", "192.168.128.0/17"],
    ["255.255.255.255/31", "255.255.255.254/31"],
    ["192.0.2.1", "192.0.2.1/32"],
    ["::", "::/128"],
    ["2001:DB8:0:0::/32", "2001:db8::/32"],
    ["::ffff:1.2.3.4/128", "::ffff:102:304/128"],
    ["10", null],
    ["10.10", null],
    ["", null],
    ["/8", null],
    ["10.0.0.0/33", null],
    ["10.0.0.0/", null],
    ["10.0.0.0/-1", null],
    ["10.0.0.0/8/8", null],
    ["1.2.3.04", null],
    ["1.2.3.256", null],
    ["1.2.3.4.5/8", null],
    ["::/129", null],
    ["[::]/0", null],
    [":::/8", null],
    ["fe80::1%eth0", null],
  ],
  host: [
    ["portal", "portal"],
    ["Portal.Example.COM", "portal.example.com"],
    ["*.example.com", "*.example.com"],
    ["10.10/16", "10.10.0.0/16"],
    ["::1", "::1/128"],
    ["*", null],
    ["*.*.com", null],
    ["a*.com", null],
    ["http://portal", null],
    ["portal:80", null],
    ["-a.com", null],
  ],
  domains: [
    ["example.com,*.Example.org", "example.com,*.Example.org"],
    ["example.com,", null],
    ["1.2.3.4", null],
    [`${"a.".repeat(130)}com`, null],
  ],
  countries: [
    ["de,AT", "de,AT"],
    ["DEU", null],
    ["", null],
    ["D1", null],
  ],
  "query-key": [
    ["token", "token"],
    ["a-b_c.~", "a-b_c.~"],
    ["", null],
    ["a=b", null],
    ["a".repeat(65), null],
  ],
  share: [
    ["0", 0],
    ["1", 1],
    ["1.0", 1],
    ["0.25", 0.25],
    ["1.1", null],
    ["-1", null],
    [".5", null],
    ["1e-3", null],
  ],
  time: [
    ["2027-01-31", Date.UTC(2027, 0, 31)],
    ["2027-01-31T18:00:00Z", Date.UTC(2027, 0, 31, 18)],
    ["2027-01-31 18:00:00.5+02:00", Date.UTC(2027, 0, 31, 16, 0, 0, 500)],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
    ["2027-02-29", null],
    ["2027-13-01", null],
    ["2027-01-31T25:00:00Z", null],
    ["2027-01-31T18:00:00", null],
    ["1969-12-31", null],
    ["9999-12-31T23:59:59-12:00", null],
    ["tomorrow", null],
  ],
  algorithm: [
    ["RS256", "RS256"],
    ["eddsa", "EdDSA"],
    ["none", null],
    ["HS512", null],
  ],
  "sink-url": [
    ["http://portal/events", "http://portal/events"],
    ["log:///var/log/a.log", "log:///var/log/a.log"],
    ["log://", "log://"],
    ["jsonlog://", null],
    ["jsonlog:///a", "jsonlog:///a"],
    ["log://a.log", null],
    ["log:///", null],
    ["log:///a/../b", null],
    ["/etc/notify.lua", null],
    ["ftp://portal", null],
  ],
  "web-url": [
    ["https://u:p@[::1]:8443/a?b=c", "https://u:p@[::1]:8443/a?b=c"],
    ["http://", null],
    ["http:///path", null],
    ["http://a:99999/", null],
    ["http://a/#b", null],
    ["http://a/ b", null],
  ],
};

for (const [kind, rows] of Object.entries(WORDS) as [
  AccessWord,
  readonly [string, string | number | null][],
][]) {
  for (const [text, expected] of rows) {
    test(`as ${kind}, ${JSON.stringify(text.slice(0, 60))} is ${expected === null ? "refused" : "read"}`, () => {
      const read = parseAccessWord(kind, text);
      if (expected === null) assert.ok("fault" in read, JSON.stringify(read));
      else assert.deepEqual(read, typeof expected === "string" ? { text: expected } : { number: expected });
      checkAccessWord(text);
    });
  }
}

describe("who decides", () => {
  for (const [text, authorizer] of [
    ["true", { kind: "everyone" }],
    ["false", { kind: "nobody" }],
    ["http://u:p@portal/auth?x=1", { kind: "http", url: "http://u:p@portal/auth?x=1" }],
    ["auth://my/portal", { kind: "block", name: "my/portal" }],
    ["jwt://login", { kind: "jwt", name: "login" }],
    ["securetoken://a/b=c", { kind: "securetoken", key: "a/b=c", checksAddress: true }],
    ["securetoken://k?no_check_ip=true", { kind: "securetoken", key: "k", checksAddress: false }],
    ["securetoken://k?no_check_ip=false", { kind: "securetoken", key: "k", checksAddress: true }],
    ["signed://k", { kind: "signed", key: "k" }],
  ] as const) {
    test(`${text} is read`, () => assert.deepEqual(readAuthorizer(text), { authorizer }));
  }
  for (const text of [
    ...["", "maybe", "auth://", "auth://../x", "jwt://a b", "securetoken://", "securetoken://k?ip=no"],
    ...[
      "signed://",
      "signed://k?a",
      "rtmp://portal",
      "/scripts/auth.lua",
      "http://portal/auth.lua",
      "http://",
    ],
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => assert.ok("fault" in readAuthorizer(text)));
  }
});

describe("keys of a session", () => {
  const shown = (texts: readonly string[]): string | null => {
    const read = readSessionKeys(texts);
    return "keys" in read ? read.keys.map(showSessionKey).join(",") : null;
  };

  test("always have name, ip and proto, whatever the order they are written in", () => {
    assert.equal(shown([]), "name,ip,proto");
    assert.equal(shown(["ip,proto,name,token", "token"]), "name,ip,proto,token");
    assert.equal(shown(["query.a,header.X-Id", "header.x-id"]), "name,ip,proto,query.a,header.x-id");
  });

  test("are refused when they are none", () => {
    for (const text of [
      "",
      "ip,",
      "user",
      "header.",
      "query.a b",
      "header.a:b",
      `query.${"a".repeat(129)}`,
    ])
      assert.equal(shown([text]), null, text);
  });

  test("are bounded", () => {
    const some = Array.from({ length: MAX_SESSION_KEYS - 3 }, (_, index) => `query.q${index}`);
    assert.notEqual(shown(some), null);
    assert.equal(shown([...some, "token"]), null);
  });
});

test("a word that is no algorithm is a mistake in the program", () => {
  assert.equal(algorithmOf("EdDSA"), "EdDSA");
  assert.throws(() => algorithmOf("none"), TypeError);
});

test("any text is a word or is refused, and what is written in full reads back", () => {
  for (const seed of fuzz.seeds) checkAccessWord(seed);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => checkAccessWord(text)));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fuzz.dictionary, ...fuzz.seeds, "a", "1", "0")), (parts) =>
      checkAccessWord(parts.join("")),
    ),
  );
});
