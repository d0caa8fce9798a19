import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgramClock } from "./program-clock.ts";

const SECOND = 90_000;
const clockOf = (tracks: number): ProgramClock => {
  const clock = new ProgramClock({ delayTicks: 18_000, waitTicks: 3 * SECOND, marginTicks: 3600 });
  clock.begin(tracks);
  return clock;
};

test("the clock waits where it began until every track has shown itself", () => {
  const clock = clockOf(2);
  clock.note(0, 0);
  assert.equal(clock.due, -18_000);
  clock.note(0, SECOND);
  assert.equal(clock.due, -18_000);
  clock.note(1, 0);
  assert.equal(clock.due, -3600);
  clock.note(0, 2 * SECOND);
  assert.equal(clock.due, SECOND - 3600);
});

test("a track that falls silent does not stop the clock", () => {
  const clock = clockOf(2);
  for (let i = 0; i < 5; i++) for (const track of [0, 1]) clock.note(track, i * 3600);
  for (let i = 5; i < 500; i++) clock.note(0, i * 3600);
  assert.equal(clock.due, 499 * 3600 - 18_000);
});

const steps = [
  { name: "one that goes on", track: 1, ticks: 19 * SECOND, isJump: false },
  {
    name: "one that is silent for long and comes back as late",
    track: 1,
    ticks: 38.5 * SECOND,
    isJump: false,
  },
  { name: "two seconds back", track: 0, ticks: 38 * SECOND, isJump: true },
  { name: "half a second back", track: 0, ticks: 39.5 * SECOND, isJump: false },
  { name: "nine seconds on", track: 0, ticks: 49 * SECOND, isJump: false },
  { name: "eleven seconds on", track: 0, ticks: 51 * SECOND, isJump: true },
  { name: "a new one within ten seconds", track: 2, ticks: 31 * SECOND, isJump: false },
  { name: "a new one further off", track: 2, ticks: 29 * SECOND, isJump: true },
];
for (const { name, track, ticks, isJump } of steps) {
  test(`${name}: ${isJump ? "a break" : "no break"}`, () => {
    const clock = clockOf(3);
    clock.note(0, 20 * SECOND);
    clock.note(1, 18.5 * SECOND);
    clock.note(0, 30 * SECOND);
    clock.note(0, 40 * SECOND);
    assert.equal(clock.isJump(track, ticks), isJump);
    clock.reset();
    assert.equal(clock.isJump(track, ticks), false, "nothing is known after a break");
  });
}
