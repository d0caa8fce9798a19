import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { filmClock } from "../support/clock-camera.ts";
import { eventually } from "../support/eventually.ts";
import { median, seenPictures } from "../support/latency-page.ts";
import type { SeenPictures } from "../support/latency-page.ts";
import { happenedOn, LATENCY_PLAYER_SPECS, openLatencyPage } from "../support/latency-players.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=30; }";
const options = { skip: needs("chromium", "ffmpeg"), timeout: 180_000 };

/** So many pictures are looked at, once a player has found the edge. */
const WARM_UP = 75;
const PICTURES = 250;

async function onAir(t: TestEnd): Promise<Weir> {
  const weir = await startWeir(t, { config: CONFIG });
  filmClock(t, weir.rtmpUrl("pub/camera"));
  await weir.onAir("pub/camera", 30_000);
  return weir;
}

/** Waits until so many pictures were shown. */
async function shown(page: Page, pictures: number): Promise<SeenPictures> {
  const look = async (): Promise<SeenPictures> => {
    const seen = await seenPictures(page);
    const said = (await happenedOn(page)).join("; ");
    assert.ok(seen.agesMs.length >= pictures, `${seen.agesMs.length} pictures were shown; ${said}`);
    return seen;
  };
  return eventually(look, { timeoutMs: 90_000, intervalMs: 250 });
}

/**
 * How far from the newest picture that it has a player may be. How old the pictures are depends on the machine's encoder,
 * too: that is in the report.
 */
const MAX_LAG_S = 1.5;

const PLAYERS = [
  { name: "MSE-LD in the player page's engine", spec: LATENCY_PLAYER_SPECS["mse-ld"] },
  { name: "FLV over HTTP in mpegts.js", spec: LATENCY_PLAYER_SPECS.flv },
  {
    name: "FLV over a WebSocket in mpegts.js",
    spec: { ...LATENCY_PLAYER_SPECS.flv, scheme: "ws" } as const,
  },
];

for (const { name, spec } of PLAYERS) {
  test(`${name} plays live in Chromium close behind the camera`, options, async (t) => {
    const weir = await onAir(t);
    const page = await openLatencyPage(t, weir.url("/pub/camera"), spec);
    const { agesMs, stalls, playedS, elapsedS } = await shown(page, WARM_UP + PICTURES);
    const steady = agesMs.slice(WARM_UP);
    const said = (await happenedOn(page)).join("; ");
    t.diagnostic(
      `camera to screen: median ${median(steady)} ms, most ${Math.max(...steady)} ms; ${stalls} stalls; ` +
        `${playedS.toFixed(1)} s in ${elapsedS.toFixed(1)} s; ${said}`,
    );
    assert.doesNotMatch(said, /failure|unavailable|Error/);
    await eventually(async () => {
      const { lagS } = await seenPictures(page);
      assert.ok(lagS < MAX_LAG_S, `${lagS} s behind the newest picture`);
    });
  });
}
