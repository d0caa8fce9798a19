/** RTMP and HTTP-FLV played by programs that nobody here wrote. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { countStreams, ffmpeg, makeClip, probePackets, probeStreams, publish } from "../support/ffmpeg.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const CONFIG = 'template any { prefix ""; input publish://; segment_duration 2; }';

test(
  "ffmpeg, rtmpdump and GStreamer play what ffmpeg publishes",
  { skip: needs("ffmpeg", "rtmpdump", "gstreamer"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    const url = weir.rtmpUrl("live/show");
    publish(t, url, clip, { loop: true });
    await weir.onAir("live/show");
    const file = (tool: string): string => join(tmpdir(), `weir-play-${tool}-${process.pid}.flv`);

    await ffmpeg(["-i", url, "-t", "5", "-c", "copy", file("ffmpeg")]);
    const others = [
      startProgram(t, "rtmpdump", ["-q", "-v", "-r", url, "-o", file("rtmpdump")]),
      startProgram(t, "gst-launch-1.0", [
        ...["-q", "-e", "rtmp2src", `location=${url}`],
        ...["!", "filesink", `location=${file("gstreamer")}`],
      ]),
    ];
    await sleep(6000);
    for (const player of others) {
      assert.ok(player.isRunning, player.stderr);
      player.signal("SIGINT");
      await player.ended;
    }

    for (const tool of ["ffmpeg", "rtmpdump", "gstreamer"]) {
      const streams = await countStreams(file(tool));
      const video = streams.find((stream) => stream.codec_type === "video");
      const audio = streams.find((stream) => stream.codec_type === "audio");
      assert.deepEqual([video?.codec_name, audio?.codec_name], ["h264", "aac"], tool);
      assert.ok(Number(video!.nb_read_frames) >= 100, `${tool}: ${video!.nb_read_frames} pictures`);
    }
  },
);

test(
  "who joins late gets the tracks that there are and no other, and a recording ends",
  { skip: needs("ffmpeg", "rtmpdump"), timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    publish(t, weir.rtmpUrl("live/late"), clip, { loop: true });
    await weir.onAir("live/late");
    // A join in the first GOP begins at time 0, where all is well.
    await eventually(async () => {
      const { stdout } = await ffmpeg([
        ...["-v", "error", "-i", weir.url("/live/late.flv"), "-map", "0:v", "-frames:v", "1"],
        ...["-c", "copy", "-copyts", "-f", "framecrc", "-"],
      ]);
      assert.ok(Number(/^0, +(\d+),/m.exec(stdout)?.[1]) > 1000, stdout);
    });
    for (const [form, url] of [
      ["flv", weir.url("/live/late.flv")],
      ["rtmp", weir.rtmpUrl("live/late")],
    ] as const) {
      const streams = await probeStreams(url);
      assert.deepEqual(streams.map(({ codec_type }) => codec_type).toSorted(), ["audio", "video"], form);
      const path = join(tmpdir(), `weir-late-${form}-${process.pid}.mkv`);
      await ffmpeg(["-i", url, "-t", "2", "-c", "copy", path]);
      const packets = await probePackets(path);
      const seconds = packets.map(({ pts_time }) => Number(pts_time));
      assert.ok(Math.min(...seconds) < 0.2 && Math.max(...seconds) < 2.2, `${form}: ${seconds.join(" ")}`);
      assert.ok(packets.length > 100, `${form}: ${packets.length} packets`);
    }
    const dumped = join(tmpdir(), `weir-late-rtmpdump-${process.pid}.flv`);
    await startProgram(t, "rtmpdump", [
      ...["-q", "-v", "-r", weir.rtmpUrl("live/late"), "--stop", "2", "-o", dumped],
    ]).ended;
    assert.equal((await probeStreams(dumped)).length, 2);
    const pictures = (await probePackets(dumped, { select: "v" })).map(({ dts_time }) => Number(dts_time));
    assert.ok(pictures.length >= 40 && pictures.length <= 60, `${pictures.length} pictures of 2 s`);
  },
);

test(
  "filter.tracks chooses among the tracks of FLV and MPEG-TS",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 20, gopPictures: 25 });
    const weir = await startWeir(t, { config: `threads 2; ${CONFIG}` });
    publish(t, weir.rtmpUrl("live/choice"), clip, { loop: true });
    await weir.onAir("live/choice");
    for (const path of ["/live/choice.flv", "/live/choice/mpegts"]) {
      for (const [chosen, kinds] of [
        ["v1", ["video"]],
        ["a1", ["audio"]],
        ["v1a1a2", ["audio", "video"]],
      ] as const) {
        const streams = await probeStreams(`${weir.url(path)}?filter.tracks=${chosen}`);
        assert.deepEqual(
          streams.map(({ codec_type }) => codec_type).toSorted(),
          kinds,
          `${path} ${chosen}`,
        );
      }
      for (const [chosen, status, code] of [
        ["a2", 404, "TRACKS_NOT_THERE"],
        ["video", 400, "TRACKS_BAD_FILTER"],
      ] as const) {
        const reply = await fetch(`${weir.url(path)}?filter.tracks=${chosen}`);
        assert.deepEqual([reply.status, reply.headers.get("x-error-code")], [status, code], path);
        await reply.arrayBuffer();
      }
    }
  },
);

test(
  "MP3 audio and video alone are taken and served",
  { skip: needs("ffmpeg"), timeout: 90_000 },
  async (t) => {
    const weir = await startWeir(t, { config: CONFIG });
    const cases = [
      {
        name: "mp3",
        clip: await makeClip({ durationS: 8, gopPictures: 25, audio: "libmp3lame", extension: "flv" }),
        want: ["h264", "mp3"],
      },
      {
        name: "silent",
        clip: await makeClip({ durationS: 8, gopPictures: 25, audio: null }),
        want: ["h264"],
      },
      { name: "radio", clip: await makeClip({ durationS: 8, video: null }), want: ["aac"] },
    ];
    for (const { name, clip, want } of cases) {
      publish(t, weir.rtmpUrl(name), clip, { loop: true });
      const file = join(tmpdir(), `weir-${name}-${process.pid}.mp4`);
      await weir.onAir(name);
      await ffmpeg(["-i", weir.url(`/${name}/index.m3u8`), "-t", "4", "-c", "copy", file]);
      assert.deepEqual(
        (await countStreams(file)).map((stream) => stream.codec_name),
        want,
        name,
      );
    }
  },
);

test(
  "ffmpeg plays HTTP-FLV, and a stream that is not on air is not found",
  { skip: needs("ffmpeg"), timeout: 90_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 8, gopPictures: 25, bFrames: 2 });
    const weir = await startWeir(t, { config: CONFIG });
    assert.equal((await fetch(weir.url("/live/show.flv"))).status, 404);
    publish(t, weir.rtmpUrl("live/show"), clip, { loop: true });
    await weir.onAir("live/show");
    const file = join(tmpdir(), `weir-play-http-flv-${process.pid}.mp4`);
    await ffmpeg(["-i", weir.url("/live/show.flv"), "-t", "4", "-c", "copy", file]);
    const streams = await countStreams(file);
    assert.deepEqual(
      streams.map((stream) => stream.codec_name),
      ["h264", "aac"],
    );
    assert.ok(Number(streams[0]!.nb_read_frames) >= 90, `${streams[0]!.nb_read_frames} pictures`);
  },
);
