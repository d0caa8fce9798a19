import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { concatBytes } from "../base/bytes.ts";
import { parseTrackSelection } from "../packaging/presentation.ts";
import type { Presentation } from "../packaging/presentation.ts";
import { ffmpeg, makeClip, runTool } from "../../test/support/ffmpeg.ts";
import type { ClipOptions } from "../../test/support/ffmpeg.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { smallMovie } from "../../test/support/mp4-boxes.ts";
import { needs } from "../../test/support/tools.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import { FilePresentation } from "./file-presentation.ts";
import { BlockCache } from "./segment-reading.ts";
import { readMediaFile } from "./media-file.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-vod-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function present(source: MemorySource, segmentDurationMs = 1000, cacheBytes = 64 * 2 ** 20) {
  const file = await readMediaFile(source);
  const blocks = new BlockCache({ bytes: cacheBytes, items: 10_000 });
  const reading = {
    blocks,
    pool: new BlockPool(2 ** 20),
    work: new BoundedWork({ running: 4, waiting: 100 }, vodBusy),
  };
  return {
    file,
    blocks,
    presentation: new FilePresentation({ file, segmentDurationMs, reading, cacheKey: "k" }),
  };
}

function presentFile(path: string, segmentDurationMs = 1000) {
  return present(new MemorySource(readFileSync(path), { path }), segmentDurationMs);
}

/** Init segment and all segments of a selection, as a player would append them. */
async function whole(presentation: Presentation, selectionText: string): Promise<Uint8Array> {
  const { tracks, segments } = presentation.timeline();
  const selection = parseTrackSelection(selectionText)!;
  const parts = [...presentation.initSegment(presentation.initName(tracks, selection), selection)!];
  for (const { name } of segments) parts.push(...(await presentation.segment(name, selection))!);
  return concatBytes(parts);
}

type Packet = {
  stream_index: number;
  pts_time: string;
  size: string;
  flags: string;
  data_hash: string;
};
type Probed = { streams: { codec_type: string; codec_name: string }[]; packets: Packet[] };

async function probe(path: string): Promise<Probed> {
  const args = [
    "-v",
    "error",
    "-show_packets",
    "-show_streams",
    "-show_data_hash",
    "md5",
    "-of",
    "json",
    path,
  ];
  return JSON.parse((await runTool("ffprobe", args, 60_000)).stdout) as Probed;
}

function packetsOf(probed: Probed, stream: number) {
  const packets = probed.packets.filter((packet) => packet.stream_index === stream);
  return {
    contents: packets.map(({ size, flags, data_hash }) => ({
      size,
      isSync: flags.startsWith("K"),
      data_hash,
    })),
    times: packets.map(({ pts_time }) => Number(pts_time)),
  };
}

/** Every packet of the source is there with its bytes, and all times differ by one constant, the same for all tracks. */
async function assertSameMedia(
  sourcePath: string,
  served: Uint8Array,
  sourceStreams: readonly number[],
): Promise<void> {
  const servedPath = join(folder, "served.mp4");
  writeFileSync(servedPath, served);
  const [expected, got] = [await probe(sourcePath), await probe(servedPath)];
  assert.equal(got.streams.length, sourceStreams.length);
  let shift: number | null = null;
  for (const [i, stream] of sourceStreams.entries()) {
    assert.equal(got.streams[i]!.codec_name, expected.streams[stream]!.codec_name);
    const [source, copy] = [packetsOf(expected, stream), packetsOf(got, i)];
    assert.deepEqual(copy.contents, source.contents);
    for (const [sample, time] of copy.times.entries()) {
      const moved = time - source.times[sample]!;
      shift ??= moved;
      assert.ok(
        Math.abs(moved - shift) < 0.001,
        `stream ${i} sample ${sample}: moved by ${moved}, not ${shift}`,
      );
    }
  }
}

