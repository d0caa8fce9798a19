import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { SOURCE_START_US } from "../../../test/support/live-source.ts";
import {
  MemoryRecording,
  RECORDED_FOLDER,
  TestAccess,
  indexAt,
  settle,
  spansOf,
} from "../../../test/support/memory-recording.ts";
import { trackSet } from "../../../test/support/media.ts";
import { dvrErrors } from "../errors.ts";
import { HOUR_US, hourOf, indexFile, mediaFile } from "../format/hour.ts";
import { INDEX_HEADER_BYTES } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_KIND, readIndexRecord } from "../format/index-record.ts";
import type { IndexRecord } from "../format/index-record.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { RecordedGroup } from "./recorded-group.ts";

const HOUR = hourOf(SOURCE_START_US);
const INDEX = `${RECORDED_FOLDER}/${indexFile(HOUR)}`;
const MEDIA = `${RECORDED_FOLDER}/${mediaFile(HOUR, 0)}`;

/** All records of an hour's index. */
function recordsOf(files: MemoryFiles, path = INDEX): IndexRecord[] {
  const bytes = files.contents.get(path)!;
  const records: IndexRecord[] = [];
  for (let at = INDEX_HEADER_BYTES; at < bytes.byteLength; at += INDEX_RECORD_BYTES)
    records.push(readIndexRecord(bytes, at)!);
  return records;
}

const messages = (recording: MemoryRecording): string[] =>
  recording.log.lines.map(({ level, message }) => `${level}: ${message}`);

describe("what waits to be written", () => {
  test("is bounded for each stream: what is too much is a gap, and what follows is recorded", async () => {
    const files = new MemoryFiles();
    const gate = Promise.withResolvers<void>();
    files.gate = gate.promise;
    const waiting = { bytes: 0, limit: Infinity };
    const recording = new MemoryRecording({ files, waiting });
    recording.source.play({ seconds: 3.4, gopFrames: 25 });
    const { writer } = recording;
    const before = writer.waitingBytes;
    assert.ok(before > 0 && before === waiting.bytes);
    const big = new RecordedGroup();
    big.add({
      ...{ sequence: 1, startUs: SOURCE_START_US, tracks: trackSet(), isIndependent: true },
      ...{ discontinuity: false, isStart: false, durationUs: null },
      chunks: [{ ...CHUNK, size: 64 * 1024 * 1024 }],
    });
    writer.write(big);
    assert.equal(writer.waitingBytes, before);
    recording.source.play({ seconds: 6.6, gopFrames: 25 });
    gate.resolve();
    await settle();
    await recording.close();
    assert.deepEqual([writer.waitingBytes, waiting.bytes], [0, 0]);
    // The segment in which something was lost ends there; the next one is behind a break.
    const index = indexAt(files);
    const breaks = [...index.segments()].flatMap(({ discontinuity }, i) => (discontinuity ? [i] : []));
    assert.deepEqual(breaks, [0, 2]);
    assert.deepEqual(spansOf(index), [
      [0, 2],
      [2, 3],
      [4, 6],
      [6, 8],
      [8, 10],
    ]);
  });

  test("is bounded for all streams of a thread", async () => {
    const files = new MemoryFiles();
    const gate = Promise.withResolvers<void>();
    files.gate = gate.promise;
    const waiting = { bytes: 0, limit: 10_000 };
    const [one, other] = [new MemoryRecording({ files, waiting }), new MemoryRecording({ waiting })];
    one.source.play({ seconds: 30 });
    const givenBytes = one.given.reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(givenBytes > 20_000);
    assert.ok(waiting.bytes > 8000 && waiting.bytes <= 10_000, `${waiting.bytes} bytes`);
    const left = 10_000 - waiting.bytes;
    other.source.play({ seconds: 30 });
    assert.ok(other.writer.waitingBytes <= left);
    gate.resolve();
    await settle();
    await Promise.all([one.close(), other.close()]);
    assert.equal(waiting.bytes, 0);
  });

  test("is bounded in groups, however small they are", async () => {
    const access = new TestAccess(false);
    const recording = new MemoryRecording({ access });
    recording.source.play({ seconds: 400, hasVideo: false });
    assert.ok(recording.given.length > 1100, `${recording.given.length} groups`);
    access.hold();
    await settle();
    const files = recording.files as MemoryFiles;
    assert.equal(files.changes.filter((line) => line.startsWith(`append ${MEDIA}`)).length, 1 + 1000);
    await recording.close();
  });

  test("lets go of the memory of what it did not take", async () => {
    const released: string[] = [];
    const group = new RecordedGroup();
    group.release = () => void released.push("group");
    const recording = new MemoryRecording();
    await recording.close();
    recording.writer.write(group);
    assert.deepEqual(released, ["group"]);
  });
});

