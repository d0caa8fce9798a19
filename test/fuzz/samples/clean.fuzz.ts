import assert from "node:assert/strict";
import { defineErrors } from "../../../src/base/errors.ts";
import type { TextFuzzTarget } from "../target.ts";

const sampleErrors = defineErrors({
  SAMPLE_REFUSED: { disposition: "skip-unit", message: "odd", doc: "A sample." },
});

/** Refuses half of what it gets, in the way that is allowed. */
export const fuzz: TextFuzzTarget = {
  name: "clean",
  seeds: ["some text"],
  run(input) {
    assert.equal(typeof input, "string");
    if (input.length % 2 === 1) throw sampleErrors.error("SAMPLE_REFUSED");
  },
};
