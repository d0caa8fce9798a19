/** The arrays that a `SampleTable` is made of. Ownership: handed over; nobody writes to them any more. */
export type SampleTableParts = {
  /** Samples of the table; the arrays may describe more, and what is beyond is not used. */
  readonly count: number;
  /** Bytes of every sample, or `null` when `uniformSizeBytes` says it for all. */
  readonly sizes: Uint32Array | null;
  readonly uniformSizeBytes: number;
  /** Chunks: consecutive samples that follow one another in the file. First sample, and where it is. */
  readonly chunkFirsts: Uint32Array;
  readonly chunkOffsets: Float64Array;
  /** Runs of samples that are equally far apart: first sample, its dts, ticks between its samples. */
  readonly timeFirsts: Uint32Array;
  readonly timeStarts: Float64Array;
  readonly timeDeltas: Uint32Array;
  /** Runs of samples with the same `pts - dts`; empty: no sample has one. */
  readonly ctsFirsts: Uint32Array;
  readonly ctsOffsets: Int32Array;
  /** Samples where a decoder may start, ascending; `null`: all of them. */
  readonly syncs: Uint32Array | null;
};

/** The samples of a part of a track, one entry each. */
export type SampleRun = {
  readonly count: number;
  /** Ticks, of the first sample. */
  readonly baseDts: number;
  readonly sizes: Uint32Array;
  /** Ticks to the next sample. */
  readonly durations: Uint32Array;
  readonly ctsOffsets: Int32Array;
  /** 1: a decoder may start here. */
  readonly syncFlags: Uint8Array;
  readonly dataBytes: number;
};

/**
 * Where every sample of a track is, when it is due, and whether a decoder may start there. Samples are numbered from
 * 0 in decode order; times are ticks of the track as the file has them, before edit lists.
 *
 * Tables stay as runs and chunks like in the file, so memory is at most twice the bytes of the index in the file: an
 * hour of 25 frames a second with AAC takes about 2.5 MB. Look-ups are binary searches; parts are read in one pass.
 */
export class SampleTable {
  readonly count: number;
  readonly #parts: SampleTableParts;

  constructor(parts: SampleTableParts) {
    this.count = parts.count;
    this.#parts = parts;
  }

  /** The same samples in a file in front of whose bytes so many others stand. Ownership: columns are shared. */
  movedBy(bytes: number): SampleTable {
    if (bytes === 0) return this;
    return new SampleTable({
      ...this.#parts,
      chunkOffsets: this.#parts.chunkOffsets.map((offset) => offset + bytes),
    });
  }

  /** What the table takes in memory. */
  get memoryBytes(): number {
    const p = this.#parts;
    const runs = p.timeFirsts.byteLength + p.timeStarts.byteLength + p.timeDeltas.byteLength;
    const cts = p.ctsFirsts.byteLength + p.ctsOffsets.byteLength;
    const chunks = p.chunkFirsts.byteLength + p.chunkOffsets.byteLength;
    return runs + cts + chunks + (p.sizes?.byteLength ?? 0) + (p.syncs?.byteLength ?? 0);
  }

  /** Ticks. `sample` equal to `count` gives the end of the last sample. */
  dtsAt(sample: number): number {
    const { timeFirsts, timeStarts, timeDeltas } = this.#parts;
    if (sample >= this.count && sample > 0) return this.dtsAt(sample - 1) + this.#lastDuration();
    const run = countUpTo(timeFirsts, sample) - 1;
    return timeStarts[run]! + (sample - timeFirsts[run]!) * timeDeltas[run]!;
  }

  /** Ticks that `pts` is after `dts`; may be negative. */
  ctsOffsetAt(sample: number): number {
    const { ctsFirsts, ctsOffsets } = this.#parts;
    return ctsFirsts.length === 0 ? 0 : ctsOffsets[countUpTo(ctsFirsts, sample) - 1]!;
  }

  /** The smallest `pts - dts` of all samples, in ticks. */
  minCtsOffset(): number {
    const { ctsFirsts, ctsOffsets } = this.#parts;
    let least = ctsOffsets[0] ?? 0;
    for (let run = 1; run < ctsFirsts.length && ctsFirsts[run]! < this.count; run++) {
      least = Math.min(least, ctsOffsets[run]!);
    }
    return least;
  }

  /** The largest `pts - dts` of all samples, in ticks. */
  maxCtsOffset(): number {
    const { ctsFirsts, ctsOffsets } = this.#parts;
    let most = ctsOffsets[0] ?? 0;
    for (let run = 1; run < ctsFirsts.length && ctsFirsts[run]! < this.count; run++) {
      most = Math.max(most, ctsOffsets[run]!);
    }
    return most;
  }

  /** Bytes. */
  sizeAt(sample: number): number {
    return this.#parts.sizes === null ? this.#parts.uniformSizeBytes : this.#parts.sizes[sample]!;
  }

  /** Where the sample is in the file. */
  offsetAt(sample: number): number {
    const { chunkFirsts, chunkOffsets } = this.#parts;
    const chunk = countUpTo(chunkFirsts, sample) - 1;
    return chunkOffsets[chunk]! + this.bytesBetween(chunkFirsts[chunk]!, sample);
  }

  /** Bytes of the samples `[first, end)`. */
  bytesBetween(first: number, end: number): number {
    const { sizes, uniformSizeBytes } = this.#parts;
    if (sizes === null) return (end - first) * uniformSizeBytes;
    let sum = 0;
    for (let i = first; i < end; i++) sum += sizes[i]!;
    return sum;
  }

