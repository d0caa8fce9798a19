import assert from "node:assert/strict";
import { test } from "node:test";
import { killRecorders } from "./archive-kills.ts";

/** Any will do; the moments of the kills are the machine's in any case. */
const SEED = 20_260_101;
/** Of the soak's film. Units: milliseconds. */
const GOP_MS = 1000;
/** What lies between a picture's time and its sending, and between a kill and the time that is noted: a busy machine. */
const LATE_MS = 5000;

test(
  "what playlists had shown is there behind kills, with good indexes, and at most a GOP is lost",
  { timeout: 280_000 },
  async (t) => {
    const report = await killRecorders(t, {
      ...{ kills: 4, streams: 4, servers: 2, seed: SEED },
      onProgress: (line) => t.diagnostic(line),
    });
    assert.deepEqual(report.wrong, []);
    assert.equal(report.kills, 4);
    assert.ok(report.compared > 0);
    const median = report.lossesMs.toSorted((a, b) => a - b)[report.lossesMs.length >> 1]!;
    assert.ok(median <= GOP_MS + LATE_MS, `${median} ms`);
  },
);