const FRAGMENTED = "frag_keyframe+empty_moov+default_base_moof";
const clips: {
  name: string;
  options: ClipOptions;
  selections: readonly { text: string; streams: readonly number[] }[];
}[] = [
  {
    name: "H.264 with B-frames and AAC",
    options: { durationS: 5, gopPictures: 25 },
    selections: [
      { text: "v1a1", streams: [0, 1] },
      { text: "a1v1", streams: [0, 1] },
      { text: "v1", streams: [0] },
      { text: "a1", streams: [1] },
    ],
  },
  {
    name: "HEVC",
    options: { durationS: 3, video: "libx265" },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "MP3",
    options: { durationS: 3, audio: "libmp3lame" },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "Opus",
    options: { durationS: 3, audio: "libopus" },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "three sound tracks",
    options: { durationS: 3, audioTracks: 3 },
    selections: [
      { text: "v1a1a2a3", streams: [0, 1, 2, 3] },
      { text: "v1a3", streams: [0, 3] },
      { text: "a2", streams: [2] },
    ],
  },
  {
    name: "sound alone",
    options: { durationS: 5, video: null },
    selections: [{ text: "a1", streams: [0] }],
  },
  {
    name: "video alone",
    options: { durationS: 5, audio: null },
    selections: [{ text: "v1", streams: [0] }],
  },
  {
    name: "fragments",
    options: { durationS: 4, gopPictures: 20, extra: ["-movflags", FRAGMENTED] },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "fragments after a moov with samples",
    options: { durationS: 4, gopPictures: 20, extra: ["-movflags", "frag_keyframe"] },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "a coarse timescale",
    options: { durationS: 3, bFrames: 0, extra: ["-video_track_timescale", "25"] },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "an odd timescale",
    options: { durationS: 3, extra: ["-video_track_timescale", "12347"] },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
  {
    name: "29.97 pictures a second",
    options: { durationS: 3, extra: ["-r", "30000/1001"] },
    selections: [{ text: "v1a1", streams: [0, 1] }],
  },
];

describe("a file's segments, put together, are the file for ffprobe:", { skip: needs("ffmpeg") }, () => {
  for (const { name, options, selections } of clips) {
    for (const { text, streams } of selections) {
      test(`${name}, ${text}`, async () => {
        const path = await makeClip(options);
        const { presentation } = await presentFile(path);
        await assertSameMedia(path, await whole(presentation, text), streams);
      });
    }
  }

  for (const { name, args } of [
    {
      name: "sound that is 700 ms late",
      args: (clip: string) => ["-i", clip, "-itsoffset", "0.7", "-i", clip, "-map", "0:v", "-map", "1:a"],
    },
    {
      name: "video that is 700 ms late",
      args: (clip: string) => ["-itsoffset", "0.7", "-i", clip, "-i", clip, "-map", "0:v", "-map", "1:a"],
    },
    {
      name: "sound that is 5 s late",
      args: (clip: string) => ["-i", clip, "-itsoffset", "5", "-i", clip, "-map", "0:v", "-map", "1:a"],
    },
    {
      name: "video that is 5 s late",
      args: (clip: string) => ["-itsoffset", "5", "-i", clip, "-i", clip, "-map", "0:v", "-map", "1:a"],
    },
  ]) {
    test(name, async () => {
      const path = join(folder, "late.mp4");
      await ffmpeg(["-v", "error", ...args(await makeClip({ durationS: 3 })), "-c", "copy", path]);
      const { presentation } = await presentFile(path);
      await assertSameMedia(path, await whole(presentation, "v1a1"), [0, 1]);
    });
  }

  test("a file that an edit list begins between two key frames", async () => {
    const path = join(folder, "trimmed.mp4");
    const clip = await makeClip({ durationS: 5, gopPictures: 50 });
    await ffmpeg(["-v", "error", "-ss", "3", "-i", clip, "-c", "copy", path]);
    const { presentation } = await presentFile(path);
    const served = await whole(presentation, "v1a1");
    const [source, copy] = [packetsOf(await probe(path), 0), packetsOf(await probeBytes(served), 0)];
    assert.deepEqual(copy.contents, source.contents);
    const [audio, copiedAudio] = [packetsOf(await probe(path), 1), packetsOf(await probeBytes(served), 1)];
    const offset = (video: { times: number[] }, sound: { times: number[] }) =>
      video.times.at(-1)! - sound.times.at(-1)!;
    assert.ok(Math.abs(offset(source, audio) - offset(copy, copiedAudio)) < 0.001);
    assert.ok(copiedAudio.contents.length >= audio.contents.length - 100);
  });
});

async function probeBytes(bytes: Uint8Array): Promise<Probed> {
  const path = join(folder, "bytes.mp4");
  writeFileSync(path, bytes);
  return await probe(path);
}

test(
  "a file's segments, put together, are the file for mediabunny",
  { skip: needs("ffmpeg") },
  async () => {
    const { presentation } = await presentFile(await makeClip({ durationS: 5, gopPictures: 25 }));
    const input = new Input({
      formats: [MP4],
      source: new BufferSource(await whole(presentation, "v1a1")),
    });
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
    assert.equal(video!.codec, "avc");
    assert.equal(audio!.codec, "aac");
    const counts: number[] = [];
    const keyFrames: number[] = [];
    for (const track of [video!, audio!]) {
      let count = 0;
      for await (const packet of new EncodedPacketSink(track).packets()) {
        count++;
        if (track === video && packet.type === "key")
          keyFrames.push(Math.round((packet.timestamp - keyFrames[0]!) * 1000) || 0);
      }
      counts.push(count);
    }
    assert.deepEqual(counts, [125, 236]);
    assert.equal(keyFrames.length, 5);
  },
);

describe("FilePresentation", { skip: needs("ffmpeg") }, () => {
  test("cuts at key frames, and its segments are as long together as the longest track", async () => {
    const { presentation, file } = await presentFile(
      await makeClip({ durationS: 5, gopPictures: 25 }),
      2000,
    );
    const { segments, mutability, targetDurationUs, tracks } = presentation.timeline();
    assert.equal(mutability, "static");
    assert.deepEqual(
      segments.map(({ durationUs }) => Math.round(durationUs / 100_000)),
      [20, 20, 10],
    );
    assert.equal(
      segments.reduce((sum, { durationUs }) => sum + durationUs, 0),
      file.endUs - file.startUs,
    );
    assert.ok(segments.every(({ durationUs }) => durationUs <= targetDurationUs));
    assert.deepEqual(
      segments.map(({ sequence, isIndependent, discontinuity, utcUs }) => ({
        sequence,
        isIndependent,
        discontinuity,
        utcUs,
      })),
      [0, 1, 2].map((sequence) => ({ sequence, isIndependent: true, discontinuity: false, utcUs: null })),
    );
    const names = segments.map(({ name, startUs }) => [name, String(Math.floor(startUs / 1000))]);
    for (const [name, expected] of names) assert.equal(name, expected);
    for (const { id } of tracks.tracks) {
      const samples = segments.reduce((sum, segment) => sum + segment.trackSamples(id), 0);
      assert.equal(samples, id === "v1" ? 125 : 236);
    }
    for (const track of file.tracks) {
      const ticks = track
        .table(track.first, track.end)
        .durations.reduce((sum, duration) => sum + duration, 0);
      const us = segments.reduce((sum, segment) => sum + segment.trackUs(track.track.id), 0);
      assert.ok(Math.abs(us - (ticks * 1e6) / track.track.timescale) < 10, `${track.track.id}: ${us}`);
    }
    assert.equal(segments[0]!.trackUs("v1" as never), 2_000_000);
    assert.equal(segments[0]!.trackUs("a9" as never), 0);
    assert.equal(segments[0]!.trackSamples("a9" as never), 0);
    assert.equal(segments[0]!.trackBytes("a9" as never), 0);
  });

  test("begins every segment with a key frame and never splits a sound frame's place", async () => {
    const { presentation, file } = await presentFile(
      await makeClip({ durationS: 5, gopPictures: 25 }),
      1000,
    );
    const [video, audio] = file.tracks;
    let nextAudio = audio!.first;
    let nextVideo = video!.first;
    for (const segment of presentation.timeline().segments) {
      const { startUs, durationUs } = segment;
      assert.ok(video!.samples.isSync(nextVideo));
      const audioUs = (audio!.ptsAt(nextAudio) / audio!.track.timescale) * 1e6;
      assert.ok(audioUs >= startUs - 30_000 && audioUs < startUs + durationUs);
      nextVideo += segment.trackSamples(video!.track.id);
      nextAudio += segment.trackSamples(audio!.track.id);
    }
    assert.deepEqual([nextVideo, nextAudio], [video!.end, audio!.end]);
  });

  test("gives nothing for names and tracks that it does not have", async () => {
    const { presentation } = await presentFile(await makeClip({ durationS: 2 }));
    const name = presentation.timeline().segments[0]!.name;
    assert.equal(await presentation.segment("99999", parseTrackSelection("v1")!), null);
    assert.equal(await presentation.segment("", parseTrackSelection("v1")!), null);
    assert.equal(await presentation.segment(name, parseTrackSelection("a7")!), null);
    assert.equal(presentation.initSegment("0123456789ab", parseTrackSelection("v1")!), null);
    const mixed = concatBytes((await presentation.segment(name, parseTrackSelection("v1a7")!))!);
    assert.deepEqual(mixed, concatBytes((await presentation.segment(name, parseTrackSelection("v1")!))!));
  });

  test("reads an interleaved segment in one piece, once for all selections and requests", async () => {
    const path = await makeClip({ durationS: 5, gopPictures: 25 });
    const source = new MemorySource(readFileSync(path), { path });
    const { presentation } = await present(source, 1000);
    const { name } = presentation.timeline().segments[2]!;
    source.reads.length = 0;
    const both = parseTrackSelection("v1a1")!;
    await Promise.all([
      presentation.segment(name, both),
      presentation.segment(name, both),
      presentation.segment(name, parseTrackSelection("v1")!),
      presentation.segment(name, parseTrackSelection("a1")!),
    ]);
    await presentation.segment(name, both);
    assert.equal(source.reads.length, 1);
  });

  test("does not keep more blocks than its cache allows, and reads again what went", async () => {
    const path = await makeClip({ durationS: 5, gopPictures: 25 });
    const source = new MemorySource(readFileSync(path), { path });
    const { presentation, blocks } = await present(source, 1000, 60_000);
    const first = await whole(presentation, "v1a1");
    assert.ok(blocks.bytes <= 60_000);
    const reads = source.reads.length;
    assert.deepEqual(await whole(presentation, "v1a1"), first);
    assert.ok(source.reads.length > reads);
  });

  test("fails for those who wait for a read that fails, and not for the next", async () => {
    const path = await makeClip({ durationS: 2 });
    const source = new MemorySource(readFileSync(path), { path });
    const { presentation } = await present(source);
    const { name } = presentation.timeline().segments[0]!;
    const both = parseTrackSelection("v1a1")!;
    source.fail = new Error("the disk is gone");
    const asked = [presentation.segment(name, both), presentation.segment(name, both)];
    for (const result of await Promise.allSettled(asked)) assert.equal(result.status, "rejected");
    source.fail = null;
    assert.ok((await presentation.segment(name, both)) !== null);
  });
});

test("a file that shrank after its index was read gives an error that says so", async () => {
  const movie = smallMovie();
  const source = new MemorySource(movie.subarray(0, movie.byteLength - 50), {
    sizeBytes: movie.byteLength,
  });
  const { presentation } = await present(source);
  await assert.rejects(async () => presentation.segment("0", parseTrackSelection("v1")!), {
    code: "VOD_CHANGED",
  });
});
