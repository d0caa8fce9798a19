import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RecordedTimeline, chooseMissing, withoutDeleted } from "./missing.ts";

const span = (startUs: number, endUs: number): { startUs: number; durationUs: number } => ({
  startUs,
  durationUs: endUs - startUs,
});
const S = 1_000_000;

describe("what is missing", () => {
  const have = [span(10 * S, 20 * S), span(30 * S, 40 * S)];
  const cases: readonly (readonly [name: string, offer: readonly [number, number], isChosen: boolean])[] = [
    ["lies in a gap", [22 * S, 24 * S], true],
    ["fills a gap", [20 * S, 30 * S], true],
    ["overlaps by less than a millisecond at both ends", [20 * S - 999, 30 * S + 999], true],
    ["overlaps the beginning of a gap", [19 * S, 24 * S], false],
    ["overlaps the end of a gap", [28 * S, 31 * S], false],
    ["is there", [10 * S, 20 * S], false],
    ["is within what is there", [12 * S, 14 * S], false],
    ["has what is there within it", [5 * S, 50 * S], false],
    ["lies in front of all", [0, 10 * S], true],
    ["lies behind all", [40 * S, 50 * S], true],
    ["ends behind what is wanted", [95 * S, 105 * S], false],
  ];
  for (const [name, [from, to], isChosen] of cases) {
    test(`${isChosen ? "is" : "is not"} what ${name}`, () => {
      const chosen = chooseMissing(new RecordedTimeline(have), [span(from, to)], {
        fromUs: 0,
        toUs: 100 * S,
      });
      assert.equal(chosen.length, isChosen ? 1 : 0);
    });
  }

  test("is not what begins before what is wanted", () => {
    const wanted = { fromUs: 5 * S, toUs: 100 * S };
    assert.deepEqual(chooseMissing(new RecordedTimeline(), [span(4 * S, 6 * S)], wanted), []);
  });

  test("is not what has the name of what is there", () => {
    const timeline = new RecordedTimeline([span(1000, 1500)]);
    assert.deepEqual(chooseMissing(timeline, [span(1600, 2600)], { fromUs: 0, toUs: S }), []);
  });

  test("is the first of two offers for one time", () => {
    const offers = [span(21 * S, 23 * S), span(22 * S, 24 * S), span(24 * S, 26 * S)];
    const chosen = chooseMissing(new RecordedTimeline(have), offers, { fromUs: 0, toUs: 100 * S });
    assert.deepEqual(chosen, [offers[0], offers[2]]);
  });

  test("leaves a timeline apart from itself, whatever is offered", () => {
    const spans = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 20 })), { maxLength: 40 });
    fc.assert(
      fc.property(spans, spans, (own, offered) => {
        const make = (all: [number, number][]): { startUs: number; durationUs: number }[] =>
          all.map(([start, length]) => span(start * 10_000, (start + length) * 10_000));
        const kept: { startUs: number; durationUs: number }[] = [];
        const timeline = new RecordedTimeline();
        for (const one of make(own)) if (timeline.add(one)) kept.push(one);
        kept.push(...chooseMissing(timeline, make(offered), { fromUs: 0, toUs: Infinity }));
        assert.equal(timeline.size, kept.length);
        kept.sort((a, b) => a.startUs - b.startUs);
        for (const [i, one] of kept.slice(1).entries())
          assert.ok(kept[i]!.startUs + kept[i]!.durationUs <= one.startUs + 1000);
        // Everything that is offered now overlaps something.
        assert.deepEqual(chooseMissing(timeline, make(offered), { fromUs: 0, toUs: Infinity }), []);
      }),
    );
  });
});

describe("a gap", () => {
  const timeline = new RecordedTimeline([span(10 * S, 20 * S), span(21 * S, 40 * S)]);
  const cases: readonly (readonly [from: number, to: number, min: number, expected: boolean])[] = [
    [10, 40, 1, true],
    [10, 40, 1.1, false],
    [0, 40, 5, true],
    [12, 45, 5, true],
    [12, 44, 5, false],
    [22, 40, 0.1, false],
    [50, 60, 1, true],
    [60, 50, 1, false],
  ];
  for (const [from, to, min, expected] of cases) {
    test(`of ${min} s ${expected ? "is" : "is not"} between ${from} s and ${to} s`, () => {
      assert.equal(timeline.hasGap(from * S, to * S, { minUs: min * S, deleted: [] }), expected);
    });
  }

  test("is all of a time of which nothing is recorded", () => {
    assert.equal(new RecordedTimeline().hasGap(0, S, { minUs: S, deleted: [] }), true);
  });

  test("is none where what is not recorded was deleted", () => {
    const holds = (spans: readonly (readonly [from: number, to: number])[]): boolean => {
      const deleted = spans.map(([from, to]) => ({ fromUs: from * S, toUs: to * S }));
      return new RecordedTimeline([span(4 * S, 6 * S)]).hasGap(0, 10 * S, { minUs: S, deleted });
    };
    assert.equal(holds([[0, 10]]), false);
    assert.equal(
      holds([
        [6, 10],
        [0, 4],
      ]),
      false,
    );
    assert.equal(
      holds([
        [0, 3.1],
        [6, 12],
      ]),
      false,
      "what is left is too short",
    );
    assert.equal(
      holds([
        [0, 4],
        [6, 8],
      ]),
      true,
    );
    assert.equal(holds([[5, 5]]), true, "an empty span");
  });
});

describe("an offer", () => {
  const deleted = [
    { fromUs: 4 * S, toUs: 6 * S },
    { fromUs: 20 * S, toUs: 20 * S },
  ];
  const cases: readonly (readonly [fromS: number, durationS: number, isLeft: boolean])[] = [
    [0, 4, true],
    [0, 4.0005, true],
    [0, 4.1, false],
    [4, 2, false],
    [5, 10, false],
    [5.9995, 2, true],
    [6, 2, true],
    [19, 2, true],
  ];
  for (const [fromS, durationS, isLeft] of cases) {
    test(`of ${durationS} s from ${fromS} s on ${isLeft ? "has nothing" : "has a part"} of what is deleted`, () => {
      const offer = { startUs: fromS * S, durationUs: durationS * S };
      assert.deepEqual(withoutDeleted([offer], deleted), isLeft ? [offer] : []);
    });
  }
});
