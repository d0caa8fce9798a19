/** Hours from a disk to a bucket, and out of it again. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { MemoryStore } from "../../test/support/memory-store.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { Copies } from "./copies.ts";
import { deleteHour } from "./keep/delete-hour.ts";
import { diskKeepFiles } from "./keep/storages/disk-keep-files.ts";
import { Keepers } from "./keepers.ts";
import { copiedMarker } from "./objects/copied-marker.ts";
import type { CopyRules } from "./objects/copy-rules.ts";
import { CopyStores } from "./objects/copy-stores.ts";
import { RootCopies } from "./objects/root-copies.ts";
import { objectErrors } from "./objects/errors.ts";
import { locationOf } from "./objects/object-store.ts";
import type { S3Place } from "./objects/object-store.ts";

const HOUR_MS = 3_600_000;
/** 12:15 of that day. */
const NOW_MS = Date.UTC(2026, 10, 23, 12, 15);
const SECRET = "the-secret";
const place = (bucket: string): S3Place => ({
  endpoint: "https://host",
  bucket,
  prefix: "site",
  accessKey: "key",
  secretKey: SECRET,
});

class Room {
  readonly root: string;
  readonly clock = new FakeClock(NOW_MS * 1000);
  readonly log = new RecordingLog();
  /** By bucket. */
  readonly buckets = new Map<string, MemoryStore>();
  /** The bucket of each stream. */
  readonly copied = new Map<string, string>();
  readonly made: { stop(): Promise<void> }[] = [];
  readonly rules: CopyRules;

  constructor(root: string) {
    this.root = root;
    this.rules = {
      roots: () => new Set(this.copied.size === 0 ? [] : [root]),
      of: (of, stream) => {
        const bucket = this.copied.get(stream);
        return bucket === undefined || of !== root ? null : { place: place(bucket), cache: null };
      },
    };
  }

  static async make(t: TestContext): Promise<Room> {
    const room = new Room(await mkdtemp(join(tmpdir(), "weir-copies-")));
    t.after(async () => {
      await Promise.all(room.made.map((copies) => copies.stop()));
      await rm(room.root, { recursive: true, force: true });
    });
    return room;
  }

  #stores(): CopyStores {
    return new CopyStores({
      clock: this.clock,
      open: (to) => {
        const reason = "as this test has it";
        if (to.bucket === "refused")
          return Promise.reject(objectErrors.error("OBJECT_BAD_PLACE", { reason }));
        const store = this.buckets.get(to.bucket) ?? new MemoryStore(locationOf(to));
        this.buckets.set(to.bucket, store);
        return Promise.resolve(store);
      },
    });
  }

  /** One that copies, and knows nobody else: its clock may leap. */
  alone(): RootCopies {
    const { root, clock, log, rules } = this;
    const copies = new RootCopies({
      ...{ root, files: diskKeepFiles, clock, log, rules, stores: this.#stores(), isOurs: () => true },
    });
    copies.start();
    this.made.push(copies);
    return copies;
  }

  /** A process that copies where no other one does. */
  copies(pid = 1): Copies {
    const { clock, log, rules } = this;
    const stores = this.#stores();
    const identity = { host: "host", pod: "", machine: "machine", pid, birth: "b" };
    const copies = new Copies({
      ...{ files: diskKeepFiles, clock, log, identity, isAlive: () => true, rules, stores },
    });
    this.made.push(copies);
    return copies;
  }

  pathOf(stream: string, hoursAgo: number): string {
    const iso = new Date(NOW_MS - hoursAgo * HOUR_MS).toISOString();
    return join(this.root, stream, iso.slice(0, 13).replaceAll(/[-T]/g, "/"));
  }

  async record(stream: string, hoursAgo: number, changedMsAgo = hoursAgo * HOUR_MS): Promise<void> {
    const path = this.pathOf(stream, hoursAgo);
    await mkdir(dirname(path), { recursive: true });
    const changedS = (NOW_MS - changedMsAgo) / 1000;
    for (const ending of ["mp4", "1.mp4", "idx"]) {
      await writeFile(`${path}.${ending}`, `${ending} of ${path}`);
      await utimes(`${path}.${ending}`, changedS, changedS);
    }
  }

  keysOf(bucket: string): string[] {
    return [...(this.buckets.get(bucket)?.objects.keys() ?? [])].toSorted();
  }

  /** Moves the clock on until something holds. */
  async inTime(holds: () => void | Promise<void>, stepMs = 100): Promise<void> {
    await eventually(
      async () => {
        try {
          await holds();
        } catch (caught) {
          this.clock.advance(stepMs);
          throw caught;
        }
      },
      { timeoutMs: 60_000, intervalMs: 2 },
    );
  }

  /** Lets some looks at the disk go by. */
  async looks(times: number): Promise<void> {
    await this.clock.advanceSettling(times * 61_000, 1000);
  }
}

