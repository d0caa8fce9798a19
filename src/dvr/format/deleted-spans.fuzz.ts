import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { concatBytes } from "../../base/bytes.ts";
import { DELETED_SPAN_BYTES, buildDeletedSpan, readDeletedSpans } from "./deleted-spans.ts";
import { crc32 } from "./crc32.ts";
import { HOUR_US } from "./hour.ts";

const START_US = 496_640 * HOUR_US;
const RECORDS = [
  buildDeletedSpan({ fromUs: START_US + 20_000_000, toUs: START_US + 30_000_000 }, START_US + HOUR_US),
  buildDeletedSpan({ fromUs: START_US, toUs: START_US }, START_US + HOUR_US),
];

/** Files of deleted spans: what is read is in order, and what is good stays so whatever stands around it. */
export const fuzz: FuzzTarget = {
  name: "dvr-deleted-spans",
  seeds: [concatBytes(RECORDS), RECORDS[0]!, new Uint8Array(0)],
  dictionary: [Uint8Array.of(1, 0, 0, 0), new Uint8Array(8).fill(0xff)],
  run(input) {
    check(input);
    check(withRightChecksums(input));
  },
};

function check(input: Uint8Array): void {
  const { spans, wholeBytes } = readDeletedSpans(input);
  assert.ok(wholeBytes <= input.byteLength && input.byteLength - wholeBytes < DELETED_SPAN_BYTES);
  let lastUs = 0;
  for (const { fromUs, toUs } of spans) {
    assert.ok(fromUs >= lastUs && toUs >= fromUs);
    lastUs = fromUs;
  }
  const more = readDeletedSpans(concatBytes([input.subarray(0, wholeBytes), RECORDS[0]!]));
  assert.equal(more.spans.length, spans.length + 1);
}

function withRightChecksums(input: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(input);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + DELETED_SPAN_BYTES <= bytes.byteLength; at += DELETED_SPAN_BYTES)
    view.setUint32(at, crc32(view, at + 4, at + DELETED_SPAN_BYTES), true);
  return bytes;
}
