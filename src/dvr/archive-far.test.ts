/** Archives that are in a bucket, for those who play them: with a host that fails in all ways. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { ArchiveHour } from "../../test/support/archive-hour.ts";
import { MemoryFiles } from "../../test/support/archive-files.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeS3 } from "../../test/support/fake-s3.ts";
import type { S3Fault, S3Operation } from "../../test/support/fake-s3.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import { concatBytes } from "../base/bytes.ts";
import { asMediaError } from "../base/errors.ts";
import type { TrackId } from "../media/ids.ts";
import { Archives } from "./archives.ts";
import { HOUR_US } from "./format/hour.ts";

const HOUR = 496_640;
const SECRET = "secret-of-this-test";
const BOTH = ["v1", "a1"] as TrackId[];

/** Two hours: the first is in the bucket alone, of the second the index is on the disk. */
async function room(t: TestContext) {
  const s3 = await FakeS3.start();
  const cache = await mkdtemp(join(tmpdir(), "weir-far-"));
  t.after(async () => {
    await s3.close();
    await rm(cache, { recursive: true, force: true });
  });
  const first = new ArchiveHour(HOUR).segment({ discontinuity: true, sampleBytes: 30_000 }).segment();
  const second = new ArchiveHour(HOUR + 1, { firstOrdinal: 7002 }).segment().segment();
  const disk = new MemoryFiles();
  const whole = new MemoryFiles({ ...first.files("/dvr/cam"), ...second.files("/dvr/cam") });
  for (const [path, bytes] of whole.contents)
    s3.set(`site/${path.slice("/dvr/".length)}`, Buffer.from(bytes));
  for (const [path, bytes] of Object.entries(second.files("/dvr/cam")))
    if (path.endsWith(".idx")) disk.contents.set(path, bytes);
  const clock = new FakeClock((HOUR + 100) * HOUR_US);
  const log = new RecordingLog();
  const place = {
    ...{ endpoint: s3.endpoint, bucket: s3.bucket, prefix: "site" },
    ...{ accessKey: "key-of-test", secretKey: SECRET },
  };
  const rule = { place, cache: { path: cache, sizeBytes: 2 ** 26 } };
  const copies = { roots: () => new Set(["/dvr"]), of: () => rule };
  const far = new Archives({ clock, log, files: disk, copies });
  const near = new Archives({ clock, log, files: whole });
  t.after(() => Promise.all([far.stop(), near.stop()]));
  /** Lets the pauses between attempts go by. */
  const inTime = async <T>(promise: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = (): void => void (isOver = true);
    promise.then(over, over);
    await eventually(
      () => {
        if (!isOver) clock.advance(250);
        assert.ok(isOver);
      },
      { timeoutMs: 60_000, intervalMs: 5 },
    );
    return await promise;
  };
  return { s3, clock, log, far, near, inTime, disk, second };
}

const REQUEST = {
  span: { kind: "archive", fromS: HOUR * 3600, durationS: 7200 },
  name: "cam",
  nowUs: (HOUR + 100) * HOUR_US,
  segmentDurationUs: 2e6,
  segmentCount: 3,
} as const;

/** All bytes that an archive gives of a span. */
async function bytesOf(archives: Archives): Promise<Buffer> {
  const presentation = await archives.span("/dvr/cam", REQUEST);
  const pieces: Uint8Array[] = [];
  for (const { name, startUs, durationUs, discontinuity, sequence } of presentation.timeline().segments) {
    pieces.push(Buffer.from(JSON.stringify([name, startUs, durationUs, discontinuity, sequence])));
    const media = await archives.media("/dvr/cam", { kind: "segment", name, selection: BOTH });
    pieces.push(concatBytes((await media!.segment(name, BOTH))!));
  }
  const { file } = await archives.mp4("/dvr/cam", REQUEST, null);
  for (let at = 0; at < file.sizeBytes;) {
    const piece = await file.read(at, file.sizeBytes);
    pieces.push(piece);
    at += piece.byteLength;
  }
  return Buffer.concat(pieces);
}

