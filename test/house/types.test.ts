import { test } from "node:test";
import { assertSucceeds } from "./project-tool.ts";

test("the types of the server and its tests hold (tsc)", () =>
  assertSucceeds("tsc", ["--noEmit", "-p", "."]));

// What runs in a browser, or tells a browser what to run, knows the DOM; the server must not.
test("the types of the pages hold", () => assertSucceeds("tsc", ["--noEmit", "-p", "ui"]));
test("the types of the journeys hold", () => assertSucceeds("tsc", ["--noEmit", "-p", "test/e2e"]));
