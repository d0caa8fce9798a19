import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCodecVector, loadCodecVectors } from "../../test/vectors/codecs/load.ts";
import { trackId } from "../media/ids.ts";
import type { Codec } from "../media/track.ts";
import { buildAvcConfig, parseAvcConfig } from "./h264/avc-config.ts";
import type { TrackOptions } from "./track.ts";
import { buildTrack, describeTrack, frameDurationTicks, frameSamples, kindOf } from "./track.ts";
import { nalLengthSize } from "./track-facts.ts";

const NOTHING = new Uint8Array(0);
const inFrames: ReadonlySet<Codec> = new Set(["mp3", "ac3", "eac3"]);
const video = trackId("video", 1);
const audio = trackId("audio", 1);

function optionsOf(name: string): TrackOptions & { config: Uint8Array } {
  const { codec, bytes } = loadCodecVector(name);
  const id = kindOf(codec) === "video" ? video : audio;
  return inFrames.has(codec)
    ? { id, codec, config: NOTHING, firstFrame: bytes }
    : { id, codec, config: bytes };
}

for (const { name, codec, expect } of loadCodecVectors()) {
  test(`${name} makes a track of its facts`, () => {
    const options = optionsOf(name);
    const track = buildTrack(options);
    const { width, height, frameRate, sampleRate, channels } = track;
    assert.ok(
      Math.abs(frameRate - expect.frameRate) < 1e-9 || (codec === "av1" && frameRate === 0),
      `${frameRate}`,
    );
    assert.deepEqual(
      { width, height, sampleRate, channels },
      {
        width: expect.width,
        height: expect.height,
        sampleRate: expect.sampleRate,
        channels: expect.channels,
      },
    );
    assert.deepEqual([track.kind, track.codec, track.language], [kindOf(codec), codec, "und"]);
    assert.equal(track.timescale, track.kind === "video" ? 90_000 : sampleRate);
  });

  test(`the track of ${name} holds a copy, not a view`, () => {
    const options = optionsOf(name);
    const { config } = buildTrack(options);
    assert.notEqual(config.buffer, options.config.buffer);
    assert.notEqual(config.buffer, options.firstFrame?.buffer);
  });
}

const strings = {
  "avcc-high-1080-sar": "avc1.640028",
  "hvcc-main-1080": "hvc1.1.6.L120.90",
  "av1c-main-360": "av01.0.01M.08",
  "asc-lc-48000-stereo": "mp4a.40.2",
  "mp3-mpeg1-44100-stereo": "mp4a.40.34",
  "opushead-stereo": "opus",
  "ac3-48000-stereo": "ac-3",
  "eac3-48000-5.1": "ec-3",
};
for (const [name, codecString] of Object.entries(strings)) {
  test(`${name} is named ${codecString}`, () =>
    assert.equal(buildTrack(optionsOf(name)).codecString, codecString));
}

test("NAL length fields of 1 and 2 bytes are told by the record, and of 4 in the track", () => {
  for (const [name, at] of [
    ["avcc-main-interlaced-576", 4],
    ["hvcc-main-1080", 21],
  ] as const) {
    const options = optionsOf(name);
    for (const size of [1, 2, 4]) {
      const config = options.config.slice();
      config[at] = (config[at]! & 0xfc) | (size - 1);
      assert.equal(nalLengthSize(options.codec, config), size);
      assert.equal(nalLengthSize(options.codec, buildTrack({ ...options, config }).config), 4);
    }
  }
  assert.equal(nalLengthSize("aac", NOTHING), 4);
});

test("the first of two SPS decides", () => {
  const small = parseAvcConfig(loadCodecVector("avcc-baseline-360").bytes);
  const big = parseAvcConfig(loadCodecVector("avcc-high-1080-sar").bytes);
  const config = buildAvcConfig([small.sps[0]!, big.sps[0]!], small.pps);
  assert.equal(buildTrack({ id: video, codec: "h264", config }).height, 360);
});

