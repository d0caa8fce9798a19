import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { findH264ParameterSets, isH264RandomAccess } from "./access-unit.ts";
import { buildAvcConfig, parseAvcConfig } from "./avc-config.ts";
import { parseH264Sps } from "./sps.ts";

/** avcC records, parameter sets and access units of H.264. */
export const fuzz: CodecFuzzTarget = {
  name: "h264",
  seeds: [
    fromHex("01640028ffe1001867640028acb402d0113f2e1c2000007d20001d4c01e3065401000468ce0fcbfdf8f800"),
    fromHex("014d401effe1001c674d401eeca05a126ffc0040003c40000003004000000c87c50a658001000568fba3cb20"),
    fromHex("67 64000cacd941419f9f011000000300100000030300f1429960"),
    fromHex("00000002 09f0 00000005 0601 01c480 00000006 060101c48080 00000003 418880"),
    fromHex("00000004 67640029 00000002 68ce 00000003 658884"),
  ],
  run(input) {
    const config = orRefused(() => parseAvcConfig(input));
    if (config !== null) {
      const rebuilt = orRefused(() => buildAvcConfig(config.sps, config.pps));
      if (rebuilt !== null) assert.deepEqual(parseAvcConfig(rebuilt).sps, config.sps);
      for (const set of config.sps) orRefused(() => parseH264Sps(set));
    }
    const sps = orRefused(() => parseH264Sps(input));
    if (sps !== null) {
      assert.ok(sps.width > 0 && sps.width <= 16_880 && sps.height > 0 && sps.height <= 16_880);
      assert.ok(sps.frameRate >= 0 && sps.frameRate <= 1000);
    }
    isH264RandomAccess(input);
    findH264ParameterSets(input);
  },
};
