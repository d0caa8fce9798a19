import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSums } from "./object-store.ts";
import { crc32Base64, PartSummer, sumsOfParts, sumsOfWhole } from "./part-sums.ts";
import type { PartSums } from "./part-sums.ts";

function sumsOf(text: string, pieceBytes = 4, hasMd5 = true): PartSums {
  const summer = new PartSummer({ hasMd5 });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; at += pieceBytes)
    summer.update(bytes.subarray(at, at + pieceBytes));
  return summer.end();
}

test("sums are those of the standards' test vectors, in whatever pieces the bytes come", () => {
  for (const pieceBytes of [1, 2, 4, 100]) {
    const sums = sumsOf("123456789", pieceBytes);
    assert.equal(sums.crc32, 0xcbf43926); // ISO/IEC 13239
    assert.equal(sums.crc32Base64, "y/Q5Jg==");
    assert.equal(Buffer.from(sums.md5!).toString("hex"), "25f9e794323b453885f5181f1b624d0b");
  }
  assert.equal(sumsOf("abc").sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(crc32Base64(0), "AAAAAA==");
  assert.equal(crc32Base64(-1), "/////w==");
});

const PARTS = [sumsOf("12345"), sumsOf("6789")];
const OF_PARTS = sumsOfParts(0xcbf43926, PARTS);

test("the sum of parts is the sum of their sums", () => {
  // Made once with Python's zlib and hashlib from the same two parts.
  assert.deepEqual(OF_PARTS, {
    wholeCrc32: "y/Q5Jg==",
    compositeCrc32: "4zspdQ==-2",
    md5Etag: "324730582f20c3f18cbb66d63a6137d2-2",
  });
});

test("without MD5s there is no entity tag to compare with, and the rest is the same", () => {
  const parts = [sumsOf("12345", 4, false), sumsOf("6789")];
  assert.deepEqual(sumsOfParts(0xcbf43926, parts), { ...OF_PARTS, md5Etag: null });
  const whole = sumsOfWhole(sumsOf("12345", 4, false));
  assert.equal(whole.md5Etag, null);
  assert.equal(compareSums(whole, { crc32: null, etag: "0".repeat(32), hasMd5Etag: true }).by, "size");
});

const NONE = { crc32: null, etag: null, hasMd5Etag: true };
const CASES = [
  { name: "a CRC-32 of the whole", facts: { ...NONE, crc32: "y/Q5Jg==" }, by: "crc32", isRight: true },
  { name: "another CRC-32", facts: { ...NONE, crc32: "AAAAAA==" }, by: "crc32", isRight: false },
  {
    name: "one of its parts",
    facts: { ...NONE, crc32: OF_PARTS.compositeCrc32 },
    by: "crc32",
    isRight: true,
  },
  {
    name: "another one of as many parts",
    facts: { ...NONE, crc32: "AAAAAA==-2" },
    by: "crc32",
    isRight: false,
  },
  {
    name: "one of another number of parts",
    facts: { ...NONE, crc32: "AAAAAA==-3" },
    by: "size",
    isRight: true,
  },
  {
    name: "an entity tag",
    facts: { ...NONE, etag: OF_PARTS.md5Etag!.toUpperCase() },
    by: "etag",
    isRight: true,
  },
  {
    name: "another entity tag, as some hosts make for parts",
    facts: { ...NONE, etag: `${"0".repeat(32)}-2` },
    by: "size",
    isRight: true,
  },
  { name: "a tag of other parts", facts: { ...NONE, etag: "0".repeat(32) }, by: "size", isRight: true },
  { name: "a tag that is no MD5", facts: { ...NONE, etag: "opaque-2" }, by: "size", isRight: true },
  {
    name: "a tag that only looks like one",
    facts: { crc32: null, etag: `${"0".repeat(32)}-2`, hasMd5Etag: false },
    by: "size",
    isRight: true,
  },
  { name: "nothing", facts: NONE, by: "size", isRight: true },
] as const;

for (const { name, facts, by, isRight } of CASES) {
  test(`what a store says of parts is compared: ${name}`, () => {
    const compared = compareSums(OF_PARTS, facts);
    assert.equal(compared.by, by);
    assert.equal(compared.expected === compared.actual, isRight);
  });
}

test("what a store says of a whole is compared with the whole", () => {
  const whole = sumsOfWhole(sumsOf("123456789"));
  assert.equal(compareSums(whole, { ...NONE, crc32: "y/Q5Jg==" }).by, "crc32");
  assert.equal(compareSums(whole, { ...NONE, crc32: "AAAAAA==-2" }).by, "size");
  assert.equal(compareSums(whole, { ...NONE, etag: "25f9e794323b453885f5181f1b624d0b" }).by, "etag");
  const other = compareSums(whole, { ...NONE, etag: "0".repeat(32) });
  assert.ok(other.by === "etag" && other.expected !== other.actual);
});
