import assert from "node:assert/strict";
import { test } from "node:test";
import { readDirectives } from "./directives.ts";

const cases = [
  { query: "", want: { point: null, skips: false } },
  { query: "_HLS_msn=17", want: { point: { sequence: 17, part: null }, skips: false } },
  { query: "_HLS_msn=0&_HLS_part=0", want: { point: { sequence: 0, part: 0 }, skips: false } },
  { query: "_HLS_part=3&_HLS_msn=2&_HLS_skip=YES", want: { point: { sequence: 2, part: 3 }, skips: true } },
  { query: "_HLS_skip=v2", want: { point: null, skips: true } },
  { query: "_HLS_skip=NO&token=a&_HLS_else=1", want: { point: null, skips: false } },
];
for (const { query, want } of cases) {
  test(`"${query}" is read`, () => assert.deepEqual(readDirectives(new URLSearchParams(query)), want));
}

for (const query of [
  "_HLS_part=1",
  "_HLS_msn=",
  "_HLS_msn=-1",
  "_HLS_msn=1.5",
  "_HLS_msn=1e3",
  "_HLS_msn=x",
  "_HLS_msn= 1",
  "_HLS_msn=9999999999999999",
  "_HLS_msn=1&_HLS_part=",
  "_HLS_msn=1&_HLS_part=-0",
  "_HLS_msn=1&_HLS_part=0x1",
]) {
  test(`"${query}" is refused`, () =>
    assert.throws(() => readDirectives(new URLSearchParams(query)), {
      code: "HLS_BAD_DIRECTIVE",
      httpStatus: 400,
    }));
}

test("a query is read once, also for thousands who ask with it", () => {
  const query = new URLSearchParams("_HLS_msn=7&_HLS_part=2&_HLS_skip=YES");
  const read = readDirectives(query);
  assert.deepEqual(read, { point: { sequence: 7, part: 2 }, skips: true });
  assert.equal(readDirectives(query), read);
});
