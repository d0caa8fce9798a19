import assert from "node:assert/strict";
import { test } from "node:test";
import { asksForOpenMetrics } from "./metrics.ts";

test("OpenMetrics is for who asks for it, in the query or by Accept", () => {
  const rows: [string, string | undefined, boolean][] = [
    ["", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", true],
    ["", "text/plain", false],
    ["", undefined, false],
    ["format=openmetrics", undefined, true],
    ["format=prometheus", "application/openmetrics-text", false],
  ];
  for (const [query, accept, asks] of rows) {
    const request = { query: new URLSearchParams(query), header: () => accept };
    assert.equal(asksForOpenMetrics(request), asks, `${query} ${accept}`);
  }
});
