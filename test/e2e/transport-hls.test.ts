/** HLS as MPEG-TS, of live streams and files, as programs that nobody here wrote see it. */
import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { countStreams, makeClip, probePackets, publish, runTool } from "../support/ffmpeg.ts";
import type { ClipOptions } from "../support/ffmpeg.ts";
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
  "a live stream: consecutive segments have no error, and sound that old devices lack is left out",
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
