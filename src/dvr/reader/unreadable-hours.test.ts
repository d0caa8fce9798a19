/** An archive of which one hour is damaged, as those see it who play what is around it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { dvrErrors } from "../errors.ts";
import { BlockPool } from "../../vod/block-pool.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { HOUR_US, indexFile, mediaFile } from "../format/hour.ts";
import { HourCache } from "./hour-cache.ts";
import { StreamArchive } from "./stream-archive.ts";
import { UnreadableHours } from "./unreadable-hours.ts";

const HOUR = 496_640;
const FOLDER = "/dvr/cam";
const DAMAGED = HOUR + 1;
const ALL_US = [HOUR * HOUR_US, (HOUR + 4) * HOUR_US] as const;

/** Three hours of three segments each; the second one has two media files. */
class Recording {
  readonly log = new RecordingLog();
  readonly clock = new FakeClock((HOUR + 10) * HOUR_US);
  readonly files = new MemoryFiles();
  readonly archive: StreamArchive;

  constructor() {
    const { files, clock, log } = this;
    for (const number of [0, 1, 2]) {
      const hour = new ArchiveHour(HOUR + number, { firstOrdinal: number * 3, discontinuities: 0 });
      hour.segment().segment();
      if (number === 1) hour.newFile();
      this.put(hour.segment().files(FOLDER));
    }
    const work = new BoundedWork({ running: 4, waiting: 10 }, vodBusy);
    this.archive = new StreamArchive(FOLDER, {
      ...{ files, disk: files, hours: new HourCache(files, clock), clock, work, farWork: work },
      ...{ pool: new BlockPool(0), maxSegments: 1000, log },
    });
  }

  put(contents: Readonly<Record<string, Uint8Array>>): void {
    for (const [path, bytes] of Object.entries(contents)) this.files.contents.set(path, bytes);
  }

  /** Starts of what is played, in seconds since the first hour began. */
  async played(): Promise<number[]> {
    const segments = await this.archive.segments(...ALL_US);
    return segments.map(({ startUs }) => (startUs - ALL_US[0]) / 1e6);
  }
}

const index = `${FOLDER}/${indexFile(DAMAGED)}`;
const media = (file: number): string => `${FOLDER}/${mediaFile(DAMAGED, file)}`;
const withoutHour = [0, 2, 4, 7200, 7202, 7204];

describe("of an archive with a damaged hour the others play:", () => {
  const cases: readonly [
    what: string,
    path: string,
    bytes: Uint8Array | null,
    played: readonly number[],
  ][] = [
    ["an index that begins with something else", index, Buffer.from("x".repeat(200)), withoutHour],
    ["an index of zeros", index, new Uint8Array(4096), withoutHour],
    ["a media file that is gone", media(1), null, [0, 2, 4, 3600, 3602, 7200, 7202, 7204]],
    ["a media file of zeros", media(0), new Uint8Array(4096), [0, 2, 4, 3604, 7200, 7202, 7204]],
    ["an init segment that is none", media(1), initOfNoise(), [0, 2, 4, 3600, 3602, 7200, 7202, 7204]],
  ];
  for (const [what, path, bytes, played] of cases) {
    test(what, async () => {
      const recording = new Recording();
      const { files, archive, log } = recording;
      if (bytes === null) files.contents.delete(path);
      else files.contents.set(path, bytes);
      for (let time = 0; time < 3; time++) assert.deepEqual(await recording.played(), played);
      assert.equal(log.lines.length, 1);
      assert.deepEqual([log.lines[0]!.level, log.lines[0]!.fields["path"]], ["warn", path]);
      const { ranges } = await archive.ranges(...ALL_US);
      assert.equal(ranges.length, path === index ? 2 : 3);
      const near = await archive.nearest(DAMAGED * HOUR_US);
      assert.deepEqual(near, { beforeUs: ALL_US[0] + 6e6, afterUs: ALL_US[0] + 7200e6 });
      // Whose init segment is asked for is looked for in all hours.
      assert.equal(await archive.segmentWithInit(() => false), null);
    });
  }

  test("an hour that was put back from a copy plays again", async () => {
    const recording = new Recording();
    const whole = new Map(recording.files.contents);
    recording.files.contents.delete(media(1));
    assert.equal((await recording.played()).length, 8);
    recording.put(Object.fromEntries(whole));
    assert.deepEqual(await recording.played(), [0, 2, 4, 3600, 3602, 3604, 7200, 7202, 7204]);
  });
});

test("what the disk reports is no damage: it may be over with the next try", async () => {
  const recording = new Recording();
  recording.files.callsLeft = 0;
  await assert.rejects(recording.played(), { code: "DVR_DISK_FAILED" });
  recording.files.callsLeft = Infinity;
  assert.equal((await recording.played()).length, 9);
});

test("each file is told of once, and no more are remembered than there is room for", async () => {
  const log = new RecordingLog();
  const unreadable = new UnreadableHours(log);
  const fail = (path: string): Promise<null> =>
    unreadable.orNull(
      () => path,
      () => Promise.reject(dvrErrors.error("DVR_BAD_MEDIA", { path, reason: "x" })),
    );
  for (let i = 0; i < 1001; i++) assert.equal(await fail(`/${i}`), null);
  await fail("/1000");
  assert.equal(log.lines.length, 1001);
  await fail("/0");
  assert.equal(log.lines.length, 1002);
  assert.equal(
    await new UnreadableHours().orNull(
      () => "/a",
      () => Promise.resolve(7),
    ),
    7,
  );
  await assert.rejects(
    unreadable.orNull(
      () => "/a",
      () => Promise.reject(new TypeError("ours")),
    ),
    /ours/,
  );
});

/** Boxes of the right names with nothing that means anything in them. */
function initOfNoise(): Uint8Array {
  const box = (type: string): Buffer => {
    const bytes = Buffer.alloc(64, 0xee);
    bytes.writeUInt32BE(64, 0);
    bytes.write(type, 4, "latin1");
    return bytes;
  };
  return Buffer.concat([box("ftyp"), box("moov")]);
}
