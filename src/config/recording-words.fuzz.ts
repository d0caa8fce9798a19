import assert from "node:assert/strict";
import { readBucketUrl, showBucketUrl } from "./bucket-url.ts";
import { MAX_DAY_RANGES, readDayRanges, readRecordingRoot, showDayRanges } from "./recording-values.ts";

/**
 * Asserts that a text is a bucket that is written and read back the same, with and without its keys, or no bucket.
 */
export function checkBucketUrl(text: string): void {
  const read = readBucketUrl(text);
  if ("fault" in read) return;
  const { accessKey, secretKey, ...open } = read.bucket;
  assert.equal(accessKey === undefined, secretKey === undefined);
  assert.deepEqual(readBucketUrl(showBucketUrl(read.bucket, { secrets: true })), read);
  assert.deepEqual(readBucketUrl(showBucketUrl(read.bucket, { secrets: false })), { bucket: open });
}

/**
 * Asserts that a text is a schedule of times that exist, which is written and read back the same, or none.
 */
export function checkDayRanges(text: string): void {
  const read = readDayRanges(text);
  if ("fault" in read) return;
  assert.ok(read.ranges.length > 0 && read.ranges.length <= MAX_DAY_RANGES);
  for (const { fromMinute, toMinute } of read.ranges) {
    assert.ok(fromMinute >= 0 && fromMinute < 1440 && toMinute >= 1 && toMinute <= 1440);
    assert.notEqual(fromMinute, toMinute);
  }
  assert.deepEqual(readDayRanges(showDayRanges(read.ranges).join(",")), read);
}

/**
 * Asserts that a text is a root that no part of leads upwards, and that is its own spelling, or none.
 */
export function checkRecordingRoot(text: string): void {
  const read = readRecordingRoot(text);
  if ("fault" in read) return;
  assert.match(read.root, /^(@[^/]|\/$|\/[^/])/);
  assert.ok(!read.root.split("/").includes(".."));
  assert.deepEqual(readRecordingRoot(read.root), read);
}

/** The words of recordings, for the long fuzz loop. */
export const fuzz = {
  name: "recording-words",
  seeds: [
    "s3://AKIA:se/cr+et=@s3.eu-central-1.amazonaws.com:443/bucket/a%40b/c",
    "s3s://[::1]:9000/bucket?region=eu-west-1",
    "0800-1800,22:00-600,0000-2400",
    "/storage//a/",
    "@disk1/a.b",
  ],
  dictionary: ["s3://", "s3s://", "@", ":", "/", "%", "%2F", "%25", "..", "?region=", "2400", "-", ","],
  run: (text: string): void => {
    checkBucketUrl(text);
    checkDayRanges(text);
    checkRecordingRoot(text);
  },
};
