import { ticksToUs, usToTicks } from "../../base/time.ts";
import type { MediaPacket } from "../../media/packet.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import type { PacketRun, RecordedPackets } from "../../stream/recorded-packets.ts";
import { badChunk, chunkPackets, readChunkTable } from "./chunk-packets.ts";
import type { ChunkPlace, ChunkTable } from "./chunk-packets.ts";
import { dvrExportErrors } from "./errors.ts";
import { PlayTimes } from "./play-times.ts";
import { RangePlan } from "./range-plan.ts";
import type { StoredRange, StoredReader, StoredTracks } from "./stored-range.ts";
import type { Gaps } from "./stretch-clock.ts";

/** So much is read at a time ... */
const CELL_US = 1_000_000;
/** ... or half of it, and half of that, where it has more bytes ... */
const CELL_BYTES = 2 ** 20;
/** ... until it is so short. */
const LEAST_CELL_US = CELL_US / 32;
/** A read that cannot be cut any more is refused with more bytes ... */
const MAX_CELL_BYTES = 64 * 2 ** 20;
/** ... or with more chunks. */
const MAX_CELL_CHUNKS = 256;
/** Samples of chunks whose headers are kept: those of a minute of five tracks. A sample takes 17 bytes. */
const KEPT_SAMPLES = 2 ** 14;
/** Reads under way at a time. */
const MAX_READS = 8;

/** What `StoredPackets` plays. */
export type StoredPacketsOptions = {
  readonly tracks?: StoredTracks;
  /** Whether players see gaps as time in which nothing comes; `closed` unless given. */
  readonly gaps?: Gaps;
  /** As `RangePlanOptions.shiftUs`; a clock of its own, which begins at 0, unless given. Units: microseconds. */
  readonly shiftUs?: number;
  /** The number of its first epoch; 1 unless given. */
  readonly firstEpoch?: number;
  /** What one read may have in bytes where it can be cut; 1 MiB unless given. */
  readonly cellBytes?: number;
};

/** A run all of whose packets are of one set of tracks. */
export type StoredRun = PacketRun & { readonly tracks: TrackSet };

/** Samples `[from, to)` of a chunk. */
type Span = {
  readonly chunk: number;
  readonly table: ChunkTable;
  readonly from: number;
  readonly to: number;
};

/** A stretch of time in an epoch. */
type Bounds = {
  readonly fromUs: number;
  readonly toUs: number;
  /** `toUs`, or `Infinity` where the epoch ends there. */
  readonly endUs: number;
  readonly epoch: number;
};

/** What a stretch of time has. */
type Cell = {
  readonly spans: readonly Span[];
  readonly bytes: number;
  /** Decode time at which the next run begins. */
  readonly toUs: number;
  readonly isLast: boolean;
};

/**
 * A range of an archive as packets in time: the chunks' headers are read to know what is in them, and of their payloads
 * what is asked for and no more. Its clock begins at 0 with the first sample that is decoded.
 *
 * Where the configuration of a track changes, or other tracks come, the packets after it have the next epoch, and `tracks`
 * of their run is the set that they belong to. No run has packets of two epochs.
 */
export class StoredPackets implements RecordedPackets {
  readonly endUs: number;
  readonly #plan: RangePlan;
  readonly #times: PlayTimes;
  readonly #sets: readonly TrackSet[];
  readonly #read: StoredReader;
  readonly #cellBytes: number;
  /** The headers that were read last, by chunk. */
  readonly #tables = new Map<number, Promise<ChunkTable>>();
  #keptSamples = 0;

  /** Reads nothing. Throws: DVR_EXPORT_EMPTY, _LIMIT, _UNKNOWN_TRACK, _BAD_CHUNK. */
  constructor(range: StoredRange, options: StoredPacketsOptions = {}) {
    this.#plan = new RangePlan(range, options);
    const { firstEpoch = 1 } = options;
    this.#sets = this.#plan.epochs.map(({ tracks }, i) => makeTrackSet(firstEpoch + i, tracks));
    this.#times = new PlayTimes(this.#plan, this.#sets);
    this.#read = range.read;
    this.#cellBytes = options.cellBytes ?? CELL_BYTES;
    this.endUs = this.#plan.endUs;
  }

  /** The tracks at the begin. */
  get tracks(): TrackSet {
    return this.#sets[0]!;
  }

  get reorderUs(): number {
    return this.#times.reorderUs;
  }

  /** Points are those at which segments begin: a list of chunks knows no others. */
  startAt(us: number): number {
    return this.#times.startAt(us);
  }

