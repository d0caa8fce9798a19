import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { ArchiveHour } from "../../../test/support/archive-hour.ts";
import { HOUR_US } from "./hour.ts";
import { HourIndex } from "./hour-index.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES } from "./index-record.ts";

const plain = new ArchiveHour().segment().segment({ groups: 2, end: "apart", leadUs: 80_000 });
const broken = new ArchiveHour(5)
  .segment({ end: "none" })
  .clockStep(9)
  .newFile()
  .segment({ discontinuity: true });

/** Indexes as they are, and with every checksum put right: what is listed is in order and within its hour. */
export const fuzz: FuzzTarget = {
  name: "archive-hour-index",
  seeds: [plain.index, broken.index],
  dictionary: [buildIndexHeader(5)],
  run(input) {
    sign(input);
    const index = HourIndex.parse(input);
    assert.ok(index.readBytes <= input.byteLength && index.readBytes % INDEX_RECORD_BYTES === 0);
    assert.ok((index.stop === null) === (index.readBytes === input.byteLength));
    assert.ok(index.memoryBytes <= input.byteLength + 16 * 16);
    let before = -1;
    for (const [place, segment] of [...index.segments()].entries()) {
      assert.ok(segment.startUs > before && Number.isSafeInteger(segment.ordinal));
      assert.equal(Math.floor(segment.startUs / HOUR_US), index.hour);
      assert.equal(index.placeOfName(segment.name), place);
      assert.equal(index.placeAt(segment.startUs), place);
      assert.ok(index.chunks(place).length > 0);
      before = segment.startUs;
    }
    const readBytes = index.readBytes;
    assert.equal(index.append(input.subarray(readBytes)), 0);
    assert.equal(index.readBytes, readBytes);
  },
};

/** Every second input gets right checksums; its length tells, so that it can be run again. */
function sign(input: Uint8Array): void {
  if (input.byteLength % 2 === 1 || input.byteLength < INDEX_HEADER_BYTES) return;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  view.setUint32(60, crc32(input.subarray(0, 60)), true);
  for (let at = INDEX_HEADER_BYTES; at + INDEX_RECORD_BYTES <= input.byteLength; at += INDEX_RECORD_BYTES)
    view.setUint32(at, crc32(input.subarray(at + 4, at + INDEX_RECORD_BYTES)), true);
}
