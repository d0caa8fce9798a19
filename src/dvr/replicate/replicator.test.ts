import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakePeer, replyOf } from "../../../test/support/fake-peer.ts";
import type { PeerFault } from "../../../test/support/fake-peer.ts";
import { FaultyDisk } from "../../../test/support/faulty-disk.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { StreamName } from "../../media/ids.ts";
import type { SegmentEntry } from "../../packaging/presentation.ts";
import { BlockPool } from "../../vod/block-pool.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { buildDeletedSpan, deletedFile } from "../format/deleted-spans.ts";
import { HOUR_US } from "../format/hour.ts";
import { ArchivedSegment } from "../reader/archived-segment.ts";
import { HourCache } from "../reader/hour-cache.ts";
import { StreamArchive } from "../reader/stream-archive.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { Replicator } from "./replicator.ts";
import type { ReplicationTarget } from "./replicator.ts";

const HOUR = 496_640;
const CAMERA = "cam/one" as StreamName;
const KEY = "k3y";

/** A server with its archive, on the disk. */
type Site = {
  readonly root: string;
  readonly peer: FakePeer;
  readonly disk: FaultyDisk;
  readonly clock: FakeClock;
  readonly lines: string[];
  /** Starts to copy from another one; a second call goes on behind a kill. */
  copyFrom(other: Site, target?: Partial<ReplicationTarget>): Replicator;
  /** Names of the segments that players see, when they were checked. */
  shown(): Promise<string[]>;
};

const clocks = new WeakMap<TestContext, FakeClock>();

/** All servers of a test have one clock: that of a request is never minutes off, however often it is moved on. */
function clockOf(t: TestContext): FakeClock {
  const clock = clocks.get(t) ?? new FakeClock((HOUR + 1) * HOUR_US + 120_000_000);
  clocks.set(t, clock);
  return clock;
}

