import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { MemoryFiles } from "../../../test/support/archive-files.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import type { SegmentPlan } from "../../../test/support/archive-hour.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { videoTrack } from "../../../test/support/media.ts";
import { asMediaError } from "../../base/errors.ts";
import { ticksToUs } from "../../base/time.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import type { PacketRun } from "../../stream/recorded-packets.ts";
import { BlockPool } from "../../vod/block-pool.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { HOUR_US } from "../format/hour.ts";
import { HourCache } from "../reader/hour-cache.ts";
import { StreamArchive } from "../reader/stream-archive.ts";
import type { ArchivePlay } from "./archive-play.ts";
import { openPlay } from "./open-play.ts";

const HOUR = 496_640;
const HOUR_S = HOUR * 3600;
const SECOND_US = 1_000_000;
const FOLDER = "/dvr/cam";

/** An archive that grows, and its clock. */
class Recording {
  readonly files = new MemoryFiles();
  readonly clock = new FakeClock(HOUR * HOUR_US);
  readonly archive = new StreamArchive(FOLDER, {
    files: this.files,
    disk: this.files,
    hours: new HourCache(this.files, this.clock),
    pool: new BlockPool(2 ** 20),
    work: new BoundedWork({ running: 4, waiting: 100 }, vodBusy),
    farWork: new BoundedWork({ running: 4, waiting: 100 }, vodBusy),
    clock: this.clock,
    maxSegments: 10_000,
  });
  patienceUs = 10 * SECOND_US;

  /** Puts an hour, as it is now, where readers find it. */
  put(...hours: readonly ArchiveHour[]): void {
    for (const hour of hours)
      for (const [path, bytes] of Object.entries(hour.files(FOLDER))) this.files.contents.set(path, bytes);
  }

  async open(span: TimeSpan, isUtc = false): Promise<ArchivePlay> {
    const { archive, clock } = this;
    const times = { nowUs: clock.wallUs(), segmentDurationUs: 2 * SECOND_US };
    const request = { span, name: "cam", isUtc, patienceUs: () => this.patienceUs, ...times };
    return await openPlay(archive, request, clock);
  }

  /** Reads once; where that waits for what is recorded next, time passes. */
  async read(play: ArchivePlay, fromUs: number): Promise<PacketRun> {
    const watch = { isDone: false };
    const read = play.read(fromUs).finally(() => (watch.isDone = true));
    read.catch(() => {});
    for (let i = 0; i < 1000 && !watch.isDone; i++) await this.clock.advanceSettling(10, 10);
    return await read;
  }

  /** All runs up to the last one, or as far as it is recorded. */
  async runs(play: ArchivePlay, fromUs = play.startUs): Promise<PacketRun[]> {
    const runs: PacketRun[] = [];
    for (let at = fromUs; runs.length < 2000;) {
      const run = await this.read(play, at);
      if (run.packets.length > 0 || run.isLast) runs.push(run);
      if (run.isLast || run.toUs === at) return runs;
      assert.ok(run.toUs > at, `from ${at} to ${run.toUs}`);
      at = run.toUs;
    }
    throw new Error("it has no end");
  }
}

let recording: Recording;

beforeEach(() => {
  recording = new Recording();
});

const at = (fromS: number, durationS: number | null = null): TimeSpan => ({
  kind: "archive",
  fromS: HOUR_S + fromS,
  durationS,
});

const packetsOf = (runs: readonly PacketRun[]): MediaPacket[] =>
  runs.flatMap(({ packets }) => [...packets]);
const usOf = ({ dts, track }: MediaPacket): number => ticksToUs(dts, track.timescale);
const ofTrack = (packets: readonly MediaPacket[], id: string): MediaPacket[] =>
  packets.filter(({ track }) => track.id === id);
const codeOf = (caught: unknown): string | undefined => asMediaError(caught)?.code;

/** So many segments of two seconds, each with three samples a track. */
function hourOf(count: number, plan: SegmentPlan = {}, hour = new ArchiveHour(HOUR)): ArchiveHour {
  for (let i = 0; i < count; i++) hour.segment(i === 0 ? plan : {});
  return hour;
}

/** Each track's samples are decoded one after the other, and none twice. */
function assertRising(packets: readonly MediaPacket[]): void {
  for (const id of ["v1", "a1"]) {
    const times = ofTrack(packets, id).map(usOf);
    for (const [i, time] of times.entries()) assert.ok(i === 0 || time > times[i - 1]!, `${id} ${i}`);
  }
}