  /** Ticks that the samples `[first, end)` last together, without holes between fragments. */
  durationBetween(first: number, end: number): number {
    const { timeFirsts, timeDeltas } = this.#parts;
    let ticks = 0;
    let run = countUpTo(timeFirsts, first) - 1;
    for (let sample = first; sample < end; run++) {
      const runEnd = Math.min(timeFirsts[run + 1] ?? end, end);
      ticks += (runEnd - sample) * timeDeltas[run]!;
      sample = runEnd;
    }
    return ticks;
  }

  /** True when a decoder may start at the sample. */
  isSync(sample: number): boolean {
    const { syncs } = this.#parts;
    return syncs === null || syncs[countUpTo(syncs, sample) - 1] === sample;
  }

  /** The first sample at or after this one where a decoder may start; `count` when there is none. */
  syncAtOrAfter(sample: number): number {
    const { syncs } = this.#parts;
    if (syncs === null) return Math.min(sample, this.count);
    return Math.min(syncs[countUpTo(syncs, sample - 1)] ?? this.count, this.count);
  }

  /** The last sample at or before this one where a decoder may start; -1 when there is none. */
  syncAtOrBefore(sample: number): number {
    const { syncs } = this.#parts;
    return syncs === null ? sample : (syncs[countUpTo(syncs, sample) - 1] ?? -1);
  }

  /** The first sample whose dts is `dts` or later; `count` when all are earlier. */
  sampleAtOrAfter(dts: number): number {
    const { timeFirsts, timeStarts, timeDeltas } = this.#parts;
    let run = 0;
    for (let high = timeFirsts.length; run < high;) {
      const middle = (run + high) >>> 1;
      if (timeStarts[middle]! < dts) run = middle + 1;
      else high = middle;
    }
    const next = Math.min(timeFirsts[run] ?? this.count, this.count);
    if (run === 0 || timeDeltas[run - 1] === 0) return next;
    const steps = Math.ceil((dts - timeStarts[run - 1]!) / timeDeltas[run - 1]!);
    return Math.min(timeFirsts[run - 1]! + steps, next);
  }

  /** The samples `[first, end)` as flat arrays, read in one pass. Ownership: new arrays. */
  read(first: number, end: number): SampleRun {
    const count = end - first;
    const sizes = this.#readSizes(first, end);
    let dataBytes = 0;
    for (let i = 0; i < count; i++) dataBytes += sizes[i]!;
    const syncFlags = new Uint8Array(count);
    for (let i = this.syncAtOrAfter(first); i < end; i = this.syncAtOrAfter(i + 1))
      syncFlags[i - first] = 1;
    return {
      count,
      baseDts: this.dtsAt(first),
      sizes,
      durations: this.#readDurations(first, end),
      ctsOffsets: this.#readCtsOffsets(first, end),
      syncFlags,
      dataBytes,
    };
  }

  /** Calls `visit` for each piece of the file that holds samples of `[first, end)`, in sample order. */
  visitRanges(first: number, end: number, visit: (offset: number, lengthBytes: number) => void): void {
    const { chunkFirsts, chunkOffsets } = this.#parts;
    let chunk = countUpTo(chunkFirsts, first) - 1;
    let sample = first;
    while (sample < end) {
      const chunkEnd = Math.min(chunkFirsts[chunk + 1] ?? this.count, end);
      const skipped = this.bytesBetween(chunkFirsts[chunk]!, sample);
      const lengthBytes = this.bytesBetween(sample, chunkEnd);
      if (lengthBytes > 0) visit(chunkOffsets[chunk]! + skipped, lengthBytes);
      sample = chunkEnd;
      chunk++;
    }
  }

  /** Calls `visit` for each chunk with its samples `[first, end)` and its place in the file, in sample order. */
  visitChunks(visit: (first: number, end: number, offset: number) => void): void {
    const { chunkFirsts, chunkOffsets } = this.#parts;
    for (let chunk = 0; chunk < chunkFirsts.length && chunkFirsts[chunk]! < this.count; chunk++) {
      visit(
        chunkFirsts[chunk]!,
        Math.min(chunkFirsts[chunk + 1] ?? this.count, this.count),
        chunkOffsets[chunk]!,
      );
    }
  }

  #lastDuration(): number {
    const { timeFirsts, timeDeltas } = this.#parts;
    return timeDeltas[countUpTo(timeFirsts, this.count - 1) - 1]!;
  }

  #readSizes(first: number, end: number): Uint32Array {
    const { sizes, uniformSizeBytes } = this.#parts;
    return sizes === null ? new Uint32Array(end - first).fill(uniformSizeBytes) : sizes.slice(first, end);
  }

  #readDurations(first: number, end: number): Uint32Array {
    const { timeFirsts, timeStarts, timeDeltas } = this.#parts;
    const durations = new Uint32Array(end - first);
    let run = countUpTo(timeFirsts, first) - 1;
    for (let i = first; i < end; i++) {
      const next = timeFirsts[run + 1] ?? this.count;
      if (i + 1 < next || next >= this.count) {
        durations[i - first] = timeDeltas[run]!;
      } else {
        const dts = timeStarts[run]! + (i - timeFirsts[run]!) * timeDeltas[run]!;
        run++;
        durations[i - first] = timeStarts[run]! - dts;
      }
    }
    return durations;
  }

  #readCtsOffsets(first: number, end: number): Int32Array {
    const { ctsFirsts, ctsOffsets } = this.#parts;
    const values = new Int32Array(end - first);
    if (ctsFirsts.length === 0) return values;
    let run = countUpTo(ctsFirsts, first) - 1;
    for (let i = first; i < end; i++) {
      if (i >= (ctsFirsts[run + 1] ?? this.count)) run++;
      values[i - first] = ctsOffsets[run]!;
    }
    return values;
  }
}

/** How many entries of an ascending array are at most `value`. */
function countUpTo(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
