/** Files over RTMP, by the programs that people play RTMP with. */
import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeClip, runTool } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const TOOL_MS = 90_000;
const skip = needs("ffmpeg");

/** A server with one film of ten seconds, a key frame every two, in a folder of its vod. */
async function start(t: TestEnd): Promise<{ film: string; url: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "weir-vod-rtmp-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const film = join(folder, "films", "sub", "film.mp4");
  await mkdir(join(folder, "films", "sub"), { recursive: true });
  await copyFile(await makeClip({ durationS: 10, gopPictures: 50 }), film);
  const weir = await startWeir(t, { config: `vod vod { storage ${join(folder, "films")}; }` });
  return { film, folder, url: `rtmp://127.0.0.1:${weir.ports.rtmp}/vod` };
}

/** Packets of video and audio in a file or a stream. */
async function countsOf(url: string): Promise<Record<string, number>> {
  const { stdout } = await runTool(
    "ffprobe",
    [
      ...["-v", "error", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets"],
      ...["-of", "csv=p=0", url],
    ],
    TOOL_MS,
  );
  const rows = stdout.trim().split("\n");
  return Object.fromEntries(rows.map((row) => [row.split(",")[0]!, Number(row.split(",")[1])] as const));
}

/** It says "incomplete" (2) of a file whose last frame begins before 99.9 % of its length, as in all short ones. */
async function rtmpdump(args: readonly string[]): Promise<void> {
  await runTool("rtmpdump", ["-q", ...args], TOOL_MS).catch((caught: unknown) => {
    assert.match(String(caught), /ended with code 2/);
  });
}

describe("a file over RTMP", { skip, concurrency: true, timeout: 180_000 }, () => {
  test("has every frame for ffprobe, and takes its time", async (t) => {
    const { film, url } = await start(t);
    const beganMs = performance.now();
    const counts = await countsOf(`${url}/sub/film.mp4`);
    assert.deepEqual(counts, await countsOf(film));
    // Ten seconds less the buffer of three that ffmpeg asks for.
    assert.ok(performance.now() - beganMs > 6000);
  });

  test(
    "has every frame for rtmpdump, which takes the extension off",
    { skip: needs("rtmpdump") },
    async (t) => {
      const { film, url, folder } = await start(t);
      const copy = join(folder, "copy.flv");
      await rtmpdump(["-r", `${url}/sub/film.mp4`, "-o", copy]);
      const { h264, aac } = await countsOf(copy);
      assert.deepEqual({ h264, aac }, await countsOf(film));
    },
  );

  test("begins at the key frame before for rtmpdump --start", { skip: needs("rtmpdump") }, async (t) => {
    const { url, folder } = await start(t);
    const copy = join(folder, "part.flv");
    await rtmpdump(["-r", url, "-y", "mp4:sub/film.mp4", "-A", "5", "-o", copy]);
    const { h264 } = await countsOf(copy);
    assert.equal(h264, 150);
  });

  test("is sought in by ffprobe, to the key frame before", async (t) => {
    const { url } = await start(t);
    const args = ["-v", "error", "-select_streams", "v", "-read_intervals", "7%+1"];
    const shown = ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", `${url}/sub/film.mp4`];
    const { stdout } = await runTool("ffprobe", [...args, ...shown], TOOL_MS);
    const [time, flags] = stdout.trim().split(",");
    assert.ok(Math.abs(Number(time) - 6) < 0.2, `begins at ${time} s`);
    assert.match(flags!, /^K/);
  });

  test("has every frame for GStreamer", { skip: needs("gstreamer") }, async (t) => {
    const { film, url, folder } = await start(t);
    const copy = join(folder, "copy.flv");
    const source = ["rtmp2src", `location=${url}/sub/film.mp4`];
    await runTool("gst-launch-1.0", ["-q", ...source, "!", "filesink", `location=${copy}`], TOOL_MS);
    const { h264, aac } = await countsOf(copy);
    assert.deepEqual({ h264, aac }, await countsOf(film));
  });
});
