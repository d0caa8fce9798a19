import { createHash } from "node:crypto";
import type { HttpFile } from "../../base/http-message.ts";
import { usToTicks } from "../../base/time.ts";
import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import {
  MAX_REFERENCED_BYTES,
  MAX_SEGMENT_REFERENCES,
  buildSegmentIndex,
} from "../../containers/mp4/segment-index.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { PATCHED_BYTES, patchChunk } from "./chunk-patch.ts";
import { dvrExportErrors } from "./errors.ts";
import { RangePlan, utcTime } from "./range-plan.ts";
import type { PlannedTrack } from "./range-plan.ts";
import type { StoredRange, StoredReader } from "./stored-range.ts";

/** What is read at a time; there are two of it in memory while a download runs. */
const PIECE_BYTES = 512 * 1024;
/** Reads at a time: where tracks are left out, what is wanted of a file does not lie together. */
const MAX_READS = 16;
const MAX_U32 = 0xffff_ffff;

/** Bytes that lie together in a media file and in the export. */
type Run = {
  readonly fileKey: string;
  readonly offset: number;
  /** Where it begins in the export. */
  readonly at: number;
  lengthBytes: number;
};

/**
 * A range of an archive as one MP4 file in fragments: `ftyp`, `moov`, `sidx`, and the chunks as they are stored, but for
 * their decode times, sequence numbers and sample descriptions.
 *
 * All is known from the list of chunks: how long the file is, and what any range of its bytes is made of. So a download
 * may begin anywhere, and the same range of the archive gives the same bytes on any pod. It begins at 0, gaps are closed,
 * and what was recorded at the same time stays together to a tick of each track. Configurations of a track that follow
 * each other are sample descriptions of one track.
 * Spec: ISO/IEC 14496-12 sections 8.8, 8.16.3.
 */
export class Mp4Export {
  /** Of the whole file. */
  readonly bytes: number;
  readonly durationUs: number;
  readonly #plan: RangePlan;
  readonly #read: StoredReader;
  /** `ftyp`, `moov`, `sidx`. */
  readonly #head: Uint8Array;
  /** Where each chunk begins in the export, and where the last one ends. */
  readonly #starts: Float64Array;
  #version: string | null = null;

  /**
   * `tracks`: those that are wanted; all unless given. Reads nothing.
   * Throws: DVR_EXPORT_EMPTY, _CODEC_CHANGE, _LIMIT, _UNKNOWN_TRACK, _BAD_CHUNK, CODEC_BAD_CONFIG.
   */
  constructor(range: StoredRange, options: { readonly tracks?: readonly TrackId[] | undefined } = {}) {
    const plan = new RangePlan(range, { tracks: { ids: options.tracks } });
    const tracks = plan.tracks.toSorted((a, b) => a.number - b.number);
    for (const track of tracks) checkConfigs(track);
    this.#plan = plan;
    this.#read = range.read;
    this.durationUs = plan.endUs - plan.startUs;
    this.#head = buildHead(plan, tracks);
    this.#starts = startsOf(plan, this.#head.byteLength);
    this.bytes = this.#starts[plan.chunks.count]!;
  }

