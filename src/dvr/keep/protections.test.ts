import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/fuzz/random.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { MemoryVolume, systemError } from "../../../test/support/memory-volume.ts";
import type { StepFault, VolumeStep } from "../../../test/support/memory-volume.ts";
import { Protections, StreamProtections } from "./protections.ts";
import type { StreamProtectionsOptions } from "./protections.ts";

const FOLDER = "/archive/live";
const PATH = `${FOLDER}/episodes.jsonl`;
const HOUR_MS = 3_600_000;
/** The hour at which the fake clock begins. */
const HOUR = Date.UTC(2026, 0, 1) / HOUR_MS;

type Hook = (step: VolumeStep) => StepFault | void;

function open(volume: MemoryVolume, options: Partial<StreamProtectionsOptions> & { before?: Hook } = {}) {
  const { before = () => {}, ...rest } = options;
  return new StreamProtections({
    folder: FOLDER,
    files: volume.seenBy({ before }),
    clock: new FakeClock(),
    ...rest,
  });
}

const episode = (episodeId: string, from: number, to: number | null = from + 1) => ({
  episodeId,
  openedAtMs: from * HOUR_MS,
  closedAtMs: to === null ? null : to * HOUR_MS,
});

function protectedHours(protections: StreamProtections, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => protections.protects(from + i));
}

