/** dash.js and Shaka Player in Chromium: files, live, a publisher that goes and comes, low latency. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { filmClock } from "../support/clock-camera.ts";
import { eventually } from "../support/eventually.ts";
import { makeClip, publish } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import { openDashPage } from "./dash-players.ts";
import type { DashPage, PlayerState } from "./dash-players.ts";

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=60; segment_duration 1; }";
const options = { skip: needs("chromium", "ffmpeg"), timeout: 240_000 };

/** Waits until a page plays on, over that many more pictures. */
async function untilPlaying(player: DashPage, pictures = 10): Promise<PlayerState> {
  const { presentedPictures } = await player.state();
  return eventually(
    async () => {
      const now = await player.state();
      const more = now.presentedPictures - presentedPictures;
      assert.ok(now.time > 0 && !now.isPaused && more >= pictures, JSON.stringify(now));
      return now;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}

/**
 * What is left of the complaints when those about what is really so are taken away: a hole where nobody published, and
 * a last segment in which sound and picture end apart because the publisher was killed.
 */
function withoutHoles(complaints: readonly string[]): string[] {
  const truths = /Jumping gap occuring in period|Possible encoding problem.*Unexpected buffered range/;
  return complaints.filter((complaint) => !truths.test(complaint));
}

for (const player of ["dashjs", "shaka"] as const) {
  describe(player, () => {
    test("plays a file, seeks in it, and ends where it ends", options, async (t) => {
      const clip = await makeClip({ durationS: 45, width: 640, height: 360, bFrames: 2 });
      const weir = await startWeir(t, { config: `vod files { storage "${dirname(clip)}"; }` });
      const page = await openDashPage(t, { player, url: weir.url(`/files/${basename(clip)}/index.mpd`) });
      const first = await untilPlaying(page, 50);
      assert.ok(Math.abs(first.duration - 45) < 0.1, `it lasts ${first.duration} s`);
      assert.equal(first.size, "640x360");
      await page.seek(20);
      await eventually(
        async () => {
          const { time } = await page.state();
          assert.ok(time > 21 && time < 40, `at ${time} s`);
        },
        { timeoutMs: 30_000 },
      );
      await page.seek(43);
      await eventually(
        async () => {
          const { time, duration } = await page.state();
          assert.ok(duration - time < 0.2, `at ${time} of ${duration} s`);
        },
        { timeoutMs: 30_000 },
      );
      assert.deepEqual(page.complaints, []);
    });

    test(
      "plays live, over a publisher that dies and one that returns with another picture",
      options,
      async (t) => {
        const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
        const larger = await makeClip({ durationS: 20, gopPictures: 25, width: 640, height: 360 });
        const weir = await startWeir(t, { config: CONFIG });
        const publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
        await weir.onAir("pub/camera");
        const page = await openDashPage(t, { player, url: weir.url("/pub/camera/index.mpd") });
        const first = await untilPlaying(page, 200);
        assert.deepEqual([first.size, first.stalls, page.complaints], ["320x180", 0, []]);
        await publisher.kill();
        const again = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
        const { time } = await page.state();
        await eventually(
          async () => {
            const now = await page.state();
            assert.ok(now.time > time + 12 && !now.isPaused, JSON.stringify(now));
          },
          { timeoutMs: 60_000, intervalMs: 200 },
        );
        await again.kill();
        publish(t, weir.rtmpUrl("pub/camera"), larger, { loop: true });
        await eventually(
          async () => {
            const now = await page.state();
            assert.equal(now.size, "640x360", JSON.stringify([now, page.complaints]));
          },
          { timeoutMs: 60_000 },
        );
        await untilPlaying(page, 50);
        assert.deepEqual(withoutHoles(page.complaints), []);
      },
    );

    test("plays at low latency what still grows", options, async (t) => {
      const weir = await startWeir(t, { config: CONFIG });
      filmClock(t, weir.rtmpUrl("pub/camera"));
      await weir.onAir("pub/camera", 30_000);
      const page = await openDashPage(t, { player, url: weir.url("/pub/camera/index.ll.mpd") });
      await untilPlaying(page, 250);
      const before = await page.state();
      const ages: number[] = [];
      for (let i = 0; i < 40; i++) {
        ages.push(await page.pictureAgeMs());
        await sleep(250);
      }
      const after = await page.state();
      const median = ages.toSorted((a, b) => a - b)[ages.length / 2]!;
      t.diagnostic(`${player}: the screen is ${median} ms behind the camera, ${after.stalls} stalls`);
      // Complete segments of a second, three of them, would be over 4 s. The figure itself is for a machine at rest.
      assert.ok(median > 200 && median < 3500, `${median} ms behind: ${ages.join()}`);
      assert.ok(after.presentedPictures - before.presentedPictures > 150, JSON.stringify([before, after]));
      assert.ok(after.stalls - before.stalls <= 2, `${after.stalls} stalls`);
      assert.deepEqual(page.complaints, []);
    });
  });
}
