import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../test/fuzz/target.ts";
import { addressGroup, isInNetwork, parseAddress, parseNetwork } from "./addresses.ts";
import { matchesPattern } from "./name-pattern.ts";

/** Addresses and networks as headers, tokens and configurations have them. */
export const fuzz: TextFuzzTarget = {
  name: "addresses",
  seeds: [
    "10.10/16",
    "192.0.2.1",
    "2001:db8::/33",
    "::ffff:10.0.0.0/104",
    "64:ff9b::192.0.2.33",
    "fe80::1%eth0",
  ],
  dictionary: ["::", ":", ".", "/", "%", "ffff", "/128", "/32", "*"],
  run(input) {
    const address = parseAddress(input);
    const network = parseNetwork(input);
    if (address !== null) assert.ok(address.bytes.length === 4 || address.bytes.length === 16);
    if (network !== null) {
      assert.ok(network.prefixBits <= network.bytes.length * 8);
      assert.ok(isInNetwork({ bytes: network.bytes }, network));
    }
    if (address !== null && network !== null) assert.ok(isInNetwork(address, network));
    assert.ok(addressGroup(input).length <= 128);
    matchesPattern(input, input);
  },
};
