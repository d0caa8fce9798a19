import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LiveSource, SOURCE_START_US } from "../../../test/support/live-source.ts";
import type { SourceStretch } from "../../../test/support/live-source.ts";
import { audioTrack, mediaPacket, videoTrack } from "../../../test/support/media.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { SilenceJudge } from "../../../test/support/silence-judge.ts";
import { silentFrameOf } from "../../codecs/silence.ts";
import { trackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { Track } from "../../media/track.ts";
import { fuzz } from "./silence-filler.fuzz.ts";
import { SilenceFiller } from "./silence-filler.ts";

const SECOND = 48_000;
const START = (SOURCE_START_US / 1e6) * SECOND;
const silence = silentFrameOf(audioTrack())!.payload;
const isSilence = ({ payload }: MediaPacket): boolean => Buffer.compare(payload, silence) === 0;

/** What comes out of the stage, and what it is said to do. */
function play(stretches: readonly SourceStretch[], audio: Track = audioTrack()) {
  const judge = new SilenceJudge(isSilence);
  const log = new RecordingLog();
  const filler = new SilenceFiller(judge, { log });
  const source = new LiveSource(filler, { audio });
  for (const stretch of stretches) source.play(stretch);
  const sound = judge.packets.filter(({ track }) => track.kind === "audio");
  return { judge, log, filler, source, sound, silent: sound.filter(isSilence) };
}

/** Seconds from the source's begin. */
const at = ({ dts }: MediaPacket): number => (dts - START) / SECOND;

/** The longest hole between frames of sound, in frames. */
function longestHole(sound: readonly MediaPacket[]): number {
  let longest = 0;
  for (const [i, packet] of sound.entries())
    if (i > 0) longest = Math.max(longest, (packet.dts - sound[i - 1]!.dts) / 1024 - 1);
  return longest;
}

test("sound that is there goes through as it is", () => {
  const { judge, silent, log, source } = play([{ seconds: 10 }]);
  assert.equal(judge.packets.length, 250 + Math.ceil((10 * SECOND) / 1024));
  assert.deepEqual([silent.length, log.lines.length], [0, 0]);
  assert.deepEqual(judge.sets[0]!.tracks, [source.video, source.audio]);
});

describe("sound that stops while the pictures go on", () => {
  const stops: readonly SourceStretch[] = [{ seconds: 5 }, { seconds: 5, hasAudio: false }];

  test("is waited for a second, then goes on as silence without a hole, up to the pictures", () => {
    const { judge, sound, silent } = play(stops);
    assert.equal(longestHole(sound), 0);
    assert.ok(at(sound.at(-1)!) >= 9.9 && at(sound.at(-1)!) < 9.96);
    assert.ok(at(silent[0]!) - 5 < 1024 / SECOND);
    const first = judge.packets.indexOf(silent[0]!);
    const pictures = judge.packets.slice(0, first).filter(({ track }) => track.kind === "video");
    const waitedS = pictures.at(-1)!.dts / 90_000 - SOURCE_START_US / 1e6;
    assert.ok(waitedS > 5.9 && waitedS < 6, `filled behind the picture at ${waitedS}`);
  });

  test("keeps pace with every picture from then on", () => {
    const { judge } = play(stops);
    let audioUs = 0;
    for (const { track, dts } of judge.packets) {
      if (track.kind === "audio") audioUs = (dts / SECOND) * 1e6;
      else if ((dts / 90_000) * 1e6 > SOURCE_START_US + 6_100_000)
        assert.ok((dts / 90_000) * 1e6 - audioUs < 2 * 21_334, `${audioUs} at ${dts}`);
    }
  });

  test("comes back: what was filled is dropped, and a line says each", () => {
    const { sound, log, source } = play([...stops, { seconds: 3 }]);
    assert.equal(longestHole(sound), 0);
    assert.ok(!isSilence(sound.at(-1)!));
    assert.equal(
      sound.filter(isSilence).length,
      sound.findLastIndex(isSilence) - sound.findIndex(isSilence) + 1,
    );
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, fields]),
      [
        ["warn", { tracks: source.audio.id }],
        ["info", {}],
      ],
    );
  });

  test("is filled the same for who began to listen in the middle of it", () => {
    const { silent, judge } = play([{ seconds: 5 }, { seconds: 10, hasAudio: false }]);
    const late = new SilenceJudge(isSilence);
    const filler = new SilenceFiller(late);
    filler.onTracks(judge.sets[0]!);
    const from = SOURCE_START_US / 1e6 + 8;
    const pictures = judge.packets.filter(
      ({ track, dts }) => track.kind === "video" && dts / 90_000 >= from,
    );
    for (const packet of pictures) filler.onPacket(packet);
    const frames = late.packets.filter(isSilence).map(({ dts }) => dts);
    assert.ok(frames.length > 300);
    assert.deepEqual(
      frames,
      silent.map(({ dts }) => dts).filter((dts) => dts >= frames[0]!),
    );
  });

  test("goes on as silence when a few frames come after it that an encoder had left", () => {
    const { filler, judge, source } = play([{ seconds: 5 }, { seconds: 5, hasAudio: false }]);
    const { epoch } = judge.sets[0]!;
    for (let n = 0; n < 7; n++)
      filler.onPacket(mediaPacket({ track: source.audio, dts: START + 5 * SECOND + n * 1024, epoch }));
    source.play({ seconds: 5, hasAudio: false });
    const sound = judge.packets.filter(({ track }) => track.kind === "audio");
    assert.equal(longestHole(sound), 0);
    assert.ok(at(sound.at(-1)!) >= 14.9);
    const pictures = judge.packets.slice(judge.packets.lastIndexOf(sound.at(-40)!)).length;
    assert.ok(pictures < 80, "it is filled picture by picture");
  });

  test("without a form of silence it is left as it is", () => {
    const { silent, log } = play(stops, audioTrack({ codec: "ac3" }));
    assert.deepEqual([silent.length, log.lines.length], [0, 0]);
  });
});

