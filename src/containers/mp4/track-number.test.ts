import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrackId } from "../../media/ids.ts";
import { trackId } from "../../media/ids.ts";
import { trackNumber } from "./track-number.ts";

test("numbers come from the id, and no two ids share one", () => {
  assert.equal(trackNumber(trackId("video", 1)), 1);
  assert.equal(trackNumber(trackId("audio", 1)), 101);
  assert.equal(trackNumber(trackId("text", 1)), 201);
  const numbers = new Set<number>();
  for (const kind of ["video", "audio", "text"] as const) {
    for (let ordinal = 1; ordinal <= 99; ordinal++) numbers.add(trackNumber(trackId(kind, ordinal)));
  }
  assert.equal(numbers.size, 3 * 99);
});

for (const id of ["v0", "v100", "v", "", "x1", "vx", "v-1"]) {
  test(`"${id}" has no number`, () => assert.throws(() => trackNumber(id as TrackId), RangeError));
}
