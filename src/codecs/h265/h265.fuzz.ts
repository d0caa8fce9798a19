import assert from "node:assert/strict";
import type { CodecFuzzTarget } from "../fuzz-support.ts";
import { fromHex, orRefused } from "../fuzz-support.ts";
import { findH265ParameterSets, isH265RandomAccess } from "./access-unit.ts";
import { buildHevcConfig, parseHevcConfig } from "./hevc-config.ts";
import { hevcCodecString } from "./profile-tier-level.ts";
import { parseH265Sps } from "./sps.ts";

const HEAD = "0102200000009000000000003cf000fcfdfafa00000f03";
const VPS = "40010c01ffff02200000030090000003000003003c959809";
const SPS =
  "42010102200000030090000003000003003ca00a480b9c94d96566924caf0e6a122012080000030008000003019040";
const PPS = "4401c172b46240";

/** hvcC records, parameter sets and access units of H.265. */
export const fuzz: CodecFuzzTarget = {
  name: "h265",
  seeds: [
    fromHex(`${HEAD} a00001 0018 ${VPS} a10001 002f ${SPS} a20001 0007 ${PPS}`),
    fromHex(SPS),
    fromHex(`00000018 ${VPS} 0000002f ${SPS} 00000007 ${PPS} 00000004 2601af00`),
  ],
  run(input) {
    const config = orRefused(() => parseHevcConfig(input));
    if (config !== null) {
      assert.match(
        hevcCodecString(config.ptl),
        /^hvc1\.[ABC]?\d+\.[0-9A-F]+\.[LH]\d+(?:\.[0-9A-F]{1,2}){0,6}$/,
      );
      const rebuilt = orRefused(() => buildHevcConfig(config));
      if (rebuilt !== null) assert.deepEqual(parseHevcConfig(rebuilt).sps, config.sps);
      for (const set of config.sps) orRefused(() => parseH265Sps(set));
    }
    const sps = orRefused(() => parseH265Sps(input));
    if (sps !== null) {
      assert.ok(sps.width > 0 && sps.width <= 16_888 && sps.height > 0 && sps.height <= 16_888);
      assert.ok(sps.frameRate >= 0 && sps.frameRate <= 1000);
    }
    isH265RandomAccess(input);
    findH265ParameterSets(input);
  },
};
