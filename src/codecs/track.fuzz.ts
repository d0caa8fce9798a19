import assert from "node:assert/strict";
import { trackId } from "../media/ids.ts";
import type { Codec } from "../media/track.ts";
import type { CodecFuzzTarget } from "./fuzz-support.ts";
import { fromHex, orRefused } from "./fuzz-support.ts";
import { buildTrack, describeTrack, frameDurationTicks, kindOf } from "./track.ts";

const CODECS: readonly Codec[] = ["h264", "h265", "av1", "aac", "mp3", "opus", "ac3", "eac3", "webvtt"];
const NOTHING = new Uint8Array(0);

/** Tracks of every codec: the first byte of an input chooses the codec, the rest is configuration and first frame. */
export const fuzz: CodecFuzzTarget = {
  name: "codec-track",
  seeds: [
    fromHex("00 01640028ffe1001867640028acb402d0113f2e1c2000007d20001d4c01e3065401000468ce0fcbfdf8f800"),
    fromHex("02 81010c00 0a0b 0000000cc4ff6736be4010"),
    fromHex("02 1200 0a0b 0000000cc4ff6736be4010 3202 1000"),
    fromHex("03 119056e500"),
    fromHex("04 fffb9264"),
    fromHex("05 4f70757348656164 01 02 3801 80bb0000 0000 00"),
    fromHex("06 1010c0"),
    fromHex("07 0300200f00"),
  ],
  run(input) {
    const codec = CODECS[(input[0] ?? 0) % CODECS.length]!;
    const rest = input.subarray(1);
    const id = trackId(kindOf(codec), 1);
    const forms = [
      { config: rest },
      { config: rest, firstFrame: rest },
      { config: NOTHING, firstFrame: rest },
    ];
    for (const form of forms) {
      const track = orRefused(() => buildTrack({ id, codec, ...form }));
      if (track === null) continue;
      assert.ok(Number.isInteger(track.timescale) && track.timescale > 0);
      assert.ok(frameDurationTicks(track, rest) >= 0);
      assert.ok(describeTrack(track).length < 100);
      // What a track says of itself is enough to make it again.
      const again = buildTrack({ id, codec, ...form, config: track.config, timescale: track.timescale });
      assert.deepEqual(again.config, track.config);
    }
  },
};