describe("episodes", () => {
  test("keep the hours that have a part of them", async () => {
    const protections = open(new MemoryVolume());
    await protections.load();
    assert.deepEqual(protectedHours(protections, 0, 10), []);
    await protections.createEpisode({ openedAtMs: 2.5 * HOUR_MS, closedAtMs: 4 * HOUR_MS });
    await protections.createEpisode({ openedAtMs: 6 * HOUR_MS, closedAtMs: 6 * HOUR_MS });
    await protections.createEpisode({ openedAtMs: 8 * HOUR_MS - 1, closedAtMs: 8 * HOUR_MS + 1 });
    assert.deepEqual(protectedHours(protections, 0, 10), [2, 3, 6, 7, 8]);
  });

  test("that go on keep everything from their beginning", async () => {
    const protections = open(new MemoryVolume());
    await protections.createEpisode(episode("live", 5, null));
    assert.equal(protections.protects(4), false);
    assert.equal(protections.protects(1_000_000), true);
    const closed = await protections.updateEpisode("live", { closedAtMs: 6 * HOUR_MS, title: "Over" });
    assert.deepEqual([closed.title, protectedHours(protections, 0, 10)], ["Over", [5]]);
  });

  test("are listed, the first opened first, and found by their time", async () => {
    const protections = open(new MemoryVolume());
    for (const [id, from] of [
      ["c", 7],
      ["a", 1],
      ["b", 4],
    ] as const)
      await protections.createEpisode(episode(id, from));
    const ids = (filter = {}): string[] =>
      protections.listEpisodes(filter).map(({ episodeId }) => episodeId);
    assert.deepEqual(ids(), ["a", "b", "c"]);
    assert.deepEqual(ids({ openedBeforeMs: 5 * HOUR_MS }), ["a", "b"]);
    assert.deepEqual(ids({ closedAfterMs: 2 * HOUR_MS }), ["b", "c"]);
    assert.deepEqual(ids({ openedBeforeMs: 5 * HOUR_MS, closedAfterMs: 2 * HOUR_MS }), ["b"]);
    await protections.deleteEpisode("b");
    assert.deepEqual(ids(), ["a", "c"]);
    assert.deepEqual(protectedHours(protections, 0, 10), [1, 7]);
  });

  test("expire, and may be kept for longer or shorter", async () => {
    const clock = new FakeClock();
    const nowMs = clock.wallUs() / 1000;
    const protections = open(new MemoryVolume(), { clock });
    await protections.createEpisode({ ...episode("a", HOUR - 50), expiresAtMs: nowMs + 1000 });
    await protections.createEpisode({ ...episode("b", HOUR - 40), expiresAtMs: nowMs + 5000 });
    await protections.createEpisode(episode("c", HOUR - 30));
    assert.deepEqual(protectedHours(protections, HOUR - 50, 50), [0, 10, 20]);
    await protections.protectEpisode("a", null);
    clock.advance(5000);
    assert.deepEqual(protectedHours(protections, HOUR - 50, 50), [0, 20]);
    assert.deepEqual(
      protections.listEpisodes().map(({ episodeId }) => episodeId),
      ["a", "c"],
    );
    await assert.rejects(protections.updateEpisode("b", { title: "x" }), { code: "DVR_EPISODE_UNKNOWN" });
    await protections.createEpisode(episode("b", HOUR - 40));
    assert.equal(protections.protects(HOUR - 40), true);
    await protections.protectEpisode("a", nowMs);
    assert.equal(protections.protects(HOUR - 50), false);
  });

  const wrong: readonly (readonly [string, object])[] = [
    ["opened_at", { openedAtMs: -1 }],
    ["opened_at", { openedAtMs: 1.5 }],
    ["opened_at", { openedAtMs: Number.NaN }],
    ["closed_at", { openedAtMs: 5, closedAtMs: 4 }],
    ["closed_at", { openedAtMs: 5, closedAtMs: 1e15 }],
    ["expires_at", { openedAtMs: 5, expiresAtMs: Infinity }],
    ["title", { openedAtMs: 5, title: "x".repeat(1001) }],
    ["episode_id", { openedAtMs: 5, episodeId: "a b" }],
    ["episode_id", { openedAtMs: 5, episodeId: "" }],
    ["episode_id", { openedAtMs: 5, episodeId: "x".repeat(65) }],
  ];
  for (const [field, input] of wrong)
    test(`are refused by name of the field: ${field} of ${JSON.stringify(input).slice(0, 60)}`, async () => {
      const volume = new MemoryVolume();
      const made = open(volume).createEpisode(input as { openedAtMs: number });
      await assert.rejects(made, { code: "DVR_EPISODE_INVALID", message: new RegExp(field) });
      assert.deepEqual(volume.paths(), []);
    });

  test("have ids of their own", async () => {
    const protections = open(new MemoryVolume());
    await protections.createEpisode(episode("a", 1));
    await assert.rejects(protections.createEpisode(episode("a", 2)), { code: "DVR_EPISODE_EXISTS" });
    await assert.rejects(protections.deleteEpisode("b"), { code: "DVR_EPISODE_UNKNOWN", httpStatus: 404 });
    const [one, two] = [
      await protections.createEpisode({ openedAtMs: 1 }),
      await protections.createEpisode({ openedAtMs: 1 }),
    ];
    assert.notEqual(one.episodeId, two.episodeId);
  });

  test("expire some time after they were closed, where they do not say so themselves", async () => {
    const clock = new FakeClock();
    const protections = open(new MemoryVolume(), { clock });
    assert.ok(protections.expiring(HOUR_MS).protects(HOUR), "nothing is known before it is read");
    const nowMs = clock.wallUs() / 1000;
    await protections.createEpisode(episode("a", HOUR - 50));
    await protections.createEpisode({ ...episode("b", HOUR - 40), expiresAtMs: nowMs + HOUR_MS });
    await protections.createEpisode(episode("c", HOUR - 30, null));
    await protections.lock({ fromMs: (HOUR - 60) * HOUR_MS, toMs: (HOUR - 59) * HOUR_MS });
    const kept = (afterHours: number): number[] => {
      const expiring = protections.expiring(afterHours * HOUR_MS);
      return [60, 50, 40, 30, 1].filter((ago) => expiring.protects(HOUR - ago));
    };
    assert.deepEqual(kept(49.5), [60, 50, 40, 30, 1]);
    assert.deepEqual(kept(49), [60, 40, 30, 1]);
    clock.advance(HOUR_MS);
    assert.deepEqual(kept(1), [60, 30, 1]);
    const expiring = protections.expiring(HOUR_MS);
    assert.ok(!expiring.protects(HOUR - 45));
    await protections.lock({ fromMs: (HOUR - 45) * HOUR_MS, toMs: (HOUR - 44) * HOUR_MS });
    assert.ok(expiring.protects(HOUR - 45), "it heeds what comes to be kept");
    assert.ok(protections.protects(HOUR - 50));
  });

  test("are so many at most, and expired ones do not count", async () => {
    const clock = new FakeClock();
    const protections = open(new MemoryVolume(), { limit: 3, clock });
    await protections.createEpisode({ ...episode("a", 1), expiresAtMs: clock.wallUs() / 1000 + 1000 });
    await protections.createEpisode(episode("b", 2));
    await protections.lock({ fromMs: 0, toMs: 5 });
    await assert.rejects(protections.createEpisode(episode("c", 3)), {
      code: "DVR_EPISODE_LIMIT",
      httpStatus: 409,
    });
    await assert.rejects(protections.lock({ fromMs: 10, toMs: 15 }), { code: "DVR_EPISODE_LIMIT" });
    await protections.lock({ fromMs: 2, toMs: 7 });
    await protections.updateEpisode("b", { title: "still possible" });
    clock.advance(1000);
    await protections.createEpisode(episode("c", 3));
    await assert.rejects(protections.createEpisode(episode("d", 4)), { code: "DVR_EPISODE_LIMIT" });
  });
});

