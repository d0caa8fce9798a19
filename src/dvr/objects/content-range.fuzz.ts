import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseContentRange } from "./content-range.ts";

/** Whatever a host says of a range: a range that can be, or none. */
export const fuzz: TextFuzzTarget = {
  name: "content-range",
  seeds: ["bytes 0-0/1", "bytes 100-199/1000", "bytes 5-9/*"],
  dictionary: ["bytes ", "/*", "-", "999999999999999"],
  run(input) {
    const range = parseContentRange(input);
    if (range === null) return;
    assert.ok(Number.isSafeInteger(range.from) && Number.isSafeInteger(range.to) && range.from < range.to);
    assert.ok(range.totalBytes === null || range.to <= range.totalBytes);
  },
};
