import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  isPrivateAddress,
  addressGroup,
  isInNetwork,
  Networks,
  parseAddress,
  parseNetwork,
} from "./addresses.ts";

describe("an address", () => {
  const good: readonly [text: string, hex: string][] = [
    ["10.1.2.3", "0a010203"],
    ["255.255.255.255", "ffffffff"],
    ["::ffff:10.1.2.3", "0a010203"],
    ["::ffff:a01:203", "0a010203"],
    ["::", "00".repeat(16)],
    ["2001:db8::1", "20010db8000000000000000000000001"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1::8", "00010000000000000000000000000008"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
  ];
  for (const [text, hex] of good)
    test(`is read from ${text}`, () =>
      assert.equal(Buffer.from(parseAddress(text)?.bytes ?? []).toString("hex"), hex));

  const bad = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4 ",
    ":",
    ":::",
    "1:2",
    "::1::",
  ];
  bad.push("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::", "1.2.3.4::", "::1.2.3", "a.b.c.d");
  bad.push("1".repeat(200), `::${":1".repeat(1000)}`);
  for (const text of bad)
    test(`is not "${text.slice(0, 24)}"`, () => {
      assert.equal(parseAddress(text), null);
    });

  test("is read as the system's own reader has it, mapped or not", () => {
    for (const text of [...good.map(([t]) => t), ...bad]) {
      assert.equal(parseAddress(text) !== null, isIP(text) !== 0, text);
    }
    const piece = fc.constantFrom("::", ":", ".", "0", "1", "ffff", "255", "256", "a", "10", "g");
    const pieces = fc.array(piece, { maxLength: 12 }).map((all) => all.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), pieces), (text) => {
        assert.equal(parseAddress(text) !== null, isIP(text) !== 0, text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a network", () => {
  const table: readonly [network: string, address: string, isIn: boolean][] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10/8", "10.255.0.1", true],
    ["10/8", "11.0.0.1", false],
    ["10.10/16", "10.10.200.1", true],
    ["10.10/16", "10.11.0.1", false],
    ["10.10.10/23", "10.10.11.9", true],
    ["10.10.10/23", "10.10.12.9", false],
    ["192.0.2.77/24", "192.0.2.1", true],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.6", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "8.8.8.8", false],
    ["::ffff:10.0.0.0/104", "10.7.7.7", true],
    ["10.0.0.0/8", "::ffff:10.7.7.7", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::1", "::1", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.128/25", "192.0.2.129", true],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    ["::ffff:10.0.0.1", "10.0.0.1", true],
  ];
  for (const [network, address, isIn] of table)
    test(`${network} has ${isIn ? "" : "not "}${address} in it`, () => {
      const [parsed, at] = [parseNetwork(network), parseAddress(address)];
      assert.ok(parsed !== null && at !== null);
      assert.equal(isInNetwork(at, parsed), isIn);
      assert.equal(new Networks([network]).has(address), isIn);
    });

  for (const text of [
    "",
    "/8",
    "10.0.0.0/33",
    "::/129",
    "10",
    "10.10",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "a/8",
    "1/8/8",
    "10.0.0.0/",
    "1.2.3.4.5/8",
    "host.example",
  ])
    test(`is not "${text}"`, () => assert.equal(parseNetwork(text), null));

  test("has the same addresses in it as the system's own list", () => {
    for (let i = 0; i < 300; i++) {
      const bits = i % 33;
      const [a, b] = [i * 7 + 1, i * 7 + ((i * 31) % 5)].map(
        (n) => `10.${n & 3}.${(n * 13) & 255}.${n & 255}`,
      );
      const list = new BlockList();
      list.addSubnet(a!, bits);
      assert.equal(new Networks([`${a}/${bits}`]).has(b!), list.check(b!), `${a}/${bits} ${b}`);
    }
  });

  test("that is none has nobody in it, and no address is in none", () => {
    assert.equal(new Networks(["nonsense", "10/8"]).has("10.1.1.1"), true);
    assert.equal(new Networks(["0.0.0.0/0", "::/0"]).has("unknown"), false);
    assert.equal(new Networks([]).has("10.1.1.1"), false);
  });
});

test("addresses are counted one by one in IPv4 and by /64 in IPv6", () => {
  assert.equal(addressGroup("::ffff:192.0.2.1"), addressGroup("192.0.2.1"));
  assert.notEqual(addressGroup("192.0.2.1"), addressGroup("192.0.2.2"));
  assert.equal(addressGroup("2001:db8:0:1::1"), addressGroup("2001:db8:0:1:ffff::2"));
  assert.notEqual(addressGroup("2001:db8:0:1::1"), addressGroup("2001:db8:0:2::1"));
  assert.equal(addressGroup("x".repeat(1000)).length, 128);
});

/** Addresses, and whether the internet does not reach them. */
const PRIVATE_OR_NOT: readonly [string, boolean][] = [
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["10.0.0.1", true],
  ["172.15.255.255", false],
  ["172.16.0.1", true],
  ["172.31.255.255", true],
  ["172.32.0.1", false],
  ["192.168.7.7", true],
  ["192.169.0.1", false],
  ["169.254.1.1", true],
  ["100.64.0.1", false],
  ["8.8.8.8", false],
  ["203.0.113.1", false],
  ["::1", true],
  ["fe80::1%eth0", true],
  ["fd00::1", true],
  ["fc00::1", true],
  ["2001:db8::1", false],
  ["::ffff:10.1.2.3", true],
  ["::ffff:8.8.8.8", false],
  ["no address", false],
  ["", false],
];

describe("a private address", () => {
  for (const [ip, isPrivate] of PRIVATE_OR_NOT)
    test(`${ip} is ${isPrivate ? "one" : "none"}`, () => assert.equal(isPrivateAddress(ip), isPrivate));
});