  /** Throws: DVR_EXPORT_BAD_CHUNK, DVR_EXPORT_LIMIT, whatever the reader throws. */
  async read(fromUs: number): Promise<StoredRun> {
    const epoch = this.#times.epochAt(fromUs);
    const { spans, toUs, isLast } = await this.#cellFrom(fromUs, epoch);
    const packets = (await inBatches(spans, (span) => this.#packets(span, epoch))).flat();
    packets.sort((a, b) => dtsUsOf(a) - dtsUsOf(b));
    return { packets, toUs, isLast, tracks: this.#sets[epoch]! };
  }

  async #cellFrom(fromUs: number, epoch: number): Promise<Cell> {
    for (let lengthUs = CELL_US; ; lengthUs /= 2) {
      const mayBeCut = lengthUs > LEAST_CELL_US;
      const toUs = Math.min(fromUs + lengthUs, this.#times.epochEnd(epoch));
      // What is left of an epoch where the next one begins is decoded before that.
      const endUs = toUs === this.#times.epochEnd(epoch) ? Infinity : toUs;
      const chunks = this.#times.chunksBetween(fromUs, endUs, epoch, MAX_CELL_CHUNKS + 1);
      if (chunks.length > MAX_CELL_CHUNKS) {
        if (mayBeCut) continue;
        throw tooMuch("a number of chunks", chunks.length, MAX_CELL_CHUNKS);
      }
      const cell = await this.#cell(chunks, { fromUs, toUs, endUs, epoch });
      if (cell.bytes <= this.#cellBytes) return cell;
      if (mayBeCut) continue;
      if (cell.bytes > MAX_CELL_BYTES) throw tooMuch("a number of bytes", cell.bytes, MAX_CELL_BYTES);
      return cell;
    }
  }

  async #cell(chunks: readonly number[], { fromUs, toUs, endUs, epoch }: Bounds): Promise<Cell> {
    const tables = await inBatches(chunks, (chunk) => this.#table(chunk));
    const spans: Span[] = [];
    let bytes = 0;
    let hasRest = false;
    for (const [i, table] of tables.entries()) {
      const chunk = chunks[i]!;
      const from = this.#sampleAt(chunk, table, fromUs);
      const to = this.#sampleAt(chunk, table, endUs);
      hasRest ||= to < table.count;
      if (from === to) continue;
      spans.push({ chunk, table, from, to });
      bytes += table.places[to]! - table.places[from]!;
    }
    const isLast = !hasRest && !this.#times.hasChunksFrom(endUs, epoch);
    if (spans.length > 0 || isLast || hasRest) return { spans, bytes, toUs, isLast };
    return { spans, bytes, toUs: Math.max(toUs, this.#times.nextChunkAt(endUs, epoch)), isLast };
  }

  /** The first sample of a chunk whose decode time is `us` or later. */
  #sampleAt(chunk: number, { track, dts, count }: ChunkTable, us: number): number {
    const shiftTicks = usToTicks(this.#plan.shiftOf(chunk), track.timescale);
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ticksToUs(dts[middle]! + shiftTicks, track.timescale) < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #packets({ chunk, table, from, to }: Span, epoch: number): Promise<MediaPacket[]> {
    const { track, places } = table;
    const payloads = Buffer.allocUnsafeSlow(places[to]! - places[from]!);
    await this.#fill(chunk, places[from]!, payloads);
    const shiftTicks = usToTicks(this.#plan.shiftOf(chunk), track.timescale);
    const set = this.#sets[epoch]!;
    const isReference = track === set.reference;
    return chunkPackets(table, { from, to, payloads, shiftTicks, epoch: set.epoch, isReference });
  }

  #table(chunk: number): Promise<ChunkTable> {
    const known = this.#tables.get(chunk);
    if (known !== undefined) return known;
    const { samples } = this.#plan.chunks;
    const read = this.#readTable(chunk);
    this.#tables.set(chunk, read);
    this.#keptSamples += samples[chunk]!;
    for (const oldest of this.#tables.keys()) {
      if (this.#keptSamples <= KEPT_SAMPLES || oldest === chunk) break;
      this.#forget(oldest);
    }
    read.catch(() => {
      if (this.#tables.get(chunk) === read) this.#forget(chunk);
    });
    return read;
  }

  #forget(chunk: number): void {
    if (this.#tables.delete(chunk)) this.#keptSamples -= this.#plan.chunks.samples[chunk]!;
  }

  async #readTable(chunk: number): Promise<ChunkTable> {
    const header = Buffer.allocUnsafeSlow(this.#plan.chunks.headerBytes[chunk]!);
    await this.#fill(chunk, 0, header);
    return readChunkTable(header, this.#plan.trackOf(chunk), this.#placeOf(chunk));
  }

  /** Reads bytes of a chunk from a place in it on. */
  async #fill(chunk: number, at: number, target: Uint8Array): Promise<void> {
    const bytes = await this.#read(this.#plan.fileOf(chunk), this.#plan.chunks.offset[chunk]! + at, [
      target,
    ]);
    if (bytes === target.byteLength) return;
    throw badChunk(this.#placeOf(chunk), `the file ends ${target.byteLength - bytes} bytes before it does`);
  }

  #placeOf(chunk: number): ChunkPlace {
    const { offset, size, samples } = this.#plan.chunks;
    return {
      fileKey: this.#plan.fileOf(chunk),
      offset: offset[chunk]!,
      size: size[chunk]!,
      samples: samples[chunk]!,
    };
  }
}

function dtsUsOf({ dts, track }: MediaPacket): number {
  return ticksToUs(dts, track.timescale);
}

function tooMuch(what: string, value: number, limit: number): Error {
  return dvrExportErrors.error("DVR_EXPORT_LIMIT", { what: `${what} in one read`, value, limit });
}

/** A few at a time, in order; when it rejects, none is under way any more. */
async function inBatches<T, Result>(
  items: readonly T[],
  run: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += MAX_READS) {
    const settled = await Promise.allSettled(items.slice(at, at + MAX_READS).map(run));
    for (const result of settled) {
      if (result.status === "rejected") throw result.reason;
      results.push(result.value);
    }
  }
  return results;
}
