import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { measurePlayers } from "../../bench/cases/fanout.ts";
import { endChildren } from "../../bench/child.ts";
import type { Outcome } from "../../bench/measured.ts";
import { median } from "../../bench/rows.ts";
import { floor } from "../../bench/servers/floor.ts";
import { weir, weirFeatures } from "../../bench/servers/weir.ts";
import { prepareKit } from "../../bench/tools.ts";
import type { Kit } from "../../bench/tools.ts";
import { needs } from "../support/tools.ts";

const PLAYERS = 500;
const WINDOW_MS = 100;
const RUNS = 3;
/** The benchmark's aim is 1.6 at 1000 players; few runs on a machine that others use say 2.0 with certainty. */
const GREATEST_RATIO = 2;
/** Short, so that six measurements take less than a minute; still 40 windows. */
const SCALE = { playSeconds: 4, settleSeconds: 1 };

const skip = needs("ffmpeg", "gcc");

describe("what fan-out costs", () => {
  let kit: Kit;

  before(async () => {
    if (skip === false) kit = await prepareKit();
  });
  after(endChildren);

  test(
    `is at most ${GREATEST_RATIO} times that of a program that only copies, for ${PLAYERS} players`,
    { skip },
    async (t) => {
      const { sendWindow } = await weirFeatures();
      const plan = { kit, scale: SCALE };
      const start = weir(sendWindow === null ? {} : { template: [sendWindow(WINDOW_MS)] });
      const limit = floor(kit.rtmpfloor, WINDOW_MS);
      const ratios: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        const ours = costOf("the server", await measurePlayers(plan, start, { players: PLAYERS }));
        const theirs = costOf("the floor", await measurePlayers(plan, limit, { players: PLAYERS }));
        ratios.push(ours / theirs);
        t.diagnostic(`${ours.toFixed(3)} / ${theirs.toFixed(3)} CPU-s/GB = ${(ours / theirs).toFixed(2)}`);
      }
      const middle = median(ratios) ?? Number.POSITIVE_INFINITY;
      const all = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
      assert.ok(middle <= GREATEST_RATIO, `${middle.toFixed(2)} times the floor (${all})`);
    },
  );
});

/** CPU seconds a delivered gigabyte; a run that did not deliver what it had to is no measurement. */
function costOf(who: string, outcome: Outcome): number {
  assert.equal(outcome.kind, "measured", `${who}: ${JSON.stringify(outcome)}`);
  const cost = outcome.kind === "measured" ? outcome.figures["cpuSecondsPerGb"] : undefined;
  assert.ok(cost !== undefined && cost > 0, `${who} cost nothing`);
  return cost;
}