describe("an archive in a bucket", () => {
  test("is the same as on a disk, bit for bit", async (t) => {
    const { far, near, disk } = await room(t);
    const expected = await bytesOf(near);
    assert.ok(expected.byteLength > 200_000);
    assert.ok((await bytesOf(far)).equals(expected));
    assert.equal(disk.openFiles, 0);
  });

  const faults: readonly (readonly [string, S3Operation, S3Fault])[] = [
    ["a host that is busy, asked for a list", "list", { kind: "status", status: 503, code: "SlowDown" }],
    ["a host that is busy, asked for media", "get", { kind: "status", status: 503, code: "SlowDown" }],
    ["a reply that is cut", "get", { kind: "cut-reply" }],
    ["a reply that is too short", "get", { kind: "short" }],
    ["a reply without the range", "get", { kind: "no-ranges" }],
    ["a reply that does not go on", "get", { kind: "stalled-reply" }],
    ["a host that says nothing", "list", { kind: "silence" }],
  ];
  for (const [name, operation, fault] of faults)
    test(`plays when the host has come to itself, and is an error of one request until then: ${name}`, async (t) => {
      const { s3, far, near, inTime, clock, log } = await room(t);
      s3.fail(operation, fault, 1000);
      const error = await inTime(
        bytesOf(far).then(
          () => null,
          (caught: unknown) => asMediaError(caught),
        ),
      );
      assert.match(error!.code, /^OBJECT_/);
      assert.equal(error!.httpStatus, 503);
      assert.ok(!`${error!.message} ${log.text}`.includes(SECRET));
      s3.mend();
      await eventually(() => {
        clock.advance(1000);
        assert.equal(clock.pendingTimers, 0, "nothing is under way any more");
      });
      clock.advance(60_000);
      assert.ok((await bytesOf(far)).equals(await bytesOf(near)));
    });

  test("holds up nobody who reads the disk while its host hangs", async (t) => {
    const { s3, far, disk, second, clock } = await room(t);
    for (const [path, bytes] of Object.entries(second.files("/dvr/cam"))) disk.contents.set(path, bytes);
    const { segments } = (await far.span("/dvr/cam", REQUEST)).timeline();
    const bodyOf = async (name: string): Promise<number> => {
      const media = await far.media("/dvr/cam", { kind: "segment", name, selection: BOTH });
      return concatBytes((await media!.segment(name, BOTH))!).byteLength;
    };
    s3.fail("get", { kind: "silence" }, 1000);
    const hanging = Promise.allSettled(
      Array.from({ length: 40 }, async () => await bodyOf(segments[0]!.name)),
    );
    await eventually(() => assert.ok(s3.count("get") > 0));
    for (const { name } of segments.slice(2)) assert.ok((await bodyOf(name)) > 100);
    s3.mend();
    await eventually(
      () => {
        clock.advance(1000);
        assert.equal(clock.pendingTimers, 0);
      },
      { timeoutMs: 60_000 },
    );
    assert.equal((await hanging).length, 40);
  });

  test("has an hour that is over soon after it is there", async (t) => {
    const { s3, far, clock } = await room(t);
    const span = { ...REQUEST.span, durationS: 4 * 3600 };
    const listed = async (): Promise<number> =>
      (await far.span("/dvr/cam", { ...REQUEST, span })).timeline().segments.length;
    assert.equal(await listed(), 4);
    const third = new ArchiveHour(HOUR + 2, { firstOrdinal: 7004 }).segment();
    for (const [path, bytes] of Object.entries(third.files("cam")))
      s3.set(`site/${path}`, Buffer.from(bytes));
    await eventually(
      async () => {
        clock.advance(61_000);
        assert.equal(await listed(), 5);
      },
      { timeoutMs: 30_000 },
    );
  });
});
