import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { INDEX_RECORD_BYTES, readIndexRecord, writeIndexRecord } from "./index-record.ts";

const hour = new ArchiveHour().segment({ leadUs: 80_000 }).clockStep(5);
const seeds = hour.records.map((record) => {
  const bytes = new Uint8Array(INDEX_RECORD_BYTES);
  writeIndexRecord(bytes, 0, record);
  return bytes;
});

/** Records: what is read can be written, and is the same bytes then. The checksum is put right, or nothing would be read. */
export const fuzz: FuzzTarget = {
  name: "archive-index-record",
  seeds,
  run(input) {
    const asItIs = readIndexRecord(input, 0);
    if (input.byteLength < INDEX_RECORD_BYTES) {
      assert.equal(asItIs, null);
      return;
    }
    const bytes = input.subarray(0, INDEX_RECORD_BYTES);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, crc32(bytes.subarray(4)), true);
    const record = readIndexRecord(bytes, 0);
    if (record === null) return;
    const again = new Uint8Array(INDEX_RECORD_BYTES);
    writeIndexRecord(again, 0, record);
    assert.deepEqual(again, new Uint8Array(bytes));
  },
};
