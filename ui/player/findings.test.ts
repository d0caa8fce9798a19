import assert from "node:assert/strict";
import { test } from "node:test";
import { codecErrors } from "../../src/codecs/errors.ts";
import { mp4Errors } from "../../src/containers/mp4/errors.ts";
import { streamErrors } from "../../src/stream/errors.ts";
import { vodErrors } from "../../src/vod/errors.ts";
import { findingOfError, PACES } from "./findings.js";

const errors: [status: number, code: string | null, finding: string, pace: string][] = [
  [404, "STREAM_NOT_ON_AIR", "waiting", "normal"],
  [503, "STREAM_STARTING", "starting", "quick"],
  [404, "STREAM_NOT_FOUND", "unknown", "slow"],
  [403, "STREAM_DISABLED", "disabled", "slow"],
  [403, "STREAM_PROTOCOL_OFF", "off", "never"],
  [400, "STREAM_BAD_NAME", "bad-name", "never"],
  [503, "STREAM_LIMIT", "busy", "normal"],
  [403, "ACCESS_DENIED", "refused", "never"],
  [401, "ACCESS_PASSWORD", "refused", "never"],
  [503, "ACCESS_UNAVAILABLE", "busy", "normal"],
  [404, "VOD_NOT_FOUND", "no-file", "slow"],
  [403, "VOD_BAD_PATH", "withheld", "never"],
  [403, "VOD_UNREADABLE", "withheld", "never"],
  [503, "VOD_READ_FAILED", "failing", "normal"],
  [503, "VOD_CHANGED", "failing", "normal"],
  [503, "VOD_BUSY", "busy", "normal"],
  [503, "VOD_CLOSED", "busy", "normal"],
  [422, "VOD_SEGMENT_TOO_BIG", "unservable", "never"],
  [422, "MP4_NO_MOOV", "unservable", "never"],
  [422, "CODEC_UNSUPPORTED", "unservable", "never"],
  [422, "SOMETHING_ELSE", "rejected", "never"],
  [400, null, "rejected", "never"],
  [401, null, "refused", "never"],
  [403, "AUTH_DENIED", "refused", "never"],
  [403, "constructor", "refused", "never"],
  [404, null, "missing", "normal"],
  [410, null, "missing", "normal"],
  [429, null, "busy", "normal"],
  [500, null, "failing", "normal"],
  [502, null, "failing", "normal"],
  [503, null, "busy", "normal"],
];
for (const [status, code, finding, pace] of errors) {
  test(`HTTP ${status} with the code ${code} is found "${finding}", and asked about at the pace "${pace}"`, () => {
    const found = findingOfError(status, code);
    assert.deepEqual([found, PACES[found]], [finding, pace]);
  });
}

/** What only a publisher meets. */
const NOT_FOR_VIEWERS = new Set(["STREAM_NOT_PUBLISHABLE", "STREAM_BUSY"]);

test("no error that a viewer can meet is taken for a matter of permission or an unknown one", () => {
  for (const catalogue of [streamErrors, vodErrors, mp4Errors, codecErrors]) {
    for (const [code, { httpStatus = 500 }] of Object.entries(catalogue.specs)) {
      if (NOT_FOR_VIEWERS.has(code)) continue;
      const finding = findingOfError(httpStatus, code);
      assert.ok(!["refused", "rejected", "missing"].includes(finding), `${code} is found "${finding}"`);
    }
  }
});
