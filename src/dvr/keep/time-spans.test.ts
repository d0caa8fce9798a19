import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { meetsSpans, subtractSpan, uniteSpans } from "./time-spans.ts";
import type { MsSpan } from "./time-spans.ts";

const span = (fromMs: number, toMs: number): MsSpan => ({ fromMs, toMs });
const anySpan = fc
  .tuple(fc.nat(50), fc.integer({ min: 1, max: 20 }))
  .map(([from, length]) => span(from, from + length));
const has = (spans: readonly MsSpan[], ms: number): boolean =>
  spans.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);

describe("spans of time", () => {
  test("that overlap or touch are one", () => {
    assert.deepEqual(uniteSpans([span(5, 9), span(1, 3), span(3, 4), span(6, 7)]), [
      span(1, 4),
      span(5, 9),
    ]);
    assert.deepEqual(uniteSpans([]), []);
    assert.deepEqual(uniteSpans([span(1, Infinity), span(5, 9)]), [span(1, Infinity)]);
  });

  test("lose what is taken out of them", () => {
    assert.deepEqual(subtractSpan([span(0, 10)], span(3, 5)), [span(0, 3), span(5, 10)]);
    assert.deepEqual(subtractSpan([span(0, 10), span(20, 30)], span(5, 25)), [span(0, 5), span(25, 30)]);
    assert.deepEqual(subtractSpan([span(0, 10)], span(0, 10)), []);
    assert.deepEqual(subtractSpan([span(0, 10)], span(10, 20)), [span(0, 10)]);
  });

  test("of any kind have the same moments after all of it", () => {
    fc.assert(
      fc.property(fc.array(anySpan), anySpan, (spans, other) => {
        const united = uniteSpans(spans);
        const less = subtractSpan(united, other);
        for (let ms = 0; ms < 72; ms++) {
          assert.equal(has(united, ms), has(spans, ms));
          assert.equal(has(less, ms), has(spans, ms) && !has([other], ms));
        }
        for (const list of [united, less])
          for (let i = 1; i < list.length; i++) assert.ok(list[i]!.fromMs > list[i - 1]!.toMs);
        const moments = Array.from({ length: other.toMs - other.fromMs }, (_, i) => other.fromMs + i);
        assert.equal(
          meetsSpans(united, other),
          moments.some((ms) => has(spans, ms)),
        );
      }),
    );
  });
});
