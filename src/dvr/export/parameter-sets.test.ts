import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { loadCodecVector } from "../../../test/vectors/codecs/load.ts";
import { readU32 } from "../../base/bytes.ts";
import { h265NalType } from "../../codecs/h265/access-unit.ts";
import { parameterSets } from "./parameter-sets.ts";

/** First bytes of the NAL units, which fill the bytes exactly. */
function units(bytes: Uint8Array): number[] {
  const firsts: number[] = [];
  for (let at = 0; at < bytes.byteLength; at += 4 + readU32(bytes, at)) firsts.push(bytes[at + 4]!);
  return firsts;
}

test("the parameter sets of a configuration are NAL units behind their lengths", () => {
  assert.deepEqual(
    units(parameterSets(videoTrack())).map((first) => first & 31),
    [7, 8],
  );
  const { bytes } = loadCodecVector("hvcc-main-1080");
  const hevc = units(parameterSets(videoTrack({ codec: "h265", config: bytes })));
  assert.deepEqual(hevc.map(h265NalType), [32, 33, 34]);
});

test("codecs that have none give none, and a broken configuration is refused", () => {
  assert.equal(parameterSets(audioTrack()).byteLength, 0);
  assert.equal(parameterSets(videoTrack({ codec: "av1" })).byteLength, 0);
  assert.throws(() => parameterSets(videoTrack({ config: Uint8Array.of(1, 2) })), {
    code: "CODEC_BAD_CONFIG",
  });
});
