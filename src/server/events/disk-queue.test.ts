import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { BATCH_EVENTS } from "../../api/events/batch.ts";
import { silentLogger } from "../../base/log.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { DiskQueue } from "./disk-queue.ts";
import type { EventQueue } from "./event-queue.ts";

const MIB = 1024 * 1024;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-queue-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function openQueue(
  folder: string,
  bounds: { maxSizeBytes?: number; maxDepthMs?: number; clock?: FakeClock } = {},
) {
  const { maxSizeBytes = 64 * MIB, clock = new FakeClock(), maxDepthMs } = bounds;
  return DiskQueue.open({ folder, maxSizeBytes, maxDepthMs, clock, log: silentLogger });
}

function push(queue: EventQueue, from: number, to: number, fill = 0, utcMs = 0): void {
  for (let id = from; id <= to; id++) {
    const json = JSON.stringify({
      event: "stream_opened",
      event_id: id,
      utc_ms: utcMs,
      fill: "x".repeat(fill),
    });
    queue.push({ id, utcMs, json });
  }
}

function idsOf(events: readonly string[]): number[] {
  return events.map((json) => (JSON.parse(json) as { event_id: number }).event_id);
}

/** Takes all that there is, or so many batches. */
async function drain(queue: EventQueue, batches = Infinity): Promise<number[]> {
  const ids: number[] = [];
  for (let n = 0; n < batches; n++) {
    const batch = await queue.peek();
    if (batch === null) break;
    ids.push(...idsOf(batch.events));
    await queue.acknowledge(batch);
  }
  return ids;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

test("events come out in order, in batches, and nothing is left", async (t) => {
  const folder = await folderOf(t);
  const queue = await openQueue(folder);
  push(queue, 1, 250);
  const first = await queue.peek();
  assert.deepEqual(idsOf(first!.events), numbers(1, BATCH_EVENTS));
  assert.equal(queue.figures().waitingEvents, 250, "what is on its way waits");
  assert.equal(await queue.peek(), first, "until it is acknowledged, a batch is the same");
  assert.deepEqual(await drain(queue), numbers(1, 250));
  assert.equal(await queue.peek(), null);
  assert.equal(queue.figures().waitingEvents, 0);
  await queue.close();
});

test("what was written and not taken is there after a restart", async (t) => {
  const folder = await folderOf(t);
  const before = await openQueue(folder);
  push(before, 1, 250);
  await before.written();
  await drain(before, 1);
  // No close: the process is killed.
  const after = await openQueue(folder);
  assert.equal(after.lastId, 250);
  assert.equal(after.figures().waitingEvents, 150);
  push(after, 251, 260);
  assert.deepEqual(await drain(after), numbers(101, 260));
  await Promise.all([before.close(), after.close()]);
  const last = await openQueue(folder);
  assert.equal(await last.peek(), null);
  assert.equal(last.lastId, 260, "numbers go on behind those that were taken");
  await last.close();
});

test("whenever a process is killed, what it had written comes, once and in order", async (t) => {
  const root = await folderOf(t);
  let run = 0;
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("push" as const), count: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant("kill" as const), count: fc.integer({ min: 0, max: 400 }) }),
    ),
    { maxLength: 12 },
  );
  const property = fc.asyncProperty(steps, async (walk) => {
    let folder = join(root, String(run++));
    let queue = await openQueue(folder, { maxSizeBytes: 8 * MIB });
    const open = [queue];
    let next = 1;
    const taken: number[] = [];
    let lost = new Set<number>();
    let lastKept = 0;
    for (const { kind, count } of walk) {
      if (kind === "push") {
        push(queue, next, next + count - 1, 300);
        next += count;
        lastKept = next - 1;
        await queue.written();
      } else if (kind === "take") taken.push(...(await drain(queue, count)));
      else {
        const copy = join(root, String(run++));
        await cp(folder, copy, { recursive: true });
        const cut = await tearLast(copy, count);
        queue = await openQueue(copy, { maxSizeBytes: 8 * MIB });
        open.push(queue);
        folder = copy;
        // What was torn off was not written: it may be lost, and only that.
        const from = queue.lastId + 1;
        lost = new Set([...lost, ...numbers(from, next - 1)]);
        assert.ok(cut > 0 || queue.lastId === lastKept, "nothing is lost where nothing was torn off");
        lastKept = queue.lastId;
      }
    }
    taken.push(...(await drain(queue)));
    assert.deepEqual(
      taken,
      numbers(1, next - 1).filter((id) => taken.includes(id) || !lost.has(id)),
    );
    await Promise.all(open.map((one) => one.close()));
  });
  await fc.assert(property, { numRuns: 25 });
});

