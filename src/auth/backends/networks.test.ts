import { strict as assert } from "node:assert";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isInNetworks, parseAddress, parseNetwork } from "./networks.ts";

const CASES: readonly [network: string, ip: string, isIn: boolean][] = [
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.10/16", "10.10.3.4", true],
  ["10.10/16", "10.11.3.4", false],
  ["10/8", "10.1.2.3", true],
  ["192.0.2.128/25", "192.0.2.127", false],
  ["192.0.2.128/25", "192.0.2.129", true],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "::1", false],
  ["2001:db8::/32", "2001:db8:1::7", true],
  ["2001:db8::/32", "2001:db9::", false],
  ["::/0", "2001:db8::1", true],
  ["fe80::/10", "febf::1", true],
  ["fe80::/10", "fec0::1", false],
  ["::ffff:10.0.0.1", "10.0.0.1", true],
  ["10.0.0.1", "::ffff:10.0.0.1", true],
];

for (const [network, ip, isIn] of CASES) {
  test(`${network} ${isIn ? "has" : "does not have"} ${ip}`, () => {
    assert.equal(isInNetworks([network], ip), isIn);
  });
}

test("what is no network is none, and has nobody in it", () => {
  for (const text of [
    "",
    "/",
    "10",
    "10.0.0/33/1",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4.5/8",
    "2001:db8::/129",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8:9",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "host.example",
  ]) {
    assert.equal(parseNetwork(text), null, text);
    assert.equal(isInNetworks([text], "10.0.0.1"), false, text);
  }
});

test("an address is one exactly where Node says so", () => {
  const piece = fc.constantFrom("::", ":", ".", "0", "1", "ffff", "255", "256", "a", "10", "g", "%1");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.array(piece, { maxLength: 12 }).map((all) => all.join("")),
      ),
      (text) => {
        if (text.includes("%")) return;
        assert.equal(parseAddress(text) !== null, isIP(text) !== 0, text);
      },
    ),
    { numRuns: 2000 },
  );
});
