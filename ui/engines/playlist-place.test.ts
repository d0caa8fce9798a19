import assert from "node:assert/strict";
import { test } from "node:test";
import { placeInPlaylist } from "./playlist-place.js";

const START_MS = Date.parse("2026-11-23T08:00:00.500Z");
const TEXT = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T08:00:00.500Z
#EXTINF:4.000,
seg-1.m4s
#EXTINF:3.5,
seg-2.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T09:00:00.000Z
#EXTINF:4,
seg-3.m4s
`;

test("a time is found in a playlist, behind a gap, and at its beginning", () => {
  const at = (ms: number): number | null => placeInPlaylist(TEXT, START_MS + ms);
  assert.deepEqual([-60_000, 0, 1500, 5000].map(at), [0, 0, 1.5, 5]);
  const later = Date.parse("2026-11-23T09:00:01.000Z");
  assert.deepEqual([at(600_000), placeInPlaylist(TEXT, later)], [7.5, 8.5]);
  assert.equal(placeInPlaylist(TEXT, later + 60_000), null);
});

test("a playlist without times, cut off or of nonsense has none", () => {
  assert.equal(placeInPlaylist("#EXTM3U\n#EXTINF:4,\nseg.m4s\n", START_MS), null);
  assert.equal(placeInPlaylist("#EXT-X-PROGRAM-DATE-TIME:soon\n#EXTINF:x,\n#EXTINF:-3,\n", START_MS), null);
  for (let cut = 0; cut <= TEXT.length; cut++) {
    const place = placeInPlaylist(TEXT.slice(0, cut), START_MS + 1000);
    assert.ok(place === null || place <= 1, `cut at ${cut}: ${place}`);
  }
});
