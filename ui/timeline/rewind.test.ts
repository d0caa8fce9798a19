import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { placeFor } from "./place.js";
import { Recording } from "./recording.js";
import { Rewind } from "./rewind.js";

const NOW_MS = 1_795_420_800_000;
const HOUR_MS = 3_600_000;

/** A player that does as it is told, and a recording of ten hours with a gap in it. */
class Bench {
  readonly told: string[] = [];
  nowMs = NOW_MS;
  canSeek = true;
  recording = new Recording([
    { fromMs: NOW_MS - 10 * HOUR_MS, toMs: NOW_MS - 5 * HOUR_MS },
    { fromMs: NOW_MS - 4 * HOUR_MS, toMs: NOW_MS - 2000 },
  ]);
  view = { pictureTimeMs: null as number | null, isAtEdge: false, edgeSeconds: null as number | null };
  place: number | null = null;
  readonly rewind: Rewind;

  constructor() {
    this.rewind = new Rewind({
      recording: () => this.recording,
      nowMs: () => this.nowMs,
      canSeekAtStart: () => this.canSeek,
      log: () => {},
    });
    const player = {
      placeOf: () => this.place,
      seekTo: (seconds: number) => void this.told.push(`seek ${seconds}`),
      seekToLive: () => void this.told.push("edge"),
      reopen: () => void this.told.push(`open ${this.rewind.place?.stem ?? "live"}`),
    };
    Object.defineProperty(player, "view", { get: () => this.view });
    this.rewind.attach(player as typeof player & { view: Bench["view"] });
  }
}

const second = (ms: number): number => Math.floor(ms / 1000);

describe("a place in the archive", () => {
  test("near now goes over into what is live, and begins a little before", () => {
    const timeMs = NOW_MS - HOUR_MS;
    const place = placeFor(timeMs, NOW_MS);
    assert.deepEqual(place, {
      stem: `archive-${second(timeMs) - 30}-now`,
      fromMs: timeMs - 30_000,
      toMs: null,
    });
  });

  test("far back is a piece with an end", () => {
    const timeMs = NOW_MS - 9 * HOUR_MS;
    assert.equal(placeFor(timeMs, NOW_MS).stem, `archive-${second(timeMs) - 30}-3630`);
    assert.equal(placeFor(timeMs, NOW_MS, 0).stem, `archive-${second(timeMs)}-3600`);
    assert.equal(placeFor(timeMs, NOW_MS, 0).toMs, timeMs + HOUR_MS);
    assert.equal(placeFor(10, 20).stem, "archive-0-now");
  });
});

describe("going back", () => {
  test("opens the archive, and within what is open goes there without another player", () => {
    const bench = new Bench();
    assert.equal(bench.rewind.isPast, false);
    assert.equal(bench.rewind.goTo(NOW_MS - HOUR_MS), true);
    assert.equal(bench.rewind.startMs, NOW_MS - HOUR_MS);
    bench.place = 12;
    bench.rewind.goTo(NOW_MS - HOUR_MS / 2);
    assert.deepEqual(bench.told, [`open archive-${second(NOW_MS - HOUR_MS) - 30}-now`, "seek 12"]);
  });

  test("into a gap plays what follows it", () => {
    const bench = new Bench();
    bench.rewind.goTo(NOW_MS - 4.5 * HOUR_MS);
    assert.equal(bench.rewind.startMs, NOW_MS - 4 * HOUR_MS);
  });

  test("to what is nearly now, or has not come, is going live", () => {
    const bench = new Bench();
    assert.equal(bench.rewind.goTo(NOW_MS - 1000), false);
    assert.equal(bench.rewind.goTo(NOW_MS + HOUR_MS), false);
    assert.deepEqual(bench.told, ["edge", "edge"]);
    assert.equal(bench.rewind.isPast, false);
  });

  test("goes on behind the end of a piece, and over a gap", () => {
    const bench = new Bench();
    bench.canSeek = false;
    bench.rewind.goTo(NOW_MS - 5.5 * HOUR_MS);
    bench.view.pictureTimeMs = NOW_MS - 5.5 * HOUR_MS + 1000;
    bench.rewind.look(100);
    bench.view.pictureTimeMs = NOW_MS - 5 * HOUR_MS;
    bench.rewind.look(1900);
    bench.rewind.onEnded();
    assert.equal(bench.rewind.startMs, NOW_MS - 4 * HOUR_MS);
    assert.equal(bench.told.length, 2);
  });

  test("begins a new player where the picture was", () => {
    const bench = new Bench();
    bench.rewind.goTo(NOW_MS - HOUR_MS);
    bench.view.pictureTimeMs = NOW_MS - HOUR_MS + 5000;
    bench.rewind.look(100);
    assert.equal(bench.rewind.startMs, NOW_MS - HOUR_MS + 5000);
  });

  test("takes a player there that began somewhere else, once", () => {
    const bench = new Bench();
    bench.rewind.goTo(NOW_MS - HOUR_MS);
    bench.view.pictureTimeMs = NOW_MS - 5000;
    bench.rewind.look(4000);
    assert.deepEqual(bench.told.at(-1), `seek ${4000 - 3595}`);
    assert.equal(bench.rewind.startMs, NOW_MS - HOUR_MS);
    bench.view.pictureTimeMs = NOW_MS - 60_000;
    bench.rewind.look(4000);
    assert.equal(bench.told.length, 2);
    assert.equal(bench.rewind.startMs, NOW_MS - 60_000);
  });

  test("may be what the page begins with", () => {
    const bench = new Bench();
    bench.rewind.beginAt(NOW_MS + 5);
    assert.equal(bench.rewind.isPast, false);
    bench.rewind.beginAt(NOW_MS - HOUR_MS);
    assert.deepEqual([bench.rewind.isPast, bench.told], [true, []]);
  });
});

describe("going live again", () => {
  test("is without another player where a short playlist goes on to there", () => {
    const bench = new Bench();
    bench.rewind.goTo(NOW_MS - 60_000);
    bench.view.edgeSeconds = 50;
    bench.rewind.toLive();
    assert.deepEqual(bench.told.at(-1), "edge");
  });

  test("is with another player from further back", () => {
    const bench = new Bench();
    bench.view.edgeSeconds = 50;
    for (const hours of [1, 9]) {
      bench.rewind.goTo(NOW_MS - hours * HOUR_MS);
      assert.equal(bench.rewind.isAtEdge, false);
      bench.rewind.toLive();
      assert.deepEqual(
        [bench.told.at(-1), bench.rewind.place, bench.rewind.startMs],
        ["open live", null, null],
      );
    }
  });

  test("happens by itself when a playlist has grown long, and its end is reached", () => {
    const bench = new Bench();
    bench.rewind.goTo(NOW_MS - HOUR_MS);
    bench.nowMs = NOW_MS + 2.5 * HOUR_MS;
    bench.view = { pictureTimeMs: bench.nowMs - 5000, isAtEdge: false, edgeSeconds: 9000 };
    bench.rewind.look(100);
    assert.equal(bench.rewind.isPast, true);
    bench.view.isAtEdge = true;
    assert.equal(bench.rewind.isAtEdge, true);
    bench.rewind.look(100);
    assert.deepEqual([bench.told.at(-1), bench.rewind.isPast], ["open live", false]);
  });
});
