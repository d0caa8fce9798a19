import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FillNumbers, MAX_FILLED_HOURS, MAX_FILL_NUMBERS_BYTES } from "./fill-numbers.ts";

const row = (hour: number, segments: number, breaks = 1): Parameters<FillNumbers["with"]>[0] => ({
  hour,
  segments,
  breaks,
  ordinal: hour * 2,
  discontinuities: 3,
});

describe("the numbers of fills", () => {
  const numbers = FillNumbers.NONE.with(row(20, 5)).with(row(10, 2)).with(row(30, 7));

  test("are those of all hours before one", () => {
    assert.deepEqual(numbers.before(10), { segments: 0, breaks: 0 });
    assert.deepEqual(numbers.before(11), { segments: 2, breaks: 1 });
    assert.deepEqual(numbers.before(30), { segments: 7, breaks: 2 });
    assert.deepEqual(numbers.before(31), { segments: 14, breaks: 3 });
    assert.deepEqual(numbers.of(20), row(20, 5));
    assert.equal(numbers.of(21), null);
  });

  test("of an hour can be said anew", () => {
    assert.deepEqual(numbers.with(row(20, 6)).before(31), { segments: 15, breaks: 3 });
    assert.equal(numbers.with(row(20, 6)).size, 3);
  });

  test("are read as they were built, and are none at any cut", () => {
    const bytes = numbers.build();
    assert.deepEqual(FillNumbers.parse(bytes).before(31), numbers.before(31));
    // The last byte ends the line.
    for (let cut = 0; cut < bytes.byteLength - 1; cut++)
      assert.equal(FillNumbers.parse(bytes.subarray(0, cut)).size, 0);
  });

  for (const value of [
    null,
    [],
    { hours: [] },
    { version: 2, hours: [[1, 1, 1, 1, 1]] },
    { version: 1, hours: 1 },
    {
      version: 1,
      hours: [
        [2, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
      ],
    },
    { version: 1, hours: [[1, 1, 1, 1]] },
    { version: 1, hours: [[1, -1, 1, 1, 1]] },
    { version: 1, hours: [[1, "1", 1, 1, 1]] },
    { version: 1, hours: [[1, 1.5, 1, 1, 1]] },
    { version: 1, hours: [1] },
  ]) {
    test(`are none in ${JSON.stringify(value)}`, () => {
      assert.equal(FillNumbers.parse(new TextEncoder().encode(JSON.stringify(value))).size, 0);
    });
  }

  test("have a bound: the oldest hours are counted together", () => {
    const hours = Array.from({ length: MAX_FILLED_HOURS }, (_, i) => [
      500_000 + i,
      1800,
      2,
      900_000_000 + i,
      9,
    ]);
    const full = FillNumbers.parse(new TextEncoder().encode(JSON.stringify({ version: 1, hours })));
    assert.equal(full.size, MAX_FILLED_HOURS);
    const more = full.with(row(600_000, 5));
    assert.equal(more.size, MAX_FILLED_HOURS);
    const all = MAX_FILLED_HOURS * 1800;
    assert.deepEqual(more.before(600_000), { segments: all, breaks: MAX_FILLED_HOURS * 2 });
    assert.ok(more.build().byteLength <= MAX_FILL_NUMBERS_BYTES);
    const tooMany = { version: 1, hours: [...hours, [700_000, 1, 1, 1, 1]] };
    assert.equal(FillNumbers.parse(new TextEncoder().encode(JSON.stringify(tooMany))).size, 0);
  });
});