describe("locks", () => {
  test("keep their time until it is taken out of them", async () => {
    const volume = new MemoryVolume();
    const protections = open(volume);
    await protections.lock({ fromMs: 2 * HOUR_MS, toMs: 5 * HOUR_MS });
    await protections.lock({ fromMs: 4 * HOUR_MS, toMs: 8 * HOUR_MS });
    assert.deepEqual(protections.listLocks(), [{ fromMs: 2 * HOUR_MS, toMs: 8 * HOUR_MS }]);
    await protections.unlock({ fromMs: 3 * HOUR_MS, toMs: 7 * HOUR_MS });
    assert.deepEqual(protectedHours(protections, 0, 10), [2, 7]);
    const again = open(volume);
    await again.load();
    assert.deepEqual(again.listLocks(), protections.listLocks());
    await assert.rejects(protections.lock({ fromMs: 5, toMs: 5 }), { code: "DVR_EPISODE_INVALID" });
    await assert.rejects(protections.unlock({ fromMs: -5, toMs: 5 }), { code: "DVR_EPISODE_INVALID" });
  });

  test("are ten thousand at most", async () => {
    const volume = new MemoryVolume();
    const protections = open(volume);
    await protections.lock({ fromMs: 0, toMs: 100_000 });
    const [cuts, tries]: [number, Promise<void>[]] = [9999, []];
    for (let i = 1; i <= cuts; i++) {
      tries.push(protections.unlock({ fromMs: i * 10, toMs: i * 10 + 1 }));
      if (i % 500 === 0) await Promise.all(tries.splice(0));
    }
    await Promise.all(tries);
    assert.equal(protections.listLocks().length, 10_000);
    await assert.rejects(protections.unlock({ fromMs: 5, toMs: 6 }), { code: "DVR_EPISODE_LIMIT" });
    await assert.rejects(protections.lock({ fromMs: 200_000, toMs: 200_001 }), {
      code: "DVR_EPISODE_LIMIT",
    });
  });
});

