import assert from "node:assert/strict";
import { test } from "node:test";
import type { Choice } from "./engines.js";
import { Wishes } from "./wishes.js";

function told(wishes: Wishes, ...choices: Choice[]): string[] {
  const calls: string[] = [];
  wishes.tell({ choices, choose: (kind, index) => void calls.push(`${kind} ${index}`) });
  return calls;
}

const sound = (names: string[], selected = 0): Choice => ({ kind: "sound", names, selected });

const places: [name: string, names: string[], calls: string[]][] = [
  ["under its name, wherever that is now", ["Suomi", "Deutsch", "English"], ["sound 2"]],
  ["in its place, where as many are called otherwise", ["a", "b"], ["sound 1"]],
  ["not at all where it is gone", ["Suomi"], []],
  ["not at all where it is so already", ["English", "Suomi"], []],
];
for (const [name, names, calls] of places) {
  test(`a choice is told to the next engine ${name}`, () => {
    const wishes = new Wishes();
    wishes.note("sound", 1, ["Suomi", "English"]);
    wishes.begin();
    assert.deepEqual(told(wishes, sound(names)), calls);
  });
}

test("a choice is told when the engine knows what there is, and once", () => {
  const wishes = new Wishes();
  wishes.note("sound", 1, ["a", "b"]);
  assert.deepEqual(told(wishes, sound(["a", "b"])), [], "the engine that it was made of knows it");
  wishes.begin();
  assert.deepEqual(told(wishes, sound([])), []);
  assert.deepEqual(told(wishes, sound(["a", "b"])), ["sound 1"]);
  assert.deepEqual(told(wishes, sound(["a", "b"])), []);
});

test("no subtitles are a choice, and an automatic quality is none", () => {
  const wishes = new Wishes();
  wishes.note("subtitles", -1, ["English"]);
  wishes.note("quality", 1, ["360p", "720p"]);
  wishes.note("quality", -1, ["360p", "720p"]);
  wishes.begin();
  const calls = told(
    wishes,
    { kind: "subtitles", names: ["English"], selected: 0 },
    { kind: "quality", names: ["360p", "720p"], selected: 0 },
  );
  assert.deepEqual(calls, ["subtitles -1"]);
});
