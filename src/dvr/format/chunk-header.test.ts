import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isChunkHeader } from "./chunk-header.ts";

const MFHD = "00000010 6d666864 00000000 00000007";
const cases: readonly { name: string; hex: string; sizeBytes: number; is: boolean }[] = [
  {
    name: "a moof and an mdat",
    hex: `00000018 6d6f6f66 ${MFHD} 00000012 6d646174`,
    sizeBytes: 42,
    is: true,
  },
  {
    name: "an mdat without bytes",
    hex: `00000018 6d6f6f66 ${MFHD} 00000008 6d646174`,
    sizeBytes: 32,
    is: true,
  },
  {
    name: "an mdat with a size of 64 bits",
    hex: `00000018 6d6f6f66 ${MFHD} 00000001 6d646174 0000000000000012`,
    sizeBytes: 42,
    is: true,
  },
  {
    name: "an mdat that ends earlier",
    hex: `00000018 6d6f6f66 ${MFHD} 00000011 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "an mdat that ends later",
    hex: `00000018 6d6f6f66 ${MFHD} 00000013 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "an mdat of 64 bits that ends later",
    hex: `00000018 6d6f6f66 ${MFHD} 00000001 6d646174 0000000100000012`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "an mdat whose size has no room for its header",
    hex: `00000018 6d6f6f66 ${MFHD} 00000012 6d646174 0000000000000012`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "another box first",
    hex: `00000018 66726565 ${MFHD} 00000012 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "another box behind",
    hex: `00000018 6d6f6f66 ${MFHD} 00000012 66726565`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "a moof larger than that",
    hex: `00000019 6d6f6f66 ${MFHD} 00000012 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "a moof of no size",
    hex: `00000000 6d6f6f66 ${MFHD} 00000012 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  {
    name: "a moof of the largest size",
    hex: `ffffffff 6d6f6f66 ${MFHD} 00000012 6d646174`,
    sizeBytes: 42,
    is: false,
  },
  { name: "zeros", hex: "00".repeat(32), sizeBytes: 42, is: false },
];

describe("what stands in front of a chunk's payload", () => {
  for (const { name, hex, sizeBytes, is } of cases) {
    test(`${is ? "is" : "is not"} ${name}`, () => {
      assert.equal(isChunkHeader(Buffer.from(hex.replaceAll(" ", ""), "hex"), sizeBytes), is);
    });
  }
});