describe("an archive for one player", () => {
  test("has every sample once, from 0 on, over windows and the turn of an hour", async () => {
    const hour = hourOf(60, { atUs: HOUR_US - 120 * SECOND_US });
    recording.put(hour, hourOf(60, {}, new ArchiveHour(HOUR + 1, { firstOrdinal: 7060 })));
    recording.clock.advance(3 * 3_600_000);
    const play = await recording.open(at(3480, 240));
    const runs = await recording.runs(play);
    const packets = packetsOf(runs);
    assert.deepEqual([ofTrack(packets, "v1").length, ofTrack(packets, "a1").length], [360, 360]);
    assertRising(packets);
    assert.ok(usOf(packets[0]!) < 2000, `${usOf(packets[0]!)}`);
    assert.ok(Math.abs(usOf(ofTrack(packets, "v1").at(-1)!) - (238 + 4 / 3) * SECOND_US) < 2000);
    assert.equal(runs.at(-1)!.isLast, true);
    assert.equal(new Set(runs.map(({ tracks }) => tracks)).size, 1, "the tracks stay the same object");
    for (const run of runs) assert.ok(run.packets.length < 40, "it is read a second at a time");
  });

  test("ends where the range does, however much is recorded behind it", async () => {
    recording.put(hourOf(60));
    const play = await recording.open(at(10, 20));
    const packets = packetsOf(await recording.runs(play));
    assert.equal(ofTrack(packets, "v1").length, 30);
    assert.equal(play.endUs, HOUR_US * HOUR + 30 * SECOND_US - (HOUR_US * HOUR + 10 * SECOND_US - 1002));
  });

  test("begins with the segment in which the time is", async () => {
    recording.put(hourOf(60));
    const play = await recording.open(at(11, 4));
    assert.equal(play.firstUs, HOUR_US * HOUR + 10 * SECOND_US);
    assert.ok(Math.abs(play.playedUs - SECOND_US) < 2000, "the player's clock begins at the time itself");
    const later = await recording.open({ kind: "timeshift_abs", fromS: HOUR_S - 1800 });
    assert.equal(later.firstUs, HOUR_US * HOUR, "what is recorded next, where the time is not");
    assert.equal(later.playedUs, later.startUs);
  });

  for (const [kind, span] of [
    ["goes on", at(0, 4000)],
    ["stays as far behind", { kind: "timeshift_rel", agoS: 2000 }],
  ] as const) {
    test(`over a gap ${kind}`, async () => {
      const hour = hourOf(10);
      hourOf(10, { atUs: 1000 * SECOND_US, discontinuity: true }, hour);
      recording.put(hour);
      recording.clock.advance(2_000_000);
      const play = await recording.open(span);
      const runs = await recording.runs(play);
      const packets = packetsOf(runs);
      assert.deepEqual([ofTrack(packets, "v1").length, ofTrack(packets, "a1").length], [60, 60]);
      assertRising(packets);
      const behind = usOf(ofTrack(packets, "v1")[30]!);
      const expectedS = kind === "goes on" ? 20 : 1000;
      assert.ok(Math.abs(behind - expectedS * SECOND_US) < 10_000, `it goes on at ${behind} us`);
      for (const { packets: of, utcOffsetUs } of runs) {
        for (const packet of of.filter(({ isSync, track }) => isSync && track.kind === "video")) {
          const utcS = (usOf(packet) + utcOffsetUs!) / SECOND_US;
          assert.ok(Math.abs(utcS - 2 * Math.round(utcS / 2)) < 0.002, `a key frame at ${utcS}`);
        }
      }
      const last = runs.at(-1)!.packets.at(-1)!;
      assert.ok(usOf(last) + runs.at(-1)!.utcOffsetUs! > (HOUR_S + 1018) * SECOND_US);
    });
  }

  test("with other tracks behind a break has a set of the next epoch, once", async () => {
    const hour = hourOf(5);
    const other = new ArchiveHour(HOUR + 1, { tracks: [videoTrack()], firstOrdinal: 7005 });
    recording.put(hour, hourOf(5, {}, other));
    recording.clock.advance(3 * 3_600_000);
    const play = await recording.open(at(0, 7200));
    const runs = await recording.runs(play);
    const sets = [...new Set(runs.map(({ tracks }) => tracks!))];
    assert.deepEqual(
      sets.map(({ epoch, tracks }) => [epoch, ...tracks.map(({ id }) => id)]),
      [
        [1, "v1", "a1"],
        [2, "v1"],
      ],
    );
    for (const { packets, tracks } of runs)
      for (const packet of packets) {
        assert.ok(tracks!.tracks.includes(packet.track));
        assert.equal(packet.epoch, tracks!.epoch);
      }
    assertRising(packetsOf(runs));
  });
});

