import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { audioTrack, livePackets, videoTrack } from "../../../test/support/media.ts";
import { MemoryArchive, RECORDED_US } from "../../../test/support/memory-archive.ts";
import { ticksToUs, usToTicks } from "../../base/time.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket, SourcePacket } from "../../media/packet.ts";
import { StoredPackets } from "./stored-packets.ts";
import type { StoredPacketsOptions, StoredRun } from "./stored-packets.ts";

const SECOND_US = 1_000_000;

let archive: MemoryArchive;

beforeEach(() => {
  archive = new MemoryArchive();
});

/** Pictures are shown 80 ms after they are decoded. */
function recordedPackets(durationMs: number, payloadBytes = 40): SourcePacket[] {
  return livePackets({ durationMs, payloadBytes }).map((packet) =>
    packet.track.kind === "video"
      ? { ...packet, pts: packet.pts + 7200 }
      : { ...packet, dts: packet.dts + 3840, pts: packet.pts + 3840 },
  );
}

/** All runs from a time on. Reading has to come to an end. */
async function runsOf(packets: StoredPackets, fromUs = 0): Promise<StoredRun[]> {
  const runs: StoredRun[] = [];
  for (let at = fromUs; runs.length < 5000;) {
    const run = await packets.read(at);
    runs.push(run);
    if (run.isLast) return runs;
    assert.ok(run.toUs > at, `a run that ends at ${run.toUs} and begins at ${at}`);
    at = run.toUs;
  }
  throw new Error("there is no last run");
}

const usOf = ({ dts, track }: MediaPacket): number => ticksToUs(dts, track.timescale);

/** Each recorded packet of a track stands among the packets once, in order, with its payload. */
function assertComplete(packets: readonly MediaPacket[], ids: readonly string[] = ["v1", "a1"]): void {
  for (const id of ids) {
    const own = packets.filter(({ track }) => track.id === id);
    const recorded = archive.recorded.get(id as TrackId)!;
    assert.equal(own.length, recorded.length, id);
    for (const [i, packet] of own.entries()) {
      const { payload, isSync, durationTicks, pts, dts } = recorded[i]!;
      assert.deepEqual(Buffer.from(packet.payload), Buffer.from(payload));
      assert.deepEqual([packet.isSync, packet.durationTicks], [isSync, durationTicks]);
      assert.equal(packet.pts - packet.dts, pts - dts);
      if (i > 0) assert.ok(packet.dts > own[i - 1]!.dts, `${id} ${i}`);
    }
  }
}

