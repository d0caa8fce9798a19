import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { Pace } from "./pace.ts";

test("a transfer is held to its speed over any time", async () => {
  const clock = new FakeClock();
  const pace = new Pace(clock, 1000);
  const signal = new AbortController().signal;
  let bytes = 0;
  const transfer = (async () => {
    for (let i = 0; i < 20; i++) {
      await pace.wait(500, signal);
      bytes += 500;
    }
  })();
  for (let seconds = 1; seconds <= 10; seconds++) {
    await clock.advanceSettling(1000, 50);
    assert.ok(bytes <= seconds * 1000 + 500, `${bytes} bytes after ${seconds} s`);
    assert.ok(bytes >= seconds * 1000 - 500, `${bytes} bytes after ${seconds} s`);
  }
  await clock.advanceSettling(1000);
  await transfer;
});

test("a transfer that is not wanted any more waits no more", async () => {
  const clock = new FakeClock();
  const pace = new Pace(clock, 1);
  const stop = new AbortController();
  await pace.wait(1000, stop.signal);
  const waiting = pace.wait(1000, stop.signal);
  stop.abort();
  await waiting;
  assert.equal(clock.pendingTimers, 0);
});
