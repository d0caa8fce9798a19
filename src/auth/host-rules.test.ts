import assert from "node:assert/strict";
import { test } from "node:test";
import { hostRefusal, isMetadataAddress } from "./host-rules.ts";

/** A host, what `allowed_hosts` has, and whether the server connects to it. */
const HOSTS: readonly [host: string, allowed: string, isLet: boolean][] = [
  ["portal.example", "", true],
  ["10.0.0.7", "", true],
  ["169.254.169.254", "", false],
  ["169.254.169.254.", "", false],
  ["169.254.170.2", "", false],
  ["169.254.0.23", "", false],
  ["100.100.100.200", "", false],
  ["168.63.129.16", "", false],
  ["[fd00:ec2::254]", "", false],
  ["FD00:EC2:0::254", "", false],
  ["fd20:ce::254", "", false],
  ["fe80::a9fe:a9fe", "", false],
  ["::ffff:169.254.169.254", "", false],
  ["[::ffff:a9fe:a9fe]", "", false],
  ["64:ff9b::a9fe:a9fe", "", false],
  ["64:ff9b::c000:201", "", true],
  ["metadata.google.internal", "", false],
  ["Metadata.Google.Internal.", "", false],
  ["169.254.169.254", "169.254.169.254", true],
  ["169.254.169.254", "169.254.0.0/16", true],
  ["fd00:ec2::254", "fd00:ec2::/32", true],
  ["169.254.169.254", "portal.example", false],
  ["portal.example", "portal.example", true],
  ["PORTAL.example.", "portal.example", true],
  ["[::1]", "::1", true],
  ["portal.example.evil.example", "portal.example", false],
  ["evilportal.example", "*.portal.example", false],
  ["portal.example", "*.portal.example", false],
  ["a.portal.example", "*.portal.example", true],
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["2001:db8::1", "2001:db8::/32", true],
  ["2001:db9::1", "2001:db8::/32", false],
  ["", "portal.example", false],
];

for (const [host, text, isLet] of HOSTS) {
  test(`${host} with allowed_hosts ${text || "unset"} is ${isLet ? "" : "not "}connected to`, () => {
    assert.equal(hostRefusal(host, text === "" ? [] : text.split(" ")) === undefined, isLet);
  });
}

test("an address of metadata that a name leads to counts unless it is listed itself", () => {
  assert.ok(isMetadataAddress("169.254.169.254", []));
  assert.ok(isMetadataAddress("169.254.169.254", ["nice.example"]));
  assert.ok(!isMetadataAddress("169.254.169.254", ["nice.example", "169.254.169.254"]));
  assert.ok(!isMetadataAddress("10.1.2.3", ["nice.example"]), "inside of the network names are trusted");
});
