/** HLS as MPEG-TS, of live streams and files, as programs that nobody here wrote see it. */
import assert from "node:assert/strict";
import { get } from "node:http";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openPage } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { countStreams, makeClip, probePackets, publish, runTool } from "../support/ffmpeg.ts";
import type { ClipOptions } from "../support/ffmpeg.ts";
import { hlsJsState, playInHlsJs } from "./hls-js.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

async function folderWith(t: TestEnd, files: Readonly<Record<string, ClipOptions>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-ts-hls-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, clip] of Object.entries(files))
    await copyFile(await makeClip(clip), join(folder, name));
  return folder;
}

/** Addresses in a playlist that are no tags and no comments. */
function addressesIn(playlist: string, base: string): string[] {
  return playlist
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => new URL(line, base).href);
}

async function textOf(url: string): Promise<string> {
  const reply = await fetch(url);
  assert.equal(reply.status, 200, url);
  return await reply.text();
}

/** The segments of a media playlist in one file. */
async function download(folder: string, playlist: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for (const address of addressesIn(await textOf(playlist), playlist)) {
    const reply = await fetch(address);
    assert.deepEqual([reply.status, reply.headers.get("content-type")], [200, "video/mp2t"], address);
    parts.push(await reply.bytes());
  }
  const path = join(folder, "joined.ts");
  await writeFile(path, Buffer.concat(parts));
  return path;
}

/** tstools find no error over segments that follow each other. */
async function assertReported(path: string): Promise<void> {
  const { stdout } = await runTool("tsreport", ["-buffering", path], 30_000);
  assert.doesNotMatch(stdout, /###|!!!/);
  assert.match(stdout, /PCRs found: \d+, Bad \(>\.1s\) gaps: 0,/);
}

const FILM: ClipOptions = { durationS: 12, gopPictures: 50, bFrames: 2 };

test(
  "a file: ffprobe counts the packets of the source, tstools find no error, GStreamer plays",
  { skip: needs("ffmpeg", "tstools", "gstreamer"), timeout: 120_000 },
  async (t) => {
    const folder = await folderWith(t, { "film.mp4": FILM });
    const weir = await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 3; }` });
    const source = await probePackets(join(folder, "film.mp4"));
    for (const playlist of ["video.m3u8", "index.ts.m3u8"]) {
      const probed = await probePackets(weir.url(`/vod/film.mp4/${playlist}`));
      for (const kind of ["video", "audio"] as const) {
        const ofKind = (packets: typeof source): number =>
          packets.filter(({ codec_type }) => codec_type === kind).length;
        assert.equal(ofKind(probed), ofKind(source), `${kind} of ${playlist}`);
      }
    }
    const joined = await download(folder, weir.url("/vod/film.mp4/video.m3u8"));
    await assertReported(joined);
    const decoded = await countStreams(joined);
    assert.deepEqual(
      decoded.map(({ codec_name }) => codec_name),
      ["h264", "aac"],
    );
    assert.equal(decoded[0]!.nb_read_frames, "300");
    const uri = `uri=${weir.url("/vod/film.mp4/index.ts.m3u8")}`;
    const sinks = ["video-sink=fakesink sync=false", "audio-sink=fakesink sync=false"];
    await runTool("gst-launch-1.0", ["-q", "playbin", uri, ...sinks], 60_000);
  },
);

test(
  "a live stream: consecutive segments have no error",
  { skip: needs("ffmpeg", "tstools"), timeout: 120_000 },
  async (t) => {
    const folder = await folderWith(t, {});
    const weir = await startWeir(t, {
      config: 'template any { prefix ""; input publish://; segment_duration 2; }',
    });
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    publish(t, weir.rtmpUrl("live/show"), clip, { loop: true });
    await weir.onAir("live/show");
    const url = weir.url("/live/show/video.m3u8");
    const joined = await download(folder, url);
    await assertReported(joined);
    const streams = await countStreams(joined);
    assert.deepEqual(
      streams.map(({ codec_name }) => codec_name),
      ["h264", "aac"],
    );
    assert.ok(Number(streams[0]!.nb_read_frames) >= 75, streams[0]!.nb_read_frames);
  },
);

test(
  "hls.js plays a file to its end and a live stream on and on",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    const folder = await folderWith(t, { "film.mp4": FILM });
    const weir = await startWeir(t, {
      config: `template pub { prefix pub; input publish://; segment_duration 2; } vod vod { storage ${folder}; segment_duration 3; }`,
    });
    publish(t, weir.rtmpUrl("pub/show"), await makeClip(FILM), { loop: true });
    const { page } = await openPage(t);
    await playInHlsJs(page, weir.url("/vod/film.mp4/index.ts.m3u8"));
    const atEnd = async (): Promise<void> => {
      const { hasEnded, errors, durationS } = await hlsJsState(page);
      assert.deepEqual(errors, []);
      assert.ok(hasEnded);
      assert.ok(Math.abs(durationS - 12) < 0.2, `${durationS} s`);
    };
    await eventually(atEnd, { timeoutMs: 60_000 });

    await weir.onAir("pub/show");
    await playInHlsJs(page, weir.url("/pub/show/index.ts.m3u8"));
    const playedS = async (): Promise<number> => {
      const { timeS, errors, pictures } = await hlsJsState(page);
      assert.deepEqual(errors, []);
      assert.ok(timeS > 0 && pictures > 10);
      return timeS;
    };
    const beganS = await eventually(playedS, { timeoutMs: 60_000 });
    const playsOn = async (): Promise<void> => assert.ok((await playedS()) > beganS + 6);
    await eventually(playsOn, { timeoutMs: 60_000 });
  },
);

