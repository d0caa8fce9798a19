/** DASH as programs that are not ours read it, and every MPD and segment held against the rules. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { DashRecording } from "../support/dash-recorder.ts";
import { eventually } from "../support/eventually.ts";
import { countStreams, ffmpeg, makeClip, probePackets, publish, runTool } from "../support/ffmpeg.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const CONFIG = `template pub { prefix pub; input publish:// source_timeout=60; segment_duration 1; }
template still { prefix still; input publish://; protocols dash; segment_duration 1; }
template hlsonly { prefix hlsonly; input publish://; protocols hls; segment_duration 1; }`;

/** The sizes of a kind's frames, in order: which frames they are. */
async function frameSizes(file: string, kind: "video" | "audio"): Promise<string[]> {
  const packets = await probePackets(file, { timeoutMs: 120_000 });
  return packets.filter(({ codec_type }) => codec_type === kind).map(({ size }) => size);
}

test(
  "ffmpeg and GStreamer read a file's MPD and get every frame of it",
  { skip: needs("ffmpeg", "gstreamer"), timeout: 180_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, bFrames: 2, gopPictures: 25 });
    const weir = await startWeir(t, { config: `vod files { storage "${dirname(clip)}"; }` });
    const url = weir.url(`/files/${basename(clip)}/index.mpd`);
    const copy = join(tmpdir(), `weir-dash-file-${process.pid}.mp4`);
    await ffmpeg(["-i", url, "-c", "copy", copy], 120_000);
    for (const kind of ["video", "audio"] as const) {
      const [source, served] = [await frameSizes(clip, kind), await frameSizes(copy, kind)];
      assert.deepEqual(served, source.slice(0, served.length), kind);
      // ffmpeg stops at the end of the first Representation that ends: sound that goes on is lost.
      assert.ok(
        served.length >= source.length - (kind === "audio" ? 1 : 0),
        `${served.length} ${kind} frames`,
      );
    }

    const { stdout } = await runTool(
      "gst-launch-1.0",
      [
        ...["-v", "urisourcebin", `uri=${url}`, "!", "parsebin", "name=parse"],
        ...[
          "parse.",
          "!",
          "video/x-h264",
          "!",
          "avdec_h264",
          "!",
          "fakesink",
          "silent=false",
          "sync=false",
        ],
      ],
      120_000,
    );
    assert.equal(stdout.match(/chain +\*{7}/g)?.length, 500, stdout.slice(-2000));

    const recording = new DashRecording(url);
    await recording.poll();
    await recording.follow(() => true, 60_000);
    assert.deepEqual(await recording.problems(), []);
    assert.ok(recording.segments.length >= 10, `${recording.segments.length} segments`);
  },
);

test(
  "MPDs recorded over a publisher that dies, returns and changes its picture keep the rules, and list what is there",
  { skip: needs("ffmpeg"), timeout: 240_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const larger = await makeClip({ durationS: 20, gopPictures: 25, width: 640, height: 360 });
    const weir = await startWeir(t, { config: CONFIG });
    const url = (file: string): string => weir.url(`/pub/camera/${file}`);
    const recordings = [new DashRecording(url("index.mpd")), new DashRecording(url("index.ll.mpd"))];
    const [plain, lowLatency] = recordings;
    const record = (isEnough: (recording: DashRecording) => boolean): Promise<unknown> =>
      Promise.all(recordings.map((recording) => recording.follow(isEnough, 60_000)));
    const periods = (recording: DashRecording): number =>
      new Set(recording.segments.map(({ period }) => period)).size;
    const lengthOfLast = (recording: DashRecording): number => {
      const last = recording.segments.filter(({ period }) => period === recording.segments.at(-1)!.period);
      return last.length;
    };

    const first = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    await record((recording) => recording.segments.length >= 12);
    await first.kill();
    const second = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await record((recording) => periods(recording) >= 2 && lengthOfLast(recording) >= 6);
    await second.kill();
    publish(t, weir.rtmpUrl("pub/camera"), larger, { loop: true });
    await record((recording) => periods(recording) >= 3 && lengthOfLast(recording) >= 12);

    assert.deepEqual(await plain!.problems(), []);
    assert.deepEqual(await lowLatency!.problems(), []);
    for (const { mpds } of recordings) {
      assert.ok(mpds.length >= 12, `${mpds.length} MPDs`);
      const ids = new Set(mpds.flatMap((mpd) => mpd.periods.map(({ id }) => id)));
      assert.equal(ids.size, 3, [...ids].join());
      assert.ok(
        mpds.some((mpd) => mpd.periods.length > 1),
        "no MPD with two Periods",
      );
    }
    assert.ok(lowLatency!.mpds.some((mpd) => mpd.isLowLatency));
    const sizes = plain!.mpds.map((mpd) => mpd.periods.at(-1)!.representations[0]!.fixed["width"]);
    assert.deepEqual([sizes[0], sizes.at(-1)], ["320", "640"]);
  },
);

