import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../test/fuzz/target.ts";
import { blockTrailer, readBlockFile } from "./block-file.ts";

const NAME = `${"0".repeat(32)}-1`;

function fileOf(text: string): Uint8Array {
  const block = Buffer.from(text);
  return Buffer.concat([block, blockTrailer(NAME, block)]);
}

/** Whatever lies in the file of a block: a block that the same file would be written for, or none. */
export const fuzz: FuzzTarget = {
  name: "block-file",
  seeds: [fileOf(""), fileOf("block"), fileOf("x".repeat(300))],
  dictionary: [Buffer.from("WRC1")],
  run(input) {
    const block = readBlockFile(NAME, input);
    if (block === null) return;
    const again = Buffer.concat([block, blockTrailer(NAME, block)]);
    assert.deepEqual(again, Buffer.from(input));
  },
};
