import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { parseAdtsHeader } from "./adts.ts";
import { aacCodecString, buildAacConfig, parseAacConfig } from "./audio-specific-config.ts";

/** AudioSpecificConfig and ADTS headers. */
export const fuzz: CodecFuzzTarget = {
  name: "aac",
  seeds: [
    fromHex("119056e500"),
    fromHex("131056e59d4880"),
    fromHex("2b118800"),
    fromHex("eb098800"),
    fromHex("1780181c88"),
    fromHex("118004c4040021104c61766335392e33372e31303056e500"),
    fromHex("fff14c8002dffc"),
    fromHex("fff051c7ffffff0000"),
  ],
  run(input) {
    const config = orRefused(() => parseAacConfig(input));
    if (config !== null) {
      assert.ok(config.sampleRate > 0 && config.channels >= 0 && config.channels <= 100);
      assert.ok([0, 480, 512, 960, 1024, 1920, 2048].includes(config.frameSamples));
      assert.match(aacCodecString(config), /^mp4a\.40\.\d+$/);
      const { objectType, coreSampleRate: sampleRate, channelConfig } = config;
      const built = orRefused(() => buildAacConfig({ objectType, sampleRate, channelConfig }));
      if (built !== null)
        assert.equal(orRefused(() => parseAacConfig(built))?.objectType ?? objectType, objectType);
    }
    const header = orRefused(() => parseAdtsHeader(input));
    if (header !== null) assert.ok(header.frameBytes >= header.headerBytes && header.frameBytes < 8192);
  },
};