async function makeSite(t: TestContext, hours: readonly ArchiveHour[]): Promise<Site> {
  const root = await mkdtemp(join(tmpdir(), "weir-site-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const hour of hours) {
    for (const [path, bytes] of Object.entries(hour.files(`${root}/${CAMERA}`))) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }
  const clock = clockOf(t);
  const log = new RecordingLog();
  const disk = new FaultyDisk();
  const peer = new FakePeer(root, [CAMERA], { key: KEY, nowS: () => clock.wallUs() / 1_000_000 });
  return {
    ...{ root, peer, disk, clock },
    get lines() {
      return log.lines.map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`);
    },
    copyFrom(other, target = {}) {
      const replicator = new Replicator({
        files: disk.files,
        keepFiles: { ...disk.keepFiles, space: async () => ({ totalBytes: 1e12, usedBytes: 0 }) },
        ...{ clock, log, hours: new HourCache(disk.files, clock) },
        access: () => ({
          mayWrite: () => true,
          whenHeld: async () => {},
          failed: () => {},
          release: async () => {},
        }),
        targetsOf: (_, offered) =>
          offered.map((stream) => ({ stream, remote: stream, root, bytesPerSecond: 1e9, ...target })),
        connect: () => other.peer,
        random: () => 0.5,
      });
      replicator.setPeers([{ origin: "http://peer", key: KEY }]);
      t.after(() => replicator.stop());
      return replicator;
    },
    shown: () => shownSegments(archiveOf(`${root}/${CAMERA}`, clock)),
  };
}

function archiveOf(folder: string, clock: FakeClock): StreamArchive {
  return new StreamArchive(folder, {
    files: diskFiles,
    disk: diskFiles,
    hours: new HourCache(diskFiles, clock),
    pool: new BlockPool(0),
    work: new BoundedWork({ running: 1, waiting: 10 }, vodBusy),
    farWork: new BoundedWork({ running: 1, waiting: 10 }, vodBusy),
    clock,
    maxSegments: 10_000,
  });
}

/** Reads all as a player does: in order, apart from each other, numbers by one, all media there. */
async function shownSegments(archive: StreamArchive): Promise<string[]> {
  const segments = await archive.segments((HOUR - 2) * HOUR_US, (HOUR + 3) * HOUR_US);
  for (const [i, segment] of segments.entries()) {
    const before = segments[i - 1];
    if (before !== undefined) {
      const endUs = before.startUs + before.durationUs;
      assert.ok(segment.startUs >= endUs - 1000, `${segment.name} overlaps ${before.name}`);
      if (segment.startUs > endUs + 1000) assert.ok(segment.discontinuity, segment.name);
    }
    const lent = await archive.lendSegment(segment.name, ["v1", "a1"] as never);
    assert.ok(lent !== null && lent.body[1]!.byteLength > 100);
    assert.equal(Buffer.from(lent.body[1]!).toString("latin1", 4, 8), "moof");
    lent.release();
  }
  checkNumbers(archive.numbered(segments));
  return segments.map(({ name }) => name);
}

/** Numbers of sliding playlists follow by one, and breaks are as many as are said. */
function checkNumbers(listed: readonly SegmentEntry[]): void {
  let breaks: number | null = null;
  for (const [i, entry] of listed.entries()) {
    const before = listed[i - 1];
    if (before !== undefined && before.sequence !== 0)
      assert.equal(entry.sequence, before.sequence + 1, entry.name);
    if (entry.discontinuity && breaks !== null) breaks++;
    if (!(entry instanceof ArchivedSegment)) continue;
    breaks ??= entry.discontinuities;
    if (before?.sequence !== 0) assert.equal(entry.discontinuities, breaks, entry.name);
  }
}

/** An hour of segments of two seconds each, without those of some stretches. Units: seconds of the hour. */
function hourWithout(
  holes: readonly (readonly [from: number, to: number])[],
  { hour = HOUR, to = 120, shiftUs = 0 } = {},
): ArchiveHour {
  const made = new ArchiveHour(hour, { firstOrdinal: 7000 + (hour - HOUR) * 1000 });
  let wasHole = true;
  for (let atS = 0; atS < to; atS += 2) {
    const isHole = holes.some(([from, end]) => atS >= from && atS < end);
    if (!isHole) made.segment({ atUs: atS * 1_000_000 + shiftUs, discontinuity: wasHole });
    wasHole = isHole;
  }
  return made;
}

async function untilLogged(site: Site, words: string): Promise<void> {
  const look = (): void => {
    site.clock.advance(500);
    assert.ok(
      site.lines.some((line) => line.includes(words)),
      site.lines.join("\n"),
    );
  };
  await eventually(look, { timeoutMs: 30_000, intervalMs: 5 });
}

async function untilShown(site: Site, names: readonly string[]): Promise<void> {
  const look = async (): Promise<void> => {
    site.clock.advance(500);
    assert.deepEqual(await site.shown(), names, site.lines.join("\n"));
  };
  await eventually(look, { timeoutMs: 30_000, intervalMs: 5 });
}

function namesOf(seconds: readonly number[], hour = HOUR): string[] {
  return seconds.map((second) => String(hour * 3_600_000 + second * 1000));
}

const ALL = namesOf(Array.from({ length: 60 }, (_, i) => i * 2));

describe("a recording that a peer has too", () => {
  test("is completed: what is in its gaps, in front of it and behind it", async (t) => {
    const a = await makeSite(t, [
      hourWithout([
        [0, 10],
        [30, 50],
        [110, 120],
      ]),
    ]);
    const b = await makeSite(t, [hourWithout([])]);
    a.copyFrom(b);
    await untilShown(a, ALL);
    assert.equal(b.peer.mostAtOnce, 1);
  });

  test("is completed both ways, and both end with all of it", async (t) => {
    const a = await makeSite(t, [hourWithout([[10, 40]])]);
    const b = await makeSite(t, [hourWithout([[60, 100]])]);
    a.copyFrom(b);
    b.copyFrom(a);
    await untilShown(a, ALL);
    await untilShown(b, ALL);
  });

  test("is completed by what the peer has copied itself", async (t) => {
    const [a, b, c] = [
      await makeSite(t, [hourWithout([[10, 40]])]),
      await makeSite(t, [hourWithout([[20, 60]])]),
      await makeSite(t, [hourWithout([])]),
    ];
    b.copyFrom(c);
    await untilShown(b, ALL);
    a.copyFrom(b);
    await untilShown(a, ALL);
  });

  test("gets whole hours, the newest first, with numbers that count them", async (t) => {
    const hours = [-1, 0].map((step) => hourWithout([], { hour: HOUR + step }));
    const a = await makeSite(t, []);
    const b = await makeSite(t, hours);
    a.copyFrom(b);
    await untilShown(a, [
      ...namesOf(
        Array.from({ length: 60 }, (_, i) => i * 2),
        HOUR - 1,
      ),
      ...ALL,
    ]);
    const first = b.peer.asked.find((target) => target.endsWith(".idx"));
    assert.equal(first, `/${CAMERA}/archive-files/2026/08/28/08.idx`);
  });

  test("is seen by who has played the hour before, with the numbers of later hours moved on", async (t) => {
    const later = hourWithout([], { hour: HOUR + 1, to: 20 });
    const a = await makeSite(t, [hourWithout([[30, 50]]), later]);
    const b = await makeSite(t, [hourWithout([])]);
    const archive = archiveOf(`${a.root}/${CAMERA}`, a.clock);
    const numbers = async (): Promise<number[]> => {
      const segments = await archive.segments((HOUR + 1) * HOUR_US, (HOUR + 2) * HOUR_US);
      return segments.map(({ sequence }) => sequence);
    };
    const before = await numbers();
    assert.equal((await archive.segments(HOUR * HOUR_US, (HOUR + 1) * HOUR_US)).length, 50);
    a.copyFrom(b);
    await untilLogged(a, "completed from a peer");
    a.clock.advance(60_000);
    const names = (await archive.segments(HOUR * HOUR_US, (HOUR + 1) * HOUR_US)).map(({ name }) => name);
    assert.deepEqual(names, ALL);
    assert.deepEqual(
      await numbers(),
      before.map((number) => number + 10),
    );
    const ranges = await archive.ranges(HOUR * HOUR_US, HOUR * HOUR_US + 120_000_000);
    assert.equal(ranges.ranges.length, 1);
  });

  test("never has two pictures of one time: what overlaps is left at the peer", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([], { shiftUs: 700_000 })]);
    a.copyFrom(b);
    await untilLogged(a, "completed from a peer");
    const shown = await a.shown();
    // Of ten segments of the gap nine fit between ours.
    assert.equal(shown.length, 50 + 9);
  });

  test("has no more asked of the peer when all is compared", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([[34, 40]])]);
    a.copyFrom(b);
    await untilLogged(a, "completed from a peer");
    const asked = b.peer.asked.filter((target) => target.includes("archive-files")).length;
    const rounds = b.peer.asked.length;
    const look = (): void => {
      a.clock.advance(1000);
      assert.ok(b.peer.asked.length > rounds + 10);
    };
    await eventually(look, { timeoutMs: 30_000, intervalMs: 2 });
    assert.equal(b.peer.asked.filter((target) => target.includes("archive-files")).length, asked);
  });
});

/** Notes on a server's disk that something is deleted. Units: seconds of the hour. */
async function markDeleted(
  { root }: Site,
  spans: readonly (readonly [from: number, to: number])[],
  hour = HOUR,
): Promise<void> {
  const path = `${root}/${CAMERA}/${deletedFile(hour)}`;
  await mkdir(dirname(path), { recursive: true });
  const us = (second: number): number => hour * HOUR_US + second * 1_000_000;
  const spansUs = spans.map(([from, to]) => ({ fromUs: us(from), toUs: us(to) }));
  await writeFile(path, concatBytes(spansUs.map((span) => buildDeletedSpan(span, 0))));
}

async function untilAsked(of: Site, from: Site, times: number): Promise<void> {
  const asked = from.peer.asked.length;
  const look = (): void => {
    of.clock.advance(1000);
    assert.ok(from.peer.asked.length > asked + times);
  };
  await eventually(look, { timeoutMs: 30_000, intervalMs: 2 });
}

describe("what somebody has deleted", () => {
  test("here is not copied back: what was recorded, nor what was missing", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    await markDeleted(a, [
      [10, 20],
      [44, 60],
    ]);
    a.copyFrom(b);
    const isDeleted = (i: number): boolean => (i >= 5 && i < 10) || (i >= 22 && i < 30);
    await untilShown(
      a,
      ALL.filter((_, i) => !isDeleted(i)),
    );
    assert.equal((await stat(`${a.root}/${CAMERA}/2026/08/28/08.fill`)).size, 64 + 7 * 3 * 64);
  });

  test("here as a whole hour is not copied back", async (t) => {
    const before = hourWithout([], { hour: HOUR - 1 });
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [before, hourWithout([])]);
    await markDeleted(a, [[0, 3600]], HOUR - 1);
    a.copyFrom(b);
    await untilShown(a, ALL);
    await untilAsked(a, b, 70);
    assert.deepEqual(await a.shown(), ALL);
    assert.deepEqual(
      (await readdir(`${a.root}/${CAMERA}/2026/08/28`)).filter((name) => name.startsWith("07")),
      ["07.del"],
    );
  });

  test("at the peer is no offer", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    await markDeleted(b, [
      [34, 40],
      [60, 70],
    ]);
    a.copyFrom(b);
    await untilShown(
      a,
      ALL.filter((_, i) => !(i >= 17 && i < 20)),
    );
  });

  test("here while it is copied is not shown, and is not in the file", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    b.peer.fault = async (reply, { target }) => {
      if (target.endsWith(".mp4")) await markDeleted(a, [[30, 40]]);
      return reply;
    };
    a.copyFrom(b);
    await untilShown(
      a,
      ALL.filter((_, i) => !(i >= 15 && i < 20)),
    );
    assert.equal((await stat(`${a.root}/${CAMERA}/2026/08/28/08.fill`)).size, 64 + 5 * 3 * 64);
  });
});

const FAULTS: readonly [name: string, fault: PeerFault, told: string][] = [
  ["does not answer", () => Promise.reject(new Error("ECONNREFUSED")), "cannot be reached"],
  ["is busy", () => replyOf(503, new TextEncoder().encode("later")), "answers 503"],
  ["has another key", () => replyOf(401, new TextEncoder().encode("who is it")), "answers 401"],
  [
    "sends bytes that were changed on their way",
    (reply) => ({ ...reply, body: Uint8Array.from(reply.body, (byte) => byte ^ 1) }),
    "checksum",
  ],
  [
    "sends less than it says",
    (reply) => replyOf(reply.status, reply.body.subarray(0, reply.body.byteLength - 1), reply.headers),
    "makes no sense",
  ],
  [
    "lies about lengths",
    (reply) => {
      const range = reply.headers["content-range"]?.replace(/\/.*/, "/999999999999999") ?? "";
      return { ...reply, headers: { ...reply.headers, "content-range": range } };
    },
    "makes no sense",
  ],
  [
    "sends garbage for an index",
    (reply, { target }) =>
      target.endsWith(".idx")
        ? replyOf(206, new Uint8Array(64), { "content-range": "bytes 0-63/64" })
        : reply,
    "does not begin with",
  ],
  [
    "sends another hour's index",
    (reply, { target }) => {
      if (!target.endsWith(".idx")) return reply;
      const { index } = new ArchiveHour(HOUR - 5).segment();
      const range = `bytes 0-${index.byteLength - 1}/${index.byteLength}`;
      return replyOf(206, index, { "content-range": range });
    },
    "another hour",
  ],
];

describe("a peer that", () => {
  for (const [name, fault, told] of FAULTS) {
    test(`${name} changes nothing, is told of once, and is asked again`, async (t) => {
      const a = await makeSite(t, [hourWithout([[30, 50]])]);
      const b = await makeSite(t, [hourWithout([])]);
      const before = await a.shown();
      b.peer.fault = fault;
      a.copyFrom(b);
      await untilLogged(a, told);
      const asked = b.peer.asked.length;
      const look = (): void => {
        a.clock.advance(1000);
        assert.ok(b.peer.asked.length > asked + 3);
      };
      await eventually(look, { timeoutMs: 30_000, intervalMs: 2 });
      assert.equal(a.lines.filter((line) => line.includes("for now")).length, 1);
      assert.deepEqual(await a.shown(), before);
      b.peer.fault = (reply) => reply;
      await untilShown(a, ALL);
      await untilLogged(a, "again");
    });
  }

  test("has lost a segment on its disk gives the others", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const whole = hourWithout([]);
    const b = await makeSite(t, [whole]);
    const path = `${b.root}/${CAMERA}/2026/08/28/08.mp4`;
    const media = Buffer.from(whole.media[0]!);
    // Segment 18 begins 36 s behind the hour: in the gap.
    const chunk = whole.records.filter(({ kind }) => kind === 1)[18 * 2]!;
    media.fill(0, chunk.offset, chunk.offset + 16);
    await writeFile(path, media);
    a.copyFrom(b);
    await untilShown(
      a,
      ALL.filter((name) => name !== ALL[18]),
    );
    await untilLogged(a, '"damaged":1');
  });
});

describe("copying", () => {
  test("that is killed at any change of the disk goes on behind it, and shows nothing wrong meanwhile", async (t) => {
    const b = await makeSite(t, [
      hourWithout([
        [40, 60],
        [80, 84],
      ]),
    ]);
    const counted = await makeSite(t, [hourWithout([[30, 100]])]);
    counted.copyFrom(b);
    const wanted = ALL.filter((_, i) => !(i >= 20 && i < 30) && !(i >= 40 && i < 42));
    await untilShown(counted, wanted);
    const steps = counted.disk.changes.length;
    assert.ok(steps >= 8, counted.disk.changes.join("\n"));
    for (let step = 0; step < steps; step++) {
      const a = await makeSite(t, [hourWithout([[30, 100]])]);
      const before = await a.shown();
      a.disk.changesLeft = step;
      const killed = a.copyFrom(b);
      const look = (): void => {
        a.clock.advance(500);
        assert.ok(a.lines.some((line) => line.includes("says the test")));
      };
      await eventually(look, { timeoutMs: 30_000, intervalMs: 2 });
      await killed.stop();
      const shown = await a.shown();
      assert.ok(shown.length === before.length || shown.length === wanted.length, `step ${step}`);
      a.disk.changesLeft = Infinity;
      a.copyFrom(b);
      await untilShown(a, wanted);
    }
  });

  test("keeps to what has room: nothing that retention would delete at once", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    a.copyFrom(b, { sizeBytes: 1000 });
    const look = (): void => {
      a.clock.advance(500);
      assert.ok(b.peer.asked.some((target) => target.endsWith(".idx")));
    };
    await eventually(look, { timeoutMs: 30_000, intervalMs: 2 });
    assert.equal((await a.shown()).length, 50);
    assert.ok(!b.peer.asked.some((target) => target.endsWith(".mp4")));
  });

  test("leaves what is older than the recording gets", async (t) => {
    const a = await makeSite(t, []);
    const b = await makeSite(
      t,
      [-1, 0].map((step) => hourWithout([], { hour: HOUR + step })),
    );
    a.copyFrom(b, { depthMs: 3_600_000 + 300_000 });
    await untilShown(a, ALL);
  });

  test("from a peer that is taken away ends, and from one that comes begins", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    b.peer.fault = () => replyOf(503, new Uint8Array(0));
    const replicator = a.copyFrom(b);
    await untilLogged(a, "answers 503");
    replicator.setPeers([]);
    await eventually(() => assert.equal(a.clock.pendingTimers, 0));
    const asked = b.peer.asked.length;
    a.clock.advance(600_000);
    assert.equal(b.peer.asked.length, asked);
    b.peer.fault = (reply) => reply;
    replicator.setPeers([{ origin: "http://peer", key: KEY }]);
    await untilShown(a, ALL);
  });

  test("stops at once, and leaves nothing running", async (t) => {
    const a = await makeSite(t, [hourWithout([[30, 50]])]);
    const b = await makeSite(t, [hourWithout([])]);
    const asked = Promise.withResolvers<void>();
    b.peer.fault = async (reply, { target, signal }) => {
      if (!target.endsWith(".mp4")) return reply;
      asked.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
      return reply;
    };
    const replicator = a.copyFrom(b);
    await asked.promise;
    await replicator.stop();
    assert.equal(a.clock.pendingTimers, 0);
    assert.equal((await a.shown()).length, 50);
  });
});