test("timescale and language are taken, and languages that are none become und", () => {
  const options = optionsOf("asc-lc-48000-stereo");
  const { timescale, language } = buildTrack({ ...options, timescale: 1000, language: "pt-BR" });
  assert.deepEqual([timescale, language], [1000, "pt-BR"]);
  for (const bad of ["", "e n", "```", "x".repeat(200), "en-"]) {
    assert.equal(buildTrack({ ...options, language: bad }).language, "und");
  }
});

test("what the container says fills only what the codec leaves open", () => {
  const fallback = { width: 1, height: 2, frameRate: 3, sampleRate: 4, channels: 5 };
  const avc = buildTrack({ ...optionsOf("avcc-baseline-360"), fallback });
  assert.deepEqual([avc.width, avc.height, avc.frameRate], [640, 360, 25]);
  const bare = loadCodecVector("av1c-main-360").bytes.subarray(0, 4);
  const av1 = buildTrack({ id: video, codec: "av1", config: bare, fallback });
  assert.deepEqual([av1.width, av1.height, av1.frameRate], [1, 2, 3]);
  const mp3 = buildTrack({
    id: audio,
    codec: "mp3",
    config: NOTHING,
    fallback: { sampleRate: 44_100, channels: 2 },
  });
  assert.deepEqual([mp3.sampleRate, mp3.channels, mp3.timescale], [44_100, 2, 44_100]);
});

test("AV1 is read from the first frame when the record is bare or missing", () => {
  const { bytes } = loadCodecVector("av1c-main-360");
  const firstFrame = Uint8Array.of(0x12, 0, ...bytes.subarray(4));
  for (const config of [bytes.subarray(0, 4), NOTHING]) {
    const track = buildTrack({ id: video, codec: "av1", config, firstFrame });
    assert.deepEqual([track.width, track.height, track.codecString], [640, 360, "av01.0.01M.08"]);
  }
});

test("AC-3 boxes are taken as they come from a container", () => {
  for (const name of ["ac3-44100-5.1", "eac3-44100-mono"]) {
    const { codec, specificBox, expect } = loadCodecVector(name);
    const config = Uint8Array.from(Buffer.from(specificBox!, "hex"));
    const track = buildTrack({ id: audio, codec, config });
    assert.deepEqual([track.sampleRate, track.channels], [expect.sampleRate, expect.channels]);
    assert.deepEqual(track.config, config);
  }
});

test("a half rate that the box does not tell comes from the frame", () => {
  const { bytes } = loadCodecVector("eac3-48000-5.1");
  const config = Uint8Array.of(0x03, 0x00, 0xe0, 0x0f, 0x00); // fscod 3
  assert.throws(() => buildTrack({ id: audio, codec: "eac3", config }), { code: "CODEC_UNSUPPORTED" });
  assert.equal(buildTrack({ id: audio, codec: "eac3", config, firstFrame: bytes }).sampleRate, 48_000);
});

test("WebVTT keeps its header and counts milliseconds", () => {
  const config = new TextEncoder().encode("WEBVTT");
  const track = buildTrack({ id: trackId("text", 1), codec: "webvtt", config });
  assert.deepEqual([track.kind, track.codecString, track.timescale], ["text", "wvtt", 1000]);
  assert.equal(frameDurationTicks(track, config), 0);
});

