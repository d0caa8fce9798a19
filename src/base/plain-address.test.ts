import assert from "node:assert/strict";
import { test } from "node:test";
import { plainAddress } from "./plain-address.ts";

test("IPv4 in IPv6 is IPv4, all else stays as it is", () => {
  const rows: [address: string, plain: string][] = [
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::ffff:1", "2001:db8::ffff:1"],
    ["::ffff:c000:201", "::ffff:c000:201"],
    ["::1", "::1"],
    ["", ""],
  ];
  for (const [address, plain] of rows) assert.equal(plainAddress(address), plain, address);
});
