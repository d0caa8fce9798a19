/** ffmpeg publishes for a minute; what is served over HLS is the source, frame by frame. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FilePathSource, ALL_FORMATS, Input } from "mediabunny";
import { makeClip, probePackets, probeStreams, publish } from "../support/ffmpeg.ts";
import type { ProbedPacket } from "../support/ffmpeg.ts";
import { HlsRecording } from "../support/hls-recorder.ts";
import { needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";

const SEGMENT_SECONDS = 2;
const CONFIG = `template pub { prefix pub; input publish://; segment_duration ${SEGMENT_SECONDS}; }`;

test(
  "a minute of ffmpeg -c copy comes out of HLS as it went in",
  { skip: needs("ffmpeg"), timeout: 180_000 },
  async (t) => {
    const seconds = 60;
    const clip = await makeClip({
      durationS: seconds,
      width: 640,
      height: 360,
      gopPictures: 25,
      bFrames: 2,
    });
    const weir = await startWeir(t, { config: CONFIG });
    const publisher = publish(t, weir.rtmpUrl("pub/camera"), clip);
    const recording = new HlsRecording(weir.url("/pub/camera/tracks-v1a1/mono.m3u8"));
    await Promise.all([
      publisher.ended,
      recording.follow(
        (sofar) => sofar.durationSeconds >= seconds - SEGMENT_SECONDS,
        (seconds + 30) * 1000,
      ),
    ]);
    const file = join(tmpdir(), `weir-live-${process.pid}.mp4`);
    await recording.save(file);

    const [source, served] = [await probeStreams(clip), await probeStreams(file)];
    for (const kind of ["video", "audio"]) {
      const [want, got] = [source, served].map((streams) =>
        streams.find((stream) => stream.codec_type === kind)!,
      );
      assert.equal(got!.codec_name, want!.codec_name);
      assert.deepEqual(
        [got!.width, got!.height, got!.sample_rate],
        [want!.width, want!.height, want!.sample_rate],
      );
    }
    const [sourcePackets, servedPackets] = [await probePackets(clip), await probePackets(file)];
    const shifts = (["video", "audio"] as const).map((kind) =>
      shiftOfSameFrames(kind, sourcePackets, servedPackets),
    );
    const drift = Math.abs(shifts[0]! - shifts[1]!);
    assert.ok(drift < 0.04, `audio moved by ${drift * 1000} ms against video`);

    const input = new Input({ source: new FilePathSource(file), formats: ALL_FORMATS });
    const video = (await input.getPrimaryVideoTrack())!;
    const audio = (await input.getPrimaryAudioTrack())!;
    assert.deepEqual([await video.getCodec(), await audio.getCodec()], ["avc", "aac"]);
    assert.deepEqual([await video.getDisplayWidth(), await video.getDisplayHeight()], [640, 360]);
    const stats = await video.computePacketStats();
    assert.ok(
      Math.abs(stats.packetCount - seconds * 25) <= SEGMENT_SECONDS * 25,
      `${stats.packetCount} pictures`,
    );
    assert.ok(Math.abs(stats.averagePacketRate - 25) < 0.1, `${stats.averagePacketRate} pictures a second`);
  },
);

function ofKind(packets: readonly ProbedPacket[], kind: "video" | "audio"): ProbedPacket[] {
  return packets.filter((packet) => packet.codec_type === kind);
}

/**
 * Asserts that every served frame is a source frame: same size, same key flag, same distance to the first one.
 * Returns: seconds by which the source's times were moved.
 */
function shiftOfSameFrames(
  kind: "video" | "audio",
  source: readonly ProbedPacket[],
  served: readonly ProbedPacket[],
): number {
  const want = ofKind(source, kind);
  const got = ofKind(served, kind);
  const perSegment = kind === "video" ? SEGMENT_SECONDS * 25 : SEGMENT_SECONDS * 47;
  const missing = want.length - got.length;
  assert.ok(missing >= 0 && missing <= perSegment, `${got.length} of ${want.length} ${kind} frames`);
  const start = want.findIndex((_, i) =>
    got.slice(0, 20).every((one, k) => one.size === want[i + k]?.size),
  );
  assert.ok(start >= 0, `the first ${kind} frames served are none of the source's`);
  const shift = Number(got[0]!.pts_time) - Number(want[start]!.pts_time);
  for (const [i, frame] of got.entries()) {
    const original = want[start + i]!;
    assert.deepEqual(
      [frame.size, frame.flags[0]],
      [original.size, original.flags[0]],
      `${kind} frame ${i}`,
    );
    const moved = Number(frame.pts_time) - Number(original.pts_time);
    assert.ok(
      Math.abs(moved - shift) < 0.03,
      `${kind} frame ${i} was moved by ${moved} s, the first by ${shift} s`,
    );
  }
  return shift;
}