describe("a range as packets", () => {
  test("has all of them once, in order of decode time, from 0 on", async () => {
    archive.record(recordedPackets(5000), RECORDED_US + 333);
    const packets = new StoredPackets(archive);
    const runs = await runsOf(packets);
    const all = runs.flatMap((run) => run.packets);
    assertComplete(all);
    assert.equal(usOf(all[0]!), 0);
    for (let i = 1; i < all.length; i++) assert.ok(usOf(all[i]!) >= usOf(all[i - 1]!));
    assert.ok(all.every(({ startsGop, track, isSync }) => startsGop === (isSync && track.id === "v1")));
    assert.ok(runs.every(({ tracks }) => tracks === packets.tracks && tracks.reference.id === "v1"));
    assert.ok(Math.abs(packets.endUs - 5_080_000) < 100_000);
    assert.equal(packets.reorderUs, 80_000);
  });

  test("is read from any time on, and begins at key frames", async () => {
    archive.record(recordedPackets(5000), RECORDED_US);
    const packets = new StoredPackets(archive);
    const all = (await runsOf(packets)).flatMap((run) => run.packets);
    for (const us of [1, 39_999, 40_000, 40_001, 1_500_000, 3_000_000, 4_990_000]) {
      const rest = (await runsOf(packets, us)).flatMap((run) => run.packets);
      assert.deepEqual(
        rest,
        all.filter((packet) => usOf(packet) >= us),
        `from ${us} us`,
      );
    }
    for (const us of [0, 999_900, 1_000_000, 3_500_000, 60_000_000]) {
      const startUs = packets.startAt(us);
      assert.ok(startUs <= us);
      const first = (await packets.read(startUs)).packets.find(({ track }) => track.kind === "video")!;
      assert.ok(first.startsGop);
      const sought = all.findLast((packet) => packet.startsGop && usOf(packet) <= us)!;
      assert.equal(first.dts, sought.dts, `the last one at or before ${us} us`);
    }
    assert.equal(packets.startAt(-5), 0);
  });

  test("has an end, behind which there is nothing", async () => {
    archive.record(recordedPackets(2000), RECORDED_US);
    const packets = new StoredPackets(archive);
    const run = await packets.read(90 * SECOND_US);
    assert.deepEqual([run.packets.length, run.isLast], [0, true]);
  });

  for (const [gaps, expectedS] of [
    ["closed", 2],
    ["kept", 3600],
  ] as const) {
    test(`in which gaps are ${gaps}`, async () => {
      archive.record(recordedPackets(2000), RECORDED_US);
      archive.record(recordedPackets(2000), RECORDED_US + 3600 * SECOND_US);
      const runs = await runsOf(new StoredPackets(archive, { gaps }));
      const all = runs.flatMap((run) => run.packets);
      assertComplete(all);
      assert.ok(runs.length <= 9, `${runs.length} runs: a gap is passed at once`);
      const pictures = all.filter(({ track }) => track.kind === "video");
      const second = usOf(pictures[50]!);
      assert.ok(Math.abs(second - expectedS * SECOND_US) < 100_000, `it goes on at ${second} us`);
      const sound = all.filter(({ track }) => track.kind === "audio");
      const recorded = archive.recorded.get("a1" as TrackId)!;
      const firstLater = recorded.findIndex(
        ({ dts }) => dts >= usToTicks(RECORDED_US + 1800 * SECOND_US, 48_000),
      );
      const distance = (at: number): number =>
        usOf(sound[at === 0 ? 0 : firstLater]!) - usOf(pictures[at]!);
      assert.ok(Math.abs(distance(0) - distance(50)) < 60, "sound and pictures stay together");
    });
  }

  test("on a clock that is given, with the number of its first epoch", async () => {
    archive.record(recordedPackets(2000), RECORDED_US);
    archive.record(recordedPackets(2000), RECORDED_US + 60 * SECOND_US);
    const shiftUs = 7 * SECOND_US - RECORDED_US;
    const packets = new StoredPackets(archive, { shiftUs, firstEpoch: 5 });
    const runs = await runsOf(packets, 0);
    const all = runs.flatMap((run) => run.packets);
    assertComplete(all);
    const [first, later] = [all[0]!, all.find((packet) => usOf(packet) > 30 * SECOND_US)!];
    assert.deepEqual([usOf(first), usOf(later)], [7 * SECOND_US, 67 * SECOND_US]);
    assert.ok(all.every(({ epoch }) => epoch === 5) && packets.tracks.epoch === 5);
  });

  test("with other tracks from some time on has an epoch for each set, and no run of two", async () => {
    archive.record(recordedPackets(2000), RECORDED_US);
    const wide = videoTrack({ width: 128 });
    const changed = recordedPackets(2000).map((packet) =>
      packet.track.kind === "video" ? { ...packet, track: wide } : packet,
    );
    archive.record(changed, RECORDED_US + 2_000_000);
    archive.record(
      livePackets({ durationMs: 2000, video: null, payloadBytes: 40 }),
      RECORDED_US + 60 * SECOND_US,
    );
    const packets = new StoredPackets(archive);
    const runs = await runsOf(packets);
    assertComplete(runs.flatMap((run) => run.packets));
    for (const run of runs) {
      assert.ok(
        run.packets.every(
          ({ epoch, track }) => epoch === run.tracks.epoch && run.tracks.tracks.includes(track),
        ),
      );
    }
    const epochs = [...new Set(runs.map(({ tracks }) => tracks))];
    assert.deepEqual(
      epochs.map(({ epoch, reference }) => [epoch, reference.id, reference.width]),
      [
        [1, "v1", 64],
        [2, "v1", 128],
        [3, "a1", 0],
      ],
    );
  });

  test("of a selection reads nothing of other tracks", async () => {
    archive.record(recordedPackets(2000), RECORDED_US);
    const packets = new StoredPackets(archive, { tracks: { ids: ["a1" as TrackId] } });
    const all = (await runsOf(packets)).flatMap((run) => run.packets);
    assertComplete(all, ["a1"]);
    assert.ok(all.every(({ startsGop }) => startsGop));
    const sound = archive.chunks.filter(({ trackNumber }) => trackNumber === 101);
    for (const { offset } of archive.reads)
      assert.ok(sound.some((chunk) => offset >= chunk.offset && offset < chunk.offset + chunk.size));
  });
});