test(
  "what is served over DASH is the publisher's, frame by frame, complete or as it grew",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("pub/camera"), clip);
    await weir.onAir("pub/camera");
    const growing = await growingSegments(weir.url("/pub/camera/index.ll.mpd"), 5);
    const recording = new DashRecording(weir.url("/pub/camera/index.mpd"));
    await recording.follow(({ segments }) => segments.length >= 16, 60_000);
    const whole = join(tmpdir(), `weir-dash-live-${process.pid}.mp4`);
    for (const [id, kind] of [
      ["v1", "video"],
      ["a1", "audio"],
    ] as const) {
      await writeFile(whole, await recording.joined(id));
      const [source, served] = [await frameSizes(clip, kind), await frameSizes(whole, kind)];
      assert.ok(served.length > 100, `${served.length} ${kind} frames`);
      assert.ok(` ${source.join(" ")} `.includes(` ${served.join(" ")} `), `${kind} frames are others`);
    }
    const grown = join(tmpdir(), `weir-dash-grown-${process.pid}.mp4`);
    await writeFile(grown, growing);
    const [source, served] = [await frameSizes(clip, "video"), await frameSizes(grown, "video")];
    assert.equal(served.length, 5 * 25);
    assert.ok(` ${source.join(" ")} `.includes(` ${served.join(" ")} `), "pictures that grew are others");
  },
);

/** So many video segments one behind the other, each asked for before it is complete, behind their init segment. */
async function growingSegments(mpdUrl: string, count: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let last = 0;
  for (let isFirst = true; pieces.length <= count; isFirst = false) {
    const text = await (await fetch(mpdUrl)).text();
    const { initialization, media } =
      /initialization="(?<initialization>tracks-v1[^"]+)" media="(?<media>[^"]+)"/.exec(text)!.groups!;
    if (isFirst) pieces.push(await bytesOf(new URL(initialization!, mpdUrl)));
    const newest = /<S t="(\d+)" d="(\d+)"(?: r="(\d+)")?\/>\n *<\/SegmentTimeline>/.exec(text)!;
    const [start, length, repeat] = newest.slice(1).map((digits) => Number(digits ?? 0));
    const next = last === 0 ? start! + length! * repeat! : last + length!;
    last = next;
    pieces.push(await bytesOf(new URL(media!.replace("$Time$", String(next)), mpdUrl)));
  }
  return new Uint8Array(Buffer.concat(pieces));
}

async function bytesOf(url: URL): Promise<Uint8Array> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  assert.equal(reply.status, 200, url.href);
  return new Uint8Array(await reply.arrayBuffer());
}

test(
  "a stream that may be played over DASH alone is, with its segments; one that may not is not",
  { skip: needs("ffmpeg"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    for (const name of ["still/a", "hlsonly/a"]) publish(t, weir.rtmpUrl(name), clip, { loop: true });
    const status = async (path: string): Promise<number> => (await fetch(weir.url(path))).status;
    await eventually(async () => assert.equal(await status("/still/a/index.mpd"), 200), {
      timeoutMs: 30_000,
    });
    await eventually(async () => assert.equal(await status("/hlsonly/a/index.m3u8"), 200), {
      timeoutMs: 30_000,
    });
    const recording = new DashRecording(weir.url("/still/a/index.mpd"));
    await recording.follow(({ segments }) => segments.length >= 4, 30_000);
    assert.deepEqual(await recording.problems(), []);
    assert.equal(await status("/still/a/index.m3u8"), 403);
    for (const file of ["index.mpd", "Manifest.mpd", "index.ll.mpd", "utc"])
      assert.equal(await status(`/hlsonly/a/${file}`), 403, file);
    const streams = await countStreams(weir.url("/still/a/Manifest.mpd"), { readS: 3 });
    assert.deepEqual(
      streams.map((stream) => stream.codec_name),
      ["h264", "aac"],
    );
    const far = Date.now() + 3_600_000;
    for (const file of [
      "tracks-v1/seg-1.m4s",
      `tracks-v1/seg-${far}.m4s`,
      "tracks-v1/init-000000000000.mp4",
    ])
      assert.equal(await status(`/still/a/${file}`), 404, file);
    for (const file of ["tracks-v9/seg-1.m4s", "tracks-v1/seg-9999999999999999.m4s", "index.mpdx"])
      assert.equal(await status(`/still/a/${file}`), 404, file);
    const clock = Date.parse((await (await fetch(weir.url("/still/a/utc"))).text()).trim());
    assert.ok(Math.abs(clock - Date.now()) < 10_000, `the clock is at ${clock}`);
  },
);
