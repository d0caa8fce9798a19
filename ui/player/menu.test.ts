import assert from "node:assert/strict";
import { test } from "node:test";
import { playerTitle } from "./menu.js";

const titles: [title: string | null, isLive: boolean | null, shown: string][] = [
  ["LL-HLS", true, "LL-HLS"],
  ["LL-HLS", false, "HLS"],
  ["MSE-LD", true, "MSE-LD"],
  ["DASH", null, ""],
  [null, true, ""],
];
for (const [title, isLive, shown] of titles) {
  test(`${title} is called "${shown}" where live is ${isLive}`, () =>
    assert.equal(playerTitle(title === null ? null : { title }, isLive), shown));
}