describe("reads of a range as packets", () => {
  const packetsOf = (options: StoredPacketsOptions = {}): StoredPackets =>
    new StoredPackets(archive, options);

  test("are as short as it takes to stay below the bound on bytes", async () => {
    archive.record(recordedPackets(3000, 20_000), RECORDED_US);
    for (const cellBytes of [2 ** 20, 2 ** 18, 1]) {
      const runs = await runsOf(packetsOf({ cellBytes }));
      assertComplete(runs.flatMap((run) => run.packets));
      for (const run of runs) {
        const bytes = run.packets.reduce((sum, { payload }) => sum + payload.byteLength, 0);
        assert.ok(bytes <= Math.max(cellBytes, 80_000), `${bytes} bytes of ${cellBytes}`);
      }
    }
  });

  test("read each payload once, and each header once as long as it is needed", async () => {
    archive.record(recordedPackets(4000, 200), RECORDED_US);
    await runsOf(packetsOf());
    const headers = new Set(archive.chunks.map(({ offset }) => offset));
    const headerReads = archive.reads.filter(({ offset }) => headers.has(offset));
    assert.equal(headerReads.length, archive.chunks.length);
    const payloadBytes = [...archive.recorded.values()]
      .flat()
      .reduce((sum, { payload }) => sum + payload.byteLength, 0);
    const read = archive.reads.filter(({ offset }) => !headers.has(offset));
    assert.equal(
      read.reduce((sum, { length }) => sum + length, 0),
      payloadBytes,
    );
  });

  test("that fail once can be made again", async () => {
    archive.record(recordedPackets(1000), RECORDED_US);
    const packets = packetsOf();
    archive.failure = new Error("not now");
    await assert.rejects(packets.read(0), /not now/);
    assert.equal(archive.running, 0);
    archive.failure = null;
    assertComplete((await runsOf(packets)).flatMap((run) => run.packets));
  });

  test("tell that a media file was cut off, or is another one", async () => {
    archive.record(recordedPackets(1000), RECORDED_US);
    const [file] = archive.mediaFiles.keys();
    const bytes = archive.bytesOf(file!);
    archive.replace(file!, bytes.slice(0, -5));
    await assert.rejects(runsOf(packetsOf()), {
      code: "DVR_EXPORT_BAD_CHUNK",
      message: /ends 5 bytes before/,
    });
    archive.replace(file!, new Uint8Array(bytes.byteLength));
    await assert.rejects(packetsOf().read(0), { code: "DVR_EXPORT_BAD_CHUNK", message: /no "moof"/ });
  });

  test("are refused where one moment has more chunks than one read may", async () => {
    const audio = audioTrack();
    archive.record([{ ...livePackets({ durationMs: 20, video: null })[0]!, track: audio }], RECORDED_US);
    const [segment] = archive.segments;
    const [chunk] = segment!.chunks;
    const many = { ...segment!, chunks: Array.from({ length: 300 }, () => chunk!) };
    const range = { mediaFiles: archive.mediaFiles, read: archive.read };
    const packets = new StoredPackets({ ...range, segments: [many] });
    await assert.rejects(packets.read(0), {
      code: "DVR_EXPORT_LIMIT",
      message: /257 is more than the limit of 256/,
    });
  });

  test("keep the headers of so many samples, and read others again", async () => {
    const sound = livePackets({ durationMs: 400_000, video: null, payloadBytes: 1 });
    archive = new MemoryArchive({ segmentDurationMs: 20_000 });
    archive.record(sound, RECORDED_US);
    assert.ok(sound.length > 2 ** 14);
    const packets = packetsOf();
    const [first] = archive.chunks;
    const headerReads = (): number => archive.reads.filter(({ offset }) => offset === first!.offset).length;
    await packets.read(0);
    await packets.read(0);
    assert.equal(headerReads(), 1);
    await runsOf(packets);
    assert.equal(headerReads(), 1);
    await packets.read(0);
    assert.equal(headerReads(), 2);
  });

  test("are refused where one sample has more bytes than one read may, before these are read", async () => {
    const track = audioTrack();
    const dataBytes = 65 * 2 ** 20;
    const header = buildFragmentHeader(1, [
      {
        track,
        baseDts: 48_000,
        count: 1,
        sizes: Uint32Array.of(dataBytes),
        durations: Uint32Array.of(1024),
        ctsOffsets: Int32Array.of(0),
        syncFlags: Uint8Array.of(1),
        dataBytes,
      },
    ]);
    const headerBytes = header.byteLength;
    const times = { startUs: SECOND_US, durationUs: 21_333 };
    const place = {
      trackNumber: 101,
      mediaFileKey: "08.mp4",
      offset: 0,
      size: headerBytes + dataBytes,
      headerBytes,
    };
    const chunks = [{ ...place, ...times, samples: 1 }];
    const lengths: number[] = [];
    const packets = new StoredPackets({
      segments: [{ ...times, discontinuity: false, independent: true, chunks }],
      mediaFiles: new Map([["08.mp4", [track]]]),
      read: async (_file, _offset, [target]) => {
        target!.set(header);
        lengths.push(target!.byteLength);
        return target!.byteLength;
      },
    });
    await assert.rejects(packets.read(0), {
      code: "DVR_EXPORT_LIMIT",
      message: /a number of bytes in one read/,
    });
    assert.deepEqual(lengths, [headerBytes]);
  });
});