describe("what is kept", () => {
  test("is not known before it is read, so everything is", () => {
    assert.equal(open(new MemoryVolume()).protects(5), true);
  });

  test("is seen by another process when it looks", async () => {
    const volume = new MemoryVolume();
    const [one, two] = [open(volume), open(volume)];
    await one.createEpisode(episode("a", 1));
    await two.load();
    assert.equal(two.protects(1), true);
    await two.createEpisode(episode("b", 2));
    await one.createEpisode(episode("c", 3));
    await two.load();
    for (const each of [one, two]) assert.deepEqual(protectedHours(each, 0, 5), [1, 2, 3]);
    volume.files.delete(PATH);
    await one.load();
    assert.deepEqual(protectedHours(one, 0, 5), []);
  });

  test("is read once as long as the file is the same", async () => {
    const volume = new MemoryVolume();
    let reads = 0;
    const protections = open(volume, { before: ({ kind }) => void (reads += Number(kind === "read")) });
    await protections.createEpisode(episode("a", 1));
    for (let i = 0; i < 10; i++) await protections.load();
    assert.equal(reads, 0);
  });

  for (const [name, spoil] of [
    ["damaged", (bytes: Uint8Array) => bytes.with(12, bytes[12]! ^ 1)],
    ["of zeros in front", (bytes: Uint8Array) => bytes.with(0, 0)],
  ] as const)
    test(`is everything when the file is ${name}, and the error says where`, async () => {
      const volume = new MemoryVolume();
      const protections = open(volume);
      await protections.createEpisode(episode("a", 1));
      await protections.createEpisode(episode("b", 2));
      const good = volume.files.get(PATH)!.bytes;
      volume.put(PATH, spoil(good));
      await assert.rejects(protections.load(), {
        code: "DVR_EPISODES_UNREADABLE",
        message: /\/archive\/live\/.*line 1 /,
      });
      assert.equal(protections.protects(99), true);
      await assert.rejects(protections.createEpisode(episode("c", 3)), { code: "DVR_EPISODES_UNREADABLE" });
      assert.equal(volume.files.get(PATH)!.bytes.byteLength, good.byteLength, "nothing was written to it");
      volume.put(PATH, good);
      await protections.load();
      assert.deepEqual(protectedHours(protections, 0, 5), [1, 2]);
    });

  test("is everything while the file cannot be read", async () => {
    const volume = new MemoryVolume();
    await open(volume).createEpisode(episode("a", 1));
    let isBroken = true;
    const before: Hook = ({ kind }) =>
      isBroken && kind === "read" ? { error: systemError("EIO") } : undefined;
    const protections = open(volume, { before });
    await assert.rejects(protections.load(), { code: "DVR_EPISODES_UNREADABLE", message: /EIO/ });
    assert.equal(protections.protects(99), true);
    isBroken = false;
    await protections.load();
    assert.equal(protections.protects(99), false);
  });

  test("is everything when the file is too big to be one of ours, which is not read", async () => {
    const files = new MemoryVolume().seenBy({ before: ({ kind }) => assert.notEqual(kind, "read") });
    files.facts = () => Promise.resolve({ bytes: 2 ** 31, changedMs: 1 });
    const protections = new StreamProtections({ folder: FOLDER, files, clock: new FakeClock() });
    await assert.rejects(protections.load(), {
      code: "DVR_EPISODES_UNREADABLE",
      message: /more than 1073741824/,
    });
    assert.equal(protections.protects(99), true);
  });

  test("does not change when a change cannot be written, and the next one can", async () => {
    const volume = new MemoryVolume();
    const protections = open(volume);
    await protections.createEpisode(episode("a", 1));
    volume.capacityBytes = volume.usedBytes() + 20;
    await assert.rejects(protections.createEpisode(episode("b", 2)), {
      code: "DVR_EPISODES_UNWRITABLE",
      message: /ENOSPC/,
    });
    assert.equal(protections.protects(99), true, "what is in the file is not known for certain");
    await protections.load();
    assert.deepEqual(protectedHours(protections, 0, 5), [1]);
    volume.capacityBytes = Infinity;
    await protections.createEpisode(episode("c", 3));
    assert.deepEqual(protectedHours(protections, 0, 5), [1, 3]);
  });

  test("waits for its turn, a thousand changes at most", async () => {
    const protections = open(new MemoryVolume());
    const made = Array.from({ length: 1001 }, (_, i) => protections.createEpisode(episode(`${i}`, i)));
    const outcomes = await Promise.allSettled(made);
    assert.deepEqual(
      outcomes.map(({ status }) => status).filter((status) => status === "rejected").length,
      1,
    );
    await assert.rejects(made[1000]!, { code: "DVR_EPISODES_BUSY", httpStatus: 503 });
    assert.equal(protections.listEpisodes().length, 1000);
    assert.equal(protections.waiting, 0);
  });

  test("stands in a file that does not grow for ever", async () => {
    const volume = new MemoryVolume();
    const protections = open(volume, { spareLines: 10 });
    await protections.createEpisode(episode("kept", 1));
    for (let i = 0; i < 500; i++) {
      await protections.createEpisode(episode("passing", 5));
      await protections.deleteEpisode("passing");
    }
    assert.ok(volume.text(PATH)!.split("\n").length < 20);
    assert.deepEqual(volume.paths(), [PATH]);
    const again = open(volume);
    await again.load();
    assert.deepEqual(protectedHours(again, 0, 9), [1]);
  });

  test("can be changed on a volume that has no room to write the file anew", async () => {
    const volume = new MemoryVolume();
    let isBroken = false;
    const before: Hook = ({ path }) =>
      isBroken && path.endsWith(".new") ? { error: systemError("ENOSPC") } : undefined;
    const protections = open(volume, { spareLines: 4, before });
    isBroken = true;
    for (let i = 0; i < 20; i++) {
      await protections.createEpisode(episode("a", 1));
      await protections.deleteEpisode("a");
    }
    assert.equal(volume.text(PATH)!.split("\n").length, 41);
    isBroken = false;
    await protections.createEpisode(episode("b", 2));
    assert.deepEqual(volume.text(PATH)!.split("\n").length, 2);
  });
});

type Run = (protections: StreamProtections) => Promise<unknown>;

