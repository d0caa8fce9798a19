/** ffprobe as the judge of what the reader makes of files that ffmpeg wrote, packet by packet. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeClip, runTool } from "../../../test/support/ffmpeg.ts";
import type { ClipOptions } from "../../../test/support/ffmpeg.ts";
import { needs } from "../../../test/support/tools.ts";
import { readMovie } from "./movie.ts";
import type { Movie } from "./movie.ts";
import { readFromBytes } from "./random-access.ts";

type Packet = { stream_index: number; pts: number; dts: number; size: string; pos: string; flags: string };
type Stream = { time_base: string; codec_type: string };

const folder = mkdtempSync(join(tmpdir(), "weir-mp4-reader-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const FRAGMENTED = "frag_keyframe+empty_moov";
const cases: { name: string; options: ClipOptions; tracks: string; expectLeftOut?: RegExp }[] = [
  { name: "index at the end, B-frames", options: { durationS: 3 }, tracks: "h264 aac" },
  {
    name: "index in front",
    options: { durationS: 3, extra: ["-movflags", "+faststart"] },
    tracks: "h264 aac",
  },
  { name: "HEVC", options: { durationS: 2, video: "libx265" }, tracks: "h265 aac" },
  {
    name: "HEVC as hev1",
    options: { durationS: 2, video: "libx265", extra: ["-tag:v", "hev1"] },
    tracks: "h265 aac",
  },
  { name: "MP3", options: { durationS: 2, audio: "libmp3lame" }, tracks: "h264 mp3" },
  { name: "Opus", options: { durationS: 2, audio: "libopus" }, tracks: "h264 opus" },
  { name: "AC-3", options: { durationS: 2, audio: "ac3" }, tracks: "h264 ac3" },
  {
    name: "three sound tracks with languages",
    options: {
      durationS: 2,
      audioTracks: 3,
      extra: [
        "-metadata:s:a:0",
        "language=eng",
        "-metadata:s:a:1",
        "language=deu",
        "-metadata:s:a:2",
        "language=gsw",
      ],
    },
    tracks: "h264 aac:en aac:de aac:gsw",
  },
  { name: "sound alone", options: { durationS: 3, video: null }, tracks: "aac" },
  { name: "video alone", options: { durationS: 3, audio: null }, tracks: "h264" },
  {
    name: "29.97 pictures a second",
    options: { durationS: 2, extra: ["-r", "30000/1001"] },
    tracks: "h264 aac",
  },
  {
    name: "an odd timescale",
    options: { durationS: 2, extra: ["-video_track_timescale", "12347"] },
    tracks: "h264 aac",
  },
  {
    name: "a coarse timescale",
    options: { durationS: 2, extra: ["-video_track_timescale", "25"] },
    tracks: "h264 aac",
  },
  {
    name: "every picture a key frame",
    options: { durationS: 1, gopPictures: 1, bFrames: 0 },
    tracks: "h264 aac",
  },
  {
    name: "negative composition offsets",
    options: { durationS: 2, extra: ["-movflags", "+negative_cts_offsets"] },
    tracks: "h264 aac",
  },
  { name: "QuickTime", options: { durationS: 2, extra: ["-f", "mov"] }, tracks: "h264 aac" },
  { name: "fragments", options: { durationS: 3, extra: ["-movflags", FRAGMENTED] }, tracks: "h264 aac" },
  {
    name: "fragments, base at the moof",
    options: { durationS: 3, extra: ["-movflags", `${FRAGMENTED}+default_base_moof`] },
    tracks: "h264 aac",
  },
  {
    name: "fragments without offsets",
    options: { durationS: 3, extra: ["-movflags", `${FRAGMENTED}+omit_tfhd_offset`] },
    tracks: "h264 aac",
  },
  {
    name: "fragments, each track its own",
    options: { durationS: 3, extra: ["-movflags", `${FRAGMENTED}+separate_moof`] },
    tracks: "h264 aac",
  },
  {
    name: "fragments after a moov with samples",
    options: { durationS: 3, gopPictures: 25, extra: ["-movflags", "frag_keyframe"] },
    tracks: "h264 aac",
  },
  {
    name: "CMAF with an index",
    options: { durationS: 3, extra: ["-movflags", "cmaf+global_sidx"] },
    tracks: "h264 aac",
  },
  {
    name: "a fragment for every frame",
    options: { durationS: 1, extra: ["-movflags", "frag_every_frame+empty_moov"] },
    tracks: "h264 aac",
  },
];

function read(path: string): Movie {
  const file = readFileSync(path);
  return readFromBytes(file, readMovie(file.byteLength));
}

async function probe(path: string): Promise<{ packets: Packet[]; streams: Stream[] }> {
  const args = [
    "-v",
    "error",
    "-ignore_editlist",
    "1",
    "-show_packets",
    "-show_streams",
    "-of",
    "json",
    path,
  ];
  return JSON.parse((await runTool("ffprobe", args, 60_000)).stdout) as {
    packets: Packet[];
    streams: Stream[];
  };
}

/** Every packet of every stream is the sample of the same number; times differ by one constant a stream. */
async function assertAgrees(path: string): Promise<Movie> {
  const movie = read(path);
  const { packets, streams } = await probe(path);
  const media = streams.flatMap(({ codec_type }, index) =>
    ["video", "audio", "subtitle"].includes(codec_type) ? [index] : [],
  );
  assert.equal(movie.tracks.length, media.length);
  for (const [i, { samples, timescale }] of movie.tracks.entries()) {
    assert.equal(streams[media[i]!]!.time_base, `1/${timescale}`);
    const expected = packets.filter((packet) => packet.stream_index === media[i]);
    assert.equal(samples.count, expected.length);
    const run = samples.read(0, samples.count);
    const dtsShift = expected[0]!.dts - samples.dtsAt(0);
    const ptsShift = expected[0]!.pts - samples.dtsAt(0) - samples.ctsOffsetAt(0);
    for (const [sample, packet] of expected.entries()) {
      const got = {
        dts: samples.dtsAt(sample) + dtsShift,
        pts: samples.dtsAt(sample) + run.ctsOffsets[sample]! + ptsShift,
        size: String(run.sizes[sample]),
        pos: String(samples.offsetAt(sample)),
        isSync: run.syncFlags[sample] === 1,
      };
      const { dts, pts, size, pos, flags } = packet;
      assert.deepEqual(
        got,
        { dts, pts, size, pos, isSync: flags.startsWith("K") },
        `track ${i} sample ${sample}`,
      );
    }
  }
  return movie;
}

