import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { MAX_LISTED_EPISODES, parseEpisodePage } from "./episode-listing.ts";

const SEEDS = [
  { episodes: [] },
  { episodes: [{ opened_at: 1000, closed_at: 2000 }], next: null },
  { episodes: [{ name: "cam", opened_at: 1000, closed_at: null, expires_at: 5000 }], next: "x" },
];

/** Lists of episodes from servers: whatever is one has spans of time, and not too many. */
export const fuzz: TextFuzzTarget = {
  name: "episode-listing",
  seeds: SEEDS.map((seed) => JSON.stringify(seed)),
  dictionary: [
    '"opened_at"',
    '"closed_at"',
    '"expires_at"',
    '"next"',
    '"media"',
    "null",
    "-1",
    "1e99",
    "[",
    "{",
  ],
  run(text) {
    const page = parseEpisodePage(new TextEncoder().encode(text), "cam");
    if (page === null) return;
    assert.ok(page.episodes.length <= MAX_LISTED_EPISODES);
    for (const { fromMs, toMs } of page.episodes) assert.ok(fromMs >= 0 && toMs > fromMs);
  },
};