const refused: readonly {
  name: string;
  options: Partial<TrackOptions> & { codec: Codec };
  code: string;
}[] = [
  {
    name: "a broken avcC",
    options: { codec: "h264", config: Uint8Array.of(1, 2, 3) },
    code: "CODEC_BAD_CONFIG",
  },
  { name: "an empty hvcC", options: { codec: "h265" }, code: "CODEC_BAD_CONFIG" },
  { name: "an empty AudioSpecificConfig", options: { codec: "aac" }, code: "CODEC_BAD_CONFIG" },
  { name: "neither av1C nor frame", options: { codec: "av1" }, code: "CODEC_BAD_CONFIG" },
  { name: "neither dac3 nor frame", options: { codec: "ac3" }, code: "CODEC_BAD_CONFIG" },
  { name: "neither dec3 nor frame", options: { codec: "eac3" }, code: "CODEC_BAD_CONFIG" },
  {
    name: "an MP3 frame without sync word",
    options: { codec: "mp3", firstFrame: new Uint8Array(4) },
    code: "CODEC_BAD_UNIT",
  },
  { name: "MP3 without any rate", options: { codec: "mp3" }, code: "CODEC_UNSUPPORTED" },
  { name: "a timescale of 0", options: { codec: "webvtt", timescale: 0 }, code: "CODEC_UNSUPPORTED" },
  {
    name: "a timescale of 2^32",
    options: { codec: "webvtt", timescale: 2 ** 32 },
    code: "CODEC_UNSUPPORTED",
  },
  {
    name: "a fractional timescale",
    options: { codec: "webvtt", timescale: 0.5 },
    code: "CODEC_UNSUPPORTED",
  },
  {
    name: "a configuration over 256 KiB",
    options: { codec: "webvtt", config: new Uint8Array(262_145) },
    code: "CODEC_BAD_CONFIG",
  },
];
for (const { name, options, code } of refused) {
  test(`no track is made of ${name}`, () => {
    assert.throws(() => buildTrack({ id: audio, config: NOTHING, ...options }), { code });
  });
}

const durations = [
  { name: "asc-lc-48000-stereo", payload: NOTHING, samples: 1024 },
  { name: "opushead-stereo", payload: Uint8Array.of(0xfc), samples: 960 },
  { name: "opushead-stereo", payload: NOTHING, samples: 0 },
  { name: "mp3-mpeg2-22050-mono", payload: loadCodecVector("mp3-mpeg2-22050-mono").bytes, samples: 576 },
  { name: "mp3-mpeg2-22050-mono", payload: Uint8Array.of(1, 2, 3, 4), samples: 0 },
  { name: "mp3-mpeg2-22050-mono", payload: NOTHING, samples: 0 },
  { name: "ac3-48000-stereo", payload: loadCodecVector("ac3-48000-stereo").bytes, samples: 1536 },
  { name: "eac3-48000-5.1", payload: loadCodecVector("eac3-48000-5.1").bytes, samples: 1536 },
  { name: "eac3-48000-5.1", payload: Uint8Array.of(0x0b, 0x77), samples: 0 },
  { name: "avcc-baseline-360", payload: Uint8Array.of(0, 0, 0, 1, 0x65), samples: 0 },
];
for (const [index, { name, payload, samples }] of durations.entries()) {
  test(`packet ${index}, of ${name}, lasts ${samples} samples`, () => {
    const track = buildTrack(optionsOf(name));
    assert.equal(frameSamples(track, payload), samples);
    assert.equal(frameDurationTicks(track, payload), samples);
    assert.equal(frameDurationTicks(track, payload), samples, "asked again");
  });
}

test("durations are in ticks of the track, not in samples", () => {
  const track = buildTrack({ ...optionsOf("asc-lc-48000-stereo"), timescale: 1000 });
  assert.equal(frameSamples(track, NOTHING), 1024);
  assert.equal(frameDurationTicks(track, NOTHING), 21);
});

test("HE-AAC lasts twice as long in its output's samples", () => {
  const track = buildTrack({ id: audio, codec: "aac", config: Uint8Array.of(0x2b, 0x11, 0x88, 0) });
  assert.deepEqual([track.timescale, frameDurationTicks(track, NOTHING)], [48_000, 2048]);
});

test("a programmer's mistake is not taken for a broken packet", () => {
  const track = buildTrack(optionsOf("mp3-mpeg1-44100-stereo"));
  assert.throws(() => frameSamples(track, null as unknown as Uint8Array), TypeError);
});

test("tracks are described in words", () => {
  const words = (name: string, language?: string) =>
    describeTrack(buildTrack({ ...optionsOf(name), ...(language === undefined ? {} : { language }) }));
  assert.equal(words("avcc-high-1080-sar"), "H.264 1440x1080 29.97 fps");
  assert.equal(words("asc-lc-48000-5.1", "en"), "AAC 48000 Hz 6 ch en");
});
