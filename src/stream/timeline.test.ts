import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, livePackets, sourcePacket, videoTrack } from "../../test/support/media.ts";
import type { SourcePacket } from "../media/packet.ts";
import type { Track } from "../media/track.ts";
import type { Placement } from "./timeline.ts";
import { Timeline } from "./timeline.ts";

const WALL_US = 1_767_225_600_000_000;
const video = videoTrack();
const audio = audioTrack();

function placeAll(timeline: Timeline, times: readonly number[], track = video, wallUs = WALL_US): number[] {
  return times.map((dts) => {
    const packet = sourcePacket({ track, dts });
    assert.equal(timeline.judge(packet), "fits");
    return timeline.place(packet, wallUs).dts;
  });
}

test("the first packet of a run stands at the wall clock, the others keep their distance to it", () => {
  const timeline = new Timeline();
  const start = (WALL_US / 1_000_000) * 90_000;
  assert.deepEqual(placeAll(timeline, [9000, 12_600, 16_200]), [start, start + 3600, start + 7200]);
});

test("audio and video keep their offset to each other", () => {
  const timeline = new Timeline();
  const [firstVideo] = placeAll(timeline, [90_000]);
  const [firstAudio] = placeAll(timeline, [48_480], audio);
  const offsetUs = (firstAudio! / 48_000 - firstVideo! / 90_000) * 1e6;
  assert.ok(Math.abs(offsetUs - 10_000) < 25, `${offsetUs} us`);
});

test("a source that comes back with times from zero goes on at the wall clock", () => {
  const timeline = new Timeline();
  placeAll(timeline, [500_000, 503_600]);
  timeline.breakRun();
  const [dts] = placeAll(timeline, [0], video, WALL_US + 5_000_000);
  assert.equal(dts, ((WALL_US + 5_000_000) / 1_000_000) * 90_000);
});

test("media that ran ahead of the wall clock is continued at its own end, never over itself", () => {
  const timeline = new Timeline();
  const sent = placeAll(
    timeline,
    Array.from({ length: 100 }, (_, i) => i * 90_000),
  );
  timeline.breakRun();
  const [dts] = placeAll(timeline, [0]);
  assert.ok(dts! >= sent.at(-1)!, "time went back");
});

test("the wall clock stepping back an hour does not turn the stream back", () => {
  const timeline = new Timeline();
  const [before] = placeAll(timeline, [0]);
  timeline.breakRun();
  const [after] = placeAll(timeline, [0], video, WALL_US - 3_600_000_000);
  assert.ok(after! >= before!);
});

const jumps = [
  { name: "two seconds back", dts: 1_000_000 - 180_000, want: "breaks" },
  { name: "half a second back", dts: 1_000_000 - 45_000, want: "fits" },
  { name: "eleven seconds on", dts: 1_000_000 + 990_000, want: "breaks" },
  { name: "nine seconds on", dts: 1_000_000 + 810_000, want: "fits" },
] as const;
for (const { name, dts, want } of jumps) {
  test(`a step of ${name} ${want === "fits" ? "belongs to the run" : "breaks the run"}`, () => {
    const timeline = new Timeline();
    placeAll(timeline, [1_000_000]);
    assert.equal(timeline.judge(sourcePacket({ track: video, dts })), want);
  });
}

test("after a break the other track's stragglers are strays, and a hundred of them are the truth", () => {
  const timeline = new Timeline();
  placeAll(timeline, [90_000_000]);
  timeline.breakRun();
  placeAll(timeline, [0]);
  const old = sourcePacket({ track: audio, dts: 48_000_000 });
  for (let i = 0; i < Timeline.MAX_STRAYS; i++) assert.equal(timeline.judge(old), "stray");
  assert.equal(timeline.judge(old), "breaks");
});

test("dts always rises within a track, and moved packets are counted", () => {
  const timeline = new Timeline();
  const placed = placeAll(timeline, [0, 3600, 3600, 3000, 7200]);
  for (let i = 1; i < placed.length; i++) assert.ok(placed[i]! > placed[i - 1]!);
  assert.equal(timeline.clampedPackets, 2);
});

/** Both tracks from 0 on, the audio sent so much later than the video of the same time; what a timeline makes of them. */
function playApart(timeline: Timeline, lagMs: number, durationMs: number, shiftMs = 0) {
  const sentMs = ({ track, dts }: SourcePacket) =>
    (dts * 1000) / track.timescale + (track === audio ? lagMs : 0);
  const sent = livePackets({ video, audio, durationMs }).toSorted((a, b) => sentMs(a) - sentMs(b));
  const seen = { fits: 0, stray: 0, breaks: 0 };
  const placedUs = new Map<Track, number[]>([
    [video, []],
    [audio, []],
  ]);
  for (const packet of sent) {
    const shift = (shiftMs * packet.track.timescale) / 1000;
    const shifted = { ...packet, dts: packet.dts + shift, pts: packet.pts + shift };
    const placement = timeline.judge(shifted);
    seen[placement]++;
    if (placement === "stray") continue;
    if (placement === "breaks") timeline.breakRun();
    const { dts } = timeline.place(shifted, WALL_US);
    placedUs.get(packet.track)!.push((dts / packet.track.timescale) * 1e6);
  }
  return { seen, placedUs, videoUs: placedUs.get(video)!, audioUs: placedUs.get(audio)! };
}

