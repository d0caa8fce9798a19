import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { MAX_AT_ONCE, MAX_VERIFIED, MAX_WAITING, PasswordVerifier } from "./password-verifier.ts";

const STORED = `$scrypt$ln=10,r=8,p=1$c2l4dGVlbi1ieXRlcy1vaw$${"A".repeat(43)}`;

describe("the verifier of passwords", () => {
  let computed: string[];
  let running: number;
  let most: number;
  let verifier: PasswordVerifier;
  let open: (() => void)[];
  let isHeld: boolean;

  beforeEach(() => {
    computed = [];
    open = [];
    isHeld = false;
    running = most = 0;
    verifier = new PasswordVerifier(async (password) => {
      computed.push(password);
      most = Math.max(most, ++running);
      if (isHeld) await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return password.startsWith("right");
    });
  });

  test("computes the hash of what was right once, of what was wrong each time", async () => {
    assert.equal(verifier.knows("right", STORED), null);
    for (let i = 0; i < 3; i++) assert.equal(await verifier.verify("right", STORED), true);
    assert.equal(verifier.knows("right", STORED), true);
    assert.equal(verifier.knows("right", STORED.replace("AA", "BB")), null);
    for (let i = 0; i < 3; i++) assert.equal(await verifier.verify("wrong", STORED), false);
    assert.deepEqual(computed, ["right", "wrong", "wrong", "wrong"]);
  });

  test("computes nothing for what is plain, or malformed", async () => {
    assert.equal(await verifier.verify("a", "a"), true);
    assert.equal(await verifier.verify("a", "b"), false);
    assert.equal(await verifier.verify("$scrypt$x", "$scrypt$x"), false);
    assert.deepEqual(computed, []);
  });

  test("computes few at once, the same once, and lets few wait", async () => {
    isHeld = true;
    const same = [verifier.verify("wrong 0", STORED), verifier.verify("wrong 0", STORED)];
    const others = Array.from({ length: MAX_AT_ONCE + MAX_WAITING - 1 }, (_, i) =>
      verifier.verify(`wrong ${i + 1}`, STORED),
    );
    await assert.rejects(verifier.verify("one too many", STORED), { code: "AUTH_BUSY" });
    assert.equal(computed.length, MAX_AT_ONCE);
    isHeld = false;
    for (const resolve of open) resolve();
    assert.deepEqual(new Set(await Promise.all([...same, ...others])), new Set([false]));
    assert.equal(computed.length, MAX_AT_ONCE + MAX_WAITING);
    assert.equal(most, MAX_AT_ONCE);
    assert.equal(await verifier.verify("right after all", STORED), true);
  });

  test("remembers so many that were right, those used last", async () => {
    await verifier.verify("right first", STORED);
    for (let i = 0; i < MAX_VERIFIED - 1; i++) await verifier.verify(`right ${i}`, STORED);
    assert.equal(verifier.knows("right first", STORED), true);
    await verifier.verify("right again", STORED);
    assert.equal(verifier.knows("right first", STORED), true);
    assert.equal(verifier.knows("right 0", STORED), null);
  });

  test("goes on when a hash cannot be computed", async () => {
    const failing = new PasswordVerifier(() => Promise.reject(new Error("no memory")));
    for (let i = 0; i < 5; i++) await assert.rejects(failing.verify("right", STORED), /no memory/);
  });
});
