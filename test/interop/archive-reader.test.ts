/** A reader that knows docs/archive-format.md and nothing of ours, on a recording with kills, a gap and a change of tracks. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { eventually } from "../support/eventually.ts";
import { makeClip, probePackets, publish, runTool } from "../support/ffmpeg.ts";
import { parsePlaylistText } from "../support/media-playlist-text.ts";
import type { TextPlaylist } from "../support/media-playlist-text.ts";
import { findProgram, needs } from "../support/tools.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";

const python = findProgram("python3");
const skip = python === null ? "python3 is not installed" : needs("ffmpeg");
/** The first record stands behind it. */
const INDEX_HEADER_BYTES = 64;
const READER = join(import.meta.dirname, "archive_reader.py");

/** A line of the reader. Times in microseconds; chunks as track and samples. */
type ReadSegment = {
  readonly name: number;
  readonly start: number;
  readonly duration: number;
  readonly ordinal: number;
  readonly discontinuities: number;
  readonly isBreak: boolean;
  readonly isIndependent: boolean;
  readonly gap: number;
  readonly file: string;
  readonly chunks: readonly (readonly [track: number, samples: number])[];
};

async function read(...args: readonly string[]): Promise<string> {
  return (await runTool(python!, [READER, ...args], 60_000)).stdout;
}

async function list(folder: string): Promise<ReadSegment[]> {
  const lines = (await read("list", folder)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as ReadSegment);
}

async function playlistOf(weir: Weir, fromS: number): Promise<TextPlaylist> {
  const reply = await fetch(weir.url(`/rec/camera/tracks-v1a1/archive-${fromS}-now.m3u8`));
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  return parsePlaylistText(text);
}

/** A server that recorded three times: what it was killed behind, other tracks, and the first ones again. */
async function recording(t: TestContext): Promise<{ weir: Weir; folder: string; playlist: TextPlaylist }> {
  const root = await mkdtemp(join(tmpdir(), "weir-archive-reader-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const config = `template rec { prefix rec; input publish://; segment_duration 1; dvr ${root}; }`;
  const weir = await startWeir(t, { config });
  const fromS = Math.floor(Date.now() / 1000) - 60;
  const small = await makeClip({ durationS: 10, gopPictures: 25 });
  const large = await makeClip({ durationS: 10, gopPictures: 12, width: 480, height: 270, bFrames: 0 });
  const run = async (clip: string, known: number): Promise<number> => {
    const publisher = publish(t, weir.rtmpUrl("rec/camera"), clip, { loop: true });
    const listed = await eventually(
      async () => {
        const { segments } = await playlistOf(weir, fromS);
        assert.ok(segments.length >= known + 3, `${segments.length} segments behind ${known}`);
        return segments.length;
      },
      { timeoutMs: 60_000 },
    );
    if (known === 0) await weir.kill();
    await publisher.stop();
    return listed;
  };
  let known = await run(small, 0);
  await weir.start(t);
  known = Math.max(known, (await playlistOf(weir, fromS)).segments.length);
  known = await run(large, known);
  await run(small, known);
  await weir.stop();
  await weir.start(t);
  return { weir, folder: join(root, "rec/camera"), playlist: await playlistOf(weir, fromS) };
}

test("the page on the archive's format is enough to read one", { skip, timeout: 180_000 }, async (t) => {
  const { weir, folder, playlist } = await recording(t);
  const segments = await list(folder);
  assert.deepEqual(
    segments.map(({ name }) => `seg-${name}.m4s`),
    playlist.segments.map(({ uri }) => uri),
  );
  assert.equal(segments[0]!.ordinal, playlist.mediaSequence);
  let dateMs = 0;
  for (const [i, segment] of segments.entries()) {
    const listed = playlist.segments[i]!;
    assert.ok(Math.abs(segment.duration / 1e6 - listed.durationS!) < 0.001, `${segment.name}`);
    assert.equal(
      segment.discontinuities - segments[0]!.discontinuities,
      listed.discontinuityNumber - playlist.segments[0]!.discontinuityNumber,
    );
    if (i > 0) assert.equal(segment.isBreak, listed.hasDiscontinuity);
    if (listed.dateMs !== null && i > 0 && segment.gap > 0)
      assert.ok(Math.abs(listed.dateMs - dateMs - segment.gap / 1000) < 2, "the gap is the playlist's");
    dateMs = segment.start / 1000 + segment.duration / 1000;
    assert.ok(segment.isIndependent);
  }
  // The kill, and who came behind it; other tracks are in another file of their hour.
  assert.ok(
    segments.some(({ gap }) => gap > 100_000) && segments.filter(({ isBreak }) => isBreak).length >= 3,
  );
  const files = segments.map(({ file }) => file);
  assert.ok(new Set(files).size >= 2, [...new Set(files)].join(" "));
  for (const { name, file, chunks } of segments) {
    const out = join(folder, `${name}.mp4`);
    await read("extract", folder, String(name), out);
    const packets = await probePackets(out);
    for (const [kind, track] of [
      ["video", 1],
      ["audio", 101],
    ] as const) {
      const samples = chunks.reduce((sum, [number, count]) => (number === track ? sum + count : sum), 0);
      assert.equal(
        packets.filter(({ codec_type }) => codec_type === kind).length,
        samples,
        `${name} of ${file}`,
      );
    }
    const reply = await fetch(weir.url(`/rec/camera/tracks-v1a1/seg-${name}.m4s`));
    assert.equal(reply.status, 200);
    const [served, extracted] = [Buffer.from(await reply.arrayBuffer()), await readFile(out)];
    // In front of the chunks stands a `styp`, and in the file the init segment.
    const chunksServed = served.subarray(served.readUInt32BE(0));
    assert.ok(extracted.subarray(-chunksServed.length).equals(chunksServed), `${name} is served otherwise`);
  }
  // It is no reader that takes anything: media that is not as promised is told, and a record that is none ends an hour.
  const [index] = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith(".idx"))
    .sort();
  const media = join(folder, index!.replace(".idx", ".mp4"));
  await truncate(media, (await readFile(media)).indexOf("mdat"));
  await assert.rejects(list(folder), /is not all there/);
  const bytes = await readFile(join(folder, index!));
  bytes[INDEX_HEADER_BYTES]! ^= 1;
  await writeFile(join(folder, index!), bytes);
  assert.ok((await list(folder)).length < segments.length);
});
