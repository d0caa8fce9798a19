import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_PARTS, partBytesFor } from "./part-reading.ts";

const MiB = 2 ** 20;

test("parts are as big as they are to be, until there would be too many of them", () => {
  const cases = [
    [1, 16 * MiB],
    [16 * MiB * MAX_PARTS, 16 * MiB],
    [16 * MiB * MAX_PARTS + 1, 17 * MiB],
    [64 * MiB * MAX_PARTS, 64 * MiB],
  ] as const;
  for (const [bytes, partBytes] of cases) {
    assert.equal(partBytesFor(bytes, 16 * MiB), partBytes, `${bytes}`);
    assert.ok(Math.ceil(bytes / partBytes) <= MAX_PARTS);
  }
});
