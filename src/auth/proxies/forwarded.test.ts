/** What proxies write, read from the right. The rows of RFC 7239 section 4 are not ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_HOPS,
  isTlsScheme,
  itemFromRight,
  readForwarded,
  readForwardedFor,
  readHost,
} from "./forwarded.ts";

const LISTS: readonly [text: string, addresses: (string | null)[]][] = [
  ["203.0.113.195", ["203.0.113.195"]],
  // Of MDN's page about the header.
  [
    "203.0.113.195,2001:db8:85a3:8d3:1319:8a2e:370:7348",
    ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "203.0.113.195"],
  ],
  ["203.0.113.195, 198.51.100.178", ["198.51.100.178", "203.0.113.195"]],
  ["192.0.2.1:50512", ["192.0.2.1"]],
  ["[2001:DB8:0:0::1]:443", ["2001:db8::1"]],
  ["[2001:db8::1]", ["2001:db8::1"]],
  ["2001:db8::1", ["2001:db8::1"]],
  ["::ffff:192.0.2.1", ["192.0.2.1"]],
  ["::ffff:c000:201", ["192.0.2.1"]],
  ["fe80::1%eth0", ["fe80::1"]],
  ["\t192.0.2.1 ,  192.0.2.2\t", ["192.0.2.2", "192.0.2.1"]],
  ["unknown", [null]],
  ["", [null]],
  [",", [null, null]],
  ["192.0.2.1,", [null, "192.0.2.1"]],
  ["192.0.2.1,,192.0.2.2", ["192.0.2.2", null, "192.0.2.1"]],
  ["192.0.2.256", [null]],
  ["192.0.2", [null]],
  ["192.0.02.1", [null]],
  ["192.0.2.1:", [null]],
  ["192.0.2.1:999999", [null]],
  ["192.0.2.1:80:80", [null]],
  ["[192.0.2.1]", [null]],
  ["[2001:db8::1", [null]],
  ["2001:db8::1]:80", [null]],
  ["[2001:db8::1]80", [null]],
  ["2001:db8::1::2", [null]],
  ["192.0.2.1 192.0.2.2", [null]],
  ['"192.0.2.1"', [null]],
  ["example.com", [null]],
  ["192.0.2.1\u00a0x", [null]],
  [`${"1".repeat(5000)}.0.2.1`, [null]],
];

for (const [text, expected] of LISTS)
  test(`X-Forwarded-For: ${text.slice(0, 60)}`, () => {
    const read = [...readForwardedFor(text)].map((hop) => hop?.address ?? null);
    assert.deepEqual(read, expected);
  });

test("so many proxies are followed and no more, however long the list is", () => {
  const long = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`).join(",");
  const read = [...readForwardedFor(long)].map((hop) => hop?.address);
  assert.deepEqual([read.length, read[0], read.at(-1)], [MAX_HOPS, "10.0.0.99", "10.0.0.68"]);
  assert.equal([...readForwardedFor(",".repeat(16_000))].length, MAX_HOPS);
  assert.equal([...readForwarded("for=1.1.1.1,".repeat(1000))].length, MAX_HOPS);
});

const at = (address: string | null, proto: string | null = null, host: string | null = null): object => ({
  address,
  proto,
  host,
});

const ELEMENTS: readonly [text: string, hops: (object | null)[]][] = [
  // RFC 7239 section 4.
  ['for="_gazonk"', [at(null)]],
  ['For="[2001:db8:cafe::17]:4711"', [at("2001:db8:cafe::17")]],
  ["for=192.0.2.60;proto=http;by=203.0.113.43", [at("192.0.2.60", "http")]],
  ["for=192.0.2.43, for=198.51.100.17", [at("198.51.100.17"), at("192.0.2.43")]],
  // RFC 7239 section 7.1 and 7.4.
  [
    'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown',
    [at(null), at("2001:db8:cafe::17"), at("192.0.2.43")],
  ],
  ["for=_hidden, for=_SEVKISEK;host=a.example", [at(null, null, "a.example"), at(null)]],
  ['for="192.0.2.43:47011"', [at("192.0.2.43")]],
  ['host="a.example:8443" ; proto=https;FOR=192.0.2.1', [at("192.0.2.1", "https", "a.example:8443")]],
  ['for=192.0.2.1;x="a,b;c\\",for=10.0.0.1"', [at("192.0.2.1")]],
  ['for=192.0.2.1;x="\\\\",for=192.0.2.2', [at("192.0.2.2"), at("192.0.2.1")]],
  ["for=192.0.2.1;", [at("192.0.2.1")]],
  // A client leaves a quote open in front of what the proxy writes.
  ['for="10.0.0.1, for=192.0.2.1', [at("192.0.2.1"), null]],
  ['for="\\, for=192.0.2.1', [at("192.0.2.1"), null]],
  ['for="10.0.0.1, for="[2001:db8::1]"', [at("2001:db8::1"), null]],
  ["", [null]],
  [",", [null, null]],
  ["192.0.2.1", [null]],
  ["for", [null]],
  ["for=", [at(null)]],
  ["=192.0.2.1", [null]],
  ["for=192.0.2.1;for=192.0.2.2", [null]],
  ["for=192.0.2.1;FOR=192.0.2.2", [null]],
  ["for=[2001:db8::1]", [at("2001:db8::1")]],
  ["for = 192.0.2.1", [null]],
  ['for="192.0.2.1"x', [null]],
  ["for=192.0.2.1 192.0.2.2", [null]],
  [`for=192.0.2.1;x=${"y".repeat(2000)}`, [null]],
  ["proto=https", [at(null, "https")]],
];

for (const [text, expected] of ELEMENTS)
  test(`Forwarded: ${text.slice(0, 60)}`, () => assert.deepEqual([...readForwarded(text)], expected));

test("an item is counted from the right, and of a shorter list it is the first", () => {
  const list = "https, http ,wss";
  assert.deepEqual(
    [0, 1, 2, 3, 40].map((hop) => itemFromRight(list, hop)),
    ["wss", "http", "https", "https", "https"],
  );
  assert.equal(itemFromRight("", 0), "");
});

test("a host has nothing in it that could end a line or name another place", () => {
  for (const good of ["a.example", "a_b.example:8443", "192.0.2.1", "[2001:db8::1]:80", "localhost"])
    assert.equal(readHost(good), good);
  for (const bad of ["", "a b", "a.example/", "a@b", "a\r\nb", "a:", "[::1", "h\u00f6st", "a".repeat(256)])
    assert.equal(readHost(bad), null, bad);
});

test("schemes of TLS are told from those in clear", () => {
  const schemes = ["https", "WSS", "http", "ws", "", "ftp"];
  assert.deepEqual(schemes.map(isTlsScheme), [true, true, false, false, null, null]);
});
