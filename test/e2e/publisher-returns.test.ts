/** The publisher is killed and comes back within source_timeout: whoever watches stays. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { countStreams, makeClip, publish } from "../support/ffmpeg.ts";
import { HlsRecording } from "../support/hls-recorder.ts";
import { startProgram } from "../support/program.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const CONFIG = `template pub { prefix pub; input publish:// source_timeout=20; segment_duration 2; }
template short { prefix short; input publish://; source_timeout 2; segment_duration 2; }
template swap { prefix swap; input publish://; second_publisher replace; segment_duration 2; }`;

const skip = needs("ffmpeg");

test(
  "HLS goes on with a discontinuity and rising numbers, RTMP on the same connection",
  { skip, timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    const first = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    const recording = new HlsRecording(weir.url("/pub/camera/tracks-v1a1/mono.m3u8"));
    await recording.follow((sofar) => sofar.segments.length >= 3, 40_000);
    const recorded = join(tmpdir(), `weir-return-${process.pid}.flv`);
    const player = startProgram(t, "ffmpeg", [
      "-nostdin",
      "-y",
      "-v",
      "error",
      "-i",
      weir.rtmpUrl("pub/camera"),
      "-c",
      "copy",
      recorded,
    ]);
    await sleep(2000);
    await first.kill();
    await weir.logged("publisher left");
    const before = recording.segments.length;
    await sleep(3000);
    publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await recording.follow((sofar) => sofar.segments.length >= before + 4, 40_000);
    const breaks = recording.segments.filter((segment) => segment.discontinuity);
    assert.equal(breaks.length, 1, "one return, one discontinuity");
    const sequences = recording.segments.map((segment) => segment.sequence);
    assert.deepEqual(
      sequences,
      sequences.map((_, i) => sequences[0]! + i),
      "no number is left out or used twice",
    );
    const times = recording.segments.map((segment) => Date.parse(segment.programDateTime!));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );

    assert.ok(player.isRunning, "the RTMP player was closed");
    await player.stop(5000);
    const [video] = await countStreams(recorded);
    assert.ok(Number(video!.nb_read_frames) > 150, `${video!.nb_read_frames} pictures were played`);
  },
);

test(
  "what video.m3u8 has listed stays as it was when the publisher comes back without sound",
  { skip, timeout: 120_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    const first = publish(t, weir.rtmpUrl("pub/mute"), clip, { loop: true });
    const recording = new HlsRecording(weir.url("/pub/mute/video.m3u8"));
    await recording.follow((sofar) => sofar.segments.length >= 2, 40_000);
    await first.kill();
    await weir.logged("publisher left");
    publish(t, weir.rtmpUrl("pub/mute"), clip, { loop: true, output: ["-c", "copy", "-an"] });
    const before = recording.segments.length;
    // The recording fails by itself where a number changes its address.
    await recording.follow(({ segments }) => segments.length >= before + 8, 40_000);
    // Silence takes the place of the sound, so players need nothing new.
    for (const { uri } of recording.segments) assert.match(uri, /^tracks-v1a1\//);
  },
);

test("after source_timeout the stream is gone, and says so", { skip, timeout: 60_000 }, async (t) => {
  const clip = await makeClip({ durationS: 10, gopPictures: 25 });
  const weir = await startWeir(t, { config: CONFIG });
  const publisher = publish(t, weir.rtmpUrl("short/camera"), clip, { loop: true });
  const index = weir.url("/short/camera/index.m3u8");
  await weir.onAir("short/camera");
  assert.equal((await fetch(index)).status, 200, "the first request waits for the first segments");
  await publisher.kill();
  await weir.logged("stream ended");
  const reply = await fetch(index);
  assert.equal(reply.status, 404);
  assert.match(await reply.text(), /"short\/camera" is not on air: nobody publishes it now/);
});

test(
  "a second publisher is refused with a reason, or replaces the first where the template says so",
  { skip, timeout: 60_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    const first = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    const second = publish(t, weir.rtmpUrl("pub/camera"), clip, {
      output: ["-c", "copy", "-loglevel", "debug"],
    });
    const end = await second.ended;
    assert.notEqual(end.code, 0);
    assert.match(second.stderr, /already has a publisher/);
    assert.ok(first.isRunning);

    const replaced = publish(t, weir.rtmpUrl("swap/camera"), clip, { loop: true });
    await weir.onAir("swap/camera");
    const winner = publish(t, weir.rtmpUrl("swap/camera"), clip, { loop: true });
    assert.notEqual((await replaced.ended).code, 0);
    assert.ok(winner.isRunning);
  },
);

test(
  "a publisher whose connection hangs is replaced by one that comes, and nobody publishes over a file",
  { skip, timeout: 60_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const folder = new URL("../../samples", import.meta.url).pathname;
    const weir = await startWeir(t, {
      config: `${CONFIG} vod vod { storage "${folder}"; } template all { prefix ""; input publish://; }`,
    });
    const hanging = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.onAir("pub/camera");
    hanging.signal("SIGSTOP");
    await sleep(3500);
    const second = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
    await weir.logged("silent, and another publisher came");
    assert.ok(second.isRunning);

    const intruder = publish(t, weir.rtmpUrl("vod/sample.mp4"), clip);
    assert.notEqual((await intruder.ended).code, 0);
    const playlist = await (await fetch(weir.url("/vod/sample.mp4/index.m3u8"))).text();
    assert.match(playlist, /RESOLUTION=640x360/);
  },
);

test(
  "after kill -9 the stream's numbers go on, none is used twice",
  { skip, timeout: 90_000 },
  async (t) => {
    const clip = await makeClip({ durationS: 10, gopPictures: 25 });
    const weir = await startWeir(t, { config: CONFIG });
    const url = weir.url("/pub/camera/tracks-v1a1/mono.m3u8");
    const recording = new HlsRecording(url);
    for (let round = 0; round < 3; round++) {
      const publisher = publish(t, weir.rtmpUrl("pub/camera"), clip, { loop: true });
      const before = recording.segments.length;
      await recording.follow((sofar) => sofar.segments.length >= before + 3, 30_000);
      if (round === 1) {
        await weir.kill();
        await weir.start(t);
      }
      await publisher.kill();
    }
    const sequences = recording.segments.map((segment) => segment.sequence);
    assert.equal(new Set(sequences).size, recording.segments.length);
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
  },
);
