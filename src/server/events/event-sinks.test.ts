import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { EventBus } from "../../api/events/event-bus.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/log.ts";
import type { EventSinkPlan } from "../../config/plan.ts";
import { EventSinks } from "./event-sinks.ts";

async function setUp(
  t: TestContext,
): Promise<{ folder: string; bus: EventBus; sinks: EventSinks; errors: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "weir-sinks-"));
  const bus = new EventBus({ clock: systemClock, server: () => "one" });
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const sinks = new EventSinks({ bus, clock: systemClock, log: { ...log, child: () => log } });
  t.after(async () => {
    await sinks.stop(0);
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, bus, sinks, errors };
}

function plan(name: string, url: string, more: Partial<EventSinkPlan> = {}): EventSinkPlan {
  const place = { file: "a.conf", line: 1, column: 1, length: 1 };
  const bounds = { throttleDelayMs: 0, resendTimeoutMs: 1000, maxSizeBytes: 1 << 20 };
  return { name, url, only: [], except: [], ...bounds, place, ...more };
}

test("a new configuration touches the sinks that it changes, and loses nothing", async (t) => {
  const { folder, bus, sinks } = await setUp(t);
  const path = join(folder, "a.log");
  const same = plan("same", `jsonlog://${path}`);
  await sinks.configure({ eventSinks: [same], allowedHosts: [] });
  bus.emit("stream_opened", { n: 1 });
  const moved = { ...same, place: { ...same.place, line: 7 } };
  const changing = sinks.configure({ eventSinks: [moved, plan("new", "log://")], allowedHosts: [] });
  bus.emit("stream_opened", { n: 2 });
  await changing;
  assert.equal(bus.subscribers, 2);
  const narrowed = { ...same, only: [{ event: ["stream_*"] }] };
  await sinks.configure({ eventSinks: [narrowed], allowedHosts: [] });
  bus.emit("play_opened", { n: 3 });
  bus.emit("stream_opened", { n: 4 });
  await sinks.stop(1000);
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { n: number }).n),
    [1, 2, 4],
  );
  assert.equal(bus.subscribers, 0);
});

test("a sink that cannot be is told of, and the others work", async (t) => {
  const { folder, sinks, errors } = await setUp(t);
  const eventSinks = [plan("bad", "ftp://x/"), plan("good", `log://${folder}/good.log`)];
  await sinks.configure({ eventSinks, allowedHosts: [] });
  assert.deepEqual(errors, ["an event sink cannot be used"]);
  assert.equal(sinks.filterOf("bad"), null);
  assert.notEqual(sinks.filterOf("good"), null);
});

test("a queue that cannot be on disk is in memory", async (t) => {
  const { folder, bus, sinks, errors } = await setUp(t);
  const eventQueue = join(folder, "queue");
  await writeFile(eventQueue, "in the way");
  await sinks.configure({ eventSinks: [plan("one", "http://127.0.0.1:1/")], eventQueue, allowedHosts: [] });
  assert.equal(errors.length, 1);
  bus.emit("stream_opened");
  assert.equal(sinks.figures()[0]!.waitingEvents, 1);
});

test("names of sinks do not lead out of the folder of queues", async (t) => {
  const { folder, sinks } = await setUp(t);
  const eventQueue = join(folder, "queue");
  const eventSinks = ["../up", "..", "a/b"].map((name) => plan(name, "http://127.0.0.1:1/"));
  await sinks.configure({ eventSinks, eventQueue, allowedHosts: [] });
  assert.deepEqual((await readdir(eventQueue)).toSorted(), ["sink-..", "sink-..%2Fup", "sink-a%2Fb"]);
  assert.deepEqual(await readdir(folder), ["queue"]);
});
