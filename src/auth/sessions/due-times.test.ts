import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { DueTimes } from "./due-times.ts";
import type { DueItem } from "./due-times.ts";

type Named = DueItem & { readonly name: number; atMs: number };

test("each item comes once, not before its time and at most two seconds late, those far off in steps", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200_000), fc.nat(3000)), { minLength: 1, maxLength: 40 }),
      (plans) => {
        const clock = new FakeClock();
        const came: number[] = [];
        const due = new DueTimes<Named>(clock, (item, nowMs) => {
          if (nowMs < item.atMs) {
            due.put(item, item.atMs);
            return;
          }
          assert.ok(nowMs - item.atMs <= 2000, `${item.atMs} at ${nowMs}`);
          came.push(item.name);
        });
        for (const [name, [inMs, restMs]] of plans.entries()) {
          const atMs = clock.nowUs() / 1000 + inMs;
          due.put({ name, atMs, dueS: null }, atMs);
          clock.advance(restMs);
        }
        clock.advance(210_000);
        assert.deepEqual(
          came.toSorted((a, b) => a - b),
          [...plans.keys()],
        );
        assert.equal(due.size, 0);
        assert.equal(clock.pendingTimers, 0);
      },
    ),
    { numRuns: 200 },
  );
});

test("an item that is moved comes at its last time, one that is taken out never", () => {
  const clock = new FakeClock();
  const came: string[] = [];
  const due = new DueTimes<Named>(clock, (item, nowMs) => void came.push(`${item.name} at ${nowMs}`));
  const [one, two] = [1, 2].map((name): Named => ({ name, atMs: 0, dueS: null }));
  due.put(one!, 5000);
  due.put(two!, 5000);
  due.put(one!, 2000);
  due.remove(two!);
  due.remove(two!);
  clock.advance(1000);
  due.put(one!, 9000);
  clock.advance(20_000);
  assert.deepEqual(came, ["1 at 9000"]);
  assert.equal(clock.pendingTimers, 0);
});

test("a machine that slept goes on with all that is due", () => {
  let nowUs = 0;
  let run = (): void => {};
  const due = new DueTimes<Named>(
    {
      nowUs: () => nowUs,
      wallUs: () => nowUs,
      schedule: (_delayMs, call) => {
        run = call;
        return { cancel: () => {} };
      },
    },
    () => came++,
  );
  let came = 0;
  for (let name = 0; name < 60; name++) due.put({ name, atMs: 0, dueS: null }, name * 1000);
  nowUs = 86_400_000_000;
  run();
  assert.equal(came, 60);
});
