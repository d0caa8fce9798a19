import { test } from "node:test";
import { assertSucceeds } from "./project-tool.ts";

test("the linter has nothing to say (oxlint --type-aware)", () =>
  assertSucceeds("oxlint", ["--type-aware"]));
