import assert from "node:assert/strict";
import { test } from "node:test";
import { ownText } from "./own-text.ts";

test("a text is the same, or its beginning", () => {
  assert.equal(ownText("caf\u00e9"), "caf\u00e9");
  assert.equal(ownText("0123456789", 4), "0123");
  assert.equal(ownText("", 4), "");
});
