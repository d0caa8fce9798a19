import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Case, Outcome } from "./measured.ts";
import { makeCell, makeRows, median } from "./rows.ts";

const measured = (cost: number, floorCost = 1): Outcome => ({
  kind: "measured",
  figures: { cost, floorCost },
});
const refused: Outcome = { kind: "not counted", reason: "too slow", figures: { cost: 99 } };

describe("the median", () => {
  const cases = [
    { values: [], expected: null },
    { values: [4], expected: 4 },
    { values: [3, 1, 2], expected: 2 },
    { values: [4, 1, 3, 2], expected: 2.5 },
  ];
  for (const { values, expected } of cases) {
    test(`of [${values.join(", ")}] is ${expected}`, () => assert.equal(median(values), expected));
  }
});

describe("a cell", () => {
  test("leaves out runs that do not count and says why, each reason once", () => {
    const cell = makeCell([measured(2), refused, measured(3), refused], "cost");
    assert.deepEqual(cell, {
      median: 2.5,
      runs: [2, 3],
      spread: 0.4,
      remarks: ["not counted: too slow"],
    });
  });

  test("is empty when no run has the figure", () => {
    assert.deepEqual(makeCell([measured(2)], "other"), {
      median: null,
      runs: [],
      spread: null,
      remarks: [],
    });
  });

  test("has no spread around nothing", () => {
    assert.equal(makeCell([measured(0), measured(0)], "cost").spread, null);
  });
});

describe("a row", () => {
  const one: Case = {
    id: "c",
    group: "fanout",
    contestants: [],
    rows: [{ what: "x", figure: "cost", unit: "s", digits: 1 }],
  };

  test("has the ratio of ours to each other's median", () => {
    const outcomes = new Map([
      ["weir", [measured(3), measured(3)]],
      ["floor", [measured(2)]],
      ["nginx", [measured(12)]],
      ["nms", [refused]],
    ] as const);
    assert.deepEqual(makeRows(one, outcomes)[0]?.ratios, { floor: 1.5, nginx: 0.25 });
  });

  test("has no ratio when ours is not there", () => {
    const absent: Outcome = { kind: "not available", reason: "no such directive" };
    const rows = makeRows(one, new Map([["weir", [absent]] as const, ["floor", [measured(2)]] as const]));
    assert.deepEqual(rows[0]?.ratios, {});
    assert.deepEqual(rows[0]?.cells.weir?.remarks, ["not available: no such directive"]);
  });

  test("takes its floor from a figure of ours where no program is the floor", () => {
    const spec = { ...one, rows: [{ ...one.rows[0]!, floorFigure: "floorCost" }] };
    const row = makeRows(spec, new Map([["weir", [measured(6, 4)]] as const]))[0];
    assert.equal(row?.cells.floor?.median, 4);
    assert.equal(row?.ratios.floor, 1.5);
  });
});
