import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeJoin, renderLatency } from "./latency.ts";
import type { Join } from "./latency.ts";

const SEEN = { agesMs: [], stalls: 0, lagS: 0, playedS: 0, elapsedS: 0 };

describe("a join", () => {
  test("is described without its first fifth, when the player was on its way", () => {
    const agesMs = [9000, 9000, ...Array.from({ length: 8 }, (_, i) => 500 + i)];
    const join = describeJoin({ ...SEEN, agesMs, stalls: 2, playedS: 9, elapsedS: 10 }, 11.5, [
      "trouble x",
    ]);
    assert.deepEqual(join, {
      p50Ms: 503.5,
      p95Ms: 507,
      startMs: 1500,
      stalls: 2,
      pictures: 10,
      playedShare: 0.9,
      happened: ["trouble x"],
    });
  });

  test("without a picture is none", () => assert.equal(describeJoin(SEEN, 30, []), null));

  test("with one picture has that one's age", () => {
    const join = describeJoin({ ...SEEN, agesMs: [700] }, 1, []);
    assert.deepEqual([join?.p50Ms, join?.p95Ms, join?.playedShare], [700, 700, 0]);
  });
});

describe("the table of latencies", () => {
  const join = (p50Ms: number, stalls = 0): Join => ({
    p50Ms,
    p95Ms: p50Ms + 100,
    startMs: 2000,
    stalls,
    pictures: 1000,
    playedShare: 1,
    happened: [],
  });

  test("has the median of the joins, how far they lie apart, and all stalls", () => {
    const joins = [join(1300, 1), join(1100), join(1200, 2)];
    assert.equal(
      renderLatency([{ player: "ll-hls", joins }]).split("\n")[2],
      "| LL-HLS, hls.js | 1.20 | 1.10 to 1.30 | 1.30 | 2.00 | 3 | 3 | <= 1.5 s |",
    );
  });

  test("says so when every join failed", () => {
    const line = renderLatency([{ player: "flv", joins: [] }]).split("\n")[2];
    assert.equal(line, "| HTTP-FLV, mpegts.js | - |  | - | - | 0 | 0 | <= 0.8 s |");
  });
});