describe("a disk that fails", () => {
  test("makes a gap, said once, and the recording goes on by itself", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files });
    await recording.playSlowly({ seconds: 6 });
    files.callsLeft = 0;
    await recording.playSlowly({ seconds: 12 });
    assert.deepEqual(messages(recording), ["error: recording has stopped, it is tried again"]);
    assert.ok(recording.access.failures.length >= 2, "it was tried again");
    files.callsLeft = Infinity;
    await recording.playSlowly({ seconds: 12 });
    await recording.close();
    assert.deepEqual(messages(recording).slice(1), ["info: recording goes on"]);
    const spans = spansOf(indexAt(files));
    assert.deepEqual(spans[0], [0, 2]);
    assert.ok(
      spans.some(([fromS]) => fromS >= 18 && fromS <= 24),
      JSON.stringify(spans),
    );
    assert.equal(spans.at(-1)![1], 30);
    assert.equal(files.openFiles, 0);
  });

  test("is left alone for five seconds between two attempts", async () => {
    const files = new MemoryFiles();
    files.callsLeft = 0;
    const recording = new MemoryRecording({ files });
    await recording.playSlowly({ seconds: 31 });
    const attempts = recording.access.failures.length;
    assert.ok(attempts >= 4 && attempts <= 7, `${attempts} attempts`);
    await recording.close();
  });

  test("with all its streams is told of by the state of the volume alone", async () => {
    const files = new MemoryFiles();
    const access = new TestAccess();
    access.stopsVolume = true;
    const recording = new MemoryRecording({ files, access });
    await recording.playSlowly({ seconds: 3 });
    files.freeBytes = 100;
    await recording.playSlowly({ seconds: 30 });
    assert.equal(access.failures.length, 1);
    files.freeBytes = Infinity;
    access.isWell = true;
    await recording.playSlowly({ seconds: 6 });
    await recording.close();
    assert.deepEqual(messages(recording), []);
    const spans = spansOf(indexAt(files));
    assert.deepEqual([spans[0]![0], spans.at(-1)![1]], [0, 39]);
  });

  test("leaves a good archive, whichever call it is that fails", async () => {
    const whole = new MemoryFiles();
    const model = new MemoryRecording({ files: whole, fsync: "fragment" });
    await model.playSlowly({ seconds: 5 });
    await model.close();
    for (let good = 0; good < whole.calls.length; good++) {
      const files = new MemoryFiles();
      const recording = new MemoryRecording({ files, fsync: "fragment" });
      files.callsLeft = good;
      await recording.playSlowly({ seconds: 5 });
      files.callsLeft = Infinity;
      await recording.playSlowly({ seconds: 9 });
      await recording.close();
      const index = indexAt(files);
      const ordinals = [...index.segments()].map(({ ordinal }) => ordinal);
      assert.deepEqual(
        ordinals,
        ordinals.map((_, i) => ordinals[0]! + i),
      );
      assert.equal(spansOf(index).at(-1)![1], 14);
      assert.equal(files.openFiles, 0, `${good} calls`);
    }
  });

  test("while it is closed rejects, and the right to write is given back all the same", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "interval" });
    await recording.playSlowly({ seconds: 3 });
    files.callsLeft = 0;
    await assert.rejects(recording.writer.close(), { code: "DVR_DISK_FAILED" });
    assert.equal(recording.access.releases, 1);
    assert.equal(files.openFiles, 0);
  });
});

