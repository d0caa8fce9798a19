import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { INDEX_HEADER_BYTES, buildIndexHeader, readIndexHeader } from "./index-header.ts";

const PATH = "/archive/cam/2025/12/01/00.idx";
/** Laid out by hand from docs/archive-format.md; the checksum by Python's zlib. */
const HEX = `5745495249445831 01000000 40000000 80da2c6900000000 ${"00".repeat(36)} 84e69b91`.replaceAll(
  " ",
  "",
);
const HOUR = 490_152;

const header = (): Buffer => Buffer.from(HEX, "hex");

/** The header with other bytes at a place and a checksum that is right again. */
function forged(at: number, hex: string): Buffer {
  const bytes = header();
  Buffer.from(hex, "hex").copy(bytes, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

describe("the header of an index", () => {
  test("is written as the page says, and read back", () => {
    assert.equal(Buffer.from(buildIndexHeader(HOUR)).toString("hex"), HEX);
    assert.deepEqual(readIndexHeader(header(), PATH), { hour: HOUR });
    assert.deepEqual(readIndexHeader(Buffer.concat([header(), Buffer.alloc(9, 9)]), PATH), { hour: HOUR });
    for (const hour of [0, 70_389_527])
      assert.deepEqual(readIndexHeader(buildIndexHeader(hour), PATH), { hour });
  });

  test("of an hour that there is not is not written", () => {
    for (const hour of [-1, 70_389_528, 0.5]) assert.throws(() => buildIndexHeader(hour), RangeError);
  });

  test("is not there yet as long as it is cut off", () => {
    for (let cut = 0; cut < INDEX_HEADER_BYTES; cut++)
      assert.equal(readIndexHeader(header().subarray(0, cut), PATH), null);
  });

  test("is refused when any bit of it is another", () => {
    for (let bit = 0; bit < INDEX_HEADER_BYTES * 8; bit++) {
      const bytes = header();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      assert.throws(() => readIndexHeader(bytes, PATH), { code: "DVR_BAD_INDEX" }, `bit ${bit}`);
    }
  });

  const cases = [
    { name: "of another kind of file", bytes: forged(0, "6d6f6f76"), says: 'begin with "WEIRIDX1"' },
    { name: "with records of another size", bytes: forged(12, "80"), says: "128 bytes instead of 64" },
    { name: "that begins within an hour", bytes: forged(16, "81"), says: "1764547201 s after 1970" },
    { name: "from before 1970", bytes: forged(16, "f0f1ffffffffffff"), says: "-3600 s after 1970" },
    { name: "from after the year 9999", bytes: forged(16, "8041f4ff3a000000"), says: "s after 1970" },
    { name: "with bytes that nobody knows", bytes: forged(24, "01"), says: "does not know" },
    { name: "of zeros", bytes: Buffer.alloc(INDEX_HEADER_BYTES), says: "begin with" },
  ];
  for (const { name, bytes, says } of cases) {
    test(`is refused: one ${name}`, () => {
      assert.throws(
        () => readIndexHeader(bytes, PATH),
        (error: Error & { code?: string }) =>
          error.code === "DVR_BAD_INDEX" && error.message.includes(says) && error.message.includes(PATH),
      );
    });
  }

  test("of a later version is refused as one", () => {
    const expected = {
      code: "DVR_INDEX_VERSION",
      message: /version 2 of the format, and this server reads version 1/,
    };
    assert.throws(() => readIndexHeader(forged(8, "02"), PATH), expected);
  });
});
