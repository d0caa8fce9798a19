import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codecName, MAX_PLAYLIST_CHARACTERS, readPlaylist } from "./playlist.js";

const MULTIVARIANT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360

# a comment
tracks-v1a1/mono.m3u8
#EXT-X-STREAM-INF:CODECS="hvc1.1.6.L93.B0, mp4a.40.2",BANDWIDTH=500000
tracks-v2a1/mono.m3u8
`;

const LIVE = "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4.0,\r\nseg-1.m4s\r\n";

const NOTHING = { firstVariant: null, codecs: [], hasSegments: false, isEnded: false, newest: "" };

test("a multivariant playlist names its variants and codecs", () => {
  assert.deepEqual(readPlaylist(MULTIVARIANT), {
    isPlaylist: true,
    firstVariant: "tracks-v1a1/mono.m3u8",
    codecs: ["avc1.64001e", "mp4a.40.2", "hvc1.1.6.L93.B0"],
    hasSegments: false,
    isEnded: false,
    newest: "",
  });
});

test("a media playlist says whether it has segments and whether it grows", () => {
  assert.deepEqual(readPlaylist(LIVE), {
    ...NOTHING,
    isPlaylist: true,
    hasSegments: true,
    newest: "seg-1.m4s",
  });
  assert.equal(readPlaylist(`${LIVE}#EXTINF:4.0,\r\nseg-2.m4s\r\n`).newest, "seg-2.m4s");
  assert.equal(readPlaylist(`${LIVE}#EXT-X-ENDLIST\r\n`).isEnded, true);
  assert.deepEqual(readPlaylist("#EXTM3U\n"), { ...NOTHING, isPlaylist: true });
});

for (const text of ["", "<html>", "#EXTM3U8\n#EXTINF:4,\n", " \n#EXTM3U", "#EXTINF:4,\n#EXTM3U"]) {
  test(`${JSON.stringify(text)} is not a playlist`, () =>
    assert.deepEqual(readPlaylist(text), { ...NOTHING, isPlaylist: false }));
}

test("a playlist cut anywhere is read without a fault", () => {
  for (let cut = 0; cut <= MULTIVARIANT.length; cut++) {
    const { isPlaylist, codecs } = readPlaylist(MULTIVARIANT.slice(0, cut));
    assert.equal(isPlaylist, cut >= "#EXTM3U".length);
    assert.ok(codecs.length <= 3);
  }
});

test("codecs that are none are left out, and the list has a bound", () => {
  const line = (codecs: string) => `#EXTM3U\n#EXT-X-STREAM-INF:CODECS="${codecs}"\nv.m3u8\n`;
  assert.deepEqual(readPlaylist(line("<b>x</b>,avc1.42c01e,,a b")).codecs, ["avc1.42c01e"]);
  assert.equal(readPlaylist(line(Array.from({ length: 99 }, (_, i) => `c${i}`).join())).codecs.length, 16);
});

test("a playlist without end is read up to the bound", () => {
  const long = `#EXTM3U\n${"#\n".repeat(MAX_PLAYLIST_CHARACTERS / 2)}#EXT-X-ENDLIST\n`;
  assert.equal(readPlaylist(long).isEnded, false);
});

test("no text makes the reader throw", () => {
  const lines = fc.constantFrom(
    "#EXTM3U",
    "#EXT-X-STREAM-INF:",
    'CODECS="',
    '"',
    "\n",
    "\r\n",
    "#EXTINF:",
    ",",
    "a",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(lines, fc.string()), { maxLength: 40 }), (parts) => {
      const { isPlaylist, firstVariant } = readPlaylist(parts.join(""));
      assert.ok(isPlaylist || firstVariant === null);
    }),
    { seed: 31, numRuns: 1000 },
  );
});

const names: [codec: string, name: string][] = [
  ["avc1.64001e", "H.264"],
  ["avc3.64001e", "H.264"],
  ["hvc1.1.6.L93.B0", "H.265 (HEVC)"],
  ["hev1.1.6.L93.B0", "H.265 (HEVC)"],
  ["av01.0.04M.08", "AV1"],
  ["vp09.00.10.08", "VP9"],
  ["mp4a.40.2", "AAC"],
  ["mp4a.6B", "MP3"],
  ["mp4a.69", "MP3"],
  ["mp4a.40.34", "MP3"],
  ["Opus", "Opus"],
  ["ac-3", "Dolby Digital (AC-3)"],
  ["ec-3", "Dolby Digital Plus (E-AC-3)"],
  ["xyz1", "xyz1"],
];

for (const [codec, name] of names) {
  test(`${codec} is called ${name}`, () => assert.equal(codecName(codec), name));
}
