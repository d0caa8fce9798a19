/** Low-latency HLS as others see it: hls.js in Chromium, ffmpeg, and a checker of its rules. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { ffmpeg, makeClip, publish, runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import { PlaylistWatch } from "../support/playlist-rules.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const HLS_JS = new URL("../../node_modules/hls.js/dist/hls.min.js", import.meta.url).pathname;

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=30; segment_duration 2; }";

/** What hls.js says of itself. */
type Playing = {
  readonly timeS: number;
  readonly latencyS: number;
  readonly behindS: number;
  readonly stalls: number;
  readonly partLoads: number;
  readonly segmentLoads: number;
  readonly errors: readonly string[];
  readonly isLowLatency: boolean;
};

type PlayerPage = {
  probe: { stalls: number; parts: number; segments: number; errors: string[] };
  hls: { latency: number; playingDate: Date | null; lowLatencyMode: boolean };
};

/** Plays an address in hls.js on an empty page of the server. */
async function playInHlsJs(page: Page, origin: string, url: string): Promise<void> {
  await page.route("**/blank", (route) =>
    route.fulfill({ contentType: "text/html", body: "<video muted>" }),
  );
  await page.goto(`${origin}/blank`);
  await page.addScriptTag({ path: HLS_JS });
  await page.evaluate((source) => {
    type Event = { part?: unknown; details?: string; type?: string; fatal?: boolean; reason?: string };
    type Player = PlayerPage["hls"] & {
      on(name: string, run: (name: string, event: Event) => void): void;
      loadSource(url: string): void;
      attachMedia(video: HTMLVideoElement): void;
    };
    const here = window as unknown as PlayerPage & { Hls: new (options: object) => Player };
    const probe: PlayerPage["probe"] = { stalls: 0, parts: 0, segments: 0, errors: [] };
    const video = document.querySelector("video")!;
    const hls = new here.Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.2 });
    here.probe = probe;
    here.hls = hls;
    hls.on("hlsFragLoaded", (_, { part }) => void (part ? probe.parts++ : probe.segments++));
    hls.on("hlsError", (_, { details, reason, fatal }) => {
      if (details === "bufferStalledError") probe.stalls++;
      probe.errors.push(`${details} ${reason ?? ""} ${fatal ? "fatal" : ""}`);
    });
    let hasPlayed = false;
    video.addEventListener("playing", () => (hasPlayed = true));
    video.addEventListener("waiting", () => void (hasPlayed && probe.stalls++));
    hls.loadSource(source);
    hls.attachMedia(video);
    void video.play();
  }, url);
}

function playing(page: Page): Promise<Playing> {
  return page.evaluate(() => {
    const { probe, hls } = window as unknown as PlayerPage;
    const date = hls.playingDate;
    return {
      timeS: document.querySelector("video")!.currentTime,
      latencyS: hls.latency,
      behindS: date === null ? Infinity : (Date.now() - date.getTime()) / 1000,
      stalls: probe.stalls,
      partLoads: probe.parts,
      segmentLoads: probe.segments,
      errors: probe.errors,
      isLowLatency: hls.lowLatencyMode,
    };
  });
}

/** Plays for a while; throws unless it was near the live edge all that time, by parts, without a stall. */
async function playsFor(page: Page, seconds: number): Promise<string> {
  await eventually(async () => assert.ok((await playing(page)).behindS < 1.5), { timeoutMs: 30_000 });
  const before = await playing(page);
  await sleep(seconds * 1000);
  const after = await playing(page);
  assert.ok(after.behindS <= 1.5, `${after.behindS} s behind`);
  assert.equal(after.stalls, before.stalls, after.errors.join("; "));
  const playedS = after.timeS - before.timeS;
  assert.ok(Math.abs(playedS - seconds) < 1, `${playedS} s in ${seconds} s`);
  assert.ok(after.partLoads - before.partLoads > seconds * 4, `${after.partLoads} parts`);
  return JSON.stringify(after);
}

const options = { skip: needs("chromium", "ffmpeg"), timeout: 180_000 };

