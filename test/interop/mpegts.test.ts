/** Our transport streams are read by ffprobe, GStreamer and tstools; ffmpeg's are read by us. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { concatBytes } from "../../src/base/bytes.ts";
import { nalUnitEnd } from "../../src/codecs/nal-units.ts";
import { AccessUnitWriter } from "../../src/containers/mpegts/access-unit-writer.ts";
import { TsDemuxer } from "../../src/containers/mpegts/demuxer.ts";
import { TsMuxer } from "../../src/containers/mpegts/muxer.ts";
import type { TsMuxerOptions } from "../../src/containers/mpegts/muxer.ts";
import { muxTsSegment } from "../../src/containers/mpegts/segment.ts";
import { nearestDifference, toTsTicks, wrapTicks } from "../../src/containers/mpegts/timestamps.ts";
import type { SourcePacket } from "../../src/media/packet.ts";
import type { Track, TrackKind } from "../../src/media/track.ts";
import { ffmpeg, makeClip, probePackets, runTool } from "../support/ffmpeg.ts";
import type { ClipOptions, ProbedPacket } from "../support/ffmpeg.ts";
import { filePackets } from "../support/file-packets.ts";
import type { FilePackets } from "../support/file-packets.ts";
import { needs } from "../support/tools.ts";

const CLIPS: readonly (ClipOptions & { name: string })[] = [
  { name: "H.264 with B-frames and AAC", durationS: 4, gopPictures: 25 },
  { name: "H.265 and AC-3", durationS: 3, video: "libx265", audio: "ac3" },
  { name: "H.264 and MP3", durationS: 3, audio: "libmp3lame" },
  { name: "H.264 and Opus", durationS: 3, audio: "libopus" },
  { name: "H.264 at 24 frames a second alone", durationS: 3, frameRate: 24, audio: null },
  { name: "H.264 at 5 frames a second and two AAC tracks", durationS: 4, frameRate: 5, audioTracks: 2 },
  { name: "AAC alone", durationS: 3, video: null },
];

/** Times that begin ten seconds after 0, and five that go over 2^33 within the clip. */
const ORIGINS = [
  { name: "", originTicks: 900_000 },
  { name: ", across the wrap at 26.5 hours", originTicks: 2 ** 33 - 100_000 },
];

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "weir-ts-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function mux({ tracks, packets }: FilePackets, options: TsMuxerOptions): Uint8Array {
  const muxer = new TsMuxer(options);
  assert.deepEqual(muxer.setTracks(tracks), tracks.tracks);
  for (const packet of packets) muxer.write(packet);
  muxer.flush();
  assert.equal(muxer.skipped, 0);
  return muxer.take();
}

/** One segment a GOP of the reference track, or a second of sound. */
function segmentsOf({ tracks, packets }: FilePackets, originTicks: number): Uint8Array[] {
  const groups: SourcePacket[][] = [];
  let next = 0;
  for (const packet of packets) {
    const seconds = packet.dts / packet.track.timescale;
    if (packet.isSync && packet.track === tracks.reference && seconds >= next) {
      groups.push([]);
      next = Math.floor(seconds) + 1;
    }
    (groups.at(-1) ?? groups[groups.push([]) - 1]!).push(packet);
  }
  assert.ok(groups.length >= 2);
  return groups.map((group) =>
    muxTsSegment(group, tracks, { originTicks, isLast: group === groups.at(-1) }),
  );
}

/** A track's packets as ffprobe has to show them: bytes of the elementary stream, wrapped times. */
function expected({ packets }: FilePackets, track: Track, originTicks: number) {
  const units = track.kind === "video" ? new AccessUnitWriter(track) : null;
  const headerBytes = track.codec === "aac" ? 7 : 0;
  return packets
    .filter((packet) => packet.track === track)
    .map(({ dts, pts, isSync, payload }) => ({
      dts: wrapTicks(toTsTicks(dts, track.timescale) + originTicks),
      pts: wrapTicks(toTsTicks(pts, track.timescale) + originTicks),
      isSync,
      size: units === null ? headerBytes + payload.byteLength : units.measure(payload, isSync),
    }));
}

