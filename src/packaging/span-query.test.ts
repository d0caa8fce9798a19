import assert from "node:assert/strict";
import { test } from "node:test";
import { readSpanQuery } from "./span-query.ts";

const cases: [query: string, want: ReturnType<typeof readSpanQuery>][] = [
  ["", null],
  ["to=1700000000", null],
  ["from=1700000000", { kind: "timeshift_abs", fromS: 1_700_000_000 }],
  ["from=1700000000.25&token=x", { kind: "timeshift_abs", fromS: 1_700_000_000.25 }],
  ["from=1700000000250", { kind: "timeshift_abs", fromS: 1_700_000_000.25 }],
  ["from=0", { kind: "timeshift_abs", fromS: 0 }],
  ["from=1700000000&to=1700000060", { kind: "archive", fromS: 1_700_000_000, durationS: 60 }],
  ["from=1700000000500&to=1700000001", { kind: "archive", fromS: 1_700_000_000.5, durationS: 0.5 }],
];
for (const [query, want] of cases) {
  test(`"${query}" is ${JSON.stringify(want)}`, () => {
    assert.deepEqual(readSpanQuery(new URLSearchParams(query)), want);
  });
}

for (const query of [
  "from=",
  "from=-1",
  "from=1e9",
  "from=now",
  "from=1700000000.",
  "from=99999999999",
  "from=9999999999999",
  "from=1700000000&to=",
  "from=1700000000&to=1700000000",
  "from=1700000000&to=1600000000",
  "from=0&to=8589934592",
]) {
  test(`"${query}" is SPAN_BAD_TIME`, () => {
    assert.throws(() => readSpanQuery(new URLSearchParams(query)), {
      code: "SPAN_BAD_TIME",
      httpStatus: 400,
    });
  });
}