for (const lagMs of [500, 900, 1000, 1100, 1500, 3000, 5000, 9500]) {
  test(`audio that is sent ${lagMs} ms behind its video is taken whole, at its own times`, () => {
    const { seen, videoUs, audioUs } = playApart(new Timeline(), lagMs, 20_000);
    assert.deepEqual([seen.stray, seen.breaks], [0, 0]);
    assert.ok(Math.abs(audioUs[0]! - videoUs[0]!) < 50);
    assert.ok(audioUs.every((us, i) => Math.abs(us - videoUs[0]! - (i * 1024e6) / 48_000) < 50));
  });
}

test("video that is sent behind its audio is taken whole, too", () => {
  const { seen } = playApart(new Timeline(), -3000, 20_000);
  assert.deepEqual([seen.stray, seen.breaks], [0, 0]);
});

test("audio that starts after half a minute keeps its offset", () => {
  const timeline = new Timeline();
  const [start] = placeAll(
    timeline,
    Array.from({ length: 800 }, (_, i) => i * 3600),
  );
  const [first] = placeAll(timeline, [29 * 48_000], audio);
  assert.ok(Math.abs(first! / 48_000 - start! / 90_000 - 29) < 0.001);
});

test("audio from before the run's first picture is dropped, what follows is taken", () => {
  const timeline = new Timeline();
  const pictures = Array.from({ length: 500 }, (_, i) =>
    sourcePacket({ track: video, dts: 900_000 + i * 3600 }),
  );
  const judged: Placement[] = [];
  for (const [i, picture] of pictures.entries()) {
    assert.equal(timeline.judge(picture), "fits");
    timeline.place(picture, WALL_US);
    const sound = sourcePacket({ track: audio, dts: 5 * 48_000 + i * 1920 });
    const placement = timeline.judge(sound);
    judged.push(placement);
    if (placement === "fits")
      assert.ok(timeline.place(sound, WALL_US).dts >= ((WALL_US - 1e6) / 1e6) * 48_000);
  }
  assert.equal(judged.indexOf("fits"), 100);
  assert.ok(judged.slice(100).every((placement) => placement === "fits"));
});

test("a track that falls silent for long returns as far behind as it was", () => {
  const timeline = new Timeline();
  placeAll(timeline, [5 * 90_000]);
  placeAll(timeline, [0.5 * 48_000 + 4 * 48_000], audio);
  placeAll(
    timeline,
    [6, 14, 22, 30].map((s) => s * 90_000),
  );
  assert.equal(timeline.judge(sourcePacket({ track: audio, dts: 29.5 * 48_000 })), "fits");
});

for (const lagMs of [0, 500, 1500]) {
  for (const shiftMs of [3_600_000, -15_000]) {
    test(`a jump of both tracks by ${shiftMs} ms, ${lagMs} ms apart, breaks the run once and loses nothing after it`, () => {
      const timeline = new Timeline();
      const before = playApart(timeline, lagMs, 15_000);
      assert.equal(before.seen.breaks, 0);
      const after = playApart(timeline, lagMs, 10_000, shiftMs);
      assert.deepEqual([after.seen.breaks, after.seen.stray], [1, 0]);
      const lastUs = Math.max(...before.videoUs);
      assert.ok(after.videoUs[0]! >= lastUs);
      assert.ok(Math.abs(after.audioUs[0]! - after.videoUs[0]!) < 50);
    });
  }
}

test("a track whose clock has nothing to do with the others gets a place of its own beside them", () => {
  const timeline = new Timeline();
  let strays = 0;
  let lastUs = 0;
  for (let i = 0; i < 400; i++) {
    const picture = sourcePacket({ track: video, dts: i * 3600 });
    assert.equal(timeline.judge(picture), "fits");
    const videoUs = (timeline.place(picture, WALL_US).dts / 90_000) * 1e6;
    const sound = sourcePacket({ track: audio, dts: 48_000_000 + i * 1920 });
    const placement = timeline.judge(sound);
    assert.notEqual(placement, "breaks");
    if (placement === "stray") strays++;
    else lastUs = (timeline.place(sound, WALL_US).dts / 48_000) * 1e6 - videoUs;
  }
  assert.equal(strays, Timeline.MAX_STRAYS);
  assert.ok(Math.abs(lastUs) < 50, `${lastUs} us apart`);
});

test("strays of thousands of tracks are forgotten, oldest first", () => {
  const timeline = new Timeline();
  placeAll(timeline, [0]);
  const first = sourcePacket({ track: audioTrack(), dts: 48_000_000 });
  for (let i = 0; i < Timeline.MAX_STRAYS; i++) timeline.judge(first);
  for (let i = 0; i < 2000; i++)
    assert.equal(timeline.judge(sourcePacket({ track: audioTrack(), dts: 48_000_000 })), "stray");
  assert.equal(timeline.judge(first), "stray", "its count was forgotten");
});

