import { createHash } from "node:crypto";
import { totalBytes } from "../../base/bytes.ts";
import type { HttpFile } from "../../base/http-message.ts";
import { usToTicks } from "../../base/time.ts";
import type { TrackId } from "../../media/ids.ts";
import { PATCHED_BYTES, patchChunk } from "./chunk-patch.ts";
import { dvrExportErrors } from "./errors.ts";
import { buildExportHead } from "./mp4-head.ts";
import { InBandSets } from "./parameter-sets.ts";
import { RangePlan } from "./range-plan.ts";
import type { StoredRange, StoredReader } from "./stored-range.ts";

/** What is read at a time; there are two of it in memory while a download runs. */
const PIECE_BYTES = 512 * 1024;
/** Reads at a time: where tracks are left out, what is wanted of a file does not lie together. */
const MAX_READS = 16;

/** What a chunk takes in the columns, some of which are free, and where it begins. */
const CHUNK_BYTES = 96;

/** Bytes that lie together in a media file, and mostly in the export. */
type Run = {
  readonly fileKey: string;
  readonly offset: number;
  lengthBytes: number;
  /** Where they go to in the export. */
  readonly parts: { readonly at: number; lengthBytes: number }[];
};

/**
 * A range of an archive as one MP4 file in fragments: `ftyp`, `moov`, `sidx`, and the chunks as they are stored, but for
 * their decode times, sequence numbers and sample descriptions. Where a video track has several configurations, their
 * parameter sets stand in the chunks as well; see `InBandSets`.
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
  readonly #sets: InBandSets;
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
    this.#plan = plan;
    this.#sets = new InBandSets(plan);
    this.#read = range.read;
    this.durationUs = plan.endUs - plan.startUs;
    this.#head = buildExportHead(plan, this.#sets);
    this.#starts = startsOf(plan, this.#sets, this.#head.byteLength);
    this.bytes = this.#starts[plan.chunks.count]!;
  }

  /** The same for the same bytes, and another one for others; fit for an entity tag. */
  get version(): string {
    return (this.#version ??= this.#hash());
  }

  /** What the plan takes, about. */
  get memoryBytes(): number {
    return this.#plan.chunks.count * CHUNK_BYTES + this.#head.byteLength;
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
    const reads = runs.map((run) => {
      const targets = run.parts.map(({ at, lengthBytes }) =>
        piece.subarray(at - from, at - from + lengthBytes),
      );
      return this.#fill(run, targets);
    });
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
      const payload = start + chunks.headerBytes[chunk]!;
      const inserted = this.#sets.of(chunk).byteLength;
      const fileKey = this.#plan.fileOf(chunk);
      const ends = [payload, this.#starts[chunk + 1]!];
      for (const [i, begin] of [start, payload + inserted].entries()) {
        const at = Math.max(from, begin);
        const lengthBytes = Math.min(to, ends[i]!) - at;
        if (lengthBytes <= 0) continue;
        const offset = chunks.offset[chunk]! + at - start - (i === 0 ? 0 : inserted);
        if (!addToRuns(runs, { fileKey, offset, lengthBytes, parts: [{ at, lengthBytes }] })) return at;
      }
    }
    return to;
  }

  async #fill(place: Pick<Run, "fileKey" | "offset">, targets: readonly Uint8Array[]): Promise<void> {
    const { fileKey, offset } = place;
    const missing = totalBytes(targets) - (await this.#read(fileKey, offset, targets));
    if (missing === 0) return;
    const reason = `the file ends ${missing} bytes before it does`;
    throw dvrExportErrors.error("DVR_EXPORT_BAD_CHUNK", { file: fileKey, offset, reason });
  }

  /** Changes what is to be changed in the chunks that begin in a piece, or just before it. */
  async #patch(from: number, piece: Uint8Array): Promise<void> {
    const to = from + piece.byteLength;
    const { chunks } = this.#plan;
    for (let chunk = this.#chunkAt(from); chunk < chunks.count && this.#starts[chunk]! < to; chunk++) {
      const start = this.#starts[chunk]!;
      const headerBytes = chunks.headerBytes[chunk]!;
      const inserted = this.#sets.of(chunk);
      const patched = inserted.byteLength > 0 ? headerBytes : Math.min(PATCHED_BYTES, headerBytes);
      if (start >= from && start + patched <= to) {
        this.#patchChunk(chunk, piece.subarray(start - from, start - from + patched));
      } else if (start + patched > from) {
        // Only a part of it was asked for, which says nothing without the rest.
        const head = new Uint8Array(patched);
        await this.#fill({ fileKey: this.#plan.fileOf(chunk), offset: chunks.offset[chunk]! }, [head]);
        this.#patchChunk(chunk, head);
        copyInto(piece, from, head, start);
      }
      copyInto(piece, from, inserted, start + headerBytes);
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
      insertedBytes: this.#sets.of(chunk).byteLength,
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

/** Puts it behind the last run where it goes on there. Returns: `false` when there are as many as are read at a time. */
function addToRuns(runs: Run[], run: Run): boolean {
  const last = runs.at(-1);
  if (last?.fileKey !== run.fileKey || last.offset + last.lengthBytes !== run.offset) {
    if (runs.length === MAX_READS) return false;
    runs.push(run);
    return true;
  }
  const [part, before] = [run.parts[0]!, last.parts.at(-1)!];
  last.lengthBytes += run.lengthBytes;
  if (before.at + before.lengthBytes === part.at) before.lengthBytes += part.lengthBytes;
  else last.parts.push(part);
  return true;
}

/** Copies what of `bytes`, which begin at `at`, lies in a piece that begins at `from`. */
function copyInto(piece: Uint8Array, from: number, bytes: Uint8Array, at: number): void {
  const first = Math.max(from, at);
  const last = Math.min(from + piece.byteLength, at + bytes.byteLength);
  if (first < last) piece.set(bytes.subarray(first - at, last - at), first - from);
}

function startsOf({ chunks }: RangePlan, sets: InBandSets, headBytes: number): Float64Array {
  const starts = new Float64Array(chunks.count + 1);
  let at = headBytes;
  for (let i = 0; i < chunks.count; i++) {
    starts[i] = at;
    at += sets.sizeOf(i);
  }
  starts[chunks.count] = at;
  return starts;
}
