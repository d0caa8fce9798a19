import { mp4Errors } from "./errors.ts";
import { checkDuration, checkSampleCount } from "./sample-table-reader.ts";
import type { SampleTableContext } from "./sample-table-reader.ts";
import { SampleTable } from "./sample-table.ts";

type ColumnArray = Uint32Array | Int32Array | Float64Array;

/** A typed array that grows by doubling. */
class Column<A extends ColumnArray> {
  readonly #make: (length: number) => A;
  #values: A;
  length = 0;

  constructor(make: (length: number) => A) {
    this.#make = make;
    this.#values = make(64);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const wider = this.#make(this.length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.length++] = value;
  }

  last(): number {
    return this.#values[this.length - 1]!;
  }

  finish(): A {
    const exact = this.#make(this.length);
    exact.set(this.#values.subarray(0, this.length));
    return exact;
  }
}

const u32 = (length: number): Uint32Array => new Uint32Array(length);
const i32 = (length: number): Int32Array => new Int32Array(length);
const f64 = (length: number): Float64Array => new Float64Array(length);

/**
 * Makes a `SampleTable` sample by sample, for files whose samples stand in fragments.
 *
 * Samples beyond the end of the file, and those after them, are counted and left out.
 */
export class SampleTableBuilder {
  readonly #context: SampleTableContext;
  readonly #sizes = new Column(u32);
  readonly #chunkFirsts = new Column(u32);
  readonly #chunkOffsets = new Column(f64);
  readonly #timeFirsts = new Column(u32);
  readonly #timeStarts = new Column(f64);
  readonly #timeDeltas = new Column(u32);
  readonly #ctsFirsts = new Column(u32);
  readonly #ctsOffsets = new Column(i32);
  readonly #syncs = new Column(u32);
  #dts = 0;
  #lastDts = 0;
  #startDts = 0;
  #place = 0;
  #placeIsNew = true;
  #sumBytes = 0;
  #beyond = 0;

  constructor(context: SampleTableContext) {
    this.#context = context;
  }

  /** Samples so far. */
  get count(): number {
    return this.#sizes.length;
  }

  /** The dts that the next sample has, in ticks. */
  get nextDts(): number {
    return this.#dts;
  }

  /** Samples that were left out because the file ends before they do. */
  get beyond(): number {
    return this.#beyond;
  }

  /** The next samples are at this place of the file. */
  moveToPlace(offset: number): void {
    if (offset === this.#place && this.count > 0) return;
    this.#place = offset;
    this.#placeIsNew = true;
  }

  /** The next sample is due at `dts`. Returns: `false` when that is before the last sample. */
  moveToTime(dts: number): boolean {
    if (this.count > 0 && dts < this.#lastDts) return false;
    this.#dts = dts;
    if (this.count === 0) this.#startDts = dts;
    return true;
  }

  /** Appends a sample. Throws: MP4_LIMIT, MP4_BAD_BOX. */
  add(durationTicks: number, sizeBytes: number, ctsOffset: number, isSync: boolean): void {
    checkDuration(this.#dts + durationTicks - this.#startDts, this.#context.timescale);
    checkDuration(Math.abs(ctsOffset), this.#context.timescale);
    checkSampleCount(this.count + this.#beyond + 1);
    if (this.#beyond > 0 || this.#place + sizeBytes > this.#context.fileBytes) {
      this.#beyond++;
      return;
    }
    const sample = this.count;
    if (this.#placeIsNew) {
      this.#chunkFirsts.push(sample);
      this.#chunkOffsets.push(this.#place);
      this.#placeIsNew = false;
    }
    this.#addTime(sample, durationTicks);
    if (sample === 0 || this.#ctsOffsets.last() !== ctsOffset) {
      this.#ctsFirsts.push(sample);
      this.#ctsOffsets.push(ctsOffset);
    }
    if (isSync) this.#syncs.push(sample);
    this.#sizes.push(sizeBytes);
    this.#place += sizeBytes;
    this.#countBytes(sizeBytes);
  }

  /** Appends all samples of a table: those that stand in the `moov` of a file that goes on in fragments. */
  addTable(table: SampleTable): void {
    table.visitChunks((first, end, offset) => {
      this.moveToPlace(offset);
      const run = table.read(first, end);
      for (let i = 0; i < run.count; i++) {
        this.add(run.durations[i]!, run.sizes[i]!, run.ctsOffsets[i]!, run.syncFlags[i] === 1);
      }
    });
  }

  /** The table. The builder is not used after that. */
  finish(): SampleTable {
    if (this.#beyond > 0) {
      this.#context.notice(
        `${this.count} of ${this.count + this.#beyond} frames are there: the file is cut off, or still being written`,
      );
    }
    const hasCts =
      this.#ctsOffsets.length > 1 || (this.#ctsOffsets.length === 1 && this.#ctsOffsets.last() !== 0);
    return new SampleTable({
      count: this.count,
      sizes: this.#sizes.finish(),
      uniformSizeBytes: 0,
      chunkFirsts: this.#chunkFirsts.finish(),
      chunkOffsets: this.#chunkOffsets.finish(),
      timeFirsts: this.#timeFirsts.finish(),
      timeStarts: this.#timeStarts.finish(),
      timeDeltas: this.#timeDeltas.finish(),
      ctsFirsts: hasCts ? this.#ctsFirsts.finish() : u32(0),
      ctsOffsets: hasCts ? this.#ctsOffsets.finish() : i32(0),
      syncs: this.#finishSyncs(),
    });
  }

  /** A track without any key frame is taken for one that begins with it; nothing could be played of it otherwise. */
  #finishSyncs(): Uint32Array | null {
    if (this.#syncs.length === this.count) return null;
    return this.#syncs.length === 0 ? Uint32Array.of(0) : this.#syncs.finish();
  }

  #addTime(sample: number, durationTicks: number): void {
    const run = this.#timeFirsts.length;
    const continues =
      run > 0 &&
      this.#timeDeltas.last() === durationTicks &&
      this.#timeStarts.last() + (sample - this.#timeFirsts.last()) * durationTicks === this.#dts;
    if (!continues) {
      this.#timeFirsts.push(sample);
      this.#timeStarts.push(this.#dts);
      this.#timeDeltas.push(durationTicks);
    }
    this.#lastDts = this.#dts;
    this.#dts += durationTicks;
  }

  #countBytes(sizeBytes: number): void {
    this.#sumBytes += sizeBytes;
    if (this.#sumBytes <= this.#context.fileBytes) return;
    throw mp4Errors.error("MP4_BAD_BOX", {
      box: "moof",
      offset: this.#place - sizeBytes,
      reason: `frames overlap: ${this.#sumBytes} bytes in all`,
    });
  }
}