test("a jump of a source whose audio is sent behind drops what is left of the old clock, and breaks the run once", () => {
  const timeline = new Timeline();
  const sentUs = ({ track, dts }: SourcePacket) =>
    (dts * 1e6) / track.timescale + (track === audio ? 1.5e6 : 0);
  const sent = livePackets({ video, audio, durationMs: 30_000 }).toSorted((a, b) => sentUs(a) - sentUs(b));
  const seen = { fits: 0, stray: 0, breaks: 0 };
  for (const packet of sent) {
    const jumped = packet.dts >= 15 * packet.track.timescale;
    const shifted = { ...packet, dts: packet.dts + (jumped ? 3600 * packet.track.timescale : 0) };
    const placement = timeline.judge(shifted);
    seen[placement]++;
    if (placement === "breaks") timeline.breakRun();
    if (placement !== "stray") timeline.place(shifted, WALL_US);
  }
  assert.equal(seen.breaks, 1);
  assert.ok(Math.abs(seen.stray - (1.5 * 48_000) / 1024) < 2, `${seen.stray} strays`);
});

/** Places packets as a stream does. Returns: what they were judged. */
function play(timeline: Timeline, packets: readonly SourcePacket[]): Record<Placement, number> {
  const seen = { fits: 0, stray: 0, breaks: 0 };
  for (const packet of packets) {
    const placement = timeline.judge(packet);
    seen[placement]++;
    if (placement === "breaks") timeline.breakRun();
    if (placement !== "stray") timeline.place(packet, WALL_US);
  }
  return seen;
}

/** Ten seconds of some tracks, from a time of the source on, with the audio sent so much later than the video. */
function tenSeconds(tracks: { video: Track; audio: Track }, fromS: number, lagMs = 0): SourcePacket[] {
  const sentMs = ({ track, dts }: SourcePacket): number =>
    (dts * 1000) / track.timescale + (track.kind === "audio" ? lagMs : 0);
  return livePackets({ ...tracks, durationMs: 10_000 })
    .toSorted((a, b) => sentMs(a) - sentMs(b))
    .map((packet) => {
      const shift = fromS * packet.track.timescale;
      return { ...packet, dts: packet.dts + shift, pts: packet.pts + shift };
    });
}

const CHANGES: readonly [what: string, tracks: { video: Track; audio: Track }][] = [
  ["both tracks", { video: videoTrack({ width: 128 }), audio: audioTrack({ channels: 1 }) }],
  ["the video track", { video: videoTrack({ width: 128 }), audio }],
  ["the audio track", { video, audio: audioTrack({ channels: 1 }) }],
  ["tracks of other timescales", { video: videoTrack({ timescale: 1000 }), audio: audioTrack() }],
];
for (const [what, tracks] of CHANGES) {
  for (const toS of [3600, -3600]) {
    for (const lagMs of [-1500, 0, 1500]) {
      test(`a jump by ${toS} s with a change of ${what}, sound ${lagMs} ms later, loses nothing`, () => {
        const timeline = new Timeline();
        assert.equal(play(timeline, tenSeconds({ video, audio }, 7200)).stray, 0);
        const endUs = timeline.endUs;
        const { stray, breaks } = play(timeline, tenSeconds(tracks, 7200 + 10 + toS, lagMs));
        assert.deepEqual({ stray, breaks }, { stray: 0, breaks: 1 });
        assert.ok(Math.abs(timeline.endUs - endUs - 10e6) < 50_000, `${timeline.endUs - endUs} us`);
      });
    }
  }
  test(`a change of ${what} without a jump breaks nothing`, () => {
    const timeline = new Timeline();
    play(timeline, tenSeconds({ video, audio }, 7200));
    const { stray, breaks } = play(timeline, tenSeconds(tracks, 7210));
    assert.deepEqual({ stray, breaks }, { stray: 0, breaks: 0 });
  });
}

test("a track with a clock of its own keeps it when its configuration changes", () => {
  const timeline = new Timeline();
  const apart = (of: Track, from: number, count: number): number => {
    let lastUs = 0;
    for (let i = from; i < from + count; i++) {
      const picture = sourcePacket({ track: video, dts: i * 3600 });
      assert.equal(timeline.judge(picture), "fits");
      const videoUs = (timeline.place(picture, WALL_US).dts / 90_000) * 1e6;
      const sound = sourcePacket({ track: of, dts: 48_000_000 + i * 1920 });
      const placement = timeline.judge(sound);
      if (from > 0) assert.equal(placement, "fits");
      if (placement !== "stray") lastUs = (timeline.place(sound, WALL_US).dts / 48_000) * 1e6 - videoUs;
    }
    return lastUs;
  };
  const before = apart(audio, 0, 200);
  const after = apart(audioTrack({ channels: 1 }), 200, 50);
  assert.ok(Math.abs(after - before) < 50, `${before} us, then ${after} us`);
});
