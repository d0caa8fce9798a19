import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Film, pictureTimes, settle } from "../../test/support/film.ts";
import type { Clock } from "../base/clock.ts";
import { defineErrors } from "../base/errors.ts";
import { ticksToUs } from "../base/time.ts";
import { PacedPackets } from "./paced-packets.ts";
import type { PacedPacketsParts } from "./paced-packets.ts";
import type { RecordedPackets } from "./recorded-packets.ts";

const errors = defineErrors({
  VOD_BUSY: { disposition: "retry", message: "too many", doc: "For this test." },
});

let clock: FakeClock;
let film: Film;
/** Decode times of pictures that were sent, in milliseconds. */
let sent: number[];
let happened: string[];
let queued: number;

beforeEach(() => {
  clock = new FakeClock();
  film = new Film();
  sent = [];
  happened = [];
  queued = 0;
});

function pace(changes: Partial<PacedPacketsParts> = {}, fault: Error | null = null): PacedPackets {
  return new PacedPackets(
    { packets: film, clock, bufferUs: 2e6, stopUs: Infinity, pauseStops: "sending", ...changes },
    {
      packet: ({ dts, track }, room) => {
        if (fault !== null) throw fault;
        if (track.kind !== "video") return;
        sent.push(ticksToUs(dts, track.timescale) / 1000);
        room.reserve(100).fill(0, room.offset, room.offset + 100);
      },
      write: (bytes) => assert.ok(bytes.byteLength > 0),
      queuedBytes: () => queued,
      dry: () => happened.push("dry"),
      ended: () => happened.push("ended"),
      failed: (caught) => happened.push(String(caught)),
    },
  );
}

async function pass(ms: number): Promise<void> {
  await clock.advanceSettling(ms, 100);
  await settle();
}

