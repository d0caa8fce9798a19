/** Files with negative composition offsets keep the distance of their tracks; see docs/decisions/0003-vod-times.md. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { concatBytes } from "../base/bytes.ts";
import { parseTrackSelection } from "../packaging/presentation.ts";
import { makeClip } from "../../test/support/ffmpeg.ts";
import { MemorySource } from "../../test/support/memory-source.ts";
import { needs } from "../../test/support/tools.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import { FilePresentation } from "./file-presentation.ts";
import { BlockCache } from "./segment-reading.ts";
import { readMediaFile } from "./media-file.ts";

const IN_FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof";

/** Presentation times of video and audio in seconds, in order, as an independent reader sees them. */
async function timesOf(bytes: Uint8Array): Promise<{ video: number[]; audio: number[] }> {
  const input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
  const times: number[][] = [];
  for (const track of [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]) {
    const own: number[] = [];
    for await (const packet of new EncodedPacketSink(track!).packets()) own.push(packet.timestamp);
    times.push(own.sort((a, b) => a - b));
  }
  return { video: times[0]!, audio: times[1]! };
}

/** The file as it is served: its init segment and all segments. */
async function serve(bytes: Uint8Array): Promise<Uint8Array> {
  const file = await readMediaFile(new MemorySource(bytes));
  const reading = {
    blocks: new BlockCache({ bytes: 0, items: 0 }),
    work: new BoundedWork({ running: 1, waiting: 1 }, vodBusy),
    pool: new BlockPool(0),
  };
  const presentation = new FilePresentation({ file, segmentDurationMs: 1000, reading, cacheKey: "k" });
  const { tracks, segments } = presentation.timeline();
  const selection = parseTrackSelection("v1a1")!;
  const parts = [...presentation.initSegment(presentation.initName(tracks, selection), selection)!];
  for (const { name } of segments) parts.push(...(await presentation.segment(name, selection))!);
  return concatBytes(parts);
}

describe("video and audio keep their distance", { skip: needs("ffmpeg") }, () => {
  for (const [name, movflags] of [
    ["positive composition offsets in fragments", IN_FRAGMENTS],
    ["negative composition offsets in fragments", `${IN_FRAGMENTS}+negative_cts_offsets`],
    ["negative composition offsets with an edit list", "+negative_cts_offsets"],
  ] as const) {
    for (const bFrames of [2, 3]) {
      test(`with ${name}, ${bFrames} B-frames`, async () => {
        const path = await makeClip({ durationS: 3, bFrames, extra: ["-movflags", movflags] });
        const [source, served] = [readFileSync(path), await serve(readFileSync(path))];
        const [expected, got] = [await timesOf(source), await timesOf(served)];
        assert.deepEqual(
          [got.video.length, got.audio.length],
          [expected.video.length, expected.audio.length],
        );
        const shift = got.video[0]! - expected.video[0]!;
        for (const kind of ["video", "audio"] as const) {
          for (const [i, time] of got[kind].entries()) {
            const moved = time - expected[kind][i]!;
            assert.ok(Math.abs(moved - shift) < 0.001, `${kind} ${i} moved by ${moved}, not ${shift}`);
          }
        }
      });
    }
  }
});
