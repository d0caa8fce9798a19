import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { silentLogger } from "../base/log.ts";
import { Drain } from "./drain.ts";
import type { Crowd, DrainEnd, DrainStep } from "./drain.ts";

const NOBODY: Crowd = { publishers: 0, viewers: 0, quietMs: Infinity };

/** A drain of a server whose crowd the test decides; steps are kept with their time. */
class Bench {
  readonly clock = new FakeClock();
  readonly steps: string[] = [];
  readonly #drain: Drain;
  crowd: () => Promise<Crowd | null>;
  end: { readonly reason: DrainEnd; readonly atMs: number } | null = null;

  constructor(timeoutMs: number, crowd: Crowd | null) {
    this.crowd = () => Promise.resolve(crowd);
    this.#drain = new Drain({
      target: {
        drain: (step: DrainStep) => void this.steps.push(`${this.nowMs()} ${step}`),
        crowd: () => this.crowd(),
      },
      clock: this.clock,
      log: silentLogger,
      timeoutMs,
    });
    void this.#drain.run().then((reason) => (this.end = { reason, atMs: this.nowMs() }));
  }

  get isOver(): boolean {
    return this.end !== null;
  }

  cutShort(): void {
    this.#drain.cutShort();
  }

  nowMs(): number {
    return this.clock.nowUs() / 1000;
  }
}

for (const [timeoutMs, lagMs] of [
  [25_000, 2000],
  [1000, 200],
] as const) {
  test(`of ${timeoutMs} ms nobody is sent away, and nothing ends, before ${lagMs}: a Service still sends`, async () => {
    const bench = new Bench(timeoutMs, NOBODY);
    await bench.clock.advanceSettling(lagMs - 100);
    assert.deepEqual([bench.isOver, bench.steps], [false, ["0 refuse-publishers"]]);
    await bench.clock.advanceSettling(100);
    assert.deepEqual(bench.end, { reason: "nobody is left", atMs: lagMs });
    assert.deepEqual(bench.steps.slice(1), [`${lagMs} ask-to-reconnect`, `${lagMs} send-viewers-on`]);
    await bench.clock.advanceSettling(1000);
    assert.equal(bench.clock.pendingTimers, 0);
  });
}

for (const [timeoutMs, askMs, endMs] of [
  [25_000, 2000, 20_000],
  [5000, 1000, 4000],
  [1000, 200, 800],
] as const) {
  test(`of ${timeoutMs} ms publishers have ${endMs}, and are asked to go after ${askMs}`, async () => {
    const bench = new Bench(timeoutMs, { publishers: 1, viewers: 3, quietMs: 0 });
    await bench.clock.advanceSettling(timeoutMs - 100);
    assert.equal(bench.isOver, false);
    await bench.clock.advanceSettling(200);
    assert.deepEqual(bench.end, { reason: "the time is over", atMs: timeoutMs });
    assert.deepEqual(bench.steps, [
      "0 refuse-publishers",
      `${askMs} ask-to-reconnect`,
      `${endMs} end-publishers`,
    ]);
  });
}

test("viewers are sent on, once, when the last publisher has gone, and the end waits for them", async () => {
  const bench = new Bench(25_000, { publishers: 1, viewers: 1, quietMs: 0 });
  await bench.clock.advanceSettling(3000);
  bench.crowd = () => Promise.resolve({ publishers: 0, viewers: 1, quietMs: Infinity });
  await bench.clock.advanceSettling(1000);
  assert.deepEqual(
    bench.steps.filter((step) => step.endsWith("send-viewers-on")),
    ["3100 send-viewers-on"],
  );
  assert.equal(bench.isOver, false);
  bench.crowd = () => Promise.resolve(NOBODY);
  await bench.clock.advanceSettling(200);
  assert.equal(bench.end?.reason, "nobody is left");
});

test("who asked for a playlist in the last ten seconds is a viewer", async () => {
  const bench = new Bench(25_000, null);
  bench.crowd = () => Promise.resolve({ ...NOBODY, quietMs: bench.nowMs() });
  await bench.clock.advanceSettling(9900);
  assert.equal(bench.isOver, false);
  await bench.clock.advanceSettling(300);
  assert.equal(bench.end?.reason, "nobody is left");
});

test("a thread that does not answer neither ends a drain early nor makes it longer", async () => {
  const bench = new Bench(5000, null);
  await bench.clock.advanceSettling(1000);
  bench.crowd = () => Promise.reject(new Error("gone"));
  await bench.clock.advanceSettling(1000);
  let asked = 0;
  bench.crowd = () => {
    asked++;
    return new Promise(() => {});
  };
  await bench.clock.advanceSettling(2900);
  assert.deepEqual([asked, bench.isOver], [1, false]);
  await bench.clock.advanceSettling(200);
  assert.deepEqual(bench.end, { reason: "the time is over", atMs: 5000 });
});

test("one that is cut short is over at that moment, and takes no further step", async () => {
  const bench = new Bench(25_000, { publishers: 1, viewers: 1, quietMs: 0 });
  await bench.clock.advanceSettling(5000);
  bench.cutShort();
  await turn();
  await bench.clock.advanceSettling(30_000);
  assert.deepEqual(bench.end, { reason: "cut short", atMs: 5000 });
  assert.deepEqual(bench.steps, ["0 refuse-publishers", "2000 ask-to-reconnect"]);
  assert.equal(bench.clock.pendingTimers, 0);
});
