/** The player page while its publisher leaves and returns: by every protocol, with the same tracks and with others. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import type { PlayerPage, PlayerPageState } from "../support/player-page.ts";
import type { Program } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

/** Segments of a second: the shortest windows, in which a player loses its way soonest. */
const CONFIG = "template pub { prefix pub; input publish://; source_timeout 60; segment_duration 1; }";

/** A publisher is away for so long. It is part of what is tested, not a wait for anything. */
const AWAY_MS = 3000;
/** A viewer has a picture again after this: ten times what it takes on an idle machine, and far from for ever. */
const BACK_MS = 120_000;

const skip = needs("chromium", "ffmpeg");
const options = { skip, timeout: 600_000 };

describe("a publisher that leaves and returns", () => {
  let weir: Weir;
  let both: string;
  let silent: string;
  const cleaning: (() => void | Promise<void>)[] = [];
  before(async () => {
    if (skip !== false) return;
    const end = { after: (clean: () => void | Promise<void>) => void cleaning.push(clean) };
    weir = await startWeir(end, { config: CONFIG });
    const clip = { durationS: 10, width: 320, height: 180, gopPictures: 25 };
    both = await makeClip(clip);
    silent = await makeClip({ ...clip, audio: null });
  });
  after(async () => {
    for (const clean of cleaning.toReversed()) await clean();
  });

  const protocols = ["hls", "ll-hls", "dash", "ll-dash", "mse-ld"] as const;
  for (const protocol of protocols) {
    test(`is seen and heard again by ${protocol}, whatever tracks it brings`, options, async (t) => {
      const name = `pub/${protocol}`;
      const on = async (clip: string): Promise<Program> => {
        const publisher = publish(t, weir.rtmpUrl(name), clip, { loop: true });
        await weir.onAir(name, 30_000);
        return publisher;
      };
      let publisher = await on(both);
      const player = await openPlayer(t, weir.url(`/${name}/embed.html?proto=${protocol}`));
      await untilPlaying(player);
      for (const [clip, hasSound] of [
        [both, true],
        [silent, false],
        [both, true],
      ] as const) {
        await publisher.kill();
        await sleep(AWAY_MS);
        const returnedMs = Date.now();
        publisher = await on(clip);
        // Segments go on with silence where a publisher has brought sound before.
        const state = await untilBack(player, returnedMs, hasSound || protocol !== "mse-ld");
        // That a break is no reason for another protocol, unit tests tell: here a slow machine may be one.
        t.diagnostic(
          `${hasSound ? "with" : "without"} sound by ${state.protocol}, recoveries: ${state.recoveries}`,
        );
      }
      const thrown = player.errors.filter((error) => !error.startsWith("Failed to load resource"));
      assert.deepEqual(thrown, []);
    });
  }
});

/** Waits until the page shows pictures of after the return that go on, and offers sound as far as there is any. */
function untilBack(player: PlayerPage, returnedMs: number, hasSound: boolean): Promise<PlayerPageState> {
  let latest: PlayerPageState | null = null;
  return eventually(
    async () => {
      const state = await player.state();
      const last = latest;
      latest = state;
      const seen = `${JSON.stringify(state)}\n${player.errors.join("\n")}`;
      assert.ok(state.phase === "playing" && !state.isPaused && state.message === null, seen);
      assert.equal(state.hasSound, hasSound, seen);
      assert.ok((state.pictureTimeMs ?? 0) > returnedMs, seen);
      const goesOn = last !== null && state.currentTimeSeconds > last.currentTimeSeconds;
      assert.ok(goesOn && state.totalFrames > last.totalFrames, seen);
      return state;
    },
    { timeoutMs: BACK_MS, intervalMs: 1000 },
  );
}