describe("a recording for one player", () => {
  test("is not sent before it is asked for", async () => {
    const paced = pace();
    await pass(1000);
    paced.jump(0, 0);
    await pass(1000);
    assert.deepEqual([sent, film.reads], [[], []]);
    paced.pump();
    await settle();
    assert.deepEqual(sent, pictureTimes(76), "the player's clock began with the jump");
  });

  test("is sent from one time on as far as the player's clock needs at another one", async () => {
    const paced = pace();
    paced.jump(3e6, 4.5e6);
    paced.pump();
    await settle();
    assert.deepEqual(sent, pictureTimes(88, 3000));
    assert.ok(paced.sentUs >= 6.48e6 && paced.sentUs <= 6.5e6, `${paced.sentUs}`);
    assert.equal(paced.playedUs, 4.5e6);
  });

  test("goes on in a pause where only the clock stops, and not where sending does", async () => {
    for (const pauseStops of ["sending", "clock"] as const) {
      sent = [];
      const paced = pace({ pauseStops });
      assert.equal(paced.pause(), true);
      assert.equal(paced.pause(), false);
      paced.jump(1e6, 1e6);
      paced.pump();
      await pass(20_000);
      assert.deepEqual(sent, pauseStops === "clock" ? pictureTimes(51, 1000) : []);
      assert.deepEqual([paced.playedUs, clock.pendingTimers], [1e6, 0]);
      assert.equal(paced.resume(), true);
      assert.equal(paced.resume(), false);
      paced.pump();
      await pass(10_000);
      assert.deepEqual(sent, pictureTimes(225, 1000));
      assert.equal(paced.state, "ended");
    }
  });

  test("ends where it is told to, once, and goes on when it is jumped in", async () => {
    const paced = pace({ stopUs: 3e6 });
    paced.jump(0, 0);
    paced.pump();
    await pass(10_000);
    paced.pump();
    assert.deepEqual([sent, happened, paced.state], [pictureTimes(75), ["ended"], "ended"]);
    paced.jump(2e6, 2e6);
    assert.equal(paced.state, "flowing");
    paced.pump();
    await pass(5000);
    assert.deepEqual([sent.slice(75), happened], [pictureTimes(25, 2000), ["ended", "ended"]]);
  });

  test("takes a larger buffer at once", async () => {
    const paced = pace();
    paced.jump(0, 0);
    paced.pump();
    await settle();
    paced.bufferUs = 5e6;
    paced.pump();
    await settle();
    assert.deepEqual(sent, pictureTimes(126));
  });

  test("waits while the connection is full, and leaves no timer to look", async () => {
    queued = 128 * 1024;
    const paced = pace();
    paced.jump(0, 0);
    paced.pump();
    await pass(1000);
    assert.deepEqual([sent, film.reads, clock.pendingTimers], [[], [], 0]);
    queued = 0;
    paced.pump();
    await settle();
    assert.ok(sent.length >= 50);
  });

  test("is read again after a failure that may pass, twenty times, and then fails", async () => {
    film.failure = errors.error("VOD_BUSY", {});
    const paced = pace();
    paced.jump(0, 0);
    paced.pump();
    await pass(9000);
    assert.ok(!happened.some((what) => what.includes("too many")));
    await pass(3000);
    assert.equal(happened.filter((what) => what.includes("too many")).length, 1);
    assert.equal(film.reads.length, 21);
    assert.deepEqual([paced.state, clock.pendingTimers], ["closed", 0]);
  });

  test("tells of a fault in writing as of any other, and of none behind its end", async () => {
    const paced = pace({}, new RangeError("no such track"));
    paced.jump(0, 0);
    paced.pump();
    await settle();
    assert.deepEqual(happened, ["RangeError: no such track"]);
    paced.close();
    paced.close();
    paced.jump(0, 0);
    paced.pump();
    await pass(5000);
    assert.deepEqual([happened.length, paced.state, clock.pendingTimers], [1, "closed", 0]);
  });

  test("is dry, said once, when a read takes longer than the player has media", async () => {
    const gate = Promise.withResolvers<void>();
    film.gate = gate.promise;
    const paced = pace();
    paced.jump(0, 0);
    paced.pump();
    await pass(5000);
    assert.deepEqual(happened, ["dry"]);
    gate.resolve();
    await pass(100);
    assert.ok(sent.length > 150);
  });

  test("tells of each run in front of its first packet, and of none without packets", async () => {
    const told: [number | undefined, number][] = [];
    const runs = [...Array(4).keys()].map((i) => ({ fromUs: i * 1e6, isEmpty: i === 2 }));
    const packets: RecordedPackets = {
      ...{ tracks: film.tracks, endUs: 4e6, reorderUs: 0 },
      startAt: () => 0,
      read: async (fromUs) => {
        const run = runs.find((one) => one.fromUs === fromUs)!;
        const full = await film.read(fromUs);
        return { ...full, packets: run.isEmpty ? [] : full.packets, isLast: fromUs === 3e6 };
      },
    };
    const paced = new PacedPackets(
      { packets, clock, bufferUs: 9e6, stopUs: Infinity, pauseStops: "sending" },
      {
        begin: ({ packets: [first] }) => told.push([first?.dts, sent.length]),
        packet: ({ dts }, room) => {
          sent.push(dts);
          room.reserve(1);
        },
        write: () => {},
        queuedBytes: () => 0,
        ended: () => happened.push("ended"),
        failed: (caught) => happened.push(String(caught)),
      },
    );
    paced.jump(0, 0);
    paced.pump();
    await settle();
    assert.deepEqual([told.length, told[0]], [3, [0, 0]]);
    assert.deepEqual(
      told.map(([dts, before]) => sent[before] === dts),
      [true, true, true],
    );
    assert.deepEqual(happened, ["ended"]);
  });

  test("waits for what is due in a month without looking all the time", async () => {
    const packets: RecordedPackets = {
      ...{ tracks: film.tracks, endUs: Infinity, reorderUs: 0 },
      startAt: () => 0,
      read: async () => {
        const run = await film.read(0);
        const later = run.packets.map((packet) => ({
          ...packet,
          dts: packet.dts + 30 * 86_400 * packet.track.timescale,
        }));
        return { ...run, packets: later, isLast: true };
      },
    };
    const delays: number[] = [];
    const noting: Clock = {
      nowUs: () => clock.nowUs(),
      wallUs: () => clock.wallUs(),
      schedule: (delayMs, run) => {
        delays.push(delayMs);
        return clock.schedule(delayMs, run);
      },
    };
    const paced = pace({ packets, clock: noting });
    paced.jump(0, 0);
    paced.pump();
    await settle();
    await clock.advanceSettling(4 * 3_600_000, 600_000);
    // The first timer is that of a read that takes too long.
    assert.deepEqual([sent, delays.slice(1)], [[], Array(5).fill(3_600_000)]);
    paced.close();
  });

  test("says once that the player has nothing left, however often it is looked for more", async () => {
    let toUs = 1e6;
    const looks: number[] = [];
    const packets: RecordedPackets = {
      ...{ tracks: film.tracks, endUs: Infinity, reorderUs: 0 },
      startAt: () => 0,
      read: async (fromUs) => {
        if (fromUs < toUs) return { ...(await film.read(fromUs)), isLast: false };
        looks.push(fromUs);
        const { promise, resolve } = Promise.withResolvers<void>();
        clock.schedule(250, resolve);
        await promise;
        return { packets: [], toUs: fromUs, isLast: false };
      },
    };
    const paced = pace({ packets });
    paced.jump(0, 0);
    paced.pump();
    await pass(20_000);
    assert.deepEqual([sent, happened], [pictureTimes(25), ["dry"]]);
    assert.ok(looks.length > 50 && looks.length <= 90, `${looks.length} looks`);
    toUs = 2e6;
    await pass(2000);
    assert.deepEqual(sent, pictureTimes(50), "what comes is sent at once");
    await pass(20_000);
    assert.deepEqual(happened, ["dry", "dry"]);
    paced.close();
    await pass(1000);
    assert.equal(clock.pendingTimers, 0);
  });
});
