import assert from "node:assert/strict";
import { test } from "node:test";
import { readProjectFile } from "../../../test/house/tree.ts";
import { renderMetricsPage } from "./reference.ts";

test("docs/metrics.md is current (npm run docs writes it)", () => {
  assert.equal(readProjectFile("docs/metrics.md"), renderMetricsPage());
});