test("sound that is announced and starts late begins as silence, where the pictures begin", () => {
  const judge = new SilenceJudge(isSilence);
  const filler = new SilenceFiller(judge);
  const [video, audio] = [videoTrack(), audioTrack()];
  filler.onTracks(makeTrackSet(1, [video, audio]));
  const picture = (n: number): void =>
    filler.onPacket(mediaPacket({ track: video, dts: n * 3600, isSync: n % 25 === 0 }));
  // The first random access point is at 41 s.
  for (let n = 1001; n < 1050; n++) picture(n);
  assert.equal(judge.packets.filter(isSilence).length, 0);
  picture(1050);
  const frames = judge.packets.filter(isSilence);
  const [first, last] = [frames[0]!.dts / SECOND, frames.at(-1)!.dts / SECOND];
  assert.ok(first >= 41 && first < 41.022, `from ${first} s`);
  assert.ok(last >= 42 && last < 42.022, `to ${last} s`);
  assert.equal(longestHole(frames), 0);
});

for (const lagMs of [100, 900, 1200, 5000, 9500]) {
  test(`sound that is always ${lagMs} ms late is heard, but for the beginning where that is over a second`, () => {
    const { sound, silent } = play([{ seconds: 40, audioLagUs: lagMs * 1000 }]);
    const filledS = (silent.length * 1024) / SECOND;
    assert.ok(
      lagMs < 1000 ? silent.length === 0 : filledS < (lagMs + 300) / 1000,
      `${filledS} s of silence`,
    );
    assert.equal(longestHole(sound), 0);
    assert.equal(sound.findLastIndex(isSilence), silent.length - 1);
  });
}

describe("a publisher that comes back without sound", () => {
  const back: readonly SourceStretch[] = [{ seconds: 4 }, { seconds: 4, hasAudio: false, begins: "break" }];

  test("leaves the track where it was, and it is silent from the first picture on", () => {
    const { judge, silent, source } = play(back);
    assert.deepEqual(judge.sets[1]!.tracks, [source.video, source.audio]);
    assert.equal(judge.sets[1]!.reference, source.video);
    assert.ok(Math.abs(at(silent[0]!) - 4) < 1024 / SECOND);
    const first = judge.packets.indexOf(silent[0]!);
    assert.equal(judge.packets.slice(0, first).filter(({ epoch }) => epoch === 2).length, 1);
    assert.equal(longestHole(silent), 0);
  });

  test("and another one with sound: it takes the silence's place, and the log says so once", () => {
    const { judge, log, sound } = play([
      ...back,
      { seconds: 2, hasAudio: false, begins: "break" },
      { seconds: 4, begins: "break" },
    ]);
    assert.equal(judge.sets[3]!.tracks.length, 2);
    assert.ok(!isSilence(sound.at(-1)!));
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ["warn", "info"],
    );
  });

  test("with other sound: that takes the track's place", () => {
    const { judge, filler, source } = play(back);
    const other = audioTrack({ timescale: 90_000 });
    filler.onTracks(makeTrackSet(9, [source.video, other]));
    assert.deepEqual(judge.sets.at(-1)!.tracks, [source.video, other]);
    filler.onTracks(makeTrackSet(10, [source.video]));
    assert.deepEqual(judge.sets.at(-1)!.tracks, [source.video, other]);
  });

  test("with sound of which there is no silence: that is said to be back", () => {
    const { filler, log, source } = play(back);
    assert.deepEqual(log.of("info"), []);
    filler.onTracks(makeTrackSet(9, [source.video, audioTrack({ codec: "ac3" })]));
    assert.equal(log.of("info").length, 1);
  });

  test("without video either: nothing is invented", () => {
    const { judge, filler } = play([{ seconds: 4 }]);
    const alone = makeTrackSet(9, [audioTrack({ id: trackId("audio", 2) })]);
    filler.onTracks(alone);
    assert.equal(judge.sets.at(-1), alone);
  });
});

