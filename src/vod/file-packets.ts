import { ticksToUs } from "../base/time.ts";
import type { MediaPacket } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import type { PacketRun, RecordedPackets } from "../stream/recorded-packets.ts";
import { readBlocks } from "./block-reader.ts";
import { vodErrors } from "./errors.ts";
import type { SegmentBlock, SegmentReading } from "./segment-reading.ts";
import type { IndexedTrack } from "./indexed-track.ts";
import type { MediaFile } from "./media-file.ts";

/** The file's time is laid out in cells of this length; whoever plays near the same place reads the same cell. */
const CELL_US = 1_000_000;
/** A cell with more than this is cut in halves, and these again ... */
const CELL_BYTES = 4 * 2 ** 20;
/** ... until they are so short. */
const LEAST_CELL_US = CELL_US / 32;
/** A cell that cannot be cut any more is refused with more than this. */
const MAX_CELL_BYTES = 64 * 2 ** 20;

/** What `FilePackets` needs. */
export type FilePacketsOptions = {
  readonly file: MediaFile;
  readonly reading: SegmentReading;
  /** As `FilePresentationOptions.cacheKey`. */
  readonly cacheKey: string;
  /** A cell with more bytes is cut in halves, and these again; 4 MiB unless given. */
  readonly cellBytes?: number;
};

/** A cell's samples: `[firsts[i], ends[i])` of the track `i`. */
type Cell = {
  readonly startUs: number;
  readonly endUs: number;
  readonly firsts: readonly number[];
  readonly ends: readonly number[];
};

/** A packet and when it is decoded. */
type TimedPacket = { readonly dtsUs: number; readonly packet: MediaPacket };

/**
 * A file as packets in time, for those who play it through one connection. A cell is read once for all who want it at
 * the same time, and kept among the segments that were read lately; a reader holds no more than the cell it is at.
 */
export class FilePackets implements RecordedPackets {
  readonly #options: FilePacketsOptions;
  readonly #reads = new Map<number, Promise<readonly SegmentBlock[]>>();

  constructor(options: FilePacketsOptions) {
    this.#options = options;
  }

  get tracks(): TrackSet {
    return this.#options.file.trackSet;
  }

  get endUs(): number {
    return this.#options.file.endUs;
  }

  get reorderUs(): number {
    return this.#reference.reorderUs;
  }

  startAt(us: number): number {
    const reference = this.#reference;
    const last = reference.sampleAtOrAfter(Math.max(0, us) + 1) - 1;
    const sync = last < reference.first ? -1 : reference.samples.syncAtOrBefore(last);
    return sync <= reference.first ? 0 : ticksToUs(reference.dtsAt(sync), reference.track.timescale);
  }

  /** Throws: VOD_CHANGED, VOD_READ_FAILED, VOD_BUSY, VOD_SEGMENT_TOO_BIG. */
  async read(fromUs: number): Promise<PacketRun> {
    const { file } = this.#options;
    const cell = this.#cellAt(fromUs);
    const blocks = await this.#blocks(cell);
    const timed: TimedPacket[] = [];
    for (const [i, track] of file.tracks.entries()) {
      const skipped = Math.max(0, track.sampleAtOrAfter(fromUs) - cell.firsts[i]!);
      addPackets(
        timed,
        { track, first: cell.firsts[i]!, skipped, isReference: this.#isReference(track) },
        blocks[i]!,
      );
    }
    timed.sort((a, b) => a.dtsUs - b.dtsUs);
    const isLast = file.tracks.every((track, i) => cell.ends[i]! >= track.end);
    return { packets: timed.map(({ packet }) => packet), toUs: cell.endUs, isLast };
  }

  get #reference(): IndexedTrack {
    return this.#options.file.tracks.find((track) => this.#isReference(track))!;
  }

