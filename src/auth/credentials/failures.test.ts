import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
  DELAYED_FROM,
  Failures,
  FORGOTTEN_MS,
  MAX_ADDRESSES,
  MAX_DELAYED,
  MAX_OPEN_PER_ADDRESS,
  REFUSED_FROM,
  REFUSED_MS,
} from "./failures.ts";
import type { RepeatedFailures } from "./failures.ts";

describe("failures of an address", () => {
  let clock: FakeClock;
  let failures: Failures;
  let told: RepeatedFailures[];

  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    failures = new Failures(clock, (what) => told.push(what));
  });

  /** Fails once; resolves with how long the reply took, or "refused". */
  async function fail(ip = "192.0.2.1"): Promise<number | "refused"> {
    const admission = failures.admit(ip);
    if (admission.kind === "refused") return "refused";
    const beganUs = clock.nowUs();
    const took: number[] = [];
    void admission.attempt.failed().then(() => took.push((clock.nowUs() - beganUs) / 1000));
    for (let i = 0; i < 2000 && took.length === 0; i++) {
      await Promise.resolve();
      await Promise.resolve();
      if (took.length === 0) clock.advance(10);
    }
    return took[0] ?? -1;
  }

  const failTimes = async (count: number, ip?: string): Promise<(number | "refused")[]> => {
    const took: (number | "refused")[] = [];
    for (let i = 0; i < count; i++) took.push(await fail(ip));
    return took;
  };

  const isRefused = (ip: string): boolean => {
    const admission = failures.admit(ip);
    if (admission.kind === "admitted") admission.attempt.done();
    return admission.kind === "refused";
  };

  test("make its replies wait longer and longer from the fifth on, and are told once", async () => {
    const took = await failTimes(12);
    assert.deepEqual(
      took.map((ms) => Math.round(Number(ms) / 100) * 100),
      [0, 0, 0, 0, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000],
    );
    assert.deepEqual(told, [{ ip: "192.0.2.1", count: DELAYED_FROM }]);
    assert.equal(await fail("192.0.2.2"), 0);
  });

  test("have it refused for half a minute when there are too many, then one more is judged", async () => {
    await failTimes(REFUSED_FROM);
    const admission = failures.admit("192.0.2.1");
    assert.equal(admission.kind, "refused");
    const retryAfterMs = "retryAfterMs" in admission ? admission.retryAfterMs : 0;
    assert.ok(retryAfterMs > 0 && retryAfterMs <= REFUSED_MS);
    assert.equal(await fail(), "refused");
    clock.advance(retryAfterMs);
    assert.equal(Math.round(Number(await fail()) / 1000), 10);
    assert.equal(await fail(), "refused");
  });

  test("are forgotten after a quiet minute, and told again when there are more", async () => {
    await failTimes(DELAYED_FROM);
    clock.advance(FORGOTTEN_MS);
    assert.equal(await fail(), 0);
    await failTimes(DELAYED_FROM - 1);
    assert.equal(told.length, 2);
  });

  test("are not forgotten because something was right", async () => {
    await failTimes(DELAYED_FROM);
    assert.equal(isRefused("192.0.2.1"), false);
    assert.equal(Math.round(Number(await fail()) / 100), 10);
  });

  test("count once where the same is said again, and again after a quiet minute", async () => {
    const say = (guess: string): void => {
      const admission = failures.admit("192.0.2.1");
      assert.ok(admission.kind === "admitted");
      void admission.attempt.failed(guess);
    };
    for (let i = 0; i < 1000; i++) say("old password");
    assert.equal(clock.pendingTimers, 0, "nobody waits");
    for (let i = 2; i < DELAYED_FROM; i++) say(`guess ${i}`);
    assert.deepEqual(told, []);
    say("guess 5");
    assert.equal(told.length, 1);
    assert.equal(clock.pendingTimers, 1);
    // What is said again keeps nothing in mind either: else an old password would sum up everybody's typing errors.
    clock.advance(FORGOTTEN_MS - 1);
    say("old password");
    clock.advance(1);
    say("old password");
    assert.equal(
      clock.pendingTimers,
      1,
      "the reply before waited for the fifth failure's time, this one does not",
    );
  });

  test("are counted without a delay where they are only counted", () => {
    for (let i = 0; i < 3 * REFUSED_FROM; i++) failures.count("192.0.2.1", `token ${i}`);
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual(told, [{ ip: "192.0.2.1", count: DELAYED_FROM }]);
    failures.count("192.0.2.2", "token");
    assert.equal(failures.addresses, 2);
  });

  test("count together for all addresses of a /64", async () => {
    for (let i = 0; i < DELAYED_FROM - 1; i++) await fail(`2001:db8::${i}`);
    assert.ok(Number(await fail("2001:db8::ffff")) >= 500);
    assert.equal(await fail("2001:db8:0:1::1"), 0);
  });

  test("leave few of its requests open, and few replies waiting in all", async () => {
    await failTimes(DELAYED_FROM);
    const waiting = Array.from({ length: 100 }, () => failures.admit("192.0.2.1"));
    const admitted = waiting.filter((admission) => admission.kind === "admitted");
    assert.equal(admitted.length, MAX_OPEN_PER_ADDRESS);
    for (const { attempt } of admitted) attempt.done();

    const addresses = Array.from({ length: MAX_DELAYED }, (_, i) => `198.51.100.${i}`);
    for (const ip of addresses) await failTimes(DELAYED_FROM - 1, ip);
    const replies = addresses.map((ip) => {
      const admission = failures.admit(ip);
      assert.ok(admission.kind === "admitted");
      return admission.attempt.failed();
    });
    assert.equal(clock.pendingTimers, MAX_DELAYED);
    assert.equal(isRefused("192.0.2.1"), true);
    assert.equal(isRefused("203.0.113.1"), false);
    clock.advance(1000);
    await Promise.all(replies);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(isRefused("192.0.2.1"), false);
  });

  test("are remembered of so many addresses, and of none that never failed", async () => {
    for (let i = 0; i < 100; i++) isRefused(`203.0.113.${i}`);
    assert.equal(failures.addresses, 0);
    for (let i = 0; i < MAX_ADDRESSES + 50; i++) await fail(`10.0.${i >> 8}.${i & 255}`);
    assert.equal(failures.addresses, MAX_ADDRESSES);
  });
});