test("a stream that began without sound has none", () => {
  const { judge, sound } = play([
    { seconds: 4, hasAudio: false },
    { seconds: 4, hasAudio: false, begins: "break" },
  ]);
  assert.deepEqual([judge.sets.map(({ tracks }) => tracks.length), sound.length], [[1, 1], 0]);
});

test("tracks keep their order, and no more than eight are kept", () => {
  const judge = new SilenceJudge(isSilence);
  const filler = new SilenceFiller(judge);
  const video = videoTrack();
  const sounds = Array.from({ length: 12 }, (_, n) => audioTrack({ id: trackId("audio", n + 1) }));
  filler.onTracks(makeTrackSet(1, [sounds[0]!, video, sounds[1]!]));
  filler.onTracks(makeTrackSet(2, [video, sounds[1]!]));
  assert.deepEqual(
    judge.sets[1]!.tracks.map(({ id }) => id),
    ["a1", "v1", "a2"],
  );
  for (const [n, sound] of sounds.entries()) filler.onTracks(makeTrackSet(n + 3, [video, sound]));
  assert.equal(filler.heard.length, 8);
  const next = new SilenceFiller(judge, { heard: filler.heard });
  next.onTracks(makeTrackSet(99, [video]));
  assert.equal(judge.sets.at(-1)!.tracks.length, 9);
});

test("what was filled stays filled over sets without the track; of more than sixteen tracks the oldest is forgotten", () => {
  for (const [others, isDropped] of [
    [1, true],
    [15, true],
    [16, false],
  ] as const) {
    const judge = new SilenceJudge(isSilence);
    const filler = new SilenceFiller(judge);
    const [video, audio] = [videoTrack(), audioTrack()];
    filler.onTracks(makeTrackSet(1, [video, audio]));
    for (let n = 0; n < 100; n++)
      filler.onPacket(mediaPacket({ track: video, dts: n * 3600, isSync: n % 25 === 0 }));
    const filled = judge.packets.findLast(isSilence)!;
    const more = Array.from({ length: others }, (_, n) => audioTrack({ id: trackId("audio", n + 2) }));
    filler.onTracks(makeTrackSet(2, more));
    filler.onTracks(makeTrackSet(3, [audio]));
    // Only what it lets through is looked at: the judge would refuse what was forgotten.
    const seen: MediaPacket[] = [];
    judge.onPacket = (packet) => void seen.push(packet);
    filler.onPacket(mediaPacket({ track: audio, dts: filled.dts, epoch: 3 }));
    assert.equal(seen.length, isDropped ? 0 : 1, `${others} others`);
  }
});

test("a hole in the pictures is not filled, however long", () => {
  for (const hours of [1 / 900, 1, 20_000]) {
    const judge = new SilenceJudge(isSilence);
    const source = new LiveSource(new SilenceFiller(judge));
    source.play({ seconds: 5 });
    source.play({ seconds: 5, hasAudio: false });
    source.skip(hours * 3600);
    source.play({ seconds: 5, hasAudio: false });
    const silent = judge.packets.filter(isSilence);
    // Two times five seconds, each up to a frame before its last picture.
    const most = (2 * 4.96 * SECOND) / 1024;
    assert.ok(silent.length <= most && silent.length > most - 5, `${hours} h: ${silent.length}`);
  }
});

test("pictures of one in two seconds are filled as well", () => {
  const { sound } = play([
    { seconds: 10, frameRate: 0.5, gopFrames: 1 },
    { seconds: 20, frameRate: 0.5, gopFrames: 1, hasAudio: false },
  ]);
  assert.equal(longestHole(sound), 0);
  assert.ok(at(sound.at(-1)!) >= 28);
});

test("a sender whose sound comes and goes has one line a minute", () => {
  const flaps: SourceStretch[] = Array.from({ length: 60 }, (_, n) => ({
    seconds: 2.5,
    hasAudio: n % 2 === 0,
  }));
  const { log } = play(flaps);
  const lines = log.of("warn").map(({ fields }) => fields["timesSinceLastLine"] ?? 0);
  assert.deepEqual(lines, [0, 11, 11]);
});

test("a pause and the end go through", () => {
  const { judge, filler } = play([{ seconds: 1 }]);
  filler.onPause();
  filler.onEnd("it is over");
  assert.deepEqual([judge.pauses, judge.ends], [1, 1]);
});

test("whatever comes, times rise, silence overlaps nothing, and each picture brings a bounded number of frames", () => {
  for (const seed of fuzz.seeds)
    for (let cut = 0; cut <= seed.byteLength; cut++) fuzz.run(seed.slice(0, cut));
  const bytes = fc.uint8Array({ minLength: 10, maxLength: 200 });
  fc.assert(
    fc.property(bytes, (input) => fuzz.run(input)),
    { seed: 12, numRuns: 400 },
  );
});
