import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { describe, test } from "node:test";
import { parseAvcConfig } from "../../src/codecs/h264/avc-config.ts";
import {
  countStreams,
  ffmpeg,
  makeClip,
  probeFormat,
  probeFrames,
  probePackets,
  probeStreams,
} from "./ffmpeg.ts";
import { videoTrack } from "./media.ts";
import { needs } from "./tools.ts";

describe("ffmpeg as a tool of tests", { skip: needs("ffmpeg") }, () => {
  test("makes a clip once, of what was asked", async () => {
    const options = {
      durationS: 2,
      width: 128,
      height: 72,
      frameRate: 20,
      gopPictures: 10,
      audioTracks: 2,
    } as const;
    const path = await makeClip(options);
    const madeAtMs = statSync(path).mtimeMs;
    assert.equal(await makeClip(options), path);
    assert.equal(statSync(path).mtimeMs, madeAtMs);
    const streams = await countStreams(path);
    assert.deepEqual(
      streams.map(({ codec_name }) => codec_name),
      ["h264", "aac", "aac"],
    );
    assert.equal(streams[0]?.nb_read_frames, "40");
    assert.equal(streams[0]?.width, 128);
    const format = await probeFormat(path);
    assert.ok(Math.abs(Number(format.duration) - 2) < 0.1, format.duration);
  });

  test("puts random access points where the clip's options say, with B-frames between them", async () => {
    const path = await makeClip({ durationS: 2, width: 64, height: 64, gopPictures: 10, audio: null });
    const packets = await probePackets(path, { select: "v" });
    const syncs = packets.flatMap(({ flags }, index) => (flags.startsWith("K") ? [index] : []));
    assert.deepEqual(syncs, [0, 10, 20, 30, 40]);
    const frames = await probeFrames(path, { select: "v" });
    assert.ok(frames.some(({ pict_type }) => pict_type === "B"));
  });

  test("makes the other containers and codecs", async () => {
    const small = { durationS: 1, width: 64, height: 64 } as const;
    const flv = await makeClip({ ...small, extension: "flv", audio: "libmp3lame" });
    const mkv = await makeClip({ ...small, extension: "mkv", video: "libx265", audio: "libopus" });
    const audioOnly = await makeClip({ ...small, video: null, audio: "ac3", extension: "ts" });
    const names = await Promise.all(
      [flv, mkv, audioOnly].map(async (path) => (await probeStreams(path)).map(codecName)),
    );
    assert.deepEqual(names, [["h264", "mp3"], ["hevc", "opus"], ["ac3"]]);
  });

  test("says what it wrote when it fails", async () => {
    await assert.rejects(
      ffmpeg(["-i", "/nowhere.mp4", "-f", "null", "-"]),
      /ended with code 1:\n.*No such file/s,
    );
    await assert.rejects(
      ffmpeg(["-f", "lavfi", "-re", "-i", "testsrc2", "-f", "null", "-"], 300),
      /limit 300 ms/,
    );
  });
});

describe("the builders' configuration record", () => {
  test("is one that the server reads", () => {
    const config = parseAvcConfig(videoTrack().config);
    assert.ok(config !== null);
  });
});

function codecName(stream: { readonly codec_name: string }): string {
  return stream.codec_name;
}
