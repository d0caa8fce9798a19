import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVectors } from "../../../test/vectors/codecs/load.ts";
import { avcCodecString, buildAvcConfig, parseAvcConfig } from "./avc-config.ts";

const vectors = loadCodecVectors().filter(({ codec }) => codec === "h264");

for (const { name, bytes, mediabunny } of vectors) {
  test(`${name} is taken apart and built again to the same bytes`, () => {
    const config = parseAvcConfig(bytes);
    assert.equal(config.nalLengthSize, 4);
    assert.equal(avcCodecString(config.sps[0]!), mediabunny.codecString);
    assert.deepEqual(buildAvcConfig(config.sps, config.pps), bytes);
  });

  test(`${name} cut at every byte is refused, or has lost only its extension`, () => {
    const { sps, pps } = parseAvcConfig(bytes);
    for (let cut = 0; cut < bytes.length; cut++) {
      try {
        assert.deepEqual(parseAvcConfig(bytes.subarray(0, cut)).sps, sps);
        assert.deepEqual(parseAvcConfig(bytes.subarray(0, cut)).pps, pps);
        assert.ok(cut >= bytes.length - 4, `cut at ${cut}`);
      } catch (caught) {
        assert.equal(
          (caught as { code?: string }).code,
          "CODEC_BAD_CONFIG",
          `cut at ${cut}: ${String(caught)}`,
        );
      }
    }
  });
}

const good = vectors.find(({ name }) => name === "avcc-baseline-360")!.bytes;
const changed = (at: number, value: number) =>
  Uint8Array.from(good, (byte, i) => (i === at ? value : byte));

const refused = [
  { name: "of version 2", bytes: changed(0, 2) },
  { name: "with NAL length fields of 3 bytes", bytes: changed(4, 0xfe) },
  { name: "without SPS", bytes: Uint8Array.of(1, 66, 0, 30, 0xff, 0xe0, 0) },
  { name: "with an SPS that goes past the end", bytes: changed(6, 0xff) },
  { name: "with 31 SPS announced", bytes: changed(5, 0xff) },
];
for (const { name, bytes } of refused) {
  test(`a record ${name} is refused`, () =>
    assert.throws(() => parseAvcConfig(bytes), { code: "CODEC_BAD_CONFIG" }));
}

test("building refuses what the record cannot hold", () => {
  const { sps, pps } = parseAvcConfig(good);
  const code = "CODEC_BAD_CONFIG";
  assert.throws(() => buildAvcConfig([], pps), { code });
  assert.throws(
    () =>
      buildAvcConfig(
        Array.from({ length: 32 }, () => sps[0]!),
        pps,
      ),
    { code },
  );
  assert.throws(
    () =>
      buildAvcConfig(
        sps,
        Array.from({ length: 256 }, () => pps[0]!),
      ),
    { code },
  );
  assert.throws(() => buildAvcConfig(sps, [new Uint8Array(0x10000)]), { code });
  assert.throws(() => avcCodecString(Uint8Array.of(0x67, 66)), { code });
});
