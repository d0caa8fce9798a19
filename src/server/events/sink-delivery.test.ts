import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { silentLogger } from "../../base/log.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryQueue } from "./event-queue.ts";
import { SinkDelivery } from "./sink-delivery.ts";
import type { SinkDeliveryOptions } from "./sink-delivery.ts";

type Row = {
  clock: FakeClock;
  queue: MemoryQueue;
  delivery: SinkDelivery;
  batches: string[][];
  fails: (count: number) => void;
  push: (count: number) => void;
};

function setUp(
  t: TestContext,
  options: Partial<SinkDeliveryOptions> & { maxSizeBytes?: number } = {},
): Row {
  const clock = new FakeClock();
  const { maxSizeBytes = 1 << 20 } = options;
  const queue = new MemoryQueue({ maxSizeBytes, maxDepthMs: 60_000, clock });
  const batches: string[][] = [];
  let failures = 0;
  const transport = {
    send: (events: readonly string[]): Promise<void> => {
      batches.push([...events]);
      return failures-- > 0 ? Promise.reject(new Error("no")) : Promise.resolve();
    },
    close: () => {},
  };
  const delivery = new SinkDelivery({
    queue,
    transport,
    clock,
    log: silentLogger,
    throttleDelayMs: 0,
    resendTimeoutMs: 1000,
    ...options,
  });
  delivery.start();
  t.after(() => delivery.stop());
  let id = 0;
  const push = (count: number): void => {
    for (let n = 0; n < count; n++) queue.push({ id: ++id, utcMs: clock.wallUs() / 1000, json: `${id}` });
  };
  return { clock, queue, delivery, batches, fails: (count) => (failures = count), push };
}

test("events are sent at once, one batch after the other", async (t) => {
  const { clock, batches, push, delivery } = setUp(t);
  push(1);
  await clock.advanceSettling(10, 1);
  push(250);
  await clock.advanceSettling(10, 1);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [1, 100, 100, 50],
  );
  assert.equal(delivery.figures().sentEvents, 251);
});

test("a batch that was not taken is sent again, the same, later each time", async (t) => {
  const { clock, batches, push, fails, delivery } = setUp(t);
  fails(3);
  push(3);
  await clock.advanceSettling(50, 10);
  push(2);
  assert.equal(batches.length, 1);
  assert.equal(delivery.figures().failure, "no");
  await clock.advanceSettling(2000, 10);
  assert.deepEqual(batches, [
    ["1", "2", "3"],
    ["1", "2", "3"],
    ["1", "2", "3"],
    ["1", "2", "3"],
    ["4", "5"],
  ]);
  assert.deepEqual(delivery.figures(), {
    sentEvents: 5,
    resentBatches: 3,
    droppedEvents: 0,
    failure: null,
  });
});

test("above resend_limit a batch is given up and counted", async (t) => {
  const { clock, batches, push, fails, delivery } = setUp(t, { resendLimit: 2 });
  fails(3);
  push(2);
  await clock.advanceSettling(1000, 10);
  push(1);
  await clock.advanceSettling(1000, 10);
  assert.deepEqual(batches.at(-1), ["3"]);
  assert.equal(batches.length, 4);
  assert.equal(delivery.figures().droppedEvents, 2);
});

test("batches keep throttle_delay apart, but for a hundred that wait", async (t) => {
  const { clock, batches, push } = setUp(t, { throttleDelayMs: 5000 });
  push(1);
  await clock.advanceSettling(100, 10);
  push(2);
  await clock.advanceSettling(4000, 100);
  assert.equal(batches.length, 1);
  await clock.advanceSettling(2000, 100);
  assert.deepEqual(batches.at(-1), ["2", "3"]);
  push(100);
  await clock.advanceSettling(10, 1);
  assert.equal(batches.at(-1)!.length, 100);
});

test("what waits in memory is bounded, and the oldest goes", async (t) => {
  const { clock, queue, push, fails, batches } = setUp(t, { maxSizeBytes: 10_000 });
  fails(Infinity);
  push(1000);
  await clock.advanceSettling(100, 10);
  const { waitingBytes, waitingEvents, droppedEvents } = queue.figures();
  assert.ok(waitingBytes <= 10_000);
  assert.ok(waitingEvents < 100 && droppedEvents > 800);
  fails(0);
  await clock.advanceSettling(3000, 10);
  assert.equal(batches.at(-1)!.at(-1), "1000");
});

test("what is too old is dropped", async (t) => {
  const { clock, queue, push, fails } = setUp(t);
  fails(Infinity);
  push(5);
  await clock.advanceSettling(100, 10);
  clock.advance(61_000);
  push(1);
  assert.equal(queue.figures().waitingEvents, 1);
});

test("at the end it gives what waits, without a pause, and stops", async (t) => {
  const { clock, batches, push, delivery } = setUp(t, { throttleDelayMs: 60_000 });
  push(1);
  await clock.advanceSettling(10, 1);
  push(3);
  await clock.advanceSettling(10, 1);
  const drained = delivery.drain(1000);
  await clock.advanceSettling(100, 1);
  await drained;
  assert.deepEqual(batches.at(-1), ["2", "3", "4"]);
  await delivery.stop();
  assert.equal(clock.pendingTimers, 0);
});

test("a sink that does not answer does not hold up the end", async (t) => {
  const { clock, push, fails, delivery } = setUp(t);
  fails(Infinity);
  push(1);
  await clock.advanceSettling(10, 1);
  await delivery.drain(1000);
  await delivery.stop();
  assert.equal(clock.pendingTimers, 0);
});
