import assert from "node:assert/strict";
import { test } from "node:test";
import { Bounds } from "./bounds.js";
import type { BoundsOptions } from "./bounds.js";

const NOTHING: BoundsOptions = { agoSeconds: null, fromMs: null, toMs: null, playSeconds: null };

/** A video whose live window begins at 100 s. */
function make(options: Partial<BoundsOptions>) {
  const video = {
    currentTime: 200,
    paused: false,
    seekable: { length: 1, start: () => 100 },
    pause: () => void (video.paused = true),
  };
  const bounds = new Bounds({ ...NOTHING, ...options });
  const look = (seen: object = {}) =>
    bounds.look(video as unknown as HTMLVideoElement, {
      isLive: true,
      edgeSeconds: 200,
      pictureTimeMs: 1_000_000,
      ...seen,
    });
  return { video, look };
}

const beginnings: [
  name: string,
  options: Partial<BoundsOptions>,
  atSeconds: number,
  words: RegExp | null,
][] = [
  ["nothing is asked for", {}, 200, null],
  ["30 s ago", { agoSeconds: 30 }, 170, null],
  ["an hour ago", { agoSeconds: 3600 }, 102, /no archive.*oldest/],
  ["a time that the window has", { fromMs: 950_000 }, 150, null],
  ["a time before it", { fromMs: 5000 }, 102, /no archive.*oldest/],
  ["a time to come", { fromMs: 2_000_000 }, 200, /not come yet/],
];
for (const [name, options, atSeconds, words] of beginnings) {
  test(`begins where the address says: ${name}`, () => {
    const { video, look } = make(options);
    const said = look();
    assert.equal(video.currentTime, atSeconds);
    if (words === null) assert.equal(said, null);
    else assert.match(said!, words);
    video.currentTime = 190;
    assert.deepEqual([look(), video.currentTime], [null, 190], "once");
  });
}

test("waits with it until it is known where the edge is, and what time it is", () => {
  const { video, look } = make({ fromMs: 950_000 });
  for (const seen of [{ isLive: null }, { edgeSeconds: null }, { pictureTimeMs: null }]) look(seen);
  assert.equal(video.currentTime, 200);
  look();
  assert.equal(video.currentTime, 150);
});

test("a file begins at its beginning", () => {
  const { video, look } = make({ agoSeconds: 30 });
  assert.deepEqual([look({ isLive: false }), look(), video.currentTime], [null, null, 200]);
});

test("stops when so much was played, jumps not counted, and again after as much more", () => {
  const { video, look } = make({ playSeconds: 2 });
  look();
  video.currentTime += 1;
  assert.equal(look(), null);
  video.currentTime += 50;
  assert.equal(look(), null);
  video.currentTime += 1;
  assert.match(look()!, /is over/);
  assert.equal(video.paused, true);
  assert.equal(look(), null);
  video.paused = false;
  video.currentTime += 1.5;
  assert.equal(look(), null);
  video.currentTime += 1.5;
  assert.match(look()!, /is over/);
});

test("stops at the end that the address names; who goes on from there is not stopped again", () => {
  const { video, look } = make({ toMs: 1_000_500 });
  assert.equal(look(), null);
  assert.equal(look({ pictureTimeMs: null }), null);
  assert.match(look({ pictureTimeMs: 1_000_600 })!, /is reached/);
  assert.equal(video.paused, true);
  video.paused = false;
  assert.deepEqual([look({ pictureTimeMs: 1_000_900 }), video.paused], [null, false]);
});
