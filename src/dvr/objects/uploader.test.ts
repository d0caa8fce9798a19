import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryStore } from "../../../test/support/memory-store.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { objectErrors } from "./errors.ts";
import { DiskHours } from "./hours-storage.ts";
import type { HourRef } from "./hours-storage.ts";
import { Uploader } from "./uploader.ts";
import type { UploaderLimits } from "./uploader.ts";

type Room = Awaited<ReturnType<typeof room>>;

/** An archive, a store and an uploader between them, with a clock that stands still. */
async function room(context: TestContext, limits: Partial<UploaderLimits> = {}) {
  const root = await mkdtemp(join(tmpdir(), "weir-uploader-"));
  const store = new MemoryStore();
  const clock = new FakeClock();
  const log = new RecordingLog();
  const safe: string[] = [];
  const open = new Set<string>();
  const hours = new DiskHours({ root, isOpen: (hour) => open.has(`${hour.stream}/${hour.path}`) });
  const make = (): Uploader =>
    new Uploader({
      store,
      hours,
      clock,
      log,
      limits,
      random: () => 0,
      onSafe: (hour) => safe.push(`${hour.stream}/${hour.path}`),
    });
  const uploader = make();
  context.after(async () => {
    await uploader.close();
    await rm(root, { recursive: true, force: true });
  });
  return { root, store, clock, log, safe, open, hours, make, uploader };
}

async function record(root: string, hour: HourRef, files: Readonly<Record<string, string>>): Promise<void> {
  const path = join(root, hour.stream, hour.path);
  await mkdir(dirname(path), { recursive: true });
  for (const [ending, text] of Object.entries(files)) await writeFile(`${path}.${ending}`, text);
}

const FILES = { mp4: "the media", "1.mp4": "more media", idx: "the index" };
const hour = (number: number, stream = "live/news"): HourRef => ({
  stream,
  path: `2026/11/23/${String(number).padStart(2, "0")}`,
});

/** Moves the clock on while nothing is under way, until something holds. */
async function inTime(made: Room, holds: () => void, stepMs = 1000): Promise<void> {
  const attempt = (): void => {
    try {
      holds();
    } catch (caught) {
      if (made.uploader.stats().running === 0) made.clock.advance(stepMs);
      throw caught;
    }
  };
  await eventually(attempt, { timeoutMs: 60_000, intervalMs: 1 });
}

const soon = async (holds: () => void): Promise<void> => {
  await eventually(holds, { timeoutMs: 60_000, intervalMs: 1 });
};

test("an hour goes up media first, the index last, each looked at before the next one", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), { ...FILES, "10.mp4": "tenth", "2.mp4": "second" });
  await record(made.root, hour(9), FILES);
  made.uploader.add(hour(8));
  await soon(() => assert.deepEqual(made.safe, ["live/news/2026/11/23/08"]));
  const names = ["08.mp4", "08.1.mp4", "08.2.mp4", "08.10.mp4", "08.idx"];
  const keys = names.map((name) => `live/news/2026/11/23/${name}`);
  assert.deepEqual(made.store.keysOf("put"), keys);
  assert.deepEqual(
    made.store.calls.map(({ method }) => method).join(" "),
    // Whether somebody else's index is there is asked first.
    "head head put head head put head head put head head put head put head",
  );
  assert.equal(Buffer.from(made.store.objects.get(keys[4]!)!).toString(), "the index");
  assert.equal(made.uploader.stats().copiedHours, 1);
  assert.equal(made.clock.pendingTimers, 0);
});

test("a note beside the index says what was copied to where, and spares the next start everything", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 1));
  const note = await readFile(join(made.root, "live/news/2026/11/23/08.copied"), "utf8");
  assert.deepEqual(JSON.parse(note), {
    version: 1,
    location: "memory://bucket",
    files: [
      { name: "08.mp4", bytes: 9 },
      { name: "08.1.mp4", bytes: 10 },
      { name: "08.idx", bytes: 9 },
    ],
  });
  const calls = made.store.calls.length;
  const next = made.make();
  next.scan("live/news");
  await soon(() => assert.equal(next.stats().streamsToScan, 0));
  assert.equal(made.store.calls.length, calls);
  await next.close();
});

