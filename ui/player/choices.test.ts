import assert from "node:assert/strict";
import { test } from "node:test";
import { namesOf } from "./choices.js";
import type { Described } from "./choices.js";

const cases: [tracks: Described[], names: string[]][] = [
  [[], []],
  [
    [{ height: 720, bitrate: 3e6 }, { height: 360 }],
    ["720p", "360p"],
  ],
  [
    [
      { height: 720, bitrate: 3e6 },
      { height: 720, bitrate: 900_000 },
    ],
    ["720p, 3.0 Mbit/s", "720p, 900 kbit/s"],
  ],
  [
    [{ bitrateInKbit: 128 }, {}],
    ["128 kbit/s", "Track 2"],
  ],
  [
    [{ name: "Director" }, { lang: "fi" }, { lang: "und" }],
    ["Director", "Finnish", "Track 3"],
  ],
  [
    [{ lang: "en" }, { lang: "en" }],
    ["English (1)", "English (2)"],
  ],
  [
    [{ lang: "!" }, { name: "a\u202eb" }],
    ["!", "ab"],
  ],
];
for (const [tracks, names] of cases) {
  test(`${JSON.stringify(tracks)} is called ${names.join(" / ")}`, () =>
    assert.deepEqual(namesOf(tracks), names));
}

test("a menu has a bound", () => {
  assert.equal(namesOf(Array.from({ length: 1000 }, () => ({ name: "x" }))).length, 50);
});
