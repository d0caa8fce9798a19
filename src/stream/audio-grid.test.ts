import assert from "node:assert/strict";
import { test } from "node:test";
import { AudioGrid } from "./audio-grid.ts";

const RATE = 48_000;
const FRAME = 1024;
const exactUs = (index: number): number => Math.round((index * FRAME * 1_000_000) / RATE);
const roundedUs = (index: number): number => Math.round(exactUs(index) / 1000) * 1000;
const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, index) => time - times[index]!);

function place(timesUs: readonly number[], grid = new AudioGrid(RATE)): number[] {
  return timesUs.map((timeUs) => grid.place(timeUs, FRAME));
}

test("times rounded to milliseconds become the exact grid", () => {
  const times = place(Array.from({ length: 10_000 }, (_, index) => roundedUs(index)));
  assert.deepEqual(new Set(gaps(times)), new Set([FRAME]));
  assert.equal(times[0], 0);
});

test("jitter within the tolerance does not move the grid", () => {
  const wave = (index: number): number => roundedUs(index) + (index % 2 === 0 ? 10_000 : -10_000);
  const times = place(Array.from({ length: 300 }, (_, index) => Math.max(0, wave(index))));
  const moves = gaps(times).filter((gap) => gap !== FRAME);
  assert.deepEqual(moves, []);
});

test("a hole longer than the tolerance stays a hole", () => {
  const times = place([0, 1, 2, 10, 11].map(roundedUs));
  assert.equal(times[3], Math.floor((roundedUs(10) * RATE) / 1_000_000));
  assert.equal(gaps(times)[3], FRAME);
});

test("one lost frame, shorter than the tolerance, is made good within 64 frames", () => {
  const indices = Array.from({ length: 200 }, (_, index) => (index < 50 ? index : index + 1));
  const times = place(indices.map(roundedUs));
  const last = times.at(-1)!;
  assert.ok(Math.abs(last - 200 * FRAME) <= 48, `off by ${last - 200 * FRAME}`);
  assert.equal(gaps(times).filter((gap) => gap !== FRAME).length, 1);
});

test("a clock that drifts is followed, and times always rise", () => {
  for (const drift of [1.001, 0.999]) {
    const times = place(Array.from({ length: 20_000 }, (_, index) => Math.round(exactUs(index) * drift)));
    const last = exactUs(19_999) * drift;
    assert.ok(Math.abs((times.at(-1)! * 1_000_000) / RATE - last) <= 30_000);
    assert.ok(gaps(times).every((gap) => gap > 0));
  }
});

test("a small step back is moved behind the last frame", () => {
  const times = place([100_000, 121_000, 60_000]);
  assert.equal(times[2], times[1]! + 1);
});

test("a step back of a second or more stands, as a new timeline", () => {
  const times = place([5_000_000, 5_021_000, 0, 21_000]);
  assert.deepEqual(times.slice(2), [0, FRAME]);
});

test("frames without a known duration keep their stated times in order", () => {
  const grid = new AudioGrid(RATE);
  const times = [0, 100_000, 200_000].map((timeUs) => grid.place(timeUs, 0));
  assert.deepEqual(times, [0, 4800, 9600]);
});