describe("the reader agrees with ffprobe on", { skip: needs("ffmpeg") }, () => {
  for (const { name, options, tracks } of cases) {
    test(name, async () => {
      const movie = await assertAgrees(await makeClip(options));
      const found = movie.tracks.map(({ sampleEntry, language }) =>
        language === "und" ? sampleEntry.codec : `${sampleEntry.codec}:${language}`,
      );
      assert.equal(found.join(" "), tracks);
    });
  }

  test("a 64-bit length of the media", async () => {
    const file = Buffer.from(readFileSync(await makeClip({ durationS: 2 })));
    // ffmpeg leaves an empty box in front of the mdat, so that a long header fits.
    const at = file.indexOf("mdat", 0, "latin1") - 12;
    assert.equal(file.toString("latin1", at + 4, at + 8), "free");
    const sizeBytes = file.readUInt32BE(at + 8) + 8;
    file.writeUInt32BE(1, at);
    file.write("mdat", at + 4, "latin1");
    file.writeBigUInt64BE(BigInt(sizeBytes), at + 8);
    const path = join(folder, "long.mp4");
    writeFileSync(path, file);
    await assertAgrees(path);
  });

  test("subtitles", async () => {
    const subtitles = join(folder, "one.srt");
    writeFileSync(subtitles, "1\n00:00:00,500 --> 00:00:01,500\nhello\n");
    const clip = await makeClip({ durationS: 2 });
    const path = join(folder, "subtitles.mp4");
    const inputs = ["-v", "error", "-y", "-i", clip, "-i", subtitles];
    await runTool(
      "ffmpeg",
      [...inputs, "-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text", path],
      60_000,
    );
    const movie = await assertAgrees(path);
    assert.deepEqual([movie.tracks[2]!.kind, movie.tracks[2]!.sampleEntry.entry], ["text", "tx3g"]);
  });
});
