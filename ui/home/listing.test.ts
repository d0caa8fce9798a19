import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { filterItems, formatAge, formatBytes, readFiles, readStreams } from "./listing.js";

const NOW_MS = Date.parse("2026-01-01T02:05:00Z");
const LIVE = {
  name: "demo",
  title: "Demo loop",
  status: "live",
  since: "2026-01-01T00:00:00Z",
  video: "h264 640x360 25",
  audio: "aac 48000 2",
};

test("a live stream is described in words", () => {
  assert.deepEqual(readStreams({ streams: [LIVE] }, NOW_MS), [
    {
      kind: "stream",
      name: "demo",
      title: "Demo loop",
      isLive: true,
      isPlayable: true,
      brief: "640\u00d7360 \u00b7 for 2 h 5 min",
      facts: "H.264 640\u00d7360 25 fps \u00b7 AAC 48 kHz stereo \u00b7 for 2 h 5 min",
    },
  ]);
});

const facts: [stream: object, brief: string, facts: string][] = [
  ...(
    [
      [{ status: "waiting", title: null, input: "publish" }, "Waiting for its publisher"],
      [{ status: "waiting", input: "file" }, "Its file cannot be played now"],
      [{ status: "waiting", input: "fake" }, "Its test picture does not run now"],
      [{ status: "waiting", input: null }, "Not on air"],
      [{ status: "waiting", input: "constructor" }, "Not on air"],
      [{ status: "waiting" }, "Not on air"],
      [{ status: "stopped", input: "file" }, "Disabled in the configuration"],
      [{ status: "live", playable: false, video: "h264 1x1" }, "Its player page is switched off"],
    ] as const
  ).map(([stream, words]): [object, string, string] => [stream, words, words]),
  [{ status: "live" }, "", ""],
  [{ status: "live", audio: "mp3 44100 1" }, "Sound only", "MP3 44.1 kHz mono"],
  [{ status: "live", audio: "ac3 48000 6" }, "Sound only", "AC-3 48 kHz 6 channels"],
  [
    { status: "live", video: "h265 1920x1080 29.970029" },
    "1920\u00d71080",
    "H.265 1920\u00d71080 29.97 fps",
  ],
  [{ status: "live", video: "vvc 1x1" }, "1\u00d71", "vvc 1\u00d71"],
  [{ status: "live", video: "strange" }, "", "strange"],
  [{ status: "live", since: "never", video: 7 }, "", ""],
];
for (const [stream, brief, words] of facts) {
  test(`${JSON.stringify(stream)} is "${words}"`, () => {
    const [item] = readStreams({ streams: [{ name: "a", ...stream }] }, NOW_MS);
    assert.deepEqual([item!.brief, item!.facts], [brief, words]);
  });
}

test("a player is offered of what can be played now or later, and of nothing else", () => {
  const streams = [
    { name: "a", status: "live", playable: true },
    { name: "b", status: "live", playable: false },
    { name: "c", status: "waiting", playable: false },
    { name: "d", status: "waiting", playable: true },
    { name: "e", status: "stopped", playable: true },
    { name: "f", status: "live" },
  ];
  const offered = readStreams({ streams }, NOW_MS).filter(({ isPlayable }) => isPlayable);
  assert.deepEqual(
    offered.map(({ name }) => name),
    ["a", "f", "d"],
  );
  assert.equal(readFiles({ files: [{ name: "vod/a.mp4" }] }).files[0]!.isPlayable, true);
});

test("what is on air comes first, then by name, numbers as numbers", () => {
  const streams = [
    { name: "b", status: "live" },
    { name: "cam-10", status: "waiting" },
    { name: "cam-2", status: "waiting" },
    { name: "a", status: "live" },
  ];
  const names = readStreams({ streams }, NOW_MS).map(({ name }) => name);
  assert.deepEqual(names, ["a", "b", "cam-2", "cam-10"]);
});

test("files come with their size", () => {
  const { files, hasMore } = readFiles({
    files: [{ name: "vod/a.mp4", bytes: 291_234 }, { name: "b" }],
    more: true,
  });
  assert.deepEqual(
    files.map(({ name, brief }) => [name, brief]),
    [
      ["b", ""],
      ["vod/a.mp4", "291 kB"],
    ],
  );
  assert.equal(hasMore, true);
});

test("replies that are not as agreed give what can be used of them", () => {
  for (const reply of [
    null,
    1,
    [],
    {},
    { streams: {} },
    { streams: [null, 1, {}, { name: "" }, { name: 7 }] },
  ]) {
    assert.deepEqual(readStreams(reply, NOW_MS), []);
  }
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      readStreams({ streams: [value, { name: "a", status: "live", video: value, since: value }] }, NOW_MS);
      readFiles({ files: [value, { name: "a", bytes: value }], more: value });
      readFiles(value);
    }),
    { seed: 41 },
  );
});

test("the filter finds all words, in name or title, in any case", () => {
  const items = readStreams({ streams: [LIVE, { name: "pub/camera" }] }, NOW_MS);
  const found = (wanted: string) => filterItems(items, wanted).map(({ name }) => name);
  assert.deepEqual(found(""), ["demo", "pub/camera"]);
  assert.deepEqual(found(" LOOP  de "), ["demo"]);
  assert.deepEqual(found("camera loop"), []);
});

const sizes: [bytes: number, text: string][] = [
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [9949, "9.9 kB"],
  [9950, "10 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [1_400_000_000, "1.4 GB"],
  [5e18, "5000 PB"],
  [-5, "0 B"],
];
for (const [bytes, text] of sizes) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(formatBytes(bytes), text));
}

const ages: [ms: number, text: string][] = [
  [-1, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_599_000, "59 min"],
  [3_900_000, "1 h 5 min"],
  [187_200_000, "2 d 4 h"],
];
for (const [ms, text] of ages) {
  test(`${ms} ms are ${text}`, () => assert.equal(formatAge(ms), text));
}