test("what is in the bucket as it should be is not sent again after a restart", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  made.store.objects.set("live/news/2026/11/23/08.mp4", Buffer.from("the media"));
  made.store.objects.set("live/news/2026/11/23/08.1.mp4", Buffer.from("more media"));
  made.store.objects.set("live/news/2026/11/23/08.idx", Buffer.from("the index"));
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 1));
  assert.deepEqual(made.store.keysOf("put"), []);
  assert.equal(made.uploader.stats().sentBytes, 0);
});

test("what is in the bucket with the right size and other bytes is sent again", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  made.store.objects.set("live/news/2026/11/23/08.mp4", Buffer.from("the media"));
  made.store.objects.set("live/news/2026/11/23/08.1.mp4", Buffer.from("half of it"));
  made.store.objects.set("live/news/2026/11/23/08.idx", Buffer.from("the index"));
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 1));
  assert.deepEqual(
    made.store.keysOf("put").map((key) => key.split("/").at(-1)),
    ["08.1.mp4", "08.idx"],
  );
});

test("an index is sent again behind media that is new", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  made.store.objects.set("live/news/2026/11/23/08.mp4", Buffer.from("cut"));
  made.store.objects.set("live/news/2026/11/23/08.idx", Buffer.from("the ind"));
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 1));
  assert.deepEqual(
    made.store.keysOf("put").map((key) => key.split("/").at(-1)),
    ["08.mp4", "08.1.mp4", "08.idx"],
  );
});

for (const other of ["the other", "the index of another pod", "The"])
  test(`an hour that somebody else has copied there stays as it is, and others are copied: ${other}`, async (context) => {
    const made = await room(context);
    await record(made.root, hour(8), FILES);
    await record(made.root, hour(9), FILES);
    const index = "live/news/2026/11/23/08.idx";
    made.store.objects.set(index, Buffer.from(other));
    made.uploader.scan("live/news");
    await inTime(made, () => assert.deepEqual(made.safe, ["live/news/2026/11/23/09"]));
    await inTime(made, () => assert.ok(made.uploader.stats().failures >= 3));
    assert.ok(made.store.keysOf("put").every((key) => key.includes("/09.")));
    assert.equal(Buffer.from(made.store.objects.get(index)!).toString(), other);
    assert.match(made.log.text, /OBJECT_HOUR_TAKEN/);
    made.store.objects.delete(index);
    await inTime(made, () => assert.equal(made.safe.length, 2), 60_000);
  });

/** Fails so many times, and gives the pauses between; the clock moves on by just these. */
async function pausesOf(uploader: Uploader, clock: FakeClock, failures: number): Promise<number[]> {
  const pauses: number[] = [];
  for (let count = 1; count <= failures; count++) {
    await soon(() => assert.equal(uploader.stats().failures, count));
    await soon(() => assert.equal(uploader.stats().running, 0));
    const { pauseMs } = uploader.stats();
    clock.advance(pauseMs - 1);
    assert.equal(uploader.stats().running, 0);
    clock.advance(1);
    pauses.push(pauseMs);
  }
  return pauses;
}

test("a store that fails is tried for ever, with pauses that grow to five minutes", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  let failures = 14;
  made.store.onCall = () => {
    const context_ = { location: "x", operation: "y", reason: "z" };
    if (failures-- > 0) throw objectErrors.error("OBJECT_STORE_BUSY", context_);
  };
  made.uploader.add(hour(8));
  const pauses = (await pausesOf(made.uploader, made.clock, 14)).map((ms) => ms / 1000);
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300]);
  await soon(() => assert.equal(made.safe.length, 1));
  assert.equal(made.uploader.stats().failures, 14);
  assert.equal(made.uploader.stats().lastError, null);
  assert.equal(made.log.of("warn").length, 14);
  assert.equal(made.log.of("warn")[0]?.fields["code"], "OBJECT_STORE_BUSY");
});

test("chance takes up to a half off the pauses, but not off the first", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  made.store.onCall = () => {
    throw new Error("away");
  };
  const limits = { firstPauseMs: 8000, longestPauseMs: 64_000 };
  const uploader = new Uploader({ ...made, random: () => 0.75, onSafe: () => {}, limits });
  uploader.add(hour(8));
  assert.deepEqual(await pausesOf(uploader, made.clock, 5), [8000, 10_000, 20_000, 40_000, 40_000]);
  await uploader.close();
});