  #isReference({ track }: IndexedTrack): boolean {
    return track === this.#options.file.trackSet.reference;
  }

  /** The cell in which a time lies: the same for all times in it. */
  #cellAt(us: number): Cell {
    let startUs = Math.floor(us / CELL_US) * CELL_US;
    let lengthUs = CELL_US;
    let cell = this.#cell(startUs, lengthUs);
    const { cellBytes = CELL_BYTES } = this.#options;
    while (this.#bytesOf(cell) > cellBytes && lengthUs > LEAST_CELL_US) {
      lengthUs /= 2;
      if (us >= startUs + lengthUs) startUs += lengthUs;
      cell = this.#cell(startUs, lengthUs);
    }
    return cell;
  }

  #cell(startUs: number, lengthUs: number): Cell {
    const { tracks } = this.#options.file;
    const firsts = tracks.map((track) => track.sampleAtOrAfter(startUs));
    const ends = tracks.map((track) => track.sampleAtOrAfter(startUs + lengthUs));
    return { startUs, endUs: startUs + lengthUs, firsts, ends };
  }

  #bytesOf({ firsts, ends }: Cell): number {
    const { tracks } = this.#options.file;
    return tracks.reduce((sum, { samples }, i) => sum + samples.bytesBetween(firsts[i]!, ends[i]!), 0);
  }

  #keyOf(cell: Cell, track: IndexedTrack): string {
    // The length is in it since no two cells of different lengths have the same bytes.
    return `${this.#options.cacheKey} @${cell.startUs}+${cell.endUs - cell.startUs} ${track.track.id}`;
  }

  async #blocks(cell: Cell): Promise<readonly SegmentBlock[]> {
    const { file, reading } = this.#options;
    const known: SegmentBlock[] = [];
    for (const track of file.tracks) {
      const block = reading.blocks.hold(this.#keyOf(cell, track));
      if (block === undefined) return await this.#startRead(cell);
      known.push(block);
    }
    return known;
  }

  #startRead(cell: Cell): Promise<readonly SegmentBlock[]> {
    const key = cell.startUs;
    const running = this.#reads.get(key);
    if (running !== undefined) return running;
    const read = this.#options.reading.work
      .run(() => this.#read(cell))
      .finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  async #read(cell: Cell): Promise<readonly SegmentBlock[]> {
    const { file, reading } = this.#options;
    const bytes = this.#bytesOf(cell);
    if (bytes > MAX_CELL_BYTES)
      throw vodErrors.error("VOD_SEGMENT_TOO_BIG", { bytes, limit: MAX_CELL_BYTES });
    const requests = file.tracks.map(({ samples }, i) => ({
      samples,
      first: cell.firsts[i]!,
      end: cell.ends[i]!,
    }));
    const payloads = await readBlocks(file.source, requests);
    return file.tracks.map((track, i) => {
      const table = track.table(cell.firsts[i]!, cell.ends[i]!);
      // Nobody can tell how long packets are kept, so their memory is the garbage collector's.
      const block = { table, payload: payloads[i]!, memory: null };
      reading.blocks.offer(this.#keyOf(cell, track), block, true);
      return block;
    });
  }
}

/** Where the samples of a block stand in their track, and how many of them are not wanted. */
type Place = {
  readonly track: IndexedTrack;
  readonly first: number;
  readonly skipped: number;
  readonly isReference: boolean;
};

function addPackets(timed: TimedPacket[], place: Place, { table, payload }: SegmentBlock): void {
  const { track } = place.track;
  let offset = 0;
  for (let i = 0; i < table.count; i++) {
    const size = table.sizes[i]!;
    if (i >= place.skipped) {
      // Not the sum of the durations: between fragments there may be holes.
      const dts = place.track.dtsAt(place.first + i);
      const isSync = table.syncFlags[i] === 1;
      const packet: MediaPacket = {
        track,
        dts,
        pts: dts + table.ctsOffsets[i]!,
        durationTicks: table.durations[i]!,
        isSync,
        startsGop: isSync && place.isReference,
        epoch: 1,
        arrivalUs: 0,
        payload: payload.subarray(offset, offset + size),
      };
      timed.push({ dtsUs: ticksToUs(dts, track.timescale), packet });
    }
    offset += size;
  }
}
