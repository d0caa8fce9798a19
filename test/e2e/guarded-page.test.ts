/** A stream with rules on the player page: who may play plays as one viewer, who may not is told in words. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openPage } from "../support/browser.ts";
import { openPlayer, untilPlaying } from "../support/player-page.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const SAMPLES = new URL("../../samples", import.meta.url).pathname;
const LOGIN = "root:of-the-page";
const options = { skip: needs("chromium"), timeout: 180_000 };

/** Lets `good` in, as one user who may have one session. Returns: its port. */
async function startBackend(t: TestContext): Promise<number> {
  const backend = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://backend");
    const isGood = searchParams.get("token") === "good";
    response.writeHead(isGood ? 200 : 403, isGood ? { "X-UserId": "alice", "X-Max-Sessions": "1" } : {});
    response.end();
  });
  await new Promise<void>((listening) => void backend.listen(0, "127.0.0.1", listening));
  t.after(() => backend.close());
  return (backend.address() as AddressInfo).port;
}

async function start(t: TestContext): Promise<Weir> {
  const port = await startBackend(t);
  return await startWeir(t, {
    config: `edit_auth ${LOGIN.replace(":", " ")}; auth_token key; vod vod { storage "${SAMPLES}"; }
      stream news { input file://vod/sample.mp4; segment_duration 1; on_play http://127.0.0.1:${port}/; }
      stream open { input file://vod/sample.mp4; segment_duration 1; }
      stream away { input file://vod/sample.mp4; on_play http://127.0.0.1:1/; }
      stream partners { input file://vod/sample.mp4; domains example.com; }`,
  });
}

/** The protocols of the sessions of a name that play it. */
async function protocolsOf(weir: Weir, name: string): Promise<string[]> {
  const authorization = `Basic ${Buffer.from(LOGIN).toString("base64")}`;
  const reply = await fetch(weir.url(`/streamer/api/v3/sessions?type=play&name=${name}`), {
    headers: { authorization },
  });
  const { sessions } = (await reply.json()) as { sessions: { proto: string }[] };
  return sessions.map(({ proto }) => proto).filter((proto) => proto !== "player");
}

test(
  "a page with a token plays as one viewer, who may have no more than one session",
  options,
  async (t) => {
    const weir = await start(t);
    const player = await openPlayer(t, weir.url("/news/embed.html?key=good&proto=hls"));
    // The page asks for the clock when it plays; a viewer that was put out by it would stop within a segment or two.
    const { totalFrames } = await untilPlaying(player);
    await untilPlaying(player, totalFrames + 150);
    assert.ok(player.paths.includes("/news/utc"), player.paths.join("\n"));
    assert.deepEqual(await protocolsOf(weir, "news"), ["hls"]);
    assert.deepEqual(player.errors, []);
  },
);

test("a page of a stream without rules is one session", options, async (t) => {
  const weir = await start(t);
  const player = await openPlayer(t, weir.url("/open/embed.html?proto=hls"));
  const { totalFrames } = await untilPlaying(player);
  await untilPlaying(player, totalFrames + 50);
  assert.ok(player.paths.includes("/open/utc"), player.paths.join("\n"));
  assert.deepEqual(await protocolsOf(weir, "open"), ["hls"]);
});

test("a page that may not play says so, and does not play inside of what it says", options, async (t) => {
  const weir = await start(t);
  for (const [path, words] of [
    ["/news/embed.html", "news may not be played from this page."],
    ["/news/embed.html?key=bad", "news may not be played from this page."],
    ["/away/embed.html", "away may not be played from this page."],
    ["/partners/embed.html", "partners may not be played from this page."],
  ] as const) {
    const { page, screenshot } = await openPage(t, { width: 640, height: 360 });
    const reply = await page.goto(weir.url(path));
    assert.equal(reply?.status(), 403, path);
    await page.getByText(words).waitFor();
    assert.equal(await page.locator("video, script").count(), 0);
    await page.getByRole("link", { name: "Try again" }).click();
    await page.getByText(words).waitFor();
    await screenshot(`guarded-${path.split("/")[1]}`);
    await page.context().browser()?.close();
  }
});