/** Changes of every kind, and enough of them that the file is written anew twice. */
const CHANGES: readonly Run[] = [
  (on) => on.createEpisode(episode("a", 1)),
  (on) => on.createEpisode(episode("b", 2)),
  (on) => on.lock({ fromMs: 20 * HOUR_MS, toMs: 25 * HOUR_MS }),
  (on) => on.updateEpisode("a", { title: "A longer title, so that lines differ in length" }),
  (on) => on.deleteEpisode("b"),
  (on) => on.unlock({ fromMs: 22 * HOUR_MS, toMs: 23 * HOUR_MS }),
  (on) => on.createEpisode(episode("c", 3, null)),
  (on) => on.protectEpisode("a", Date.UTC(2030, 0, 1)),
  (on) => on.updateEpisode("c", { closedAtMs: 4 * HOUR_MS }),
  (on) => on.deleteEpisode("a"),
  (on) => on.updateEpisode("c", { title: "C" }),
  (on) => on.deleteEpisode("c"),
  (on) => on.unlock({ fromMs: 20 * HOUR_MS, toMs: 21 * HOUR_MS }),
];
const SPARE_LINES = 2;

const stateOf = (protections: StreamProtections): string =>
  JSON.stringify([protections.listEpisodes(), protections.listLocks()]);

async function statesWithoutFaults(): Promise<string[]> {
  const protections = open(new MemoryVolume(), { spareLines: SPARE_LINES });
  await protections.load();
  const states = [stateOf(protections)];
  for (const change of CHANGES) {
    await change(protections);
    states.push(stateOf(protections));
  }
  return states;
}

describe("a process that is killed while episodes change", () => {
  for (const power of ["stays", "is lost"] as const)
    test(`at any step has made what it said, and the last change whole or not at all, when the power ${power}`, async () => {
      const states = await statesWithoutFaults();
      const random = new Random(5);
      let [kills, isOver] = [0, false];
      for (let killAt = 0; !isOver; killAt++) {
        isOver = true;
        for (const part of [0, 0.3, 0.9, 1]) {
          const volume = new MemoryVolume();
          let steps = 0;
          const before: Hook = ({ bytes }) => {
            if (steps++ < killAt) return;
            isOver = false;
            const error = systemError("EIO");
            return steps === killAt + 1 ? { error, wroteBytes: Math.floor(bytes * part) } : { error };
          };
          const dying = open(volume, { spareLines: SPARE_LINES, before });
          let made = 0;
          try {
            for (const change of CHANGES) {
              await change(dying);
              made++;
            }
          } catch {
            kills++;
          }
          if (power === "is lost") volume.losePower(() => random.below(1000) / 1000);
          const next = open(volume, { spareLines: SPARE_LINES });
          await next.load();
          const found = stateOf(next);
          const where = `killed at step ${killAt}, with ${part} of its bytes written, after ${made} changes`;
          assert.ok(found === states[made] || found === states[made + 1], `${where}: ${found}`);
          await next.createEpisode(episode("next", 9));
          const last = open(volume);
          await last.load();
          assert.equal(stateOf(last), stateOf(next), where);
        }
      }
      assert.ok(kills > 100, `${kills} kills`);
    });
});

describe("the protections of a root", () => {
  test("are one for each stream, as they are now", async () => {
    const volume = new MemoryVolume();
    const protections = new Protections({
      root: "/archive",
      files: volume.seenBy(),
      clock: new FakeClock(),
    });
    const [one, two] = await Promise.all([protections.of("live"), protections.of("live")]);
    assert.equal(one, two);
    await open(volume).createEpisode(episode("a", 1));
    assert.equal((await protections.of("live")).protects(1), true);
    assert.equal((await protections.of("other")).protects(1), false);
  });

  test("stay in memory for so many streams, but never less than are being written", async () => {
    const volume = new MemoryVolume();
    const held = Promise.withResolvers<void>();
    const files = volume.seenBy({
      before: async ({ kind, path }) => {
        if (kind === "sync" && path.startsWith("/archive/first/")) await held.promise;
      },
    });
    const protections = new Protections({
      root: "/archive",
      files,
      clock: new FakeClock(),
      streamLimit: 5,
    });
    const first = await protections.of("first");
    const writing = first.createEpisode(episode("a", 1));
    for (let i = 0; i < 20; i++) await protections.of(`stream-${i}`);
    assert.equal(protections.size, 5);
    held.resolve();
    await writing;
    assert.equal(await protections.of("first"), first);
  });
});
