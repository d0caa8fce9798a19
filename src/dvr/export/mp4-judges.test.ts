/** Exported MP4s in the eyes of others: ffprobe, ffmpeg and mediabunny find in them what was recorded. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { makeClip, probeFormat, probeStreams, runTool } from "../../../test/support/ffmpeg.ts";
import type { ClipOptions, ProbedStream } from "../../../test/support/ffmpeg.ts";
import { filePackets } from "../../../test/support/file-packets.ts";
import { MemoryArchive, RECORDED_US } from "../../../test/support/memory-archive.ts";
import { needs } from "../../../test/support/tools.ts";
import { concatBytes } from "../../base/bytes.ts";
import type { TrackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import { Mp4Export } from "./mp4-export.ts";

const HOUR_US = 3_600_000_000;
const folder = mkdtempSync(join(tmpdir(), "weir-mp4-export-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function clip(options: Partial<ClipOptions> = {}): Promise<readonly SourcePacket[]> {
  return (await filePackets(await makeClip({ durationS: 4, gopPictures: 25, ...options }))).packets;
}

/** The same packets under another id. */
function renamed(packets: readonly SourcePacket[], id: string): SourcePacket[] {
  const track = { ...packets[0]!.track, id: id as TrackId };
  return packets.map((packet) => ({ ...packet, track }));
}

async function write(made: Mp4Export, name: string): Promise<{ file: string; bytes: Uint8Array }> {
  const pieces: Uint8Array[] = [];
  for await (const piece of made.read()) pieces.push(piece);
  const bytes = concatBytes(pieces);
  assert.equal(bytes.byteLength, made.bytes);
  const file = join(folder, `${name}.mp4`);
  writeFileSync(file, bytes);
  return { file, bytes };
}

/** Packets that ffprobe reads, by the kind of stream; it may have nothing to complain about. */
async function countPackets(file: string): Promise<Record<string, number>> {
  const args = ["-v", "warning", "-count_packets", "-show_streams", "-of", "json", file];
  const { stdout, stderr } = await runTool("ffprobe", args, 60_000);
  assert.equal(stderr, "");
  const { streams } = JSON.parse(stdout) as { streams: ProbedStream[] };
  return Object.fromEntries(
    streams.map(({ codec_type, nb_read_packets }) => [codec_type, Number(nb_read_packets)]),
  );
}

/** What ffmpeg complains about while it decodes all of it. */
async function decode(file: string): Promise<string> {
  return (await runTool("ffmpeg", ["-v", "warning", "-nostdin", "-i", file, "-f", "null", "-"], 60_000))
    .stderr;
}

/** Hashes of decoded pictures, which are all different. */
async function decodedPictures(file: string, before: string[], behind: string[] = []): Promise<string[]> {
  const args = ["-v", "error", "-nostdin", ...before, "-i", file, "-map", "0:v", ...behind];
  const { stdout, stderr } = await runTool("ffmpeg", [...args, "-f", "framemd5", "-"], 60_000);
  assert.equal(stderr, "");
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(line.lastIndexOf(",") + 1).trim());
}

/** The widths of decoded pictures, in their order, from a time on. */
async function widths(file: string, fromS = "0"): Promise<string[]> {
  const what = ["-select_streams", "v", "-show_entries", "frame=width", "-of", "csv=p=0"];
  const args = ["-v", "error", "-read_intervals", fromS, ...what, file];
  const { stdout, stderr } = await runTool("ffprobe", args, 60_000);
  assert.equal(stderr, "");
  return [...new Set(stdout.match(/[0-9]+/g) ?? [])];
}

type ReadPacket = { readonly seconds: number; readonly bytes: number };

/** Packets as mediabunny reads them, in order of decode time. */
async function readPackets(bytes: Uint8Array): Promise<Record<"video" | "audio", ReadPacket[]>> {
  const input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
  const read = { video: [] as ReadPacket[], audio: [] as ReadPacket[] };
  for (const track of await input.getTracks()) {
    for await (const { timestamp, byteLength } of new EncodedPacketSink(track).packets())
      read[track.type as "video" | "audio"].push({ seconds: timestamp, bytes: byteLength });
  }
  return read;
}

