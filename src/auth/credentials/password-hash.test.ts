import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HASH_ALGORITHMS, isHashed, parseHash } from "./hash-format.ts";
import { hashPassword, isPasswordOf, isSecretAtOnce, MAX_PASSWORD_LENGTH } from "./password-hash.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

/** Made by Python's hashlib, but for argon2id, which is a row of the tests of the reference implementation. */
const vectors: readonly [name: string, password: string, hash: string][] = [
  [
    "scrypt",
    "pass:word",
    "$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$RmAH/bDPFrYdNY6ekKYbdWA+qRKNcePV56vsPhWc1ac",
  ],
  ["sha256", TOKEN, "$sha256$c2FsdHNhbHQ$eLGECS97ein3M6XeN8NhYJD5vMUxpp8UaAHXngCIl0M"],
  [
    "argon2id",
    "password",
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  ],
];

async function fits(password: string, text: string): Promise<boolean> {
  const hash = parseHash(text);
  assert.ok(!("fault" in hash), "fault" in hash ? hash.fault : "");
  return isPasswordOf(password, hash);
}

describe("a hash of a password", () => {
  for (const [name, password, text] of vectors)
    test(`of ${name}, made by others, is that of its password and of no other`, async () => {
      assert.equal(isHashed(text), true);
      assert.equal(await fits(password, text), true);
      assert.equal(await fits(`${password} `, text), false);
      assert.equal(await fits("", text), false);
    });

  for (const algorithm of HASH_ALGORITHMS)
    test(`of ${algorithm} that we make is another each time, and that of its password`, async () => {
      const [one, two] = [await hashPassword(TOKEN, algorithm), await hashPassword(TOKEN, algorithm)];
      assert.notEqual(one, two);
      assert.ok(one.startsWith(`$${algorithm}$`) && !/[\s;{}"'#]/.test(one), one);
      assert.equal(await fits(TOKEN, one), true);
      assert.equal(await fits(TOKEN.slice(1), two), false);
    });

  test("is made of nothing that can be guessed, or is too long", async () => {
    await assert.rejects(hashPassword("short", "sha256"), { code: "AUTH_WEAK_SECRET" });
    await assert.rejects(hashPassword("x".repeat(MAX_PASSWORD_LENGTH + 1)), { code: "AUTH_LONG_SECRET" });
  });

  const [salt, hash] = ["c2l4dGVlbi1ieXRlcy1vaw", "A".repeat(43)];
  const bad: readonly [text: string, fault: RegExp][] = [
    [`$scrypt$ln=17,r=8,p=1$${salt}$${hash}`, /64 MiB/],
    [`$scrypt$ln=16,r=8,p=9$${salt}$${hash}`, /too long/],
    [`$scrypt$ln=99,r=8,p=1$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=0,r=8,p=1$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=15,r=0,p=1$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=1,r=1,p=1000000$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=15,r=8$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=15,r=8,p=1,x=1$${salt}$${hash}`, /cost/],
    [`$scrypt$${salt}$${hash}`, /cost/],
    [`$argon2id$v=19$m=65537,t=1,p=1$${salt}$${hash}`, /64 MiB/],
    [`$argon2id$v=19$m=65536,t=99,p=1$${salt}$${hash}`, /too long/],
    [`$argon2id$v=19$m=8,t=1,p=2$${salt}$${hash}`, /cost/],
    [`$argon2id$v=16$m=65536,t=2,p=1$${salt}$${hash}`, /not written/],
    [`$argon2i$v=19$m=65536,t=2,p=1$${salt}$${hash}`, /not written/],
    [`$sha256$ln=1$${salt}$${hash}`, /cost/],
    [`$scrypt$ln=10,r=8,p=1$AAAA$${hash}`, /odd length/],
    [`$scrypt$ln=10,r=8,p=1$${salt}$AAAA`, /odd length/],
    [`$scrypt$ln=10,r=8,p=1$${salt}$AAAAA`, /no base64/],
    [`$sha256$${salt}$${"A".repeat(40)}`, /odd length/],
    [`$scrypt$ln=10,r=8,p=1$${salt}$${hash}=`, /not written/],
    [`$scrypt$ln=10,r=8,p=1$${salt}`, /not written/],
    [`$scrypt$${"x".repeat(600)}`, /too long/],
    ["$scrypt$", /not written/],
    ["plain", /not written/],
  ];
  for (const [text, fault] of bad)
    test(`is not ${text.slice(0, 44)}`, () => {
      const read = parseHash(text);
      assert.match("fault" in read ? read.fault : "", fault);
      // What looks like a hash is never a password, or whoever reads the file has it.
      if (text !== "plain") assert.equal(isSecretAtOnce(text, text), false);
    });

  test("is told at once where that is fast", () => {
    assert.equal(isSecretAtOnce("a", "a"), true);
    assert.equal(isSecretAtOnce("a", "b"), false);
    assert.equal(isSecretAtOnce("$1", "$1"), true);
    assert.equal(isSecretAtOnce(TOKEN, vectors[1]![2]), true);
    assert.equal(isSecretAtOnce("other", vectors[1]![2]), false);
    assert.equal(isSecretAtOnce("pass:word", vectors[0]![2]), null);
  });
});