test("hls.js plays parts, without a stall, at most 1.5 s behind", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const clip = await makeClip({ durationS: 20, width: 640, height: 360, gopPictures: 25 });
  publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  const { page, errors } = await openPage(t);
  await eventually(async () =>
    assert.equal((await fetch(weir.url("/pub/camera/index.ll.m3u8"))).status, 200),
  );
  await playInHlsJs(page, weir.url(""), weir.url("/pub/camera/index.ll.m3u8"));
  await eventually(async () => assert.ok((await playing(page)).timeS > 0), { timeoutMs: 30_000 });
  // It begins behind and comes nearer by playing faster. A busy machine may starve the player: once is enough.
  await eventually(async () => t.diagnostic(await playsFor(page, 20)), { timeoutMs: 90_000 });
  assert.deepEqual(errors, []);
});

test("hls.js goes on when the publisher is killed and comes back", options, async (t) => {
  const weir = await startWeir(t, { config: CONFIG });
  const clip = await makeClip({ durationS: 20, width: 640, height: 360, gopPictures: 25 });
  const first = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  const { page } = await openPage(t);
  const url = weir.url("/pub/camera/index.ll.m3u8");
  await eventually(() => textOf(url), { timeoutMs: 30_000 });
  await playInHlsJs(page, weir.url(""), url);
  await eventually(async () => assert.ok((await playing(page)).timeS > 3), { timeoutMs: 30_000 });
  await first.kill();
  await sleep(4000);
  const { timeS } = await playing(page);
  publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
  await eventually(
    async () => {
      const now = await playing(page);
      assert.ok(now.timeS > timeS + 8 && now.behindS < 3, JSON.stringify(now));
    },
    { timeoutMs: 60_000 },
  );
  t.diagnostic(JSON.stringify(await playing(page)));
});

/** What an address says now. */
async function textOf(url: string): Promise<string> {
  const reply = await fetch(url);
  const text = await reply.text();
  assert.equal(reply.status, 200, `${url}: ${text}`);
  return text;
}

/** Follows a low-latency playlist as a player does, version by version, until told to stop. */
async function record(weir: Weir, folder: string, isOver: () => boolean): Promise<PlaylistWatch> {
  const watch = new PlaylistWatch();
  let query = "";
  while (!isOver()) {
    const reply = await fetch(weir.url(`${folder}/mono.ll.m3u8${query}`));
    const text = await reply.text();
    if (reply.status !== 200) {
      // While nobody publishes, what is waited for does not come.
      assert.ok([400, 503].includes(reply.status), `${reply.status} ${text}`);
      query = "";
      continue;
    }
    const playlist = watch.take(text);
    const last = playlist.segments.at(-1)!;
    const [msn, part] = last.uri === null ? [last.msn, last.parts.length] : [last.msn + 1, 0];
    query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
  }
  return watch;
}

test(
  "recorded over a minute, with a publisher that is killed and comes back twice, playlists keep the rules",
  { ...options, skip: needs("ffmpeg") },
  async (t) => {
    const weir = await startWeir(t, { config: CONFIG });
    const clips = await Promise.all([
      makeClip({ durationS: 10, gopPictures: 25 }),
      makeClip({ durationS: 10, gopPictures: 48, frameRate: 24, bFrames: 2 }),
    ]);
    let publisher = publish(t, weir.rtmpUrl("pub/camera"), clips[0], { loop: true });
    await eventually(() => textOf(weir.url("/pub/camera/index.ll.m3u8")), { timeoutMs: 30_000 });
    let isOver = false;
    const folders = ["/pub/camera/tracks-v1a1", "/pub/camera/tracks-a1"];
    const recording = Promise.all(folders.map((folder) => record(weir, folder, () => isOver)));
    const plain = new PlaylistWatch();
    const look = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        plain.take(await textOf(weir.url("/pub/camera/tracks-v1a1/mono.m3u8")));
        await sleep(1000);
      }
    };
    await look(15);
    for (const clip of [clips[1], clips[0]]) {
      await publisher.kill();
      await look(3);
      publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      await look(18);
    }
    isOver = true;
    const watches = await recording;
    t.diagnostic(`${watches.map(({ changes }) => changes).join(", ")} versions, plain ${plain.changes}`);
    assert.ok(watches.every(({ changes }) => changes > 100) && plain.changes > 10);
    const text = await textOf(weir.url(`${folders[0]}/mono.ll.m3u8`));
    const parts = [...text.matchAll(/#EXT-X-PART:.*URI="([^"]+)"/g)].map(([, uri]) => uri!);
    for (const uri of parts) assert.ok((await fetch(weir.url(`${folders[0]}/${uri}`))).ok, uri);
  },
);

