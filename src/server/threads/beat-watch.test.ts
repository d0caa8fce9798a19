import assert from "node:assert/strict";
import { test } from "node:test";
import { BeatWatch } from "./beat-watch.ts";

function beating(...beats: number[]): Int32Array {
  return Int32Array.from(beats);
}

test("a thread whose counter stands is silent for as long as the watcher has beaten since", () => {
  const beats = beating(5, 5);
  const watch = new BeatWatch(beats);
  watch.observe();
  for (let i = 0; i < 24; i++) {
    beats[0]!++;
    watch.observe();
  }
  assert.deepEqual([watch.silentMs(0), watch.silentMs(1)], [0, 12_000]);
  beats[1]!++;
  watch.observe();
  assert.equal(watch.silentMs(1), 0);
});

test("a suspended process costs one beat, however long it slept: its watcher slept too", () => {
  const beats = beating(7);
  const watch = new BeatWatch(beats);
  watch.observe();
  watch.observe();
  assert.equal(watch.silentMs(0), 500);
});

test("no thread is silent before its first beat, after its end, or where there is none", () => {
  const beats = beating(0);
  const watch = new BeatWatch(beats);
  for (let i = 0; i < 100; i++) watch.observe();
  assert.equal(watch.silentMs(0), 0);
  beats[0] = 9;
  for (let i = 0; i < 100; i++) watch.observe();
  assert.ok(watch.silentMs(0) > 10_000);
  beats[0] = 0;
  watch.observe();
  assert.deepEqual([watch.silentMs(0), watch.silentMs(1)], [0, 0]);
});

test("a counter that has run over goes on", () => {
  const beats = beating(2 ** 31 - 1);
  const watch = new BeatWatch(beats);
  watch.observe();
  Atomics.add(beats, 0, 1);
  watch.observe();
  assert.deepEqual([beats[0], watch.silentMs(0)], [-(2 ** 31), 0]);
});

test("a thread that is forgiven has as long as any other, and still counts as silent after that", () => {
  const watch = new BeatWatch(beating(7));
  for (let i = 0; i < 10; i++) watch.observe();
  watch.forgive(0);
  assert.equal(watch.silentMs(0), 0);
  for (let i = 0; i < 4; i++) watch.observe();
  assert.equal(watch.silentMs(0), 2000);
});
