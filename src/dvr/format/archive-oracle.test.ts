/** Judges of a media file of the archive: ffprobe and ffmpeg take it as the MP4 file that docs/archive-format.md says it is. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ffmpeg, makeClip, probeFormat, probeFrames, probePackets } from "../../../test/support/ffmpeg.ts";
import { filePackets } from "../../../test/support/file-packets.ts";
import { needs } from "../../../test/support/tools.ts";
import { usToTicks } from "../../base/time.ts";
import { buildFragmentHeader } from "../../containers/mp4/fragment.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import { trackNumber } from "../../containers/mp4/track-number.ts";
import { Segmenter } from "../../packaging/segmenter.ts";
import type { FinishedSegment } from "../../packaging/segmenter.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { diskFiles } from "../storages/disk-files.ts";
import { HOUR_US, hourOf, indexFile, mediaFile } from "./hour.ts";
import { buildIndexHeader } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "./index-record.ts";
import { emptyRecord, writeIndexRecord } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";
import { recoverHour } from "./recover.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-archive-oracle-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 498_728;

/** The segments that a clip becomes when it is live from the beginning of the hour on. */
async function segmentsOf(clip: string): Promise<FinishedSegment[]> {
  const segments: FinishedSegment[] = [];
  const segmenter = new Segmenter({
    segmentDurationUs: 2_000_000,
    maxDurationUs: () => 6_000_000,
    onSegment: (segment) => void segments.push(segment),
  });
  const { tracks, packets } = await filePackets(clip);
  segmenter.onTracks(tracks);
  for (const packet of packets) {
    const shift = usToTicks(HOUR * HOUR_US + 1_000_000, packet.track.timescale);
    const [dts, pts] = [packet.dts + shift, packet.pts + shift];
    const startsGop = packet.isSync && packet.track === tracks.reference;
    segmenter.onPacket({ ...packet, dts, pts, startsGop, epoch: tracks.epoch, arrivalUs: 0 });
  }
  segmenter.onEnd();
  return segments;
}

/** Records a segment, without its end. */
async function record(
  index: ArchiveFile,
  media: ArchiveFile,
  segment: FinishedSegment,
  ordinal: number,
): Promise<void> {
  const { startUs, sequence } = segment;
  const base = { ...emptyRecord(), ordinal, startUs, utcUs: startUs, sequence: sequence % 2 ** 32 };
  const records: IndexRecord[] = [{ ...base, kind: RECORD_KIND.segmentStart }];
  let offset = await media.sizeBytes();
  for (const track of segment.media.values()) {
    const { table } = track;
    const header = buildFragmentHeader(records.length, [table]);
    await media.append([header, ...track.blocks()]);
    const size = header.byteLength + table.dataBytes;
    records.push({
      ...base,
      kind: RECORD_KIND.chunk,
      trackNumber: trackNumber(table.track.id),
      flags: records.length === 1 ? RECORD_FLAG.segmentStart : 0,
      startUs: Math.floor((table.baseDts * 1_000_000) / table.track.timescale),
      durationUs: segment.durationUs,
      offset,
      size,
      headerBytes: header.byteLength,
      samples: table.count,
    });
    offset += size;
  }
  records[records.length - 1] = { ...records.at(-1)!, flags: records.at(-1)!.flags | RECORD_FLAG.groupEnd };
  const bytes = new Uint8Array(records.length * INDEX_RECORD_BYTES);
  for (const [number, each] of records.entries())
    writeIndexRecord(bytes, number * INDEX_RECORD_BYTES, each);
  await index.append([bytes]);
}

test(
  "a torn hour is an MP4 file of whole segments when it was recovered",
  { skip: needs("ffmpeg") },
  async () => {
    const clip = await makeClip({ durationS: 6, gopPictures: 50 });
    const segments = await segmentsOf(clip);
    const [last] = segments.slice(-1);
    assert.ok(segments.length >= 3);
    for (const { startUs } of segments) assert.equal(hourOf(startUs), HOUR);
    const path = join(folder, mediaFile(HOUR, 0));
    const media = await diskFiles.create(path);
    const index = await diskFiles.create(join(folder, indexFile(HOUR)));
    await index.append([buildIndexHeader(HOUR)]);
    await media.append([buildInitSegment(last!.tracks.tracks)]);
    for (const [number, segment] of segments.entries()) await record(index, media, segment, number);
    await media.truncate((await media.sizeBytes()) - 1);
    await Promise.all([index.close(), media.close()]);

    const recovered = await recoverHour(diskFiles, folder, HOUR);
    const before = segments.at(-2)!;
    assert.equal(recovered.lastEnd?.startUs, before.startUs);
    assert.ok(recovered.isEndMissing && recovered.cutMediaBytes > 0 && recovered.cutIndexBytes > 0);
    const kept = segments
      .slice(0, -1)
      .map(({ media: tracks }) => [...tracks.values()].map(({ table }) => table));
    const wanted = { video: 0, audio: 0 };
    for (const table of kept.flat()) wanted[table.track.kind as "video" | "audio"] += table.count;
    const packets = await probePackets(path);
    for (const kind of ["video", "audio"] as const)
      assert.equal(packets.filter(({ codec_type }) => codec_type === kind).length, wanted[kind], kind);
    assert.equal((await probeFrames(path, { select: "v:0" })).length, wanted.video);
    const startS = Number((await probeFormat(path)).start_time);
    assert.ok(Math.abs(startS - segments[0]!.startUs / 1e6) < 0.1, `it starts at ${startS} s`);

    const copy = join(folder, "clip.mp4");
    const { stderr } = await ffmpeg([
      "-v",
      "warning",
      "-i",
      path,
      "-c",
      "copy",
      "-movflags",
      "+faststart",
      copy,
    ]);
    assert.equal(stderr, "");
    assert.ok(Number((await probeFormat(copy)).start_time) < 0.1);
    assert.equal((await probeFrames(copy, { select: "v:0" })).length, wanted.video);
  },
);
