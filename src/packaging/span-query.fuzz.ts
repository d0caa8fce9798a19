import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../test/fuzz/target.ts";
import { asMediaError } from "../base/errors.ts";
import { readSpanQuery } from "./span-query.ts";
import { MAX_SPAN_FROM_S, MAX_SPAN_S } from "./time-span.ts";

/** Queries: whatever is a span of time is within the bounds, and everything else is refused in one way. */
export const fuzz: TextFuzzTarget = {
  name: "span-query",
  seeds: ["from=1700000000", "from=1700000000.5&to=1700000060", "from=1700000000123&to=1700000001000"],
  dictionary: ["from=", "to=", "&", ".", "e9", "-", "1700000000"],
  run(text) {
    try {
      const span = readSpanQuery(new URLSearchParams(text));
      if (span === null) return;
      assert.ok("fromS" in span && span.fromS >= 0 && span.fromS <= MAX_SPAN_FROM_S);
      if (span.kind !== "archive" || span.durationS === null) return;
      assert.ok(span.durationS > 0 && span.durationS <= MAX_SPAN_S);
    } catch (caught) {
      if (asMediaError(caught)?.code !== "SPAN_BAD_TIME") throw caught;
    }
  },
};