const hourKeys = (stream: string, hour: string): string[] =>
  ["1.mp4", "idx", "mp4"].map((ending) => `${stream}/2026/11/23/${hour}.${ending}`);

describe("hours that are over", () => {
  test("are copied, those of each stream to its bucket, and noted; those that may grow are not", async (t) => {
    const room = await Room.make(t);
    room.copied.set("tv/a", "one").set("b", "two");
    for (const stream of ["tv/a", "b", "c"]) await room.record(stream, 3);
    await room.record("b", 0);
    await room.record("b", 1, 1 * HOUR_MS);
    // Ended long ago, and something has come to it since: the clock of that recording is behind.
    await room.record("b", 2, 300_000);
    room.alone();
    await room.inTime(() => assert.equal(room.keysOf("two").length, 6));
    await room.inTime(() => assert.equal(room.keysOf("one").length, 3));
    assert.deepEqual(room.keysOf("one"), hourKeys("tv/a", "09"));
    assert.deepEqual(room.keysOf("two"), [...hourKeys("b", "09"), ...hourKeys("b", "11")]);
    await room.inTime(() => assert.ok(existsSync(`${room.pathOf("tv/a", 3)}.copied`)));
    assert.ok(!room.log.text.includes(SECRET));
    const told = (): number => room.log.lines.filter(({ message }) => message === "hour copied").length;
    await room.inTime(() => assert.equal(told(), 3));
    // Minutes later they are over, too.
    await room.inTime(() => assert.equal(room.keysOf("two").length, 9), 30_000);
    await room.inTime(() => assert.equal(room.keysOf("two").length, 12), 30_000);
  });

  test("are copied again to another place when there is one, and are not looked for where they are", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    const copies = room.alone();
    await room.inTime(() => assert.ok(existsSync(`${room.pathOf("a", 3)}.copied`)));
    const asked = room.buckets.get("one")!.calls.length;
    await room.looks(5);
    assert.equal(room.buckets.get("one")!.calls.length, asked);
    room.copied.set("a", "two");
    copies.start();
    await room.inTime(() => assert.equal(room.keysOf("two").length, 3));
    room.copied.clear();
    copies.start();
    await room.inTime(() => assert.equal(copies.stats().size, 0));
  });

  test("wait for a bucket that is away, for as long as it takes, and that is said", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    let isDown = true;
    const store = new MemoryStore(locationOf(place("one")));
    store.onCall = () => {
      const context = { location: store.location, operation: "write", reason: "status 503" };
      if (isDown) throw objectErrors.error("OBJECT_STORE_BUSY", context);
    };
    room.buckets.set("one", store);
    const copies = room.alone();
    await room.inTime(() => assert.ok(store.calls.length >= 4), 20_000);
    await room.looks(12);
    const stats = copies.stats().get(store.location)!;
    assert.ok(stats.failures >= 4 && stats.waiting + stats.running === 1, JSON.stringify(stats));
    assert.match(stats.lastError!, /503/);
    const waiting = room.log.of("info").filter(({ message }) => message === "hours wait to be copied");
    assert.equal(waiting.at(-1)!.fields["to"], store.location);
    isDown = false;
    await room.inTime(() => assert.equal(room.keysOf("one").length, 3), 20_000);
  });

  test("are copied by one process of those that share a volume, and by the next when that ends", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    const [first, second] = [room.copies(1), room.copies(2)];
    first.configure();
    await room.inTime(() => assert.equal(room.keysOf("one").length, 3));
    await room.inTime(() => {
      const { waitingHours, hours, failures, bytes } = first.figures();
      assert.deepEqual([waitingHours, hours, failures, bytes > 100], [0, 1, 0, true]);
    });
    second.configure();
    await room.record("a", 4);
    for (let beats = 0; beats < 5; beats++) await room.clock.advanceSettling(1000);
    assert.equal(second.stats().get(room.root)!.size, 0, "the second one copies nothing");
    assert.equal(room.keysOf("one").length, 3);
    await first.stop();
    await room.inTime(() => assert.equal(room.keysOf("one").length, 6));
    assert.equal(second.stats().get(room.root)!.size, 1);
  });

  test("are not copied to a bucket that cannot be opened, or is one too many, and that is said once", async (t) => {
    const room = await Room.make(t);
    for (let i = 0; i < 65; i++) {
      room.copied.set(`s${i}`, `bucket-${i}`);
      await room.record(`s${i}`, 3);
    }
    room.copied.set("x", "refused");
    await room.record("x", 3);
    const copies = room.alone();
    await room.inTime(() => assert.equal(copies.stats().size, 64), 61_000);
    await room.looks(3);
    assert.equal(copies.stats().size, 64);
    const said = room.log.of("warn").map(({ message }) => message);
    assert.deepEqual(said.toSorted(), [
      "hours are not copied: there are too many buckets below one root",
      "nothing is copied: the bucket cannot be opened",
    ]);
  });

  test("are not copied any more behind the end, and nothing is left", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    const store = new MemoryStore(locationOf(place("one")));
    room.buckets.set("one", store);
    const started = Promise.withResolvers<void>();
    store.onCall = async ({ method }) => {
      if (method !== "put") return;
      started.resolve();
      await new Promise(() => {});
    };
    const copies = room.copies();
    copies.configure();
    await room.inTime(() => assert.ok(store.keysOf("put").length > 0));
    await started.promise;
    await copies.stop();
    assert.equal(room.clock.pendingTimers, 0);
    copies.configure();
    assert.equal(copies.stats().size, 0);
    assert.deepEqual(room.keysOf("one"), []);
  });
});

