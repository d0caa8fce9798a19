import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bitsOf, buildMmdb } from "../../../test/support/mmdb.ts";
import { openCountries } from "./country.ts";

const file = buildMmdb([
  {
    bits: bitsOf("10.0.0.0/8"),
    value: { country: { iso_code: "NZ" }, registered_country: { iso_code: "US" } },
  },
  { bits: bitsOf("192.0.2.0/24"), value: { country: "de" } },
  { bits: bitsOf("198.51.100.128/25"), value: { registered_country: { iso_code: "FR" } } },
  { bits: bitsOf("203.0.113.0/24"), value: { country: { iso_code: "not two letters" } } },
  { bits: bitsOf("2001:db8::/32"), value: { country_code: "JP" } },
]);

describe("the country of an address", () => {
  const countryOf = openCountries(file);
  const table: readonly [ip: string, country: string | undefined][] = [
    ["10.1.2.3", "NZ"],
    ["::ffff:10.1.2.3", "NZ"],
    ["11.1.2.3", undefined],
    ["192.0.2.77", "DE"],
    ["198.51.100.200", "FR"],
    ["198.51.100.100", undefined],
    ["203.0.113.1", undefined],
    ["2001:db8::1", "JP"],
    ["2001:db9::1", undefined],
    ["nonsense", undefined],
    ["", undefined],
  ];
  for (const [ip, country] of table)
    test(`${ip || "(none)"} is ${country}`, () => assert.equal(countryOf(ip), country));

  test("is not read from a file that is none", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from("<html>"), Buffer.alloc(1000), file.subarray(0, 200)])
      assert.throws(() => openCountries(bytes), { code: "AUTH_BAD_GEOIP" });
  });

  test("is unknown where the file is damaged, whichever byte it is", () => {
    for (let i = 0; i < file.length; i++) {
      const damaged = Buffer.from(file);
      damaged[i] = 0xff;
      try {
        const answer = openCountries(damaged);
        for (const [ip] of table) assert.match(answer(ip) ?? "XX", /^[A-Z]{2}$/);
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "AUTH_BAD_GEOIP");
      }
    }
  });

  test("is not read from a file that is cut anywhere", () => {
    for (let cut = 0; cut < file.length; cut += 7) {
      try {
        openCountries(file.subarray(0, cut))("10.1.2.3");
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "AUTH_BAD_GEOIP");
      }
    }
  });
});