describe("what is on the disk itself", () => {
  const synced = (files: MemoryFiles): string[] => files.calls.filter((line) => line.startsWith("sync"));

  test("is nothing by our doing without a policy", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "none" });
    await recording.playSlowly({ seconds: 10 });
    await recording.close();
    assert.deepEqual(synced(files), []);
  });

  test("is what is two seconds old, once for all groups of that time", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "interval" });
    const oldest: number[] = [];
    let unsyncedSinceUs: number | null = null;
    for (let i = 0; i < 200; i++) {
      const before = files.calls.length;
      await recording.play({ seconds: 0.1 });
      for (const line of files.calls.slice(before)) {
        if (line.startsWith(`append ${INDEX}`)) unsyncedSinceUs ??= recording.clock.nowUs();
        if (line === `sync ${INDEX}`) unsyncedSinceUs = null;
      }
      if (unsyncedSinceUs !== null) oldest.push(recording.clock.nowUs() - unsyncedSinceUs);
    }
    const syncs = synced(files).length / 2;
    await recording.close();
    assert.ok(Math.max(...oldest) <= 2_000_000, `${Math.max(...oldest)} us`);
    assert.ok(syncs >= 4 && syncs <= 10, `${syncs} syncs in 20 s`);
    assert.equal(recording.clock.pendingTimers, 0);
  });

  test("is not waited for by what is to be written, but by who closes the files", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "interval" });
    const { promise: released, resolve: goOn } = Promise.withResolvers<void>();
    // The header of a new index is synced first of all.
    await recording.playSlowly({ seconds: 3 });
    files.syncGate = released;
    const before = synced(files).length;
    await recording.playSlowly({ seconds: 10 });
    assert.equal(synced(files).length, before + 1, "one sync is under way, and it hangs");
    assert.equal(spansOf(indexAt(files)).at(-1)![1], 12);
    let isClosed = false;
    const closing = recording.close().then(() => (isClosed = true));
    await settle();
    assert.deepEqual([isClosed, files.openFiles > 0], [false, true]);
    goOn();
    await closing;
    assert.equal(files.openFiles, 0);
  });

  test("may fail: it is said, and the recording goes on by itself", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "interval" });
    files.syncGate = Promise.reject(
      dvrErrors.error("DVR_DISK_FAILED", { action: "sync", path: INDEX, reason: "EIO" }),
    );
    files.syncGate.catch(() => {});
    await recording.playSlowly({ seconds: 4 });
    files.syncGate = Promise.resolve();
    await recording.playSlowly({ seconds: 10 });
    await recording.close();
    assert.deepEqual(messages(recording), [
      "error: recording has stopped, it is tried again",
      "info: recording goes on",
    ]);
    assert.equal(spansOf(indexAt(files)).at(-1)![1], 14);
    assert.equal(files.openFiles, 0);
  });

  test("is each group, its media before its records are written at all", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files, fsync: "fragment" });
    await recording.playSlowly({ seconds: 10 });
    const writes = files.calls
      .filter((line) => /^(append|sync) /.test(line))
      .map((line) => line.split(" "));
    const first = writes.findIndex(([action, path]) => action === "append" && path === MEDIA) + 1;
    const ofGroups = writes
      .slice(first)
      .map(([action, path]) => `${action} ${path === INDEX ? "index" : "media"}`);
    // Of a group without media, the end of a segment, there is nothing to wait for.
    const groups = ofGroups.join(", ").split("sync index");
    assert.equal(groups.pop(), "");
    assert.ok(groups.length >= 5);
    for (const group of groups) assert.match(group, /^(, )?(append media, sync media, )?append index, $/);
    await recording.close();
  });

  for (const fsync of ["interval", "fragment"] as const)
    test(`is a whole hour before the next one begins, with fsync=${fsync}`, async () => {
      const files = new MemoryFiles();
      const recording = new MemoryRecording({ files, fsync, atUs: SOURCE_START_US + HOUR_US - 5e6 });
      await recording.playSlowly({ seconds: 10 });
      const next = files.calls.findIndex((line) =>
        line.startsWith(`create ${RECORDED_FOLDER}/${indexFile(HOUR + 1)}`),
      );
      assert.ok(next > 0);
      const before = files.calls.slice(0, next);
      for (const path of [INDEX, MEDIA])
        assert.ok(
          before.lastIndexOf(`sync ${path}`) >
            before.findLastIndex((line) => line.startsWith(`append ${path}`)),
        );
      await recording.close();
    });

  test("is not waited for by the next hour where the disk is slow, but by who gives the stream back", async () => {
    const files = new MemoryFiles();
    const next = `${RECORDED_FOLDER}/${indexFile(HOUR + 1)}`;
    const recording = new MemoryRecording({
      ...{ files, fsync: "interval", atUs: SOURCE_START_US + HOUR_US - 5e6 },
    });
    await recording.playSlowly({ seconds: 3 });
    const { promise: released, resolve: goOn } = Promise.withResolvers<void>();
    files.syncGate = released;
    await recording.playSlowly({ seconds: 12 });
    assert.equal(recordsOf(files, next).filter(({ kind }) => kind === RECORD_KIND.segmentEnd).length, 4);
    assert.ok(recording.writer.waitingBytes === 0, `${recording.writer.waitingBytes} bytes wait`);
    const closing = recording.close();
    await settle();
    assert.deepEqual([recording.access.releases, files.openFiles], [0, 4], "files of both hours are open");
    goOn();
    await closing;
    assert.deepEqual([recording.access.releases, files.openFiles], [1, 0]);
    for (const path of [INDEX, next])
      assert.equal(files.durable.get(path)?.byteLength, files.contents.get(path)!.byteLength);
    assert.equal(recording.clock.pendingTimers, 0);
  });

  test("is told of when it was not before its files were closed", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({
      ...{ files, fsync: "interval", atUs: SOURCE_START_US + HOUR_US - 5e6 },
    });
    await recording.playSlowly({ seconds: 3 });
    const { promise: failing, reject } = Promise.withResolvers<void>();
    failing.catch(() => {});
    files.syncGate = failing;
    await recording.playSlowly({ seconds: 12 });
    const closing = recording.close();
    await settle();
    reject(dvrErrors.error("DVR_DISK_FAILED", { action: "sync", path: INDEX, reason: "EIO" }));
    await assert.rejects(closing, { code: "DVR_DISK_FAILED" });
    assert.deepEqual([recording.access.releases, files.openFiles], [1, 0]);
  });
});

