import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "../support/tools.ts";
import { describeRound, soakAccess } from "./access.ts";

test(
  "viewers who start together are asked about once each, and wait for no other stream's answers",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const report = await soakAccess(t, {
      ...{ viewers: 60, streams: 20, withinMs: 200, rounds: 1, roundMs: 2500, perSecond: 20 },
      // What is a wait on a machine that has better things to do is not told here: `npm run soak:access` tells it.
      ...{ replyMs: 100, slowMs: 2000, mostWaitMs: 2000 },
      onProgress: (line) => t.diagnostic(line),
    });
    assert.deepEqual(report.wrong, []);
    assert.deepEqual(
      report.rounds.map(({ kind, viewings }) => [kind, viewings.length]),
      [
        ["quiet", 0],
        ["open", 60],
        ["guarded", 60],
      ],
    );
    for (const round of report.rounds) assert.ok(round.beside.count > 0, describeRound(round));
  },
);