test(
  "a stream that lives in one thread is followed part by part from all of them",
  { ...options, skip: needs("ffmpeg") },
  async (t) => {
    const weir = await startWeir(t, { config: `threads 3; ${CONFIG}` });
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await eventually(() => textOf(weir.url("/pub/camera/index.ll.m3u8")), { timeoutMs: 30_000 });
    const folder = weir.url("/pub/camera/tracks-v1a1");
    // Each on connections of its own, so that the system spreads them over the threads.
    const headers = { connection: "close" };
    const viewers = Array.from({ length: 12 }, async () => {
      const watch = new PlaylistWatch();
      const parts = new Map<string, string>();
      let query = "";
      for (let n = 0; n < 25; n++) {
        const text = await (await fetch(`${folder}/mono.ll.m3u8${query}`, { headers })).text();
        const last = watch.take(text).segments.at(-1)!;
        const [msn, part] = last.uri === null ? [last.msn, last.parts.length] : [last.msn + 1, 0];
        query = `?_HLS_msn=${msn}&_HLS_part=${part}`;
        const uri = last.parts.at(-1)?.uri;
        if (uri === undefined) continue;
        const reply = await fetch(`${folder}/${uri}`, { headers });
        assert.equal(reply.status, 200, uri);
        parts.set(
          uri,
          createHash("sha256")
            .update(Buffer.from(await reply.arrayBuffer()))
            .digest("hex"),
        );
      }
      return parts;
    });
    const all = new Map<string, string>();
    for (const parts of await Promise.all(viewers))
      for (const [uri, hash] of parts) assert.equal(hash, all.get(uri) ?? (all.set(uri, hash), hash), uri);
    assert.ok(all.size > 20, `${all.size} parts`);
  },
);

test(
  "ffmpeg reads the low-latency playlist, and its parts joined are what it reads from the segment",
  { ...options, skip: needs("ffmpeg") },
  async (t) => {
    const weir = await startWeir(t, { config: CONFIG });
    const clip = await makeClip({ durationS: 10, gopPictures: 25, bFrames: 2 });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await eventually(() => textOf(weir.url("/pub/camera/index.ll.m3u8")), { timeoutMs: 30_000 });
    const folder = weir.url("/pub/camera/tracks-v1a1");
    const text = await textOf(`${folder}/mono.ll.m3u8`);
    const { segments } = parsePlaylistText(text);
    const whole = segments.findLast(({ uri, parts }) => uri !== null && parts.length > 0)!;
    const bytes = async (uri: string): Promise<Buffer> =>
      Buffer.from(await (await fetch(`${folder}/${uri}`)).arrayBuffer());
    const init = await bytes(whole.map!);
    const folderPath = await mkdtemp(join(tmpdir(), "weir-parts-"));
    t.after(() => rm(folderPath, { recursive: true }));
    const frames = async (name: string, pieces: readonly string[]): Promise<unknown> => {
      const path = join(folderPath, name);
      await writeFile(path, Buffer.concat([init, ...(await Promise.all(pieces.map(bytes)))]));
      const args = ["-v", "error", "-show_packets", "-of", "json"];
      const entries = "packet=stream_index,pts,dts,size,flags";
      const { stdout, stderr } = await runTool(
        "ffprobe",
        [...args, "-show_entries", entries, path],
        60_000,
      );
      assert.equal(stderr, "");
      const { packets } = JSON.parse(stdout) as { packets: { stream_index: number }[] };
      return [0, 1].map((index) => packets.filter((packet) => packet.stream_index === index));
    };
    const joined = await frames(
      "parts.mp4",
      whole.parts.map(({ uri }) => uri),
    );
    assert.deepEqual(joined, await frames("segment.mp4", [whole.uri!]));
    const url = weir.url("/pub/camera/index.ll.m3u8");
    const { stderr } = await ffmpeg(["-v", "warning", "-i", url, "-t", "6", "-f", "null", "-"]);
    assert.doesNotMatch(stderr, /error|invalid|corrupt/i);
  },
);