test("an hour that the store refuses does not hold up the others", async (context) => {
  const made = await room(context);
  for (const number of [1, 2, 3]) await record(made.root, hour(number), FILES);
  made.store.onCall = ({ key }) => {
    if (key.includes("/01."))
      throw objectErrors.error("OBJECT_REFUSED", { location: "x", operation: "y", reason: "z" });
  };
  for (const number of [1, 2, 3]) made.uploader.add(hour(number));
  await inTime(made, () => assert.equal(made.safe.length, 2));
  assert.deepEqual(made.safe, ["live/news/2026/11/23/02", "live/news/2026/11/23/03"]);
  made.store.onCall = () => {};
  await inTime(made, () => assert.equal(made.safe.length, 3));
});

test("a disk that fails holds up its stream alone, which is found again", async (context) => {
  const made = await room(context);
  for (const stream of ["bad", "good"]) await record(made.root, hour(8, stream), FILES);
  const filesOf = made.hours.filesOf.bind(made.hours);
  let isBroken = true;
  made.hours.filesOf = async (one) => {
    const context_ = { path: "/bad/08.mp4", reason: "EIO" };
    if (isBroken && one.stream === "bad") throw objectErrors.error("OBJECT_FILE_UNREADABLE", context_);
    return await filesOf(one);
  };
  made.uploader.add(hour(8, "bad"));
  made.uploader.add(hour(8, "good"));
  await soon(() => assert.deepEqual(made.safe, ["good/2026/11/23/08"]));
  assert.equal(made.uploader.stats().pauseMs, 0);
  const failures = (): number => made.uploader.stats().failures;
  await inTime(made, () => assert.ok(failures() >= 4));
  // 1 + 2 + 4 s at least: the pauses grow although the stream is found anew each time.
  assert.ok(made.clock.nowUs() >= 7_000_000);
  isBroken = false;
  await inTime(made, () => assert.equal(made.safe.length, 2));
});

test("hours beyond what may wait are found again on the disk, and none is copied twice", async (context) => {
  const made = await room(context, { waiting: 2 });
  const all = Array.from({ length: 24 }, (_, number) => hour(number));
  for (const one of all) await record(made.root, one, FILES);
  for (const one of all) {
    made.uploader.add(one);
    assert.ok(made.uploader.stats().waiting <= 2);
  }
  await soon(() => assert.equal(made.safe.length, 24));
  assert.equal(new Set(made.safe).size, 24);
  assert.equal(made.store.keysOf("put").length, 24 * 3);
  await soon(() => assert.equal(made.uploader.stats().streamsToScan, 0));
  assert.equal(made.clock.pendingTimers, 0);
});

test("streams beyond what may wait for their disk are left, and said to be", async (context) => {
  const made = await room(context, { streams: 2, waiting: 8 });
  const gate = Promise.withResolvers<void>();
  made.store.onCall = async () => await gate.promise;
  const streams = ["a", "b", "c", "d"];
  for (const stream of streams) await record(made.root, hour(8, stream), FILES);
  for (const stream of streams) made.uploader.scan(stream);
  assert.equal(made.uploader.stats().streamsToScan, 2);
  assert.deepEqual(
    made.log.of("warn").map(({ fields }) => fields["stream"]),
    ["c", "d"],
  );
  gate.resolve();
  await soon(() => assert.equal(made.safe.length, 2));
});

test("hours that are open are left alone, and an hour that is gone is forgotten", async (context) => {
  const made = await room(context);
  for (const number of [7, 8, 9]) await record(made.root, hour(number), FILES);
  made.open.add("live/news/2026/11/23/09");
  made.uploader.add(hour(5));
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 2));
  await soon(() => assert.equal(made.uploader.stats().streamsToScan, 0));
  assert.deepEqual(made.safe, ["live/news/2026/11/23/07", "live/news/2026/11/23/08"]);
  assert.deepEqual(made.log.of("warn"), []);
});

test("an hour of which only the index is left is not promised to anybody", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), { idx: "the index" });
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.uploader.stats().streamsToScan, 0));
  await soon(() => assert.equal(made.uploader.stats().running, 0));
  assert.deepEqual([made.store.keysOf("put"), made.safe], [[], []]);
});

test("an hour that was copied to another place is copied to this one", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  const files = [{ name: "08.mp4", bytes: 9 }];
  await made.hours.markCopied(hour(8), "memory://old", files);
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 1));
  assert.equal(made.store.objects.size, 3);
});