/** Cuts bytes off the newest segment. Returns: how many. */
async function tearLast(folder: string, most: number): Promise<number> {
  const name = (await readdir(folder))
    .filter((one) => one.endsWith(".events"))
    .toSorted()
    .at(-1);
  if (name === undefined) return 0;
  const { byteLength } = await readFile(join(folder, name));
  const cut = Math.min(most, byteLength);
  await truncate(join(folder, name), byteLength - cut);
  return cut;
}

test("above its size the oldest go, and are counted", async (t) => {
  const folder = await folderOf(t);
  const queue = await openQueue(folder, { maxSizeBytes: MIB });
  for (let from = 1; from < 4000; from += 100) {
    push(queue, from, from + 99, 1000);
    await queue.written();
  }
  const { waitingBytes, waitingEvents, droppedEvents } = queue.figures();
  assert.ok(waitingBytes <= MIB + 128 * 1024, `${waitingBytes} bytes wait`);
  assert.ok(droppedEvents > 2000);
  assert.equal(waitingEvents + droppedEvents, 4000);
  const ids = await drain(queue);
  assert.deepEqual(ids, numbers(4001 - waitingEvents, 4000));
  await queue.close();
});

test("a batch that was on its way while the oldest went can still be acknowledged", async (t) => {
  const folder = await folderOf(t);
  const queue = await openQueue(folder, { maxSizeBytes: 512 * 1024 });
  push(queue, 1, 100, 1000);
  const batch = await queue.peek();
  for (let from = 101; from < 2000; from += 100) {
    push(queue, from, from + 99, 1000);
    await queue.written();
  }
  await queue.acknowledge(batch!);
  const ids = await drain(queue);
  assert.equal(ids.at(-1), 2000);
  assert.ok(ids[0]! > 100);
  await queue.close();
});

test("what is too old is not sent, and is counted", async (t) => {
  const folder = await folderOf(t);
  const clock = new FakeClock();
  const queue = await openQueue(folder, { maxDepthMs: 60_000, clock });
  const nowMs = (): number => clock.wallUs() / 1000;
  push(queue, 1, 150, 0, nowMs());
  await queue.written();
  clock.advance(61_000);
  push(queue, 151, 160, 0, nowMs());
  assert.deepEqual(await drain(queue), numbers(151, 160));
  assert.equal(queue.figures().droppedEvents, 150);
  await queue.close();
});

test("damage in the middle costs the lines that it is in", async (t) => {
  const folder = await folderOf(t);
  const before = await openQueue(folder);
  push(before, 1, 10);
  await before.close();
  const name = (await readdir(folder)).find((one) => one.endsWith(".events"));
  const bytes = await readFile(join(folder, name!));
  bytes[bytes.indexOf('"event_id":5')]! ^= 1;
  await writeFile(join(folder, name!), bytes);
  const after = await openQueue(folder);
  assert.deepEqual(await drain(after), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
  await after.close();
});

test("a disk that fails is tried again, and what waits meanwhile is bounded", async (t) => {
  const folder = await folderOf(t);
  const clock = new FakeClock();
  const queue = await openQueue(folder, { clock, maxSizeBytes: MIB });
  await rm(folder, { recursive: true });
  await writeFile(folder, "in the way");
  push(queue, 1, 3000, 1000);
  await queue.written();
  assert.equal(await queue.peek(), null);
  assert.ok(queue.figures().waitingBytes <= 4 * MIB);
  assert.ok(queue.figures().droppedEvents > 0);
  await rm(folder);
  await (await openQueue(folder)).close();
  clock.advance(1000);
  await queue.written();
  const ids = await drain(queue);
  assert.equal(ids.at(-1), 3000);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
  await queue.close();
});
