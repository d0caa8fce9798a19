import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatNotes, parseNotes, silentFragment, silentSamples } from "./silent-sound.ts";

/** Notes in URLs: whatever is one is read back from its own text, and its silence is bounded. */
export const fuzz: TextFuzzTarget = {
  name: "silent-sound",
  seeds: [
    "a1aac1190t48000",
    "a1aac1208t44100len",
    "a2mp3fffb1000t90000-a1aac2b098800t44100",
    "a3opus4f7075734865616401023801",
    "a3opus4f707573486561640102380180bb0000000000t48000lde",
  ],
  dictionary: ["a1", "aac", "mp3", "opus", "1190", "t48000", "lde", "-", "2b", "ff", "t1", "17ffffff90"],
  run(text) {
    const sounds = parseNotes(text);
    if (sounds === null) return;
    assert.equal(formatNotes(sounds), text);
    assert.equal(new Set(sounds.map(({ track }) => track.id)).size, sounds.length);
    for (const sound of sounds) {
      const span = { startUs: 1_767_225_600_000_000, durationUs: 1_000_000 };
      const samples = silentSamples(sound, span);
      assert.ok(samples <= 1 + 192_000 / 480, `${samples} frames a second`);
      assert.equal(silentFragment(sound, span).byteLength === 0, samples === 0);
    }
  },
};