for (const torn of ["", "{", '{"version":1,"location":"memory://bucket"', '{"version":2}', "[]", "null"]) {
  test(`a torn note is none: ${JSON.stringify(torn)}`, async (context) => {
    const made = await room(context);
    await record(made.root, hour(8), { ...FILES, copied: torn });
    made.uploader.scan("live/news");
    await soon(() => assert.equal(made.safe.length, 1));
    assert.equal(made.store.objects.size, 3);
  });
}

test("an object that is missing or shorter behind its upload is not safe", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  let defect: "gone" | "short" | "other" | null = "gone";
  const head = made.store.head.bind(made.store);
  made.store.head = async (key) => {
    const facts = await head(key);
    if (facts === null || !made.store.keysOf("put").includes(key)) return facts;
    if (defect === "gone") return null;
    if (defect === "short") return { ...facts, bytes: facts.bytes - 1 };
    return defect === "other" ? { ...facts, crc32: "AAAAAA==" } : facts;
  };
  made.uploader.add(hour(8));
  const codes = (): unknown[] => made.log.of("warn").map(({ fields }) => fields["code"]);
  await soon(() => assert.deepEqual(codes(), ["OBJECT_COPY_DIFFERS"]));
  assert.match(
    String(made.log.of("warn")[0]?.fields["reason"]),
    /08\.mp4.*it was written, and is not there/,
  );
  defect = "short";
  await inTime(made, () => assert.equal(codes().length, 2));
  assert.match(String(made.log.of("warn")[1]?.fields["reason"]), /it has 8 bytes, and 9 were sent/);
  defect = "other";
  await inTime(made, () => assert.equal(codes().at(-1), "OBJECT_CHECKSUM"));
  assert.deepEqual(made.safe, []);
  assert.equal(made.store.objects.size, 0);
  defect = null;
  await inTime(made, () => assert.equal(made.safe.length, 1));
});

test("what was found to be damaged is sent again, though it has the right size and cannot be deleted", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  let isDamaged = true;
  const head = made.store.head.bind(made.store);
  made.store.head = async (key) => {
    const facts = await head(key);
    return facts !== null && isDamaged ? { ...facts, crc32: "AAAAAA==" } : facts;
  };
  made.store.onCall = ({ method }) => {
    if (method === "delete")
      throw objectErrors.error("OBJECT_ACCESS_DENIED", { location: "x", operation: "y", reason: "z" });
  };
  made.uploader.add(hour(8));
  await soon(() => assert.equal(made.log.of("warn").length, 1));
  assert.equal(made.store.objects.size, 1);
  isDamaged = false;
  await inTime(made, () => assert.equal(made.safe.length, 1));
  assert.equal(made.store.keysOf("put").filter((key) => key.endsWith("08.mp4")).length, 2);
});

test("an hour is safe also where the note cannot be written, which is said and tried again", async (context) => {
  const made = await room(context);
  for (const number of [7, 8]) {
    await record(made.root, hour(number), FILES);
    await mkdir(join(made.root, `live/news/2026/11/23/0${number}.copied`));
  }
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 2));
  await soon(() => assert.equal(made.log.of("warn").length, 2));
  const [line] = made.log.of("warn");
  assert.equal(line?.fields["code"], "OBJECT_MARKER_UNWRITABLE");
  assert.match(String(line?.fields["reason"]), /07\.copied: EISDIR/);
  const calls = made.store.calls.length;
  await inTime(made, () => assert.equal(made.log.of("warn").length, 3), 60_000);
  for (const number of [7, 8])
    await rm(join(made.root, `live/news/2026/11/23/0${number}.copied`), { recursive: true });
  made.clock.advance(300_000);
  const isNoted = async (): Promise<void> => {
    for (const number of [7, 8]) assert.ok(await made.hours.isCopied(hour(number), "memory://bucket"));
  };
  await eventually(isNoted, { timeoutMs: 60_000 });
  await soon(() => assert.equal(made.clock.pendingTimers, 0));
  assert.equal(made.store.calls.length, calls, "the store is not asked again for it");
  assert.equal(made.safe.length, 2);
});

