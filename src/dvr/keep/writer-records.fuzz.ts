import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import {
  readClaimRecord,
  readLifeRecord,
  RECORD_BYTES,
  writeClaimRecord,
  writeLifeRecord,
} from "./writer-records.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** The two records of writers: whatever is read can be written, and is then read the same. */
export const fuzz: FuzzTarget = {
  name: "dvr-writer-records",
  seeds: [
    writeClaimRecord({
      writer: "3f1e0c52-aaaa-bbbb-cccc-0123456789ab",
      host: "weir-0",
      claimedAt: 1,
      isReleased: false,
    }),
    writeLifeRecord({
      writer: "3f1e0c52-aaaa-bbbb-cccc-0123456789ab",
      identity: { host: "weir-0", pod: "weir-0", machine: "boot pid:[4026531836]", pid: 7, birth: "12345" },
      renewedAt: 1_700_000_000_000,
      leaseMs: 15_000,
    }),
  ],
  dictionary: [
    ...["writer", "host", "pod", "machine", "birth", "pid", "renewedAt", "leaseMs", "claimedAt"].map(text),
    ...['"isReleased":true', "__proto__", "null", "-1", "1e99", "\\u0000", "[[[["].map(text),
  ],
  run(input) {
    const life = readLifeRecord(input);
    if (life !== null) assert.deepEqual(readLifeRecord(writeLifeRecord(life)), withoutQuotes(life));
    const claim = readClaimRecord(input);
    if (claim !== null) assert.deepEqual(readClaimRecord(writeClaimRecord(claim)), withoutQuotes(claim));
    assert.ok(input.byteLength === RECORD_BYTES || (life === null && claim === null));
  },
};

/** Quotation marks and backslashes in names are read, and written as question marks. */
function withoutQuotes(record: unknown): unknown {
  if (typeof record === "string") return record.replace(/["\\]/g, "?");
  if (typeof record !== "object" || record === null) return record;
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, withoutQuotes(value)]));
}
