import assert from "node:assert/strict";
import { concatBytes } from "../../base/bytes.ts";
import { FlvFileReader } from "./file-reader.ts";
import { FLV_TAG, buildFlvHeader, buildFlvTag } from "./file-writer.ts";

const seed = concatBytes([
  buildFlvHeader(true, true),
  buildFlvTag(FLV_TAG.script, 0, Uint8Array.of(2, 0, 1, 97)),
  buildFlvTag(FLV_TAG.video, 0xffffff, new Uint8Array(20)),
  buildFlvTag(FLV_TAG.audio, 0x1000000, Uint8Array.of(0xaf, 1)),
]);

/** FLV files in two pieces; the first byte says where the cut is. */
export const fuzz = {
  name: "flv-file",
  seeds: [seed, seed.subarray(0, 30)],
  run(input: Uint8Array): void {
    const reader = new FlvFileReader(1000);
    const cut = Math.min(input[0] ?? 0, input.byteLength);
    let bodyBytes = 0;
    for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
      reader.feed(piece);
      for (let tag = reader.next(); tag !== null; tag = reader.next()) bodyBytes += tag.body.byteLength;
    }
    assert.ok(bodyBytes <= input.byteLength);
  },
};