test("hours that cannot be noted are bounded, and forgotten with their stream", async (context) => {
  const made = await room(context, { unnoted: 3 });
  for (let number = 0; number < 6; number++) {
    await record(made.root, hour(number), FILES);
    await mkdir(join(made.root, `live/news/2026/11/23/0${number}.copied`));
  }
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.log.of("warn").length, 6));
  await soon(() => assert.equal(made.safe.length, 6));
  for (let number = 0; number < 6; number++)
    await rm(join(made.root, `live/news/2026/11/23/0${number}.copied`), { recursive: true });
  made.clock.advance(300_000);
  const noted = async (): Promise<number[]> => {
    const all = [0, 1, 2, 3, 4, 5];
    const answers = await Promise.all(
      all.map(async (n) => await made.hours.isCopied(hour(n), "memory://bucket")),
    );
    return all.filter((_, i) => answers[i]);
  };
  await eventually(async () => assert.deepEqual(await noted(), [3, 4, 5]), { timeoutMs: 60_000 });
  await mkdir(join(made.root, "live/news/2026/11/23/00.copied"));
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.log.of("warn").length, 7));
  made.uploader.forget("live/news");
  made.clock.advance(300_000);
  await soon(() => assert.equal(made.clock.pendingTimers, 0));
  assert.equal(made.log.of("warn").length, 7);
});

test("an hour that grows while it is copied is copied again, and is not safe before", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  let puts = 0;
  made.store.onCall = async ({ method }) => {
    if (method === "put" && ++puts === 3) await record(made.root, hour(8), { "2.mp4": "late" });
  };
  made.uploader.add(hour(8));
  await soon(() => assert.equal(made.log.of("warn").length, 1));
  assert.equal(made.log.of("warn")[0]?.fields["code"], "OBJECT_FILE_CHANGED");
  assert.deepEqual(made.safe, []);
  await inTime(made, () => assert.equal(made.safe.length, 1));
  assert.equal(made.store.objects.size, 4);
});

test("what goes wrong behind a copy is not the store's fault", async (context) => {
  const made = await room(context);
  await record(made.root, hour(8), FILES);
  const onSafe = (): void => {
    throw new Error("not mine");
  };
  const uploader = new Uploader({ ...made, onSafe });
  uploader.add(hour(8));
  await soon(() => assert.equal(made.log.of("error").length, 1));
  assert.equal(uploader.stats().failures, 0);
  await uploader.close();
});

test("a stream that is forgotten is not tried again, also not the hour that is under way", async (context) => {
  const made = await room(context);
  for (const number of [7, 8]) await record(made.root, hour(number), FILES);
  await record(made.root, hour(8, "other"), FILES);
  const gate = Promise.withResolvers<void>();
  made.store.onCall = async ({ key }) => {
    if (key.startsWith("live/news/")) await gate.promise;
  };
  made.uploader.add(hour(7));
  made.uploader.add(hour(8));
  made.uploader.add(hour(8, "other"));
  await soon(() => assert.equal(made.store.calls.length, 1));
  made.uploader.forget("live/news");
  gate.reject(new Error("away"));
  await inTime(made, () => assert.deepEqual(made.safe, ["other/2026/11/23/08"]));
  assert.deepEqual(
    made.store.calls.filter(({ key }) => key.startsWith("live/news/")).map(({ method }) => method),
    ["head"],
  );
  assert.equal(made.clock.pendingTimers, 0);
});

test("closing stops what is under way and leaves nothing behind", async (context) => {
  const made = await room(context);
  for (const number of [7, 8]) await record(made.root, hour(number), FILES);
  made.store.onCall = async () => await new Promise<void>(() => {});
  made.uploader.add(hour(7));
  made.uploader.add(hour(8));
  await soon(() => assert.equal(made.store.calls.length, 1));
  await made.uploader.close();
  await made.uploader.close();
  made.uploader.add(hour(8));
  made.uploader.scan("live/news");
  assert.deepEqual(made.safe, []);
  assert.equal(made.clock.pendingTimers, 0);
  assert.equal(made.uploader.stats().running, 0);
  assert.deepEqual(made.log.of("warn"), []);
});

test("several hours are copied at a time where that is wanted, and no more", async (context) => {
  const made = await room(context, { running: 3 });
  for (let number = 0; number < 8; number++) await record(made.root, hour(number), FILES);
  let most = 0;
  made.store.onCall = () => {
    most = Math.max(most, made.uploader.stats().running);
  };
  made.uploader.scan("live/news");
  await soon(() => assert.equal(made.safe.length, 8));
  assert.equal(most, 3);
});
