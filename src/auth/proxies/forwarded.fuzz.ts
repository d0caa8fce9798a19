import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatAddress, parseAddress } from "../addresses.ts";
import { MAX_HOPS, readForwarded, readForwardedFor, readHost } from "./forwarded.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

const OWN = "192.0.2.77";

/** What clients and proxies write of whose a request is: whatever it is, the proxy's own words decide. */
export const fuzz: TextFuzzTarget = {
  name: "forwarded",
  seeds: [
    "203.0.113.195, 10.0.0.1",
    "[2001:db8::1]:80,unknown",
    'for="[2001:db8:cafe::17]:4711";proto=https;host="a.example:8443", for=10.0.0.1',
    'for=192.0.2.1;x="a,b;c\\",for=10.0.0.1"',
  ],
  dictionary: ["for=", "proto=https", "host=", '"', "\\", ",", ";", "[", "]", "::", "10.0.0.1", "unknown"],
  run(input) {
    const lists = [[...readForwardedFor(input)], [...readForwarded(input)]];
    for (const hops of lists) {
      assert.ok(hops.length <= MAX_HOPS);
      for (const hop of hops) {
        if (hop === null || hop.address === null) continue;
        assert.equal(formatAddress(parseAddress(hop.address)!), hop.address);
      }
    }
    assert.equal(readHost(readHost(input) ?? "a"), readHost(input) ?? "a");
    // A proxy puts the address of who asked it behind what it was sent.
    for (const [name, own] of [
      ["x-forwarded-for", `, ${OWN}`],
      ["forwarded", `, for=${OWN}`],
    ] as const) {
      const proxies = new TrustedProxies(["10.0.0.0/8"]);
      const client = proxies.clientOf("10.0.0.1", (asked) => (asked === name ? input + own : undefined));
      assert.equal(client?.address, OWN);
    }
  },
};
