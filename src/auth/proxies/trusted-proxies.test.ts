/** Whose a request is that came through proxies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TrustedProxies } from "./trusted-proxies.ts";

const PROXIES = new TrustedProxies(["10.0.0.0/8", "192.0.2.53", "fd00::/8"]);
const PEER = "10.0.0.1";

function client(headers: Readonly<Record<string, string>>, peer = PEER, proxies = PROXIES) {
  return proxies.clientOf(peer, (name) => headers[name]);
}

const CHAINS: readonly [what: string, header: string, address: string][] = [
  ["one proxy", "198.51.100.1", "198.51.100.1"],
  ["what the client says of itself", "127.0.0.1, 198.51.100.1", "198.51.100.1"],
  ["that it is a proxy of ours", "10.9.9.9, 198.51.100.1", "198.51.100.1"],
  ["that it is behind one, and behind a stranger's", "203.0.113.9, 10.9.9.9, 198.51.100.1", "198.51.100.1"],
  ["three proxies of ours", "198.51.100.1, 192.0.2.53, 10.1.2.3", "198.51.100.1"],
  ["IPv6 through IPv4", "2001:db8::1, 10.1.2.3", "2001:db8::1"],
  ["IPv4 through IPv6", "198.51.100.1, fd00::2", "198.51.100.1"],
  ["mapped addresses", "::ffff:198.51.100.1, ::ffff:10.1.2.3", "198.51.100.1"],
  ["nobody but proxies: the first of them", "10.3.3.3, 10.2.2.2", "10.3.3.3"],
  ["garbage behind: the connection's", "198.51.100.1, garbage", PEER],
  ["garbage before a proxy: that proxy", "198.51.100.1, garbage, 10.2.2.2", "10.2.2.2"],
  ["garbage before the client: no matter", "garbage, 198.51.100.1", "198.51.100.1"],
  ["unknown, as a proxy may say", "unknown, 10.2.2.2", "10.2.2.2"],
  ["nothing", "", PEER],
  ["a hundred addresses", `${"203.0.113.5, ".repeat(99)}198.51.100.1`, "198.51.100.1"],
  ["a hundred proxies: the last that was followed", `198.51.100.1${", 10.2.2.2".repeat(99)}`, "10.2.2.2"],
];

for (const [what, header, address] of CHAINS) {
  test(`X-Forwarded-For, ${what}`, () => {
    // The second time it is remembered.
    for (let i = 0; i < 2; i++) assert.equal(client({ "x-forwarded-for": header })?.address, address);
  });
  test(`Forwarded, ${what}`, () => {
    const forwarded = header.replaceAll(/[^, ]+/g, (word) => `for="${word.replace(/^.*:.*$/, "[$&]")}"`);
    assert.equal(client({ forwarded })?.address, address);
  });
}

test("nobody but a proxy is believed", () => {
  const headers = { "x-forwarded-for": "203.0.113.1", forwarded: "for=203.0.113.1" };
  for (const peer of [
    "198.51.100.1",
    "127.0.0.1",
    "::1",
    "192.0.2.54",
    "11.0.0.1",
    "",
    "unknown",
    "10.0.0",
  ])
    assert.equal(client(headers, peer), null, peer);
  for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "192.0.2.53", "fd12::1"])
    assert.equal(client(headers, peer)?.address, "203.0.113.1", peer);
  assert.equal(client(headers, PEER, new TrustedProxies([])), null);
});

test("a proxy that says nothing asks for itself", () => {
  const said = client({});
  assert.deepEqual([said?.address, said?.isTls, said?.host], [PEER, null, null]);
});

test("X-Forwarded-For wins over Forwarded, and of the two the words of one are taken", () => {
  const both = {
    "x-forwarded-for": "198.51.100.1",
    "x-forwarded-host": "tv.example",
    forwarded: "for=198.51.100.2;host=evil.example;proto=https",
  };
  const said = client(both);
  assert.deepEqual([said?.address, said?.host, said?.isTls], ["198.51.100.1", "tv.example", null]);
  const { "x-forwarded-for": _, ...rest } = both;
  const other = client({ ...rest, "x-forwarded-proto": "http" });
  assert.deepEqual([other?.address, other?.host, other?.isTls], ["198.51.100.2", "evil.example", true]);
});

test("scheme and host are those of the proxy that the client asked", () => {
  const headers = {
    "x-forwarded-for": "203.0.113.9, 198.51.100.1, 10.2.2.2",
    "x-forwarded-proto": "http, https, http",
    "x-forwarded-host": "evil.example, tv.example, inside:8080",
  };
  const said = client(headers);
  assert.deepEqual([said?.address, said?.isTls, said?.host], ["198.51.100.1", true, "tv.example"]);
  const one = client({ ...headers, "x-forwarded-proto": "HTTPS", "x-forwarded-host": "tv.example:8443" });
  assert.deepEqual([one?.isTls, one?.host], [true, "tv.example:8443"]);
  const chain = 'for=198.51.100.1;proto=https;host="tv.example:8443", for=10.2.2.2;proto=http;host=inside';
  const forwarded = client({ forwarded: `for=10.9.9.9;host=evil.example, ${chain}` });
  assert.deepEqual([forwarded?.isTls, forwarded?.host], [true, "tv.example:8443"]);
});

test("a scheme or a host that is none is nobody's", () => {
  const said = client({
    "x-forwarded-for": "198.51.100.1",
    "x-forwarded-proto": "gopher",
    "x-forwarded-host": "a/../b",
  });
  assert.deepEqual([said?.isTls, said?.host], [null, null]);
  const broken = client({ forwarded: "host=a.example;host=b.example", "x-forwarded-host": "c.example" });
  assert.deepEqual([broken?.address, broken?.host], [PEER, null]);
  const hidden = client({ forwarded: "for=_x;host=a.example;proto=https" });
  assert.deepEqual([hidden?.address, hidden?.host, hidden?.isTls], [PEER, "a.example", true]);
});

test("what is remembered is bounded, and changes no answer", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8"]);
  for (let i = 0; i < 10_000; i++) {
    const address = `198.51.${i >> 8}.${i & 255}`;
    assert.equal(client({ "x-forwarded-for": address }, PEER, proxies)?.address, address);
    assert.equal(proxies.trusts(address), false);
  }
  assert.ok(proxies.trusts(PEER));
  assert.ok(proxies.known <= 2 * 4096);
});