  /** The same for the same bytes, and another one for others; fit for an entity tag. */
  get version(): string {
    return (this.#version ??= this.#hash());
  }

  /** The export as a reply's body. */
  get file(): HttpFile {
    const read = (offset: number, maxBytes: number): Promise<Uint8Array> =>
      this.piece(offset, Math.min(this.bytes, offset + maxBytes));
    return { sizeBytes: this.bytes, read };
  }

  /**
   * The bytes `[from, to)`, piece by piece. While one is taken the next one is read, and no more. When it is ended early, no
   * read is under way any more.
   *
   * Ownership: the pieces are the caller's. Throws: DVR_EXPORT_BAD_CHUNK, whatever the reader throws.
   */
  async *read(from = 0, to = this.bytes): AsyncGenerator<Uint8Array, void, undefined> {
    checkRange(from, to, this.bytes);
    let ahead = from < to ? this.#readAhead(from, to) : null;
    try {
      for (let at = from; ahead !== null;) {
        const piece: Uint8Array = await ahead;
        at += piece.byteLength;
        ahead = at < to ? this.#readAhead(at, to) : null;
        yield piece;
      }
    } finally {
      await ahead?.catch(() => {});
    }
  }

  /**
   * Bytes from `from` on: up to `to`, or as many as are read at a time; at least one where there is any.
   * Ownership, errors: as `read`.
   */
  async piece(from: number, to: number): Promise<Uint8Array> {
    checkRange(from, to, this.bytes);
    const headBytes = this.#head.byteLength;
    const runs: Run[] = [];
    const end = this.#collectRuns(from, Math.min(to, from + PIECE_BYTES), runs);
    const piece = Buffer.allocUnsafeSlow(end - from);
    if (from < headBytes) piece.set(this.#head.subarray(from, Math.min(end, headBytes)));
    const reads = runs.map((run) =>
      this.#fill(run, piece.subarray(run.at - from, run.at - from + run.lengthBytes)),
    );
    const settled = await Promise.allSettled(reads);
    for (const result of settled) if (result.status === "rejected") throw result.reason;
    await this.#patch(from, piece);
    return piece;
  }

  #readAhead(from: number, to: number): Promise<Uint8Array> {
    const piece = this.piece(from, to);
    // Whoever waits for it hears of it; until then it is no unhandled rejection.
    piece.catch(() => {});
    return piece;
  }

  /** What has to be read for `[from, to)`. Returns: where that ends, after `to` or as many reads as are made at a time. */
  #collectRuns(from: number, to: number, runs: Run[]): number {
    const { chunks } = this.#plan;
    for (let chunk = this.#chunkAt(from); chunk < chunks.count && this.#starts[chunk]! < to; chunk++) {
      const start = this.#starts[chunk]!;
      const at = Math.max(from, start);
      const lengthBytes = Math.min(to, this.#starts[chunk + 1]!) - at;
      const offset = chunks.offset[chunk]! + at - start;
      const fileKey = this.#plan.fileOf(chunk);
      const last = runs.at(-1);
      if (last?.fileKey === fileKey && last.offset + last.lengthBytes === offset)
        last.lengthBytes += lengthBytes;
      else if (runs.length === MAX_READS) return at;
      else runs.push({ fileKey, offset, at, lengthBytes });
    }
    return to;
  }

  async #fill({ fileKey, offset }: Pick<Run, "fileKey" | "offset">, target: Uint8Array): Promise<void> {
    const bytes = await this.#read(fileKey, offset, [target]);
    if (bytes === target.byteLength) return;
    const reason = `the file ends ${target.byteLength - bytes} bytes before it does`;
    throw dvrExportErrors.error("DVR_EXPORT_BAD_CHUNK", { file: fileKey, offset, reason });
  }

  /** Changes what is to be changed in the chunks that begin in a piece, or just before it. */
  async #patch(from: number, piece: Uint8Array): Promise<void> {
    const to = from + piece.byteLength;
    const { chunks } = this.#plan;
    for (let chunk = this.#chunkAt(from); chunk < chunks.count && this.#starts[chunk]! < to; chunk++) {
      const start = this.#starts[chunk]!;
      const end = start + Math.min(PATCHED_BYTES, chunks.headerBytes[chunk]!);
      if (end <= from) continue;
      if (start >= from && end <= to) {
        this.#patchChunk(chunk, piece.subarray(start - from, end - from));
        continue;
      }
      // Only a part of it was asked for, which says nothing without the rest.
      const head = new Uint8Array(end - start);
      await this.#fill({ fileKey: this.#plan.fileOf(chunk), offset: chunks.offset[chunk]! }, head);
      this.#patchChunk(chunk, head);
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      piece.set(head.subarray(first - start, last - start), first - from);
    }
  }

  #patchChunk(chunk: number, head: Uint8Array): void {
    const plan = this.#plan;
    const { timescale } = plan.trackOf(chunk);
    const reason = patchChunk(head, {
      sequence: chunk + 1,
      trackNumber: plan.tracks[plan.chunks.track[chunk]!]!.number,
      timescale,
      shiftTicks: usToTicks(plan.shiftOf(chunk), timescale),
      description: plan.chunks.config[chunk]! + 1,
      startUs: plan.chunks.startUs[chunk]!,
    });
    if (reason === null) return;
    const offset = plan.chunks.offset[chunk]!;
    throw dvrExportErrors.error("DVR_EXPORT_BAD_CHUNK", { file: plan.fileOf(chunk), offset, reason });
  }

  /** The chunk in which a byte lies; the first one for bytes in front of it. */
  #chunkAt(at: number): number {
    let [low, high] = [0, this.#plan.chunks.count];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= at) low = middle;
      else high = middle;
    }
    return low;
  }

  #hash(): string {
    const { chunks, fileKeys } = this.#plan;
    const hash = createHash("sha256").update(this.#head).update(JSON.stringify(fileKeys));
    for (const column of [chunks.file, chunks.offset, chunks.size, chunks.startUs])
      hash.update(new Uint8Array(column.buffer, 0, chunks.count * column.BYTES_PER_ELEMENT));
    return hash.digest("hex").slice(0, 32);
  }
}

