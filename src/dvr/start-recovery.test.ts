import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { archiveFaults } from "../../test/support/archive-judge.ts";
import { ArchiveHour } from "../../test/support/archive-hour.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { TestAccess, settle } from "../../test/support/memory-recording.ts";
import { MemoryVolume } from "../../test/support/memory-volume.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { indexFile, mediaFile } from "./format/hour.ts";
import { HourIndex } from "./format/hour-index.ts";
import { recoverRoot } from "./start-recovery.ts";

const HOUR = 496_640;

/** A root as a start finds it. */
class Root {
  readonly files = new MemoryFiles();
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  readonly accesses = new Map<string, TestAccess>();

  /** Puts hours of a stream there. */
  add(stream: string, ...hours: readonly ArchiveHour[]): this {
    for (const hour of hours)
      for (const [path, bytes] of Object.entries(hour.files(`/archive/${stream}`)))
        this.files.contents.set(path, bytes);
    return this;
  }

  /** Gives or keeps back the right to write. */
  accessOf(stream: string): TestAccess {
    const access = this.accesses.get(stream) ?? new TestAccess();
    this.accesses.set(stream, access);
    return access;
  }

  async recover(): Promise<number> {
    const volume = new MemoryVolume();
    for (const [path, bytes] of this.files.contents) volume.put(path, bytes);
    return await recoverRoot("/archive", {
      ...{ files: this.files, keepFiles: volume.seenBy(), clock: this.clock, log: this.log },
      roots: { access: (_root, stream) => this.accessOf(stream) },
    });
  }

  faults(stream: string): string[] {
    const isOfStream = ([path]: [string, Uint8Array]): boolean => path.startsWith(`/archive/${stream}/`);
    return archiveFaults(new Map([...this.files.contents].filter(isOfStream)));
  }

  index(stream: string, hour = HOUR): HourIndex {
    return HourIndex.parse(this.files.contents.get(`/archive/${stream}/${indexFile(hour)}`)!);
  }
}

describe("a start", () => {
  test("puts the streams in order whose process was killed, and only looks at the others", async () => {
    const root = new Root()
      .add("news/one", new ArchiveHour(HOUR).segment().segment({ groups: 2, end: "none" }))
      .add("two", new ArchiveHour(HOUR).segment());
    assert.equal(await root.recover(), 1);
    assert.equal(root.index("news/one").segmentCount, 2);
    assert.deepEqual([...root.accesses.keys()], ["news/one"]);
    assert.equal(root.accessOf("news/one").releases, 1);
    assert.deepEqual(root.faults("news/one"), []);
    assert.equal(root.files.openFiles, 0);
    assert.equal(await root.recover(), 0);
    assert.equal(root.clock.pendingTimers, 0);
  });

  test("finds what is promised and did not reach the disk, though the index ends in order", async () => {
    const hour = new ArchiveHour(HOUR).segment().segment();
    const root = new Root().add("cam", hour);
    const media = `/archive/cam/${mediaFile(HOUR, 0)}`;
    const bytes = root.files.contents.get(media)!;
    root.files.contents.set(media, bytes.slice(0, -1));
    assert.equal(await root.recover(), 1);
    assert.equal(root.index("cam").segmentCount, 1);
    assert.deepEqual(archiveFaults(root.files.contents), []);
  });

  test("cuts off media that nothing promises", async () => {
    const root = new Root().add("cam", new ArchiveHour(HOUR).segment());
    const media = `/archive/cam/${mediaFile(HOUR, 0)}`;
    const bytes = root.files.contents.get(media)!;
    root.files.contents.set(media, Buffer.concat([bytes, Buffer.alloc(1000)]));
    assert.equal(await root.recover(), 1);
    assert.deepEqual(root.files.contents.get(media), new Uint8Array(bytes));
  });

  test("looks at the last two hours of a stream", async () => {
    const hours = [HOUR - 2, HOUR - 1, HOUR].map((hour, i) =>
      new ArchiveHour(hour, { firstOrdinal: 10 * i }).segment().segment({ end: "none" }),
    );
    const root = new Root().add("cam", ...hours);
    assert.equal(await root.recover(), 1);
    const counts = [HOUR - 2, HOUR - 1, HOUR].map((hour) => root.index("cam", hour).segmentCount);
    assert.deepEqual(counts, [1, 2, 2]);
  });

  test("leaves a stream alone that another process records", async () => {
    const root = new Root().add("cam", new ArchiveHour(HOUR).segment({ end: "none" }));
    root.accesses.set("cam", new TestAccess(false));
    const recovering = root.recover();
    await settle();
    await root.clock.advanceSettling(2000);
    assert.equal(await recovering, 0);
    assert.deepEqual(root.files.changes, []);
    assert.equal(root.accessOf("cam").releases, 1);
  });

  test("goes on with the others where one cannot be put in order, and says which", async () => {
    const root = new Root()
      .add("bad", new ArchiveHour(HOUR).segment())
      .add("good", new ArchiveHour(HOUR).segment({ end: "none" }));
    root.files.contents.get(`/archive/bad/${indexFile(HOUR)}`)!.fill(7, 0, 64);
    assert.equal(await root.recover(), 1);
    const [line] = root.log.of("warn");
    assert.match(line!.message, /was not put in order/);
    assert.match(JSON.stringify(line!.fields), /\/archive\/bad.*WEIRIDX1/);
  });

  test("on a disk that fails says so and goes on", async () => {
    const root = new Root().add("cam", new ArchiveHour(HOUR).segment({ end: "none" }));
    root.files.callsLeft = 3;
    assert.equal(await root.recover(), 0);
    assert.equal(root.log.of("warn").length, 1);
    assert.equal(root.files.openFiles, 0);
    root.files.callsLeft = Infinity;
    assert.equal(await root.recover(), 1);
  });

  test("finds nothing where nothing is recorded", async () => {
    assert.equal(await new Root().recover(), 0);
  });

  test("puts any number of streams in order, a few at a time", async () => {
    const root = new Root();
    for (let i = 0; i < 100; i++) root.add(`s${i}`, new ArchiveHour(HOUR).segment({ end: "none" }));
    assert.equal(await root.recover(), 100);
    assert.deepEqual(root.faults("s7"), []);
  });
});