describe("the right to write", () => {
  test("is waited for, and what came meanwhile is recorded then", async () => {
    const access = new TestAccess(false);
    const recording = new MemoryRecording({ access });
    await recording.playSlowly({ seconds: 4 });
    const files = recording.files as MemoryFiles;
    assert.deepEqual(files.calls, []);
    access.hold();
    await settle();
    await recording.close();
    assert.deepEqual(spansOf(indexAt(files))[0], [0, 2]);
  });

  test("that never comes ends with the writer, and nothing is touched", async () => {
    const access = new TestAccess(false);
    const recording = new MemoryRecording({ access });
    await recording.playSlowly({ seconds: 4 });
    await recording.close();
    assert.deepEqual((recording.files as MemoryFiles).calls, []);
    assert.ok(access.releases >= 1);
  });

  test("that is lost closes the files, and what comes until it is back is recorded then", async () => {
    const files = new MemoryFiles();
    const recording = new MemoryRecording({ files });
    await recording.playSlowly({ seconds: 5 });
    recording.access.lose();
    await settle();
    assert.equal(files.openFiles, 0);
    const changes = files.changes.length;
    await recording.playSlowly({ seconds: 5 });
    assert.equal(files.changes.length, changes);
    recording.access.hold();
    await recording.playSlowly({ seconds: 6 });
    await recording.close();
    const spans = spansOf(indexAt(files));
    assert.deepEqual([spans[0]![0], spans.at(-1)![1]], [0, 16]);
    for (const [i, [fromS]] of spans.entries()) assert.equal(fromS, i === 0 ? 0 : spans[i - 1]![1]);
    assert.deepEqual(messages(recording), []);
  });

  for (const isLostLate of [false, true])
    test(`that is lost${isLostLate ? " while the writer is closed" : ""} and never comes back ends with the writer`, async () => {
      const files = new MemoryFiles();
      const recording = new MemoryRecording({ files });
      await recording.playSlowly({ seconds: 5 });
      if (!isLostLate) recording.access.lose();
      const { promise: released, resolve: goOn } = Promise.withResolvers<void>();
      files.gate = released;
      recording.source.play({ seconds: 5 });
      const closing = recording.close();
      await settle();
      if (isLostLate) recording.access.lose();
      goOn();
      await closing;
      assert.deepEqual([files.openFiles, recording.writer.waitingBytes], [0, 0]);
      assert.ok(recording.access.releases >= 1);
    });

  test("that is lost in the middle of a group stops it before its next file", async () => {
    const whole = new MemoryFiles();
    const model = new MemoryRecording({ files: whole });
    await model.playSlowly({ seconds: 5 });
    for (let call = 0; call < whole.calls.length; call++) {
      const files = new MemoryFiles();
      const recording = new MemoryRecording({ files });
      let after = 0;
      const calls = files.calls.push.bind(files.calls);
      files.calls.push = (line) => {
        if (files.calls.length === call) recording.access.lose();
        else if (files.calls.length > call && /^(append|truncate|create)/.test(line)) after++;
        return calls(line);
      };
      await recording.playSlowly({ seconds: 5 });
      // A media file that was begun, or an index, is finished: its header, its records.
      assert.ok(after <= 2, `${after} changes after call ${call}, ${files.calls[call]}`);
      assert.equal(files.openFiles, 0);
      await recording.close();
    }
  });
});

