import assert from "node:assert/strict";
import { test } from "node:test";
import { audioTrack, sourcePacket, videoTrack } from "../../test/support/media.ts";
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
