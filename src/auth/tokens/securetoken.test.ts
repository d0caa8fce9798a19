import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSecuretoken, MAX_SECURETOKEN_LENGTH } from "./securetoken.ts";
import type { TokenResult } from "./token-result.ts";

// The hashes are those of coreutils, as in:
//   echo -n "live/news192.0.2.1017953592001795366400s3cretpepper" | sha1sum
const hashes = {
  plain: "c490a138c331258f6f7d847d7441886a73264fed",
  anyAddress: "251c04d790670e218c3611244ba13519af5c3700",
  user: "7bab22387168585845ce0bd2533460d9cc51722a",
  ipv6NoSalt: "1ccba78ad51b0b2b248a0de17598cf2017e70b47",
};
const [start, end] = [1795359200, 1795366400];
const plain = `${hashes.plain}-pepper-${end}-${start}`;
const withUser = `${hashes.user}-pepper-${end}-${start}-user-7`;

type Change = { token?: string | undefined; ip?: string; name?: string; nowS?: number; key?: string };

function check(change: Change, checksAddress = true): TokenResult {
  const subject = { name: "live/news", ip: "192.0.2.10", token: plain, ...change };
  return checkSecuretoken(
    { key: change.key ?? "s3cret", checksAddress },
    subject,
    (change.nowS ?? start + 60) * 1000,
  );
}

describe("a securetoken", () => {
  test("of another program lets its stream, address and user in until it ends", () => {
    const expiresMs = end * 1000;
    assert.deepEqual(check({}), { allowed: true, expiresMs });
    assert.deepEqual(check({ token: plain.toUpperCase().replace("PEPPER", "pepper") }), {
      allowed: true,
      expiresMs,
    });
    assert.deepEqual(check({ token: withUser }), { allowed: true, expiresMs, userId: "user-7" });
    const anyAddress = `${hashes.anyAddress}-pepper-${end}-${start}`;
    assert.deepEqual(check({ token: anyAddress, ip: "203.0.113.9" }, false), { allowed: true, expiresMs });
    const ipv6 = `${hashes.ipv6NoSalt}--${end}-${start}`;
    assert.deepEqual(check({ token: ipv6, ip: "2001:db8::1" }), { allowed: true, expiresMs });
  });

  test("holds from its start, but for clocks that differ by seconds, to its end", () => {
    assert.equal(check({ nowS: start }).allowed, true);
    assert.equal(check({ nowS: start - 30 }).allowed, true);
    assert.equal(check({ nowS: end - 1 }).allowed, true);
    assert.deepEqual(check({ nowS: start - 31 }), {
      allowed: false,
      reason: "the token does not hold yet",
    });
    assert.deepEqual(check({ nowS: end }), { allowed: false, reason: "the token has expired" });
  });

  const forged: readonly [what: string, change: Change][] = [
    ["another name", { name: "live/other" }],
    ["another address", { ip: "192.0.2.11" }],
    ["another key", { key: "other" }],
    ["another end", { token: plain.replace(String(end), String(end + 1)) }],
    ["another start", { token: plain.replace(String(start), String(start - 1)) }],
    ["another salt", { token: plain.replace("pepper", "peppe") }],
    ["a user it was not made for", { token: `${plain}-user-7` }],
    ["no user where it has one", { token: withUser.replace("-user-7", "") }],
    ["one digit of the hash changed", { token: `d${plain.slice(1)}` }],
  ];
  for (const [what, change] of forged)
    test(`with ${what} is refused`, () =>
      assert.deepEqual(check(change), {
        allowed: false,
        reason: "the token's hash is that of another key, name or address",
        isForged: true,
      }));

  test("that is none is refused, and so is one for any address where addresses are checked", () => {
    for (const token of [
      undefined,
      "",
      "x",
      "-".repeat(9),
      plain.slice(1),
      plain.replace(`-${start}`, ""),
      `${plain}-`,
    ])
      assert.equal(check({ token }).allowed, false, token);
    assert.equal(check({ token: `${hashes.anyAddress}-pepper-${end}-${start}` }).allowed, false);
    const long = check({ token: plain.padEnd(MAX_SECURETOKEN_LENGTH + 1, "x") });
    assert.deepEqual(long, { allowed: false, reason: "the token is too long" });
  });

  test("whose digits were moved from one part to the next is refused, though its hash is the same", () => {
    const salted = `${hashes.plain}-pepper`;
    // To the end, which is then in the year 3608 or later, and from the start to the address.
    const moved = String(start).slice(0, -1);
    for (const digit of ["5", String(start).at(-1)!])
      assert.equal(check({ token: `${salted}-${digit}${end}-${moved}` }).allowed, false);
    assert.equal(check({ token: `${salted}-0${end}-${moved}` }).allowed, false);
    const shortStart = String(start).slice(1);
    const toAddress = check({
      token: `${salted}-${end}-${shortStart}`,
      ip: `192.0.2.10${String(start)[0]}`,
    });
    assert.equal(toAddress.allowed, false);
  });

  test("cut anywhere is refused", () => {
    for (let cut = 0; cut < plain.length; cut++)
      assert.equal(check({ token: plain.slice(0, cut) }).allowed, false);
  });
});
