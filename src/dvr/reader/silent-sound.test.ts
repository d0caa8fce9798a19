import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { audioTrack, videoTrack } from "../../../test/support/media.ts";
import { buildOpusHead } from "../../codecs/opus/opus-head.ts";
import { readSegmentSamples } from "../../containers/mp4/segment-samples.ts";
import { trackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { parseMediaFile } from "../../packaging/media-path.ts";
import { formatNotes, parseNotes, silenceLike, silentBytes } from "./silent-sound.ts";
import { silentFragment, silentSamples, silentUs } from "./silent-sound.ts";

const START_US = 1_767_225_600_000_000;
const MONO = audioTrack({
  config: Uint8Array.of(0x12, 0x08),
  sampleRate: 44_100,
  timescale: 44_100,
  channels: 1,
});
const MP3 = audioTrack({
  id: trackId("audio", 2),
  ...{
    codec: "mp3",
    config: new Uint8Array(0),
    codecString: "mp4a.40.34",
    sampleRate: 44_100,
    timescale: 90_000,
  },
});
const OPUS = audioTrack({
  id: trackId("audio", 3),
  ...{ codec: "opus", codecString: "opus", language: "de" },
  config: opusHead(2),
});

function opusHead(channels: number): Uint8Array {
  const mapping = Array.from({ length: channels }, (_, n) => n);
  return buildOpusHead({
    ...{ channels, preSkip: 312, inputSampleRate: 48_000, outputGain: 0 },
    ...(channels <= 2
      ? { mappingFamily: 0, mapping: new Uint8Array(0) }
      : { mappingFamily: 255, mapping: Uint8Array.of(channels, 0, ...mapping) }),
  });
}

const NOTES: readonly { readonly name: string; readonly track: Track; readonly note: string }[] = [
  { name: "AAC", track: audioTrack(), note: "a1aac1190t48000" },
  { name: "AAC of one channel", track: MONO, note: "a1aac1208t44100" },
  { name: "times of milliseconds", track: audioTrack({ timescale: 1000 }), note: "a1aac1190t1000" },
  { name: "a language", track: audioTrack({ language: "en" }), note: "a1aac1190t48000len" },
  {
    name: "a language that has no short name",
    track: audioTrack({ language: "pt-BR" }),
    note: "a1aac1190t48000",
  },
  { name: "MPEG audio", track: MP3, note: "a2mp3fffb1000t90000" },
  { name: "Opus", track: OPUS, note: `a3opus${Buffer.from(OPUS.config).toString("hex")}t48000lde` },
];

describe("a note", () => {
  for (const { name, track, note } of NOTES) {
    test(`tells ${name}, and is read back`, () => {
      const sound = silenceLike(track)!;
      assert.equal(sound.note, note);
      const { id, codec, config, timescale, sampleRate, channels, codecString } = track;
      const facts = { id, codec, config, timescale, sampleRate, channels, codecString };
      const read = parseNotes(note)![0]!;
      assert.deepEqual({ ...read.track, ...facts }, read.track);
      assert.deepEqual(read, sound);
      assert.ok(parseMediaFile(`seg-1767225600000-${note}.m4s`, [id]) !== null);
      assert.ok(parseMediaFile(`init-0123456789ab-${note}.mp4`, [id]) !== null);
    });

    test(`of ${name} that is cut off anywhere is another one or none`, () => {
      for (let cut = 1; cut < note.length; cut++) {
        const read = parseNotes(note.slice(0, cut));
        if (read !== null) assert.equal(formatNotes(read), note.slice(0, cut));
      }
    });
  }

  test("stands beside others", () => {
    const sounds = NOTES.slice(4).map(({ track }) => silenceLike(track)!);
    assert.deepEqual(parseNotes(formatNotes(sounds)), sounds);
    assert.deepEqual(parseNotes(""), []);
  });

  const bad: readonly [name: string, text: string][] = [
    ["nothing between dashes", "a1aac1190t48000-"],
    ["a track twice", "a1aac1190t48000-a1aac1208t44100"],
    ["a picture", "v1aac1190t48000"],
    ["a track 0", "a0aac1190t48000"],
    ["a codec without silence", "a1ac3103cc0t48000"],
    ["a configuration that is none", "a1aacffffffffffft48000"],
    ["a configuration of half a byte", "a1aac11901t48000"],
    ["AAC that is not LC", "a1aac0990t48000"],
    ["a rate that nothing has", "a1aac17ffffff90t48000"],
    ["a rate of one", "a1aac1780000090t48000"],
    ["no ticks", "a1aac1190t0"],
    ["ticks too fine", "a1aac1190t1000001"],
    ["a language that is none", "a1aac1190t48000lenglish"],
    ["nine tracks", Array.from({ length: 9 }, (_, i) => `a${i + 1}aac1190t48000`).join("-")],
    ["a header of no MPEG audio", "a1mp300000000t44100"],
    ["a configuration too long", `a1opus${"00".repeat(31)}t48000`],
    ["large letters", "A1AAC1190T48000"],
  ];
  for (const [name, text] of bad) test(`with ${name} is none`, () => assert.equal(parseNotes(text), null));

  test("is not made of pictures, nor of sound of which there is no silence", () => {
    assert.equal(silenceLike(videoTrack()), null);
    assert.equal(silenceLike(audioTrack({ codec: "ac3", config: Uint8Array.of(0x10, 0x3c, 0xc0) })), null);
    assert.equal(silenceLike({ ...OPUS, config: opusHead(64) }), null);
  });
});

describe("silence", () => {
  for (const { name, track } of NOTES) {
    test(`of ${name} goes on without a hole from segment to segment`, () => {
      const sound = silenceLike(track)!;
      const frameTicks = (sound.frame.samples * track.timescale) / sound.frame.sampleRate;
      let nextTicks = 0;
      for (let n = 0; n < 20; n++) {
        const span = { startUs: START_US + n * 1_234_567, durationUs: 1_234_567 };
        const samples = readSegmentSamples([silentFragment(sound, span)], [sound.track]);
        assert.equal(samples.length, silentSamples(sound, span));
        const bytes = samples.reduce((sum, { payload }) => sum + payload.byteLength, 0);
        assert.equal(bytes, silentBytes(sound, span));
        const startTicks = (span.startUs / 1e6) * track.timescale;
        assert.ok(samples[0]!.dts > startTicks - 1 && samples[0]!.dts < startTicks + frameTicks + 1);
        for (const { dts, isSync, payload } of samples) {
          assert.ok(nextTicks === 0 || Math.abs(dts - nextTicks) <= 1, `${dts}, not ${nextTicks}`);
          assert.ok(isSync);
          assert.deepEqual(payload, sound.frame.payload);
          nextTicks = dts + frameTicks;
        }
        const us = (samples.length * frameTicks * 1e6) / track.timescale;
        assert.ok(Math.abs(silentUs(sound, span) - us) <= 1e6 / track.timescale + 1);
      }
    });
  }

  test("shorter than a frame may be none, and longer than any segment is none", () => {
    const sound = silenceLike(audioTrack())!;
    const counts = Array.from({ length: 10 }, (_, n) => {
      const span = { startUs: START_US + n * 5000, durationUs: 5000 };
      assert.equal(silentFragment(sound, span).byteLength > 0, silentSamples(sound, span) > 0);
      return silentSamples(sound, span);
    });
    assert.ok(counts.includes(0) && counts.includes(1));
    assert.ok(silentSamples(sound, { startUs: START_US, durationUs: 600e6 }) > 28_000);
    assert.equal(silentSamples(sound, { startUs: START_US, durationUs: 601e6 }), 0);
    assert.equal(silentFragment(sound, { startUs: START_US, durationUs: 4e9 }).byteLength, 0);
  });
});
