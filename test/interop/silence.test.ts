/** Frames of silence, as ffmpeg decodes them: zeros and nothing but zeros, as many as they say, without a complaint. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildAacConfig } from "../../src/codecs/aac/audio-specific-config.ts";
import { buildOpusHead } from "../../src/codecs/opus/opus-head.ts";
import { silentFrameOf } from "../../src/codecs/silence.ts";
import { buildTrack } from "../../src/codecs/track.ts";
import { buildFragmentHeader } from "../../src/containers/mp4/fragment.ts";
import { buildInitSegment } from "../../src/containers/mp4/init-segment.ts";
import { trackId } from "../../src/media/ids.ts";
import type { Track } from "../../src/media/track.ts";
import { tableOf } from "../../src/packaging/track-parts.ts";
import { ffmpeg } from "../support/ffmpeg.ts";
import { mediaPacket } from "../support/media.ts";
import { needs } from "../support/tools.ts";

const FRAMES = 50;
const id = trackId("audio", 1);

const aac = (channelConfig: number, sampleRate = 48_000): Track =>
  buildTrack({ id, codec: "aac", config: buildAacConfig({ objectType: 2, sampleRate, channelConfig }) });

const heAac = (channelConfig: number, hasPs: boolean): Track => {
  const shape = { objectType: 2, sampleRate: 24_000, channelConfig, sbrSampleRate: 48_000, hasPs };
  return buildTrack({ id, codec: "aac", config: buildAacConfig(shape) });
};

const mp3 = (header: readonly number[]): Track =>
  buildTrack({ id, codec: "mp3", config: new Uint8Array(), firstFrame: Uint8Array.from(header) });

const opus = (channels: number, mapping: readonly number[] = []): Track => {
  const family = mapping.length === 0 ? 0 : 1;
  const head = { channels, preSkip: 0, inputSampleRate: 48_000, outputGain: 0, mappingFamily: family };
  return buildTrack({
    id,
    codec: "opus",
    config: buildOpusHead({ ...head, mapping: Uint8Array.from(mapping) }),
  });
};

const cases: readonly { readonly name: string; readonly track: Track }[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 11, 12].map((n) => ({ name: `AAC, configuration ${n}`, track: aac(n) })),
  { name: "AAC at 44.1 kHz", track: aac(2, 44_100) },
  { name: "AAC at 8 kHz", track: aac(1, 8000) },
  { name: "HE-AAC, mono", track: heAac(1, false) },
  { name: "HE-AAC, stereo", track: heAac(2, false) },
  { name: "HE-AAC v2", track: heAac(1, true) },
  { name: "MP3 at 44.1 kHz, stereo", track: mp3([0xff, 0xfb, 0x90, 0]) },
  { name: "MP3 at 48 kHz, mono", track: mp3([0xff, 0xfb, 0x94, 0xc0]) },
  { name: "MP3 at 22.05 kHz, stereo", track: mp3([0xff, 0xf3, 0x90, 0]) },
  { name: "MP3 at 8 kHz, mono", track: mp3([0xff, 0xe3, 0x98, 0xc0]) },
  { name: "MPEG layer II at 48 kHz, stereo", track: mp3([0xff, 0xfd, 0x94, 0]) },
  { name: "MPEG layer II at 44.1 kHz, mono", track: mp3([0xff, 0xfd, 0x90, 0xc0]) },
  { name: "MPEG layer II at 24 kHz, stereo", track: mp3([0xff, 0xf5, 0x94, 0]) },
  { name: "Opus, mono", track: opus(1) },
  { name: "Opus, stereo", track: opus(2) },
  { name: "Opus, six channels", track: opus(6, [4, 2, 0, 4, 1, 2, 3, 5]) },
];

/** A fragmented MP4 file of nothing but the track's silence. */
function fileOf(track: Track): Uint8Array {
  const { payload, samples } = silentFrameOf(track)!;
  const packets = Array.from({ length: FRAMES }, (_, n) =>
    mediaPacket({ track, dts: n * samples, payload }),
  );
  const table = tableOf(track, packets, 0, FRAMES, samples);
  const header = buildFragmentHeader(1, [table]);
  return Buffer.concat([buildInitSegment([track]), header, ...packets.map((packet) => packet.payload)]);
}

for (const { name, track } of cases) {
  test(`${name} is silent`, { skip: needs("ffmpeg") }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "weir-silence-"));
    t.after(() => rm(folder, { recursive: true }));
    const [input, output] = [join(folder, "silence.mp4"), join(folder, "silence.raw")];
    await writeFile(input, fileOf(track));
    // Of HE-AAC in mono ffmpeg makes two channels, since parametric stereo might come.
    const channels = String(track.channels);
    const { stderr } = await ffmpeg(["-v", "warning", "-i", input, "-ac", channels, "-f", "f32le", output]);
    assert.equal(stderr, "");
    const pcm = await readFile(output);
    const isZero = (_: number, n: number): boolean => n % 4 !== 0 || pcm.readFloatLE(n) === 0;
    assert.ok(pcm.every(isZero), "it decodes to zeros");
    const { samples, sampleRate } = silentFrameOf(track)!;
    assert.equal(sampleRate, track.sampleRate);
    assert.equal(pcm.byteLength, samples * FRAMES * track.channels * 4);
  });
}