function ticksOf(time: string | undefined): number {
  assert.ok(time !== undefined, "ffprobe knows the time");
  return wrapTicks(Math.round(Number(time) * 90_000));
}

/** ffprobe splits sound into frames itself and gives them times a tick apart from ours at most. */
function assertSame(
  probed: readonly ProbedPacket[],
  wanted: ReturnType<typeof expected>,
  track: Track,
): void {
  assert.equal(probed.length, wanted.length, `packets of ${track.id}`);
  const tolerance = track.kind === "video" ? 0 : 1;
  // FFmpeg's H.265 parser counts the first zero byte of a start code to the picture before it.
  const sizeTolerance = track.codec === "h265" ? 1 : 0;
  for (const [i, want] of wanted.entries()) {
    const got = probed[i]!;
    const where = `${track.id} packet ${i}`;
    assert.ok(Math.abs(nearestDifference(ticksOf(got.pts_time), want.pts)) <= tolerance, `pts of ${where}`);
    assert.ok(Math.abs(nearestDifference(ticksOf(got.dts_time), want.dts)) <= tolerance, `dts of ${where}`);
    assert.equal(got.flags.startsWith("K"), want.isSync, `key flag of ${where}`);
    assert.ok(Math.abs(Number(got.size) - want.size) <= sizeTolerance, `size of ${where}`);
  }
}

async function assertProbed(path: string, file: FilePackets, originTicks: number): Promise<void> {
  const probed = await probePackets(path);
  for (const [i, track] of file.tracks.tracks.entries()) {
    const own = probed.filter((packet) => packet.stream_index === i);
    assertSame(own, expected(file, track, originTicks), track);
  }
}