describe("an archive that grows", () => {
  test("is waited for, and goes on where it was", async () => {
    const hour = hourOf(3);
    recording.put(hour);
    recording.clock.advance(7000);
    const play = await recording.open(at(0));
    const first = await recording.runs(play);
    const before = packetsOf(first);
    // The end of the last segment waits for the next one, should tracks end at different times.
    assert.ok(ofTrack(before, "v1").length >= 8, `${ofTrack(before, "v1").length}`);
    const waitsAt = first.at(-1)!.toUs;
    const nothing = await recording.read(play, waitsAt);
    assert.deepEqual([nothing.packets, nothing.toUs, nothing.isLast], [[], waitsAt, false]);
    hourOf(3, {}, hour);
    recording.put(hour);
    recording.clock.advance(6000);
    const after = packetsOf(await recording.runs(play, waitsAt));
    const all = [...before, ...after];
    assertRising(all);
    assert.ok(ofTrack(all, "v1").length >= 17);
  });

  for (const [name, patienceS, expectedS] of [
    ["after the time for which a stream is waited for", 10, 16],
    ["soon, when the server stops", 0, 6],
  ] as const) {
    test(`ends ${name}, with the last sample of each track`, async () => {
      recording.put(hourOf(3));
      recording.clock.advance(6000);
      recording.patienceUs = patienceS * SECOND_US;
      const play = await recording.open(at(0));
      const runs = await recording.runs(play);
      const packets = packetsOf(runs);
      const us = runs.at(-1)!.toUs;
      const beganUs = recording.clock.nowUs();
      let run = await recording.read(play, us);
      while (!run.isLast) run = await recording.read(play, run.toUs);
      const tookS = (recording.clock.nowUs() - beganUs) / SECOND_US;
      assert.ok(Math.abs(tookS - expectedS) < 2, `${tookS} s`);
      assert.equal(ofTrack([...packets, ...run.packets], "v1").length, 9);
      assert.equal(ofTrack([...packets, ...run.packets], "a1").length, 9);
    });
  }

  test("that ended long ago ends at once", async () => {
    recording.put(hourOf(3));
    recording.clock.advance(24 * 3_600_000);
    const play = await recording.open({ kind: "timeshift_abs", fromS: HOUR_S });
    const beganUs = recording.clock.nowUs();
    assert.equal(ofTrack(packetsOf(await recording.runs(play)), "v1").length, 9);
    assert.ok(recording.clock.nowUs() - beganUs < SECOND_US);
  });

  test("begins with the newest that there is, where the time is just now", async () => {
    recording.put(hourOf(30));
    recording.clock.advance(64_000);
    for (const span of [at(63), { kind: "timeshift_rel", agoS: 2 } as const, at(62, 60)])
      assert.equal((await recording.open(span)).firstUs, (HOUR_S + 58) * SECOND_US);
    await assert.rejects(recording.open(at(61, 2)), (caught) => codeOf(caught) === "DVR_NOTHING_RECORDED");
    recording.clock.advance(70_000);
    await assert.rejects(recording.open(at(132)), (caught) => codeOf(caught) === "DVR_NOTHING_RECORDED");
  });
});