describe("an hour that is deleted", () => {
  test("for its age leaves its bucket soon", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    for (const ago of [3, 4]) await room.record("a", ago);
    const copies = room.alone();
    await room.inTime(() =>
      assert.ok([3, 4].every((ago) => existsSync(`${room.pathOf("a", ago)}.copied`))),
    );
    const { clock, log, rules } = room;
    const keepers = new Keepers({
      ...{ files: diskKeepFiles, clock, log, copies: rules, rulesOf: () => ({ depthMs: 3 * HOUR_MS }) },
      onDropped: (_root, stream) => copies.changed(stream),
    });
    keepers.setRoots(new Set([room.root]));
    await room.inTime(() => assert.ok(!existsSync(`${room.pathOf("a", 4)}.idx`)));
    await keepers.stop();
    await room.inTime(() => assert.deepEqual(room.keysOf("one"), hourKeys("a", "09")), 10_000);
    await room.inTime(() => assert.ok(!existsSync(`${room.pathOf("a", 4)}.dropped`)));
  });

  test("leaves its bucket, whoever was away meanwhile", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    for (const ago of [3, 4]) await room.record("a", ago);
    const first = room.copies(1);
    first.configure();
    await room.inTime(() =>
      assert.ok([3, 4].every((ago) => existsSync(`${room.pathOf("a", ago)}.copied`))),
    );
    await first.stop();
    const folder = dirname(room.pathOf("a", 3));
    const names = (await readdir(folder)).filter((name) => name.startsWith("09."));
    await deleteHour({ folder, hourOfDay: 9, names }, diskKeepFiles);
    const store = room.buckets.get("one")!;
    let isDown = true;
    store.onCall = ({ method, key }) => {
      const context = { location: store.location, operation: `delete "${key}"`, reason: "503" };
      if (isDown && method === "delete") throw objectErrors.error("OBJECT_STORE_BUSY", context);
    };
    room.alone();
    await room.inTime(() => assert.ok(store.keysOf("delete").length >= 2), 20_000);
    assert.equal(room.keysOf("one").length, 6);
    isDown = false;
    await room.inTime(() => assert.deepEqual(room.keysOf("one"), hourKeys("a", "08")), 20_000);
    assert.equal(store.keysOf("delete").at(-3), "a/2026/11/23/09.idx", "its index goes first");
    await room.inTime(async () => assert.ok(!(await readdir(folder)).includes("09.dropped")));
  });

  test("stays in a bucket that is not the stream's, and nothing else goes by a note", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    const [elsewhere, here] = [place("other"), place("one")].map(locationOf);
    const note = (location: string, names: readonly string[]): string =>
      copiedMarker(
        location,
        names.map((name) => ({ name, bytes: 1 })),
      );
    const stem = (hour: string): string => join(dirname(room.pathOf("a", 3)), hour);
    await writeFile(`${stem("05")}.dropped`, note(elsewhere!, ["05.mp4"]));
    await writeFile(
      `${stem("06")}.dropped`,
      note(here!, ["../../b", "07.mp4", "06.mp4", "06.idx", "06.copied"]),
    );
    await writeFile(`${stem("07")}.dropped`, "torn");
    room.alone();
    await room.inTime(() => assert.ok(existsSync(`${stem("09")}.copied`)));
    await room.looks(3);
    assert.deepEqual(room.buckets.get("one")!.keysOf("delete"), [
      "a/2026/11/23/06.idx",
      "a/2026/11/23/06.mp4",
    ]);
    const left = (await readdir(dirname(stem("05")))).filter((name) => name.endsWith(".dropped"));
    assert.deepEqual(left, ["05.dropped"]);
    const warned = room.log.of("warn").filter(({ message }) => message.includes("not configured any more"));
    assert.equal(warned.length, 1);
  });

  test("while it is copied leaves its bucket again", async (t) => {
    const room = await Room.make(t);
    room.copied.set("a", "one");
    await room.record("a", 3);
    const store = new MemoryStore(locationOf(place("one")));
    room.buckets.set("one", store);
    const gate = Promise.withResolvers<void>();
    let isWritten = false;
    // The last look at what was sent waits.
    store.onCall = async ({ method, key }) => {
      if (method === "put" && key.endsWith(".idx")) isWritten = true;
      else if (method === "head" && isWritten) await gate.promise;
    };
    room.alone();
    await room.inTime(() => assert.ok(isWritten));
    await rename(join(room.root, "a"), `${room.root}/.gone`);
    gate.resolve();
    await room.inTime(() => assert.deepEqual(room.keysOf("one"), []));
  });
});

