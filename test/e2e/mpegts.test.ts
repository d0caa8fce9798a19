/** MPEG-TS over HTTP, played and checked by programs that nobody here wrote. */
import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { makeClip, probePackets, probeStreams, publish, runTool } from "../support/ffmpeg.ts";
import { startProgram } from "../support/program.ts";
import type { TestEnd } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const CONFIG = "template pub { prefix pub; input publish:// source_timeout=30; }";

/** Keeps the first bytes of a body without an end. Returns: the file's path. */
async function record(t: TestEnd, url: string, wantedBytes: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-ts-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "recorded.ts");
  const leaving = new AbortController();
  const reply = await fetch(url, { signal: leaving.signal });
  assert.deepEqual([reply.status, reply.headers.get("content-type")], [200, "video/mp2t"]);
  const file = createWriteStream(path);
  let takenBytes = 0;
  for await (const chunk of Readable.fromWeb(reply.body as never)) {
    file.write(chunk as Buffer);
    takenBytes += (chunk as Buffer).length;
    if (takenBytes >= wantedBytes) break;
  }
  leaving.abort();
  file.end();
  await finished(file);
  return path;
}

/** Plays until the test ends, so that whoever comes joins a sequence that runs already. */
async function watch(t: TestEnd, url: string): Promise<void> {
  const leaving = new AbortController();
  const reply = await fetch(url, { signal: leaving.signal });
  const draining = (async (): Promise<void> => {
    for await (const _ of Readable.fromWeb(reply.body as never)) if (leaving.signal.aborted) break;
  })().catch(() => {});
  t.after(async () => {
    leaving.abort();
    await draining;
  });
}

test(
  "a recording of GET has no error that tstools or ffmpeg find, from the first viewer or a later one",
  { skip: needs("ffmpeg", "tstools"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    const url = weir.url("/pub/camera/mpegts");
    const first = await record(t, url, 400_000);
    await watch(t, url);
    const later = await record(t, url, 400_000);
    for (const file of [first, later]) {
      const streams = await probeStreams(file);
      assert.deepEqual(streams.map(({ codec_name }) => codec_name).toSorted(), ["aac", "h264"]);
      const video = await probePackets(file, { select: "v" });
      assert.ok(video.length > 50, `${video.length} pictures`);
      assert.equal(video[0]?.flags[0], "K", "the first picture is a key frame");
      const { stdout } = await runTool("tsinfo", [file], 60_000);
      assert.match(stdout, /Packet 1 is PAT[^]*Packet 2 is PMT/);
      const report = await runTool("tsreport", ["-b", file], 60_000);
      const said = report.stdout + report.stderr;
      assert.match(said, /Bad \(>.1s\) gaps: 0,/);
      assert.doesNotMatch(said, /###|!!!|[Dd]iscontinuity|duplicate packets: [1-9]/);
      // The recording is cut within a picture; what is before the cut decodes without a word.
      const decoded = await runTool(
        "ffmpeg",
        ["-v", "warning", "-t", "2", "-i", file, "-f", "null", "-"],
        60_000,
      );
      assert.equal(decoded.stderr, "");
    }
  },
);

test(
  "GStreamer and ffmpeg play GET",
  { skip: needs("ffmpeg", "gstreamer"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    const url = weir.url("/pub/camera/mpegts");
    const { stdout } = await runTool(
      "gst-launch-1.0",
      [
        ...["-v", "souphttpsrc", `location=${url}`, "!", "tsdemux", "!", "h264parse", "!", "avdec_h264"],
        ...["!", "identity", "eos-after=60", "!", "fakesink", "sync=false"],
      ],
      60_000,
    );
    assert.match(stdout, /video\/x-raw[^\n]*width=\(int\)320/);
    const played = await runTool(
      "ffmpeg",
      ["-v", "warning", "-stats", "-i", url, "-t", "3", "-f", "null", "-"],
      60_000,
    );
    assert.match(played.stderr, /frame= *7\d/);
  },
);

test(
  "ffmpeg publishes over POST, and what it sent comes out again",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: `threads 2; ${CONFIG}` });
    const url = weir.url("/pub/camera/mpegts");
    const publisher = startProgram(t, "ffmpeg", [
      ...["-hide_banner", "-nostdin", "-v", "warning", "-re", "-stream_loop", "-1", "-i", clip],
      ...["-c", "copy", "-f", "mpegts", "-method", "POST", url],
    ]);
    await weir.onAir("pub/camera");
    const refused = await fetch(url, { method: "POST", body: "x" });
    assert.deepEqual([refused.status, refused.headers.get("x-error-code")], [409, "STREAM_BUSY"]);
    const recorded = await record(t, url, 500_000);
    const got = await probePackets(recorded, { select: "v" });
    assert.ok(got.length > 50, `${got.length} pictures`);
    const steps = got.slice(1, 50).map((packet, i) => Number(packet.dts_time) - Number(got[i]!.dts_time));
    // Where the clip begins anew ffmpeg makes one longer step.
    const odd = steps.filter((step) => Math.abs(step - 0.04) > 0.002);
    assert.ok(odd.length <= 1, steps.join());
    await publisher.kill();
    await weir.logged("publisher left");
  },
);

test(
  "curl -T publishes a file, and is told what was taken, or why nothing was",
  { skip: needs("ffmpeg", "curl"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 4, gopPictures: 25, extension: "ts" });
    const other = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: `threads 2; ${CONFIG}` });
    const send = async (file: string, path: string): Promise<string> => {
      const args = ["-s", "-S", "-w", "%{http_code}", "-T", file, weir.url(path)];
      return (await runTool("curl", args, 30_000)).stdout;
    };
    assert.match(await send(clip, "/pub/camera/mpegts"), /^\d{3} packets were taken\n200$/);
    assert.match(await send(other, "/pub/camera/mpegts"), /no transport stream[^]*415$/);
    assert.match(await send(clip, "/nobody/mpegts"), /no stream "nobody"[^]*404$/);
    assert.match(await send(clip, "/pub/camera/index.m3u8"), /405$/);
  },
);
