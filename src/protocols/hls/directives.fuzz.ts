import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { MediaError } from "../../base/errors.ts";
import { readDirectives } from "./directives.ts";

/** Queries of low-latency playlists: whatever is read is whole numbers, and a part has its segment. */
export const fuzz: TextFuzzTarget = {
  name: "hls-directives",
  seeds: [
    "_HLS_msn=1795399028&_HLS_part=4",
    "_HLS_skip=YES&_HLS_msn=7",
    "token=x&_HLS_skip=v2",
    "_HLS_part=1",
  ],
  dictionary: ["_HLS_msn=", "_HLS_part=", "_HLS_skip=", "YES", "v2", "&", "%3D", "-1", "1e9"],
  run(text) {
    try {
      const { point } = readDirectives(new URLSearchParams(text));
      if (point === null) return;
      assert.ok(Number.isSafeInteger(point.sequence) && point.sequence >= 0);
      assert.ok(point.part === null || (Number.isSafeInteger(point.part) && point.part >= 0));
    } catch (caught) {
      assert.ok(caught instanceof MediaError && caught.code === "HLS_BAD_DIRECTIVE", String(caught));
    }
  },
};