describe("an hour with as many records as readers take", () => {
  test("gets no more of them; the recording goes on with the next hour, which is said once", async () => {
    const files = new MemoryFiles();
    const maxHourRecords = 60;
    const atUs = SOURCE_START_US + HOUR_US - 40e6;
    const recording = new MemoryRecording({ files, atUs, maxHourRecords });
    await recording.playSlowly({ seconds: 50, gopFrames: 25 });
    await recording.close();
    assert.deepEqual(messages(recording), ["error: recording has stopped until the next hour"]);
    assert.match(String(recording.log.lines[0]!.fields["error"]), /has 60 records: no more fit into it/);
    const first = recordsOf(files);
    assert.ok(first.length > 50 && first.length <= maxHourRecords, `${first.length} records`);
    assert.equal(first.at(-1)!.kind, RECORD_KIND.segmentEnd);
    const [before, behind] = [indexAt(files), indexAt(files, SOURCE_START_US + HOUR_US)];
    assert.equal(behind.segment(0).ordinal, before.segment(before.segmentCount - 1).ordinal + 1);
    assert.ok(behind.segment(0).discontinuity);
    assert.ok(behind.segment(0).startUs - (SOURCE_START_US + HOUR_US) < 2e6);
  });

  test("takes a process that comes back, once for each hour that is full", async () => {
    const files = new MemoryFiles();
    const first = new MemoryRecording({ files, maxHourRecords: 20 });
    await first.playSlowly({ seconds: 30, gopFrames: 25 });
    await first.close();
    const records = recordsOf(files);
    const second = new MemoryRecording({ files, maxHourRecords: 20, atUs: SOURCE_START_US + 40e6 });
    assert.ok((await second.writer.prepare()) !== null);
    await second.playSlowly({ seconds: 10 });
    await second.close();
    assert.deepEqual(recordsOf(files), records);
    assert.deepEqual(messages(second), ["error: recording has stopped until the next hour"]);
  });

  test("is an error of its own", () => {
    assert.equal(
      dvrErrors.error("DVR_HOUR_FULL", { hour: "x", folder: "y", most: 1 }).code,
      "DVR_HOUR_FULL",
    );
  });
});

