import assert from "node:assert/strict";
import { test } from "node:test";
import { blockName, blockPrefix, blockTrailer, isBlockName, readBlockFile } from "./block-file.ts";

const OBJECT = {
  location: "https://host/bucket",
  key: "a/08.mp4",
  version: "etag",
  bytes: 5,
  blockBytes: 4,
};
const NAME = blockName(blockPrefix(OBJECT), 1);
const BLOCK = Buffer.from("block");
const FILE = Buffer.concat([BLOCK, blockTrailer(NAME, BLOCK)]);

test("the file of a block has its bytes, and a trailer of magic, length and CRC-32 of name and bytes", () => {
  const name = `${"0".repeat(32)}-1`;
  // Made once with Python: zlib.crc32(b"block", zlib.crc32(name)).
  assert.equal(Buffer.from(blockTrailer(name, BLOCK)).toString("hex"), `5752433105000000${TRAILER_CRC}`);
  assert.deepEqual(readBlockFile(NAME, FILE), BLOCK);
  assert.deepEqual(
    readBlockFile(NAME, Buffer.from(blockTrailer(NAME, new Uint8Array(0)))),
    Buffer.alloc(0),
  );
});

const TRAILER_CRC = "209deb3d";

test("a file that is cut, longer, or another in any bit is none", () => {
  for (let cut = 0; cut < FILE.byteLength; cut++) {
    assert.equal(readBlockFile(NAME, FILE.subarray(0, cut)), null);
    assert.equal(readBlockFile(NAME, FILE.subarray(cut + 1)), null);
  }
  assert.equal(readBlockFile(NAME, Buffer.concat([FILE, Buffer.alloc(1)])), null);
  for (let bit = 0; bit < FILE.byteLength * 8; bit++) {
    const other = Buffer.from(FILE);
    other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7));
    assert.equal(readBlockFile(NAME, other), null, `bit ${bit}`);
  }
  assert.equal(readBlockFile(blockName(blockPrefix(OBJECT), 2), FILE), null);
});

test("blocks of anything else have other names", () => {
  const others = [
    { ...OBJECT, location: "https://host/bucket/a", key: "08.mp4" },
    { ...OBJECT, key: "a/09.mp4" },
    { ...OBJECT, version: "other" },
    { ...OBJECT, bytes: 6 },
    { ...OBJECT, blockBytes: 8 },
  ];
  const names = [OBJECT, ...others].map((object) => blockName(blockPrefix(object), 1));
  assert.equal(new Set([...names, blockName(blockPrefix(OBJECT), 2)]).size, 7);
  for (const name of names) assert.ok(isBlockName(name));
  for (const name of [
    "",
    "core",
    `${NAME}.part`,
    NAME.toUpperCase(),
    NAME.slice(1),
    `x${NAME}`,
    `${NAME}!`,
  ])
    assert.equal(isBlockName(name), false, name);
});
