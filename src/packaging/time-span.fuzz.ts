import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../test/fuzz/target.ts";
import { MAX_SPAN_FROM_S, MAX_SPAN_S, formatTimeSpan, parseTimeSpan } from "./time-span.ts";
import type { TimeSpan } from "./time-span.ts";

/** Names of playlists: whatever is a span of time is within the bounds, and is read back from its own name. */
export const fuzz: TextFuzzTarget = {
  name: "time-span",
  seeds: [
    "archive-1700000000-3600",
    "archive-1700000000123-now",
    "rewind-7200",
    "timeshift_abs-1700000000",
    "timeshift_rel-3600",
    "index-1429829184-10800",
    "video-timeshift_abs-1350274200",
    "mono-1362504585-now",
  ],
  dictionary: [
    "archive-",
    "rewind-",
    "timeshift_abs-",
    "timeshift_rel-",
    "index-",
    "video-",
    "mono-",
    "-now",
    "-0",
    "1e9",
  ],
  run(stem) {
    for (const word of [undefined, "index", "video", "mono"] as const) {
      const span = parseTimeSpan(stem, word);
      if (span === null) continue;
      checkBounds(span);
      assert.deepEqual(parseTimeSpan(formatTimeSpan(span)), span);
    }
  },
};

function checkBounds(span: TimeSpan): void {
  if ("fromS" in span) assert.ok(span.fromS >= 0 && span.fromS <= MAX_SPAN_FROM_S);
  const lengthS = "agoS" in span ? span.agoS : "durationS" in span ? span.durationS : null;
  if (lengthS !== null) assert.ok(Number.isInteger(lengthS) && lengthS >= 1 && lengthS <= MAX_SPAN_S);
}
