import { test } from "node:test";
import { assertSucceeds } from "./project-tool.ts";

test("the project is formatted (oxfmt --check; npm run format mends it)", () =>
  assertSucceeds("oxfmt", ["--check"]));