function checkRange(from: number, to: number, bytes: number): void {
  if (from >= 0 && from <= to && to <= bytes) return;
  throw new RangeError(`bytes ${from} to ${to} of an export of ${bytes} bytes`);
}

/** One track has one codec and one timescale. */
function checkConfigs({ id, configs }: PlannedTrack): void {
  const first = configs[0]!.track;
  for (const { track, startUs } of configs) {
    if (track.codec === first.codec && track.timescale === first.timescale) continue;
    throw dvrExportErrors.error("DVR_EXPORT_CODEC_CHANGE", {
      track: id,
      time: utcTime(startUs),
      before: nameOf(first),
      after: nameOf(track),
    });
  }
}

function nameOf({ codec, timescale }: Track): string {
  return `${codec} with ${timescale} ticks a second`;
}

function buildHead(plan: RangePlan, tracks: readonly PlannedTrack[]): Uint8Array {
  const firsts = tracks.map(({ configs }) => configs[0]!.track);
  const later = tracks.filter(({ configs }) => configs.length > 1);
  const init = buildInitSegment(firsts, {
    durationUs: plan.endUs - plan.startUs,
    startUs: plan.startUs,
    laterConfigs: new Map(later.map(({ id, configs }) => [id, configs.slice(1).map(({ track }) => track)])),
  });
  return Buffer.concat([init, indexOf(plan, tracks[0]!)]);
}

/**
 * One `sidx` whose references are segments; several of them at a time where there are more than it can count. (FFmpeg's
 * demuxer refuses references to further `sidx` boxes.) Empty where a reference would be too long to be said.
 */
function indexOf(plan: RangePlan, reference: PlannedTrack): Uint8Array {
  const { segments, chunks } = plan;
  const perReference = Math.ceil(segments.count / MAX_SEGMENT_REFERENCES);
  const count = Math.ceil(segments.count / perReference);
  const { timescale } = reference.configs[0]!.track;
  const sizes = new Uint32Array(count);
  const durations = new Uint32Array(count);
  const startsWithSap = new Uint8Array(count);
  let chunk = 0;
  let ticks = 0;
  for (let i = 0; i < count; i++) {
    const next = Math.min((i + 1) * perReference, segments.count);
    const isLast = next === segments.count;
    let sizeBytes = 0;
    for (const end = plan.chunksEnd(next - 1); chunk < end; chunk++) sizeBytes += chunks.size[chunk]!;
    const endTicks = usToTicks((isLast ? plan.endUs : plan.playsAt(next)) - plan.startUs, timescale);
    if (sizeBytes > MAX_REFERENCED_BYTES || endTicks - ticks > MAX_U32) return new Uint8Array(0);
    sizes[i] = sizeBytes;
    durations[i] = endTicks - ticks;
    startsWithSap[i] = segments.independent[i * perReference]!;
    ticks = endTicks;
  }
  const trackNumber = reference.number;
  return buildSegmentIndex({ trackNumber, timescale, earliestTicks: 0, sizes, durations, startsWithSap });
}

function startsOf({ chunks }: RangePlan, headBytes: number): Float64Array {
  const starts = new Float64Array(chunks.count + 1);
  let at = headBytes;
  for (let i = 0; i < chunks.count; i++) {
    starts[i] = at;
    at += chunks.size[i]!;
  }
  starts[chunks.count] = at;
  return starts;
}