test(
  "hls.js plays the picture of what has sound that the browser does not decode, and the log says so once",
  { skip: needs("ffmpeg", "chromium"), timeout: 180_000 },
  async (t) => {
    const folder = await folderWith(t, {
      "mp3.mp4": { durationS: 4, gopPictures: 25, audio: "libmp3lame" },
      "ac3.mp4": { durationS: 4, gopPictures: 25, audio: "ac3" },
    });
    const weir = await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 1; }` });
    const { page } = await openPage(t);
    for (const codec of ["mp3", "ac3"]) {
      const file = `${codec}.mp4`;
      await playInHlsJs(page, weir.url(`/vod/${file}/index.m3u8`));
      const atEnd = async (): Promise<void> => {
        const { hasEnded, errors, pictures } = await hlsJsState(page);
        assert.deepEqual(errors, []);
        assert.ok(hasEnded && pictures > 10, `${file}: ${pictures} pictures`);
      };
      await eventually(atEnd, { timeoutMs: 60_000 });
      await weir.logged(`sound a1 is ${codec}`);
    }
    await textOf(weir.url("/vod/mp3.mp4/index.m3u8?token=x"));
    await weir.logged((line) => line["level"] === "info");
    assert.equal(weir.log.filter((line) => JSON.stringify(line).includes("sound a1 is mp3")).length, 1);
  },
);

test(
  "sound that old devices lack is left out, and the log says so once",
  { skip: needs("ffmpeg"), timeout: 60_000 },
  async (t) => {
    const folder = await folderWith(t, { "opus.mp4": { durationS: 4, gopPictures: 25, audio: "libopus" } });
    const weir = await startWeir(t, { config: `vod vod { storage ${folder}; segment_duration 1; }` });
    const text = await textOf(weir.url("/vod/opus.mp4/video.m3u8"));
    assert.match(text, /\n# track a1 is left out: .*opus/);
    assert.match(text, /\ntracks-v1\/seg/);
    await textOf(weir.url("/vod/opus.mp4/index.ts.m3u8"));
    await weir.logged("track a1 is left out");
    await textOf(weir.url("/vod/opus.mp4/video.m3u8?token=x"));
    await weir.logged((line) => line["level"] === "info");
    const said = weir.log.filter((line) => JSON.stringify(line).includes("track a1 is left out"));
    assert.equal(said.length, 1);
  },
);

/** The body of a reply over a connection of its own. */
function bodyOf(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (reply) => {
      const parts: Buffer[] = [];
      reply.on("data", (part: Buffer) => parts.push(part));
      reply.on("error", reject);
      reply.on("end", () => resolve(Buffer.concat(parts)));
    });
    request.on("error", reject);
  });
}

test(
  "every media thread makes the same bytes of a live stream",
  { skip: needs("ffmpeg"), timeout: 60_000 },
  async (t) => {
    const weir = await startWeir(t, {
      config:
        'threads 3; template any { prefix ""; input publish://; segment_duration 2; segment_count 20; }',
    });
    publish(t, weir.rtmpUrl("live/show"), await makeClip(FILM), { loop: true });
    await weir.onAir("live/show");
    const url = weir.url("/live/show/video.m3u8");
    const [segment] = addressesIn(await textOf(url), url);
    // With so many connections over three threads, all landing in one happens once in a hundred million runs.
    const bodies = await Promise.all(Array.from({ length: 18 }, () => bodyOf(segment!)));
    assert.ok(bodies[0]!.byteLength > 188 * 50 && bodies[0]!.byteLength % 188 === 0);
    for (const body of bodies) assert.ok(body.equals(bodies[0]!));
  },
);