/** tstools find no error; the PCR comes every 40 ms and is ahead of every DTS. */
async function assertReported(path: string): Promise<void> {
  const { stdout } = await runTool("tsreport", ["-buffering", path], 30_000);
  assert.doesNotMatch(stdout, /###|!!!/);
  const gap = /PCRs found: (\d+), Bad \(>\.1s\) gaps: (\d+), Max gap: (\d+)t/.exec(stdout);
  assert.ok(gap !== null, stdout);
  assert.equal(gap[2], "0");
  assert.ok(Number(gap[3]) <= 3600, `a gap of ${gap[3]} ticks between two PCRs`);
  const least = [...stdout.matchAll(/Minimum difference was\s+(-?\d+)t/g)].map((match) => Number(match[1]));
  assert.ok(least.length > 0 && Math.min(...least) > 0, `times ahead of the clock: ${least.join()}`);
}

describe("what we mux", () => {
  for (const { name, ...clip } of CLIPS) {
    for (const origin of ORIGINS) {
      test(`${name} is for ffprobe what it was${origin.name}`, { skip: needs("ffmpeg") }, async (t) => {
        const file = await filePackets(await makeClip(clip));
        const path = join(folder(t), "stream.ts");
        for (const audioDelayMs of [100, 0]) {
          writeFileSync(path, mux(file, { originTicks: origin.originTicks, audioDelayMs }));
          await assertProbed(path, file, origin.originTicks);
        }
        writeFileSync(path, concatBytes(segmentsOf(file, origin.originTicks)));
        await assertProbed(path, file, origin.originTicks);
      });

      test(
        `${name} has no error for tstools${origin.name}`,
        { skip: needs("ffmpeg", "tstools") },
        async (t) => {
          const file = await filePackets(await makeClip(clip));
          const path = join(folder(t), "stream.ts");
          writeFileSync(path, mux(file, { originTicks: origin.originTicks }));
          await assertReported(path);
          writeFileSync(path, concatBytes(segmentsOf(file, origin.originTicks)));
          await assertReported(path);
        },
      );
    }

    test(`${name} is decoded without a word`, { skip: needs("ffmpeg") }, async (t) => {
      const file = await filePackets(await makeClip(clip));
      const path = join(folder(t), "stream.ts");
      writeFileSync(path, concatBytes(segmentsOf(file, 900_000)));
      const { stderr } = await ffmpeg(["-v", "warning", "-i", path, "-map", "0", "-f", "null", "-"]);
      assert.equal(stderr, "");
    });
  }

  test(
    "tstools and GStreamer take the same elementary streams out",
    { skip: needs("ffmpeg", "tstools", "gstreamer") },
    async (t) => {
      const file = await filePackets(await makeClip({ durationS: 4, gopPictures: 25 }));
      const place = folder(t);
      const path = join(place, "stream.ts");
      writeFileSync(path, mux(file, { originTicks: 900_000 }));
      const outs = { video: join(place, "gst.h264"), audio: join(place, "gst.aac") };
      const branch = (pad: string, out: string) => [
        "d." + pad,
        "!",
        "queue",
        "max-size-buffers=0",
        "max-size-bytes=0",
        "max-size-time=0",
        "!",
        "filesink",
        "async=false",
        `location=${out}`,
      ];
      const source = ["-q", "filesrc", `location=${path}`, "!", "tsdemux", "name=d"];
      await runTool(
        "gst-launch-1.0",
        [...source, ...branch("video_0_0100", outs.video), ...branch("audio_0_0200", outs.audio)],
        60_000,
      );
      const taken = join(place, "es.bin");
      for (const [pid, kind] of [
        ["0x100", "video"],
        ["0x200", "audio"],
      ] as const) {
        await runTool("ts2es", ["-pid", pid, path, taken], 30_000);
        const want = elementaryStream(file, kind);
        assert.ok(readFileSync(taken).equals(want), `ts2es: ${kind}`);
        assert.ok(readFileSync(outs[kind]).equals(want), `GStreamer: ${kind}`);
      }
    },
  );
});

function elementaryStream({ tracks, packets }: FilePackets, kind: TrackKind): Uint8Array {
  const track = tracks.tracks.find((candidate) => candidate.kind === kind)!;
  const units = kind === "video" ? new AccessUnitWriter(track) : null;
  const parts = packets
    .filter((packet) => packet.track === track)
    .flatMap(({ payload, isSync }) => {
      if (units === null) return [adtsHeader(payload.byteLength + 7), payload];
      const unit = new Uint8Array(units.measure(payload, isSync));
      units.write(unit, 0, payload);
      return [unit];
    });
  return concatBytes(parts);
}

/** Of AAC-LC, 48 kHz, stereo. Spec: ISO/IEC 14496-3 section 1.A.3.2. */
function adtsHeader(frameBytes: number): Uint8Array {
  const length = [0x80 | (frameBytes >> 11), (frameBytes >> 3) & 0xff, ((frameBytes & 7) << 5) | 0x1f];
  return Uint8Array.of(0xff, 0xf1, 0x4c, ...length, 0xfc);
}

/** What a demuxer gave, fed in pieces. */
function demux(bytes: Uint8Array, pieceBytes = 1316) {
  const sets: (readonly Track[])[] = [];
  const packets: SourcePacket[] = [];
  const errors: string[] = [];
  const sink = {
    setTracks: (tracks: readonly Track[]) => void sets.push(tracks),
    write: (packet: SourcePacket) => void packets.push(packet),
  };
  const demuxer = new TsDemuxer(sink, (error) => errors.push(error.message));
  for (let at = 0; at < bytes.byteLength; at += pieceBytes)
    demuxer.push(bytes.subarray(at, at + pieceBytes));
  demuxer.end();
  return { sets, packets, errors, stats: demuxer.stats };
}

describe("what ffmpeg muxes", () => {
  for (const { name, ...clip } of CLIPS) {
    test(
      `${name} is for us what ffprobe says, and its frames are those of the file`,
      { skip: needs("ffmpeg") },
      async (t) => {
        const source = await makeClip(clip);
        const path = join(folder(t), "stream.ts");
        await ffmpeg(["-v", "error", "-i", source, "-map", "0", "-c", "copy", "-f", "mpegts", path]);
        const { sets, packets, errors, stats } = demux(readFileSync(path));
        assert.deepEqual(errors, []);
        assert.equal(stats.packets, packets.length);
        assert.equal(sets.length, 1);
        const file = await filePackets(source);
        const describeTrack = ({ id, codec, codecString, width, height, sampleRate, channels }: Track) => ({
          id,
          codec,
          codecString,
          width,
          height,
          sampleRate,
          channels,
        });
        assert.deepEqual(sets[0]!.map(describeTrack), file.tracks.tracks.map(describeTrack));
        const probed = await probePackets(path);
        for (const [i, track] of file.tracks.tracks.entries()) {
          const own = packets.filter((packet) => packet.track.id === track.id);
          const wanted = file.packets.filter((packet) => packet.track === track);
          assertTimes(
            own,
            probed.filter((packet) => packet.stream_index === i),
          );
          assert.deepEqual(own.map(pictureOrFrame), wanted.map(pictureOrFrame));
        }
      },
    );
  }

  test(
    "is read on where packets were lost, and the holes are counted",
    { skip: needs("ffmpeg") },
    async (t) => {
      const path = join(folder(t), "stream.ts");
      await ffmpeg([
        "-v",
        "error",
        "-i",
        await makeClip({ durationS: 4, gopPictures: 25 }),
        "-c",
        "copy",
        "-f",
        "mpegts",
        path,
      ]);
      const bytes = readFileSync(path);
      const whole = demux(bytes);
      const middle = Math.floor(bytes.byteLength / 2 / 188) * 188;
      const holed = demux(
        Buffer.concat([bytes.subarray(0, middle), bytes.subarray(middle + 5 * 188 + 31)]),
      );
      assert.ok(holed.stats.continuityErrors >= 1);
      assert.ok(holed.stats.skippedBytes > 0 && holed.stats.skippedBytes < 188);
      assert.ok(
        holed.packets.length < whole.packets.length && holed.packets.length > whole.packets.length - 20,
      );
      const known = new Set(
        whole.packets.map(({ track, dts, payload }) => `${track.id} ${dts} ${payload.byteLength}`),
      );
      for (const { track, dts, payload } of holed.packets.filter(
        (packet) => packet.track.kind === "video",
      )) {
        assert.ok(
          known.has(`${track.id} ${dts} ${payload.byteLength}`),
          `no picture with a hole at ${dts}`,
        );
      }
    },
  );
});

function assertTimes(own: readonly SourcePacket[], probed: readonly ProbedPacket[]): void {
  assert.equal(own.length, probed.length);
  for (const [i, { pts, dts, isSync, track }] of own.entries()) {
    const tolerance = track.kind === "video" ? 0.000_001 : 0.002;
    assert.ok(Math.abs(pts / track.timescale - Number(probed[i]!.pts_time)) <= tolerance, `pts ${i}`);
    assert.ok(Math.abs(dts / track.timescale - Number(probed[i]!.dts_time)) <= tolerance, `dts ${i}`);
    assert.equal(isSync, probed[i]!.flags.startsWith("K"), `key flag ${i}`);
  }
}

/** The coded slices of a picture, without what muxers put around them; a frame of sound as it is. */
function pictureOrFrame({ track, payload }: SourcePacket): string {
  if (track.kind === "audio") return Buffer.from(payload).toString("base64");
  const slices: Uint8Array[] = [];
  for (let at = 0, end = 0; at < payload.byteLength; at = end) {
    end = nalUnitEnd(payload, at);
    const header = payload[at + 4]!;
    const isSlice = track.codec === "h264" ? (header & 0x1f) <= 5 : header >> 1 < 32;
    if (isSlice) slices.push(payload.subarray(at + 4, end));
  }
  return Buffer.from(concatBytes(slices)).toString("base64");
}
