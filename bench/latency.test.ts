import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAYERS } from "../test/support/latency-players.ts";
import { renderLatencies, summaryOf } from "./latency.ts";

const before = { agesMs: [9000, 9000], stalls: 2, lagS: 0, playedS: 3, elapsedS: 4 };

test("a window is what came after the warm-up", () => {
  const after = { agesMs: [9000, 9000, 300, 100, 200], stalls: 3, lagS: 0, playedS: 13, elapsedS: 15 };
  assert.deepEqual(summaryOf(before, after, ["a", "b", "a"]), {
    ...{ medianMs: 200, p95Ms: 300, mostMs: 300, pictures: 3, stalls: 1, warmUpStalls: 2 },
    ...{ playedS: 10, elapsedS: 11, happened: ["a", "b"] },
  });
});

test("a window without pictures has no median", () => {
  const { medianMs, mostMs, pictures } = summaryOf(before, before, []);
  assert.deepEqual([medianMs, mostMs, pictures], [NaN, NaN, 0]);
});

test("the table has the median of the joins, the worst of them and all stalls", () => {
  const join = summaryOf(before, { ...before, agesMs: [...before.agesMs, 400] }, []);
  const joins = [join, { ...join, p95Ms: 900, stalls: 2 }, { ...join, stalls: 1 }];
  const table = renderLatencies([{ engine: "flv", medianMs: 400, joins }]);
  assert.equal(table.split("\n")[2], `| ${PLAYERS.flv.title} | 400 ms | 900 ms | 3 | 3 |`);
});
