import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { monitoringReply } from "../../api/monitoring.ts";
import { controlBeat, makeShares } from "./shares.ts";
import { ThreadProbes } from "./thread-probes.ts";

const THREADS = 3;
const CONTROL = THREADS;

/** The probes of thread 0 of three; `beat` lets time pass in which all threads but `stuck` beat. */
class Bench {
  readonly shares = makeShares(THREADS);
  readonly clock = new FakeClock();
  answer: () => Promise<string | null> = () => Promise.resolve(null);
  readonly probes = new ThreadProbes({
    index: 0,
    shares: this.shares,
    clock: this.clock,
    startedAtMs: 1234,
    askControl: () => this.answer(),
  });

  beat(seconds: number, ...stuck: number[]): void {
    for (let i = 0; i < seconds * 2; i++) {
      for (let thread = 0; thread <= CONTROL; thread++) {
        if (!stuck.includes(thread)) Atomics.add(this.shares.beats, thread, 1);
      }
      this.probes.beat();
    }
  }

  async probe(which: "liveness" | "readiness"): Promise<{ status: number; reason: unknown }> {
    const reply = await monitoringReply(`/streamer/api/v3/monitoring/${which}`, this.probes);
    assert.ok(reply !== null);
    const body = JSON.parse(Buffer.concat(reply.body).toString()) as Record<string, unknown>;
    assert.equal(body["started_at"], 1234);
    return { status: reply.status, reason: body["reason"] };
  }
}

const OK = { status: 200, reason: undefined };

test("while all threads beat, both probes are 200", async () => {
  const bench = new Bench();
  assert.equal(controlBeat(bench.shares), CONTROL);
  for (const seconds of [0, 1, 60]) {
    bench.beat(seconds);
    assert.deepEqual([await bench.probe("liveness"), await bench.probe("readiness")], [OK, OK]);
  }
});

test("a control thread that stands still fails readiness after 2 s and liveness after 10 s", async () => {
  const bench = new Bench();
  bench.answer = () => new Promise(() => {});
  bench.beat(1);
  bench.beat(2, CONTROL);
  const reason = "the control thread has not answered for 2 s";
  assert.deepEqual(await bench.probe("readiness"), { status: 503, reason });
  bench.beat(8, CONTROL);
  assert.deepEqual(await bench.probe("liveness"), OK);
  bench.beat(2, CONTROL);
  const stuck = { status: 503, reason: "the control thread has not answered for 12 s" };
  assert.deepEqual([await bench.probe("liveness"), await bench.probe("readiness")], [stuck, stuck]);
  bench.answer = () => Promise.resolve(null);
  bench.beat(1);
  assert.deepEqual([await bench.probe("liveness"), await bench.probe("readiness")], [OK, OK]);
});

test("a control thread that beats but does not answer in time fails readiness alone", async () => {
  const bench = new Bench();
  bench.beat(1);
  bench.answer = () => Promise.reject(new Error("late"));
  const reason = "the control thread does not answer";
  assert.deepEqual(await bench.probe("readiness"), { status: 503, reason });
  assert.deepEqual(await bench.probe("liveness"), OK);
});

test("what the control thread says of readiness is passed on", async () => {
  const bench = new Bench();
  bench.answer = () => Promise.resolve("the server is starting");
  assert.deepEqual(await bench.probe("readiness"), { status: 503, reason: "the server is starting" });
});

test("a media thread that hangs fails liveness where it is not replaced in time", async () => {
  const bench = new Bench();
  bench.beat(1);
  bench.beat(15, 2);
  assert.deepEqual(await bench.probe("liveness"), OK);
  bench.beat(1, 2, CONTROL);
  assert.deepEqual(await bench.probe("liveness"), {
    status: 503,
    reason: "media thread 2 has not answered for 16 s",
  });
  Atomics.store(bench.shares.beats, 2, 0);
  bench.beat(15, 2);
  assert.deepEqual(await bench.probe("liveness"), OK, "it was ended, and the next one starts");
});

test("a drain fails readiness at once, without a word of the control thread", async () => {
  const bench = new Bench();
  bench.answer = () => assert.fail("it was asked");
  Atomics.store(bench.shares.draining, 0, 1);
  const { status, reason } = await bench.probe("readiness");
  assert.equal(status, 503);
  assert.match(String(reason), /the server is stopping/);
  assert.deepEqual(await bench.probe("liveness"), OK);
});

test("other paths are no probes", () => {
  assert.equal(monitoringReply("/streamer/api/v3/monitoring/health", new Bench().probes), null);
});
