import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, videoTrack } from "../../test/support/media.ts";
import type { Track } from "../media/track.ts";
import { buildAacConfig, parseAacConfig } from "./aac/audio-specific-config.ts";
import { buildAacSilence } from "./aac/silence.ts";
import { parseMp3Header } from "./mp3/frame-header.ts";
import { buildMp3Silence } from "./mp3/silence.ts";
import { buildOpusHead } from "./opus/opus-head.ts";
import { opusPacketSamples } from "./opus/packet-duration.ts";
import { buildOpusSilence } from "./opus/silence.ts";
import { silentFrameOf } from "./silence.ts";

const aac = (objectType: number, channelConfig: number): ReturnType<typeof parseAacConfig> =>
  parseAacConfig(buildAacConfig({ objectType, sampleRate: 48_000, channelConfig }));

const opusHead = (channels: number, mapping: readonly number[]): Uint8Array =>
  buildOpusHead({
    channels,
    preSkip: 312,
    inputSampleRate: 48_000,
    outputGain: 0,
    mappingFamily: mapping.length === 0 ? 0 : 1,
    mapping: Uint8Array.from(mapping),
  });

test("AAC in mono: one element without a band, then the end", () => {
  // 000 0000, 00000000, 0 00 0 000000 0, 000, 111 and five bits to the byte's end.
  assert.deepEqual(buildAacSilence(aac(2, 1)), Uint8Array.of(0, 0, 0, 7));
});

test("AAC in stereo: one pair with a common window, then the end", () => {
  // 001 0000 1, 11 bits of window, 00, two channels of 11 bits each, 111: 46 bits.
  assert.deepEqual(buildAacSilence(aac(2, 2)), Uint8Array.of(0x21, 0, 0, 0, 0, 0x1c));
});

test("AAC other than LC, and channels that are listed elsewhere, have no silence", () => {
  assert.equal(buildAacSilence(aac(4, 2)), null);
  assert.equal(buildAacSilence({ ...aac(2, 2), channelConfig: 0 }), null);
});

for (const sampleRate of [44100, 48000, 32000, 22050, 24000, 16000, 11025, 12000, 8000]) {
  for (const layer of [2, 3] as const) {
    for (const channels of [1, 2] as const) {
      test(`MPEG audio, layer ${layer}, ${sampleRate} Hz, ${channels} channels: a whole frame of zeros`, () => {
        const frame = buildMp3Silence({ layer, sampleRate, channels })!;
        const header = parseMp3Header(frame)!;
        assert.deepEqual(
          [header.layer, header.sampleRate, header.channels, header.frameBytes],
          [layer, sampleRate, channels, frame.byteLength],
        );
        assert.ok(frame.subarray(4).every((byte) => byte === 0));
        // Side information of layer III: up to 32 bytes.
        assert.ok(frame.byteLength >= 4 + (header.version === 1 ? 32 : 17));
      });
    }
  }
}

test("MPEG audio has no silence at a rate of its own", () => {
  assert.equal(buildMp3Silence({ layer: 3, sampleRate: 44_000, channels: 2 }), null);
});

test("Opus: a packet of 20 ms for each stream, all but the last with its length", () => {
  assert.deepEqual(buildOpusSilence(opusHead(1, [])), Uint8Array.of(0xf8, 0xff, 0xfe));
  const stereo = buildOpusSilence(opusHead(2, []));
  assert.deepEqual(stereo, Uint8Array.of(0xfc, 0xff, 0xfe));
  assert.equal(opusPacketSamples(stereo), 960);
  assert.deepEqual(
    buildOpusSilence(opusHead(3, [2, 1, 0, 2, 1])),
    Uint8Array.of(0xfc, 2, 0xff, 0xfe, 0xf8, 0xff, 0xfe),
  );
});

test("a track tells how long its silence lasts", () => {
  const frameOf = (changes: Partial<Track>): readonly number[] | null => {
    const frame = silentFrameOf(audioTrack(changes));
    return frame === null ? null : [frame.samples, frame.sampleRate];
  };
  const lc = buildAacConfig({ objectType: 2, sampleRate: 44_100, channelConfig: 2 });
  const he = buildAacConfig({
    objectType: 2,
    sampleRate: 24_000,
    channelConfig: 2,
    sbrSampleRate: 48_000,
  });
  assert.deepEqual(frameOf({ config: lc, sampleRate: 44_100 }), [1024, 44_100]);
  assert.deepEqual(frameOf({ config: he }), [2048, 48_000]);
  const mpeg = { codec: "mp3", config: new Uint8Array() } as const;
  assert.deepEqual(frameOf({ ...mpeg, codecString: "mp4a.40.34" }), [1152, 48_000]);
  assert.deepEqual(frameOf({ ...mpeg, codecString: "mp4a.40.34", sampleRate: 22_050 }), [576, 22_050]);
  assert.deepEqual(frameOf({ ...mpeg, codecString: "mp4a.40.33", sampleRate: 24_000 }), [1152, 24_000]);
  assert.deepEqual(frameOf({ codec: "opus", config: opusHead(2, []) }), [960, 48_000]);
});

test("what has no silence: pictures, AC-3, layer I, broken configurations, too many streams", () => {
  assert.equal(silentFrameOf(videoTrack()), null);
  for (const track of [
    audioTrack({ codec: "ac3" }),
    audioTrack({ codec: "eac3" }),
    audioTrack({ codec: "mp3", codecString: "mp4a.40.32" }),
    audioTrack({ config: Uint8Array.of(0xff) }),
    audioTrack({ codec: "opus", config: Uint8Array.of(1, 2, 3) }),
    audioTrack({ codec: "opus", config: opusHead(2, [0, 0, 0, 0]) }),
    audioTrack({
      codec: "opus",
      config: opusHead(20, [20, 0, ...Array.from({ length: 20 }, (_, n) => n)]),
    }),
  ])
    assert.equal(silentFrameOf(track), null, `${track.codec} ${track.codecString}`);
});
