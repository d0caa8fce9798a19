import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaError, asMediaError, defineErrors, messageOf } from "./errors.ts";

const catalogue = defineErrors({
  SAMPLE_TOO_BIG: {
    disposition: "close-session",
    message: "{lengthBytes} bytes, {missing} given",
    doc: ".",
  },
});

test("an error carries its code, disposition, rendered message, context and cause", () => {
  const cause = new Error("below");
  const error = catalogue.error("SAMPLE_TOO_BIG", { lengthBytes: 7 }, cause);
  assert.ok(error instanceof MediaError);
  assert.equal(error.code, "SAMPLE_TOO_BIG");
  assert.equal(error.disposition, "close-session");
  assert.equal(error.message, "7 bytes, {missing} given");
  assert.equal(error.cause, cause);
  assert.equal(error.httpStatus, 500);
});

test("what was thrown is told apart", () => {
  assert.equal(asMediaError(new TypeError("no")), null);
  assert.equal(messageOf("text"), "text");
  assert.equal(messageOf(new Error("m")), "m");
});
