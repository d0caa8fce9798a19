import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import fc from "fast-check";
import { HlsTracks, shapeOf } from "./hls-tracks.js";

const playlist = (...lines: string[]): string => ["#EXTM3U", ...lines, ""].join("\n");
const variant = (codecs: string, address: string): string[] => [
  `#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="${codecs}",RESOLUTION=640x360`,
  address,
];
const BOTH = playlist(...variant("avc1.42c01e,mp4a.40.2", "tracks-v1a1/mono.m3u8"));
const SILENT = playlist(...variant("avc1.42c01e", "tracks-v1/mono.m3u8"));

const shapes: [name: string, one: string, other: string, isSame: boolean][] = [
  ["tracks that are less", BOTH, SILENT, false],
  ["another bandwidth", BOTH, BOTH.replace("BANDWIDTH=1", "BANDWIDTH=99"), true],
  [
    "another resolution and profile",
    BOTH,
    BOTH.replace("640x360", "64x36").replace("42c01e", "64001f"),
    true,
  ],
  ["another token", BOTH, BOTH.replace("mono.m3u8", "mono.m3u8?token=x"), true],
  ["another codec", BOTH, BOTH.replace("avc1.42c01e", "hvc1.1.6.L93.B0"), false],
  ["line ends of another kind", BOTH, BOTH.replaceAll("\n", "\r\n"), true],
  [
    "variants in another order",
    playlist(...variant("avc1.1", "a"), ...variant("avc1.2", "b")),
    playlist(...variant("avc1.2", "b"), ...variant("avc1.1", "a")),
    true,
  ],
  [
    "another language",
    BOTH,
    BOTH.replace(
      "#EXT-X-STR",
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="tracks-a2/mono.m3u8"\n#EXT-X-STR',
    ),
    false,
  ],
  [
    "subtitles",
    BOTH,
    BOTH.replace("#EXT-X-STR", '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",URI="t1.m3u8"\n#EXT-X-STR'),
    true,
  ],
];
for (const [name, one, other, isSame] of shapes) {
  test(`${name} ${isSame ? "are no" : "are a"} change of tracks`, () =>
    assert.equal(shapeOf(one) === shapeOf(other), isSame));
}

test("what is no multivariant playlist has no shape, wherever one is cut", () => {
  for (const text of ["", "<html>", "#EXTM3U\n#EXTINF:4,\nseg-1.m4s\n", BOTH.slice(1)])
    assert.equal(shapeOf(text), null);
  for (let cut = 0; cut < BOTH.length; cut++) {
    const shape = shapeOf(BOTH.slice(0, cut));
    assert.ok(shape === null || cut > BOTH.indexOf("#EXT-X-STREAM-INF:"), `cut at ${cut}`);
  }
});

test("no text makes the reader throw, nor keeps more of it than two hundred variants", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => shapeOf(`#EXTM3U\n${text}`) !== undefined),
  );
  const long = `${BOTH}${"x\n".repeat(1_000_000)}`;
  assert.equal(shapeOf(long)!.split("\n").length, 200);
});

function watching(...answers: (string | Error | number)[]) {
  let read = 0;
  let asked = 0;
  const tracks = new HlsTracks(
    () => read++,
    () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      if (answer instanceof Error) return Promise.reject(answer);
      const status = typeof answer === "number" ? answer : 200;
      return Promise.resolve(new Response(String(answer), { status }));
    },
  );
  tracks.begin(BOTH);
  return { tracks, reads: () => [asked, read] };
}

async function pass(t: test.TestContext, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    t.mock.timers.tick(250);
    // A body is read in some turns of the loop.
    for (let turn = 0; turn < 5; turn++) await settled();
  }
}

test("an answer that is none is no change", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const answer of [new Error("offline"), 404, "<html>", "#EXTM3U\n"]) {
    const { tracks, reads } = watching(answer);
    tracks.read("http://host/a/index.m3u8");
    assert.equal(tracks.isReading, true);
    await pass(t, 6000);
    assert.deepEqual([tracks.isReading, tracks.hasChanged, ...reads()], [false, false, 4, 1]);
  }
});

test("the first change is the answer, and a new reason begins the row anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { tracks, reads } = watching(BOTH, BOTH, SILENT);
  tracks.read("http://host/a/index.m3u8");
  await pass(t, 1500);
  tracks.read("http://host/a/index.m3u8");
  await pass(t, 250);
  assert.deepEqual([tracks.isReading, tracks.hasChanged, ...reads()], [false, true, 3, 1]);
  tracks.read("http://host/a/index.m3u8");
  await pass(t, 6000);
  assert.deepEqual(reads(), [3, 1], "there is nothing more to find out");
});

test("without a playlist to begin with, nothing is compared", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { tracks, reads } = watching(SILENT);
  tracks.begin("");
  tracks.read("http://host/a/index.m3u8");
  await pass(t, 6000);
  assert.deepEqual([tracks.isReading, tracks.hasChanged, ...reads()], [false, false, 0, 0]);
});
