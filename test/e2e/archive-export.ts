/** An exported MP4 in the eyes of others, beside what the index of the archive says was recorded. */
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { trackNumber } from "../../src/containers/mp4/track-number.ts";
import { HourIndex } from "../../src/dvr/format/hour-index.ts";
import type { TrackId } from "../../src/media/ids.ts";
import { ffmpeg, probeFrames } from "../support/ffmpeg.ts";
import { NUMBERED_RATE } from "../support/numbered-clip.ts";

/** How many samples there are of each kind. */
export type SampleCounts = { readonly video: number; readonly audio: number };

/** Sound is heard where its picture is shown; an encoder delays it by a frame or two. Units: seconds. */
const MAX_APART_S = 0.1;

/** What is recorded of a stream from a time on and before another one, as its indexes have it. Units: microseconds. */
export async function recordedSamples(folder: string, fromUs: number, toUs: number): Promise<SampleCounts> {
  const counts = { video: 0, audio: 0 };
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((each) => each.endsWith(".idx"))) {
    const index = HourIndex.parse(await readFile(join(folder, name)), { path: name });
    for (let place = index.placeFrom(fromUs); place < index.placeFrom(toUs); place++) {
      const samples = (id: string): number =>
        index.chunks(place, trackNumber(id as TrackId)).reduce((sum, chunk) => sum + chunk.samples, 0);
      counts.video += samples("v1");
      counts.audio += samples("a1");
    }
  }
  return counts;
}

/**
 * Downloads a range of numbered pictures, and checks that ffprobe and mediabunny find all that was recorded in it, that
 * each beep is heard where its picture is shown and none where there is silence, and that a download which is resumed has
 * the same bytes. `stretches`: what was recorded of each, which begins with picture 0. Returns: when each is shown.
 */
export async function checkExport(
  url: string,
  file: string,
  stretches: readonly (SampleCounts & { readonly isSilent: boolean })[],
): Promise<{ readonly startMs: number; readonly endMs: number }[]> {
  const reply = await fetch(url);
  assert.equal(reply.status, 200);
  const bytes = Buffer.from(await reply.arrayBuffer());
  assert.equal(Number(reply.headers.get("content-length")), bytes.byteLength);
  await checkResume(url, bytes, reply.headers.get("etag")!);
  await writeFile(file, bytes);
  const frames = await probeFrames(file, { select: "v" });
  const [video, audio] = [sumOf(stretches, "video"), sumOf(stretches, "audio")];
  assert.equal(frames.length, video, "pictures that ffprobe decodes");
  assert.deepEqual(await bunnyCounts(bytes), { video, audio });
  const shownS = frames.map(({ pts_time }) => Number(pts_time));
  assert.ok(Math.abs(shownS[0]!) < 0.001, `the first picture is shown at ${shownS[0]} s`);
  const beepsS = await beeps(file);
  const shown: { startMs: number; endMs: number }[] = [];
  let first = 0;
  for (const [stretch, { video: pictures, isSilent }] of stretches.entries()) {
    // The last second of a stretch may be without its sound: a publisher that is killed sends one track further.
    for (let number = 0; number < pictures - NUMBERED_RATE; number += NUMBERED_RATE) {
      const atS = shownS[first + number]!;
      const isHeard = beepsS.some((beepS) => Math.abs(beepS - atS) < MAX_APART_S);
      const what = `the beep of picture ${number} of stretch ${stretch}, shown at ${atS} s`;
      assert.equal(isHeard, !isSilent, `${what}: beeps at ${beepsS.join(" ")}`);
    }
    const lastS = shownS[first + pictures - 1]!;
    shown.push({ startMs: shownS[first]! * 1000, endMs: lastS * 1000 + 1000 / NUMBERED_RATE });
    first += pictures;
  }
  return shown;
}

function sumOf(counts: readonly SampleCounts[], kind: keyof SampleCounts): number {
  return counts.reduce((sum, each) => sum + each[kind], 0);
}

async function checkResume(url: string, bytes: Buffer, etag: string): Promise<void> {
  const half = Math.floor(bytes.byteLength / 2) + 1;
  const rest = await fetch(url, { headers: { range: `bytes=${half}-`, "if-range": etag } });
  assert.equal(rest.status, 206);
  const total = `bytes ${half}-${bytes.byteLength - 1}/${bytes.byteLength}`;
  assert.equal(rest.headers.get("content-range"), total);
  assert.ok(
    Buffer.from(await rest.arrayBuffer()).equals(bytes.subarray(half)),
    "resumed, it is the same file",
  );
}

async function bunnyCounts(bytes: Buffer): Promise<SampleCounts> {
  const counts = { video: 0, audio: 0 };
  const input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
  for (const track of await input.getTracks()) {
    for await (const _ of new EncodedPacketSink(track).packets()) counts[track.type as "video" | "audio"]++;
  }
  return counts;
}

/** When beeps begin, as ffmpeg hears them. Units: seconds. */
async function beeps(file: string): Promise<number[]> {
  const listen = ["-vn", "-af", "silencedetect=noise=-30dB:d=0.3", "-f", "null", "-"];
  const { stderr } = await ffmpeg(["-copyts", "-i", file, ...listen]);
  const ends = [...stderr.matchAll(/silence_end: ([\d.]+)/g)].map(([, at]) => Number(at));
  // The first one begins with the file.
  return [0, ...ends];
}