/** By how much packets `[from, to)` of a track were moved from where they were recorded; all by the same. Units: seconds. */
function movedBy(
  archive: MemoryArchive,
  id: string,
  read: readonly ReadPacket[],
  from: number,
  to: number,
): number {
  const packets = archive.recorded.get(id as TrackId)!.slice(from, to);
  const moved = packets.map(({ pts, track }, i) => {
    const seconds = (pts - (RECORDED_US / 1_000_000) * track.timescale) / track.timescale;
    return seconds - read[from + i]!.seconds;
  });
  const [least, most] = [Math.min(...moved), Math.max(...moved)];
  assert.ok(most - least < 1e-4, `packets of ${id} were moved by ${least} and by ${most}`);
  return moved[0]!;
}

describe("an exported MP4", { skip: needs("ffmpeg") }, () => {
  for (const bFrames of [0, 2]) {
    test(`has every packet in its place, with ${bFrames} B-frames, and begins at 0`, async () => {
      const archive = new MemoryArchive();
      archive.record(await clip({ bFrames }), RECORDED_US + 123_457);
      const made = new Mp4Export(archive);
      const { file, bytes } = await write(made, `plain-${bFrames}`);
      const counts = { video: archive.samplesOf("v1"), audio: archive.samplesOf("a1") };
      assert.equal(counts.video, 100);
      assert.deepEqual(await countPackets(file), counts);
      assert.equal(await decode(file), "");
      const own = (await filePackets(file)).packets;
      assert.equal(own.length, counts.video + counts.audio, "and it can be served as a film");
      const [picture0] = await probeStreams(file, { select: "v" });
      assert.equal(Number(picture0!.start_time), 0);
      const { duration } = await probeFormat(file);
      assert.ok(Math.abs(Number(duration) - made.durationUs / 1e6) < 0.05, `${duration} s`);
      const { video, audio } = await readPackets(bytes);
      assert.deepEqual([video.length, audio.length], [counts.video, counts.audio]);
      assert.ok(
        Math.abs(Math.min(...video.map(({ seconds }) => seconds))) < 1e-4,
        "the first picture is shown at 0",
      );
      for (const [id, read] of [
        ["v1", video],
        ["a1", audio],
      ] as const)
        assert.deepEqual(
          read.map((packet) => packet.bytes),
          archive.recorded.get(id as TrackId)!.map(({ payload }) => payload.byteLength),
        );
      const [picture, sound] = [
        movedBy(archive, "v1", video, 0, 100),
        movedBy(archive, "a1", audio, 0, audio.length),
      ];
      assert.ok(Math.abs(picture - sound) < 5e-5, `pictures by ${picture}, sound by ${sound}`);
    });
  }

  test("closes a gap of an hour, and keeps sound and pictures together on both sides", async () => {
    const archive = new MemoryArchive();
    const packets = await clip({ bFrames: 2 });
    archive.record(packets, RECORDED_US);
    const first = { v1: archive.samplesOf("v1"), a1: archive.samplesOf("a1") };
    archive.record(packets, RECORDED_US + HOUR_US + 7);
    const made = new Mp4Export(archive);
    assert.ok(made.durationUs > 7_900_000 && made.durationUs < 8_300_000, `${made.durationUs} us`);
    const { file, bytes } = await write(made, "gap");
    const counts = { video: archive.samplesOf("v1"), audio: archive.samplesOf("a1") };
    assert.equal(counts.video, 200);
    assert.deepEqual(await countPackets(file), counts);
    assert.equal(await decode(file), "");
    const { video, audio } = await readPackets(bytes);
    for (const [from, to] of [
      [0, 0],
      [first.v1, first.a1],
    ] as const) {
      const ends = from === 0 ? [first.v1, first.a1] : [counts.video, counts.audio];
      const picture = movedBy(archive, "v1", video, from, ends[0]!);
      const sound = movedBy(archive, "a1", audio, to, ends[1]!);
      assert.ok(Math.abs(picture - sound) < 5e-5, `pictures by ${picture}, sound by ${sound}`);
    }
    const shown = (from: number, to: number): number[] =>
      video.slice(from, to).map(({ seconds }) => seconds);
    const joint = Math.min(...shown(first.v1, counts.video)) - Math.max(...shown(0, first.v1));
    assert.ok(joint > 0.039 && joint < 0.1, `the next picture comes ${joint} s later`);
  });

  test("holds two resolutions of a track as two sample descriptions", async () => {
    const archive = new MemoryArchive();
    archive.record(await clip(), RECORDED_US);
    archive.record(await clip({ width: 480, height: 270 }), RECORDED_US + HOUR_US);
    assert.equal(archive.mediaFiles.size, 2);
    const { file, bytes } = await write(new Mp4Export(archive), "resolutions");
    const counts = { video: archive.samplesOf("v1"), audio: archive.samplesOf("a1") };
    assert.deepEqual(await countPackets(file), counts);
    assert.equal(await decode(file), "");
    assert.deepEqual(await widths(file), ["320", "480"]);
    assert.deepEqual(await widths(file, "6"), ["480"], "also for who begins in the middle");
    const { video, audio } = await readPackets(bytes);
    assert.deepEqual([video.length, audio.length], [counts.video, counts.audio]);
  });

  test("has a track that is there in a part of the range only, with a hole", async () => {
    const archive = new MemoryArchive();
    const packets = await clip({ audio: null });
    archive.record(packets, RECORDED_US);
    const sound = renamed(await clip({ video: null }), "a2");
    const both = [...packets, ...sound].toSorted(
      (a, b) => a.dts / a.track.timescale - b.dts / b.track.timescale,
    );
    archive.record(both, RECORDED_US + 4_000_000);
    archive.record(packets, RECORDED_US + 8_000_000);
    const { file, bytes } = await write(new Mp4Export(archive), "hole");
    assert.deepEqual(await countPackets(file), { video: 300, audio: archive.samplesOf("a2") });
    const { audio } = await readPackets(bytes);
    assert.ok(audio[0]!.seconds > 3.9 && audio[0]!.seconds < 4.2, `sound begins at ${audio[0]!.seconds} s`);
  });

  test("of a selection has those tracks alone", async () => {
    const archive = new MemoryArchive();
    archive.record(await clip(), RECORDED_US);
    const sound = await write(new Mp4Export(archive, { tracks: ["a1" as TrackId] }), "sound");
    assert.deepEqual(await countPackets(sound.file), { audio: archive.samplesOf("a1") });
    const pictures = await write(new Mp4Export(archive, { tracks: ["v1" as TrackId] }), "pictures");
    assert.deepEqual(await countPackets(pictures.file), { video: 100 });
    assert.equal(await decode(pictures.file), "");
  });

  for (const bFrames of [0, 2]) {
    test(`gives ffmpeg the picture of any time, with ${bFrames} B-frames`, async () => {
      const archive = new MemoryArchive();
      archive.record(await clip({ durationS: 12, bFrames }), RECORDED_US + 123_457);
      const { file } = await write(new Mp4Export(archive), `times-${bFrames}`);
      const shown = await decodedPictures(file, []);
      assert.equal(shown.length, 300);
      for (const seconds of [0, 0.52, 1, 1.96, 2, 3, 5.04, 7.68, 9, 11.92]) {
        const [first] = await decodedPictures(file, ["-ss", `${seconds}`], ["-frames:v", "1"]);
        // Half a picture more or less is the rounding of a time that is given in the middle of one.
        const found = shown.indexOf(first!);
        assert.ok(Math.abs(found - seconds * 25) <= 0.5, `at ${seconds} s is picture ${found}`);
      }
    });
  }

  test("is one that ffmpeg finds its way in by the index", async () => {
    const archive = new MemoryArchive();
    archive.record(await clip({ durationS: 12 }), RECORDED_US);
    const { file } = await write(new Mp4Export(archive), "seek");
    const args = [
      "-v",
      "warning",
      "-read_intervals",
      "8.5%+#1",
      "-select_streams",
      "v",
      "-show_packets",
      "-of",
      "json",
    ];
    const { stdout, stderr } = await runTool("ffprobe", [...args, file], 60_000);
    assert.equal(stderr, "");
    const { packets } = JSON.parse(stdout) as { packets: { pts_time: string; flags: string }[] };
    // Sound that is heard then may stand in the segment before.
    const comesTo = Number(packets[0]!.pts_time);
    assert.ok(comesTo > 6.999 && comesTo < 8.001, `it comes to ${comesTo} s`);
    assert.ok(packets[0]!.flags.startsWith("K"));
  });
});
