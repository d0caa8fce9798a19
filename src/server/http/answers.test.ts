import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { dvrErrors } from "../../dvr/errors.ts";
import { objectErrors } from "../../dvr/objects/errors.ts";
import { streamErrors } from "../../stream/errors.ts";
import { Answers } from "./answers.ts";

test("who plays is not told where on the server something is stored", () => {
  const answers = new Answers(() => assert.fail("nobody asks"), new RecordingLog());
  const secret = "/storage/pub/news/2026/11/23/08.mp4";
  const location = "https://bucket.internal/archive";
  const internal = [
    dvrErrors.error("DVR_BAD_MEDIA", { path: secret, reason: "it is not there" }),
    dvrErrors.error("DVR_BAD_INDEX", { path: secret, reason: "x" }),
    dvrErrors.error("DVR_DISK_FAILED", { action: "open", path: secret, reason: "EIO" }),
    objectErrors.error("OBJECT_UNREACHABLE", { location, operation: "read", reason: "ECONNREFUSED" }),
  ];
  for (const error of internal) {
    const { status, body, headers } = answers.failure(error, "/news/index.m3u8");
    const words = Buffer.concat(body).toString();
    assert.doesNotMatch(words, /storage|internal|bucket/, error.code);
    assert.match(words, new RegExp(error.code));
    assert.equal(new Map(headers).get("x-error-code"), error.code);
    assert.equal(status, error.httpStatus);
  }
  // What they can do something about they are told.
  const unknown = answers.failure(streamErrors.error("STREAM_NOT_FOUND", { name: "news" }), "/news");
  assert.match(Buffer.concat(unknown.body).toString(), /"news"/);
});