describe("a seek in an archive", () => {
  test("goes to the key frame before, in the whole archive and back over a gap", async () => {
    const hour = hourOf(10);
    hourOf(10, { atUs: 1000 * SECOND_US, discontinuity: true }, hour);
    recording.put(hour);
    recording.clock.advance(3 * 3_600_000);
    const play = await recording.open(at(0, 3600));
    const whole = packetsOf(await recording.runs(play));
    for (const us of [0, 5_000_000, 19_999_999, 21_500_000, 25_000_000]) {
      const startUs = await play.startAt(us);
      assert.ok(startUs <= us && us - startUs < 2_100_000, `${us}: ${startUs}`);
      const rest = packetsOf(await recording.runs(play, startUs));
      assert.deepEqual(
        rest.map(({ dts, track }) => [track.id, dts]),
        whole.filter((packet) => usOf(packet) >= startUs).map(({ dts, track }) => [track.id, dts]),
        `from ${us}`,
      );
      assert.ok(ofTrack(rest, "v1")[0]!.startsGop);
    }
    assert.equal(await play.startAt(-5_000_000), 0, "what lies before its beginning is no part of it");
  });

  test("beyond the end goes to the last key frame, and into a gap to what comes behind it", async () => {
    const hour = hourOf(10);
    hourOf(10, { atUs: 1000 * SECOND_US, discontinuity: true }, hour);
    recording.put(hour);
    recording.clock.advance(2_000_000);
    const play = await recording.open({ kind: "timeshift_abs", fromS: HOUR_S }, true);
    const startOf = async (seconds: number): Promise<number> => {
      const us = await play.startAt(play.atUtc((HOUR_S + seconds) * SECOND_US));
      const run = await recording.read(play, us);
      return Math.round((usOf(run.packets[0]!) + run.utcOffsetUs!) / SECOND_US) - HOUR_S;
    };
    assert.equal(await startOf(5), 4);
    assert.equal(await startOf(500), 1000);
    assert.equal(await startOf(1005), 1004);
    assert.equal(await startOf(1900), 1018);
    assert.equal(await startOf(0), 0);
  });

  test("holds, also when a read that was under way comes to a break behind it", async () => {
    const hour = hourOf(10);
    hourOf(30, { atUs: 1000 * SECOND_US, discontinuity: true }, hour);
    recording.put(hour);
    recording.clock.advance(3 * 3_600_000);
    const play = await recording.open(at(0, 3600));
    let fromUs = 0;
    for (;;) {
      const { toUs } = await recording.read(play, fromUs);
      if (toUs > 19_000_000) break;
      fromUs = toUs;
    }
    const other = await recording.open(at(0, 3600));
    const startUs = await other.startAt(1_030_000_000);
    // What was asked for before the seek goes on over the gap.
    for (let us = fromUs; us < 21_000_000;) us = (await recording.read(other, us)).toUs;
    const run = await recording.read(other, startUs);
    assert.ok(run.packets.length > 0 && usOf(run.packets[0]!) - startUs < 3000);
    assert.equal(Math.round((usOf(run.packets[0]!) + run.utcOffsetUs!) / SECOND_US) - HOUR_S, 1030);
  });

  test("a time that nobody told it is found, too", async () => {
    recording.put(hourOf(60));
    recording.clock.advance(3 * 3_600_000);
    const play = await recording.open(at(0, 3600));
    const packets = packetsOf([await recording.read(play, 61_000_000)]);
    assert.ok(packets.length > 0 && packets.every((packet) => usOf(packet) >= 61_000_000));
  });
});

describe("opening a span of an archive", () => {
  for (const [name, span] of [
    ["in front of all", at(-7200, 60)],
    ["behind all", at(1000, 60)],
    ["in the future", at(90_000)],
    ["in a gap", at(100, 60)],
    ["so far behind now that nothing was on air then", { kind: "timeshift_rel", agoS: 1900 }],
  ] as const) {
    test(`${name} is refused, with what is recorded near it`, async () => {
      const hour = hourOf(10);
      hourOf(10, { atUs: 500 * SECOND_US, discontinuity: true }, hour);
      recording.put(hour);
      recording.clock.advance(2_000_000);
      await assert.rejects(recording.open(span), (caught) => {
        assert.equal(codeOf(caught), "DVR_NOTHING_RECORDED");
        return true;
      });
    });
  }

  test("rewind begins so long ago, and takes what comes next where nothing is recorded then", async () => {
    recording.put(hourOf(30));
    recording.clock.advance(60_000);
    assert.equal((await recording.open({ kind: "rewind", agoS: 30 })).firstUs, (HOUR_S + 30) * SECOND_US);
    assert.equal((await recording.open({ kind: "rewind", agoS: 3000 })).firstUs, HOUR_S * SECOND_US);
  });

  test("lists no more than what is played next, however much there is", async () => {
    const hours = Array.from({ length: 48 }, (_, i) =>
      hourOf(20, {}, new ArchiveHour(HOUR - 48 + i, { firstOrdinal: 20 * i })),
    );
    recording.put(...hours);
    recording.clock.advance(60_000);
    const play = await recording.open(at(-48 * 3600));
    await recording.read(play, 0);
    const opened = recording.files.looks.filter(
      (look) => look.startsWith("open ") && look.endsWith(".idx"),
    );
    assert.ok(new Set(opened).size <= 3, opened.join("\n"));
    assert.equal(recording.files.openFiles, 0);
  });

  test("a disk that fails is told to who reads, and can be read again", async () => {
    recording.put(hourOf(10));
    const play = await recording.open(at(0, 60));
    recording.files.callsLeft = 0;
    await assert.rejects(play.read(0), (caught) => codeOf(caught) === "DVR_DISK_FAILED");
    recording.files.callsLeft = Infinity;
    assert.ok((await recording.read(play, 0)).packets.length > 0);
  });
});