test("media leaves the disk when the note is about where it would be read from, and what it says is so", async (t) => {
  const room = await Room.make(t);
  const [a, b, c] = ["a", "b", "c"];
  room.copied.set(a, "one").set(b, "one").set(c, "one");
  for (const stream of [a, b, c]) await room.record(stream, 3);
  const names = ["09.mp4", "09.1.mp4", "09.idx"];
  for (const [stream, bucket, more] of [
    [a, "one", 0],
    [b, "elsewhere", 0],
    [c, "one", 1],
  ] as const) {
    const folder = dirname(room.pathOf(stream, 3));
    const files = await Promise.all(
      names.map(async (name) => ({ name, bytes: (await readFile(join(folder, name))).byteLength + more })),
    );
    await writeFile(`${room.pathOf(stream, 3)}.copied`, copiedMarker(locationOf(place(bucket)), files));
  }
  const { clock, log, rules: copies } = room;
  const keepers = new Keepers({
    files: diskKeepFiles,
    clock,
    log,
    rulesOf: () => ({ localMs: 0 }),
    copies,
  });
  keepers.setRoots(new Set([room.root]));
  await room.inTime(() => assert.ok(!existsSync(`${room.pathOf(a, 3)}.mp4`)));
  await keepers.stop();
  assert.ok(existsSync(`${room.pathOf(a, 3)}.idx`) && !existsSync(`${room.pathOf(a, 3)}.1.mp4`));
  assert.ok([b, c].every((stream) => existsSync(`${room.pathOf(stream, 3)}.mp4`)));
});