describe("an archive from before", () => {
  test("is gone on behind, whatever the clock says, and its end is known before the first group", async () => {
    const files = new MemoryFiles();
    const first = new MemoryRecording({ files, atUs: SOURCE_START_US + 100e6 });
    await first.playSlowly({ seconds: 6 });
    await first.close();
    const second = new MemoryRecording({ files });
    const endUs = (await second.writer.prepare())!;
    assert.equal(spansOf(indexAt(files)).at(-1)![1], Math.round((endUs - SOURCE_START_US) / 1e5) / 10);
    // A source that does not go on from there is not recorded.
    await second.playSlowly({ seconds: 6 });
    await second.close();
    assert.equal(spansOf(indexAt(files)).length, 3);
  });

  test("whose newest index cannot be read is gone on with in other hours, which is said once", async () => {
    const files = new MemoryFiles();
    const first = new MemoryRecording({ files });
    await first.playSlowly({ seconds: 6 });
    await first.close();
    const damaged = `${RECORDED_FOLDER}/${indexFile(HOUR + 1)}`;
    files.contents.set(damaged, new Uint8Array(500).fill(7));
    const second = new MemoryRecording({ files, atUs: SOURCE_START_US + 2 * HOUR_US - 8e6 });
    assert.ok((await second.writer.prepare()) !== null);
    await second.playSlowly({ seconds: 20 });
    await second.close();
    assert.equal(messages(second)[0], "error: an hour of the archive cannot be recorded on");
    assert.deepEqual(files.contents.get(damaged), new Uint8Array(500).fill(7));
    const index = indexAt(files, SOURCE_START_US + 2 * HOUR_US);
    assert.ok(index.segmentCount >= 3);
    assert.equal(index.segment(0).ordinal, indexAt(files).segment(2).ordinal + 1);
  });

  test("has nothing to say where there is none, or the disk fails, or the writer is closed", async () => {
    const none = new MemoryRecording();
    assert.equal(await none.writer.prepare(), null);
    await none.close();
    assert.equal(await none.writer.prepare(), null);
    const files = new MemoryFiles();
    files.callsLeft = 0;
    const failing = new MemoryRecording({ files });
    assert.equal(await failing.writer.prepare(), null);
    assert.equal(failing.access.failures.length, 1);
    await failing.close();
  });
});

test("what follows a change of tracks is recorded, though sound from before goes on into it", async () => {
  const files = new MemoryFiles();
  const recording = new MemoryRecording({ files });
  await recording.playSlowly({ seconds: 6.6 });
  await recording.playSlowly({ seconds: 5.4, begins: "track-change", hasAudio: false });
  await recording.close();
  const index = indexAt(files);
  const [, , , before, behind] = [...index.segments()];
  assert.ok(behind!.startUs < before!.startUs + before!.durationUs);
  assert.ok(behind!.discontinuity);
  assert.deepEqual(spansOf(index).slice(3, 5), [
    [6, 6.6],
    [6.6, 8.6],
  ]);
});

test("the wall clock that is set is a fact in the index", async () => {
  const files = new MemoryFiles();
  const recording = new MemoryRecording({ files });
  await recording.playSlowly({ seconds: 6 });
  recording.clock.stepWall(3_600_000);
  // The source goes on: its clock is not the wall's.
  await recording.playSlowly({ seconds: 6 });
  recording.clock.stepWall(-3_600_000);
  await recording.playSlowly({ seconds: 6 });
  await recording.close();
  const facts = recordsOf(files).filter(({ kind }) => kind === RECORD_KIND.fact);
  // There, and back.
  assert.equal(facts.length, 2);
  const steps = facts.map(({ utcUs, startUs }) => Math.floor((utcUs - startUs) / 1e6 + 0.5));
  assert.deepEqual(steps, [3600, 0]);
});

test("a writer that is closed twice, or before it wrote, has no files open", async () => {
  const recording = new MemoryRecording();
  await recording.writer.close();
  await recording.writer.close();
  assert.equal((recording.files as MemoryFiles).openFiles, 0);
  assert.ok(recording.writer instanceof ArchiveWriter);
});

const CHUNK = {
  ...{ trackNumber: 1, startUs: SOURCE_START_US, durationUs: 1, samples: 1, isSync: true },
  ...{ headerBytes: 40, size: 40, pieces: [] },
};
