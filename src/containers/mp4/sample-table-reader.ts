import { readI32, readU16, readU32, readU64 } from "../../base/bytes.ts";
import { boxError, findBox, needBox, needBytes, readCount } from "./box-reader.ts";
import type { Box } from "./box-reader.ts";
import { mp4Errors } from "./errors.ts";
import { MP4_LIMITS } from "./limits.ts";
import { SampleTable } from "./sample-table.ts";

/** What the reader must know of the file and the track. */
export type SampleTableContext = {
  readonly fileBytes: number;
  /** The track's ticks per second. */
  readonly timescale: number;
  /** Takes a sentence about something odd that did not stop the reading. */
  notice(text: string): void;
};

/**
 * Reads the tables of a `stbl` box.
 *
 * Where the tables disagree on the number of samples, the smallest number counts. A file that ends before its last
 * samples is refused: most often somebody still copies it, and a player that got a part of it would take that for all.
 * Throws: MP4_BAD_BOX, MP4_LIMIT, MP4_TRUNCATED.
 * Spec: ISO/IEC 14496-12 sections 8.6.1, 8.6.2, 8.7.3, 8.7.4, 8.7.5.
 */
export function readSampleTable(stbl: Box, context: SampleTableContext): SampleTable {
  const sizes = readSizes(stbl, context);
  const times = readTimes(needBox(stbl, "stts"), sizes.count, context);
  const chunks = readChunks(stbl, sizes.count);
  const count = Math.min(sizes.count, times.covered, chunks.covered);
  if (count < sizes.count) {
    context.notice(`its tables describe ${sizes.count}, ${times.covered} and ${chunks.covered} frames`);
  }
  const parts = { ...sizes, ...times, ...chunks, ...readCtsOffsets(stbl, count, context) };
  const syncs = readSyncs(stbl, count);
  const table = new SampleTable({ ...parts, syncs, count });
  checkPresent(table, stbl, context);
  return table;
}

type Sizes = { count: number; sizes: Uint32Array | null; uniformSizeBytes: number };

function readSizes(stbl: Box, context: SampleTableContext): Sizes {
  const stz2 = findBox(stbl, "stz2");
  if (stz2 !== null) return readCompactSizes(stz2);
  const stsz = needBox(stbl, "stsz");
  needBytes(stsz, 4, 8);
  const uniformSizeBytes = readU32(stsz.bytes, stsz.start + 4);
  const count = uniformSizeBytes === 0 ? readCount(stsz, 8, 4) : readU32(stsz.bytes, stsz.start + 8);
  checkSampleCount(count);
  if (uniformSizeBytes > 0) {
    if (count * uniformSizeBytes > context.fileBytes) {
      throw boxError(stsz, `${count} frames of ${uniformSizeBytes} bytes are more than the whole file`);
    }
    return { count, sizes: null, uniformSizeBytes };
  }
  const sizes = new Uint32Array(count);
  for (let i = 0; i < count; i++) sizes[i] = readU32(stsz.bytes, stsz.start + 12 + i * 4);
  return { count, sizes, uniformSizeBytes: 0 };
}

function readCompactSizes(stz2: Box): Sizes {
  needBytes(stz2, 4, 8);
  const fieldBits = stz2.bytes[stz2.start + 7]!;
  if (fieldBits !== 4 && fieldBits !== 8 && fieldBits !== 16) {
    throw boxError(stz2, `its sizes have ${fieldBits} bits`);
  }
  const count = readCount(stz2, 8, fieldBits / 8);
  checkSampleCount(count);
  const sizes = new Uint32Array(count);
  const at = stz2.start + 12;
  for (let i = 0; i < count; i++) {
    if (fieldBits === 16) sizes[i] = readU16(stz2.bytes, at + i * 2);
    else if (fieldBits === 8) sizes[i] = stz2.bytes[at + i]!;
    else sizes[i] = (stz2.bytes[at + (i >>> 1)]! >>> (i % 2 === 0 ? 4 : 0)) & 15;
  }
  return { count, sizes, uniformSizeBytes: 0 };
}

/** Throws MP4_LIMIT for more samples than a track may have. */
export function checkSampleCount(count: number): void {
  if (count > MP4_LIMITS.samples) {
    throw mp4Errors.error("MP4_LIMIT", {
      what: "a number of frames",
      value: count,
      limit: MP4_LIMITS.samples,
    });
  }
}

/** Throws MP4_LIMIT for a track that lasts too long; this also keeps all times safe integers. */
export function checkDuration(ticks: number, timescale: number): void {
  const seconds = Math.floor(ticks / timescale);
  if (seconds > MP4_LIMITS.durationS) {
    throw mp4Errors.error("MP4_LIMIT", {
      what: "a duration in seconds",
      value: seconds,
      limit: MP4_LIMITS.durationS,
    });
  }
}

function readTimes(stts: Box, sampleCount: number, context: SampleTableContext) {
  const entries = readCount(stts, 4, 8);
  const firsts = new Uint32Array(entries);
  const starts = new Float64Array(entries);
  const deltas = new Uint32Array(entries);
  let runs = 0;
  let covered = 0;
  let dts = 0;
  for (let i = 0; i < entries && covered < sampleCount; i++) {
    const at = stts.start + 8 + i * 8;
    const samples = Math.min(readU32(stts.bytes, at), sampleCount - covered);
    if (samples === 0) continue;
    const delta = readU32(stts.bytes, at + 4);
    firsts[runs] = covered;
    starts[runs] = dts;
    deltas[runs++] = delta;
    covered += samples;
    dts += samples * delta;
    checkDuration(dts, context.timescale);
  }
  return {
    covered,
    timeFirsts: firsts.slice(0, runs),
    timeStarts: starts.slice(0, runs),
    timeDeltas: deltas.slice(0, runs),
  };
}

function readCtsOffsets(stbl: Box, sampleCount: number, context: SampleTableContext) {
  const ctts = findBox(stbl, "ctts");
  if (ctts === null) return { ctsFirsts: new Uint32Array(0), ctsOffsets: new Int32Array(0) };
  const entries = readCount(ctts, 4, 8);
  const firsts = new Uint32Array(entries + 1);
  const offsets = new Int32Array(entries + 1);
  let runs = 0;
  let covered = 0;
  for (let i = 0; i < entries && covered < sampleCount; i++) {
    const at = ctts.start + 8 + i * 8;
    const samples = Math.min(readU32(ctts.bytes, at), sampleCount - covered);
    if (samples === 0) continue;
    // Version 0 has unsigned offsets; writers put negative ones there all the same, and none is above 2^31 in earnest.
    const offset = readI32(ctts.bytes, at + 4);
    checkDuration(Math.abs(offset), context.timescale);
    firsts[runs] = covered;
    offsets[runs++] = offset;
    covered += samples;
  }
  if (covered < sampleCount) firsts[runs++] = covered;
  return { ctsFirsts: firsts.slice(0, runs), ctsOffsets: offsets.slice(0, runs) };
}

function readChunks(stbl: Box, sampleCount: number) {
  const offsets = readChunkOffsets(stbl);
  const stsc = needBox(stbl, "stsc");
  const entries = readCount(stsc, 4, 12);
  const firsts = new Uint32Array(offsets.length);
  let covered = 0;
  let chunk = 0;
  for (let i = 0; i < entries; i++) {
    const at = stsc.start + 8 + i * 12;
    const firstChunk = readU32(stsc.bytes, at) - 1;
    const samplesPerChunk = readU32(stsc.bytes, at + 4);
    if (firstChunk !== chunk) throw boxError(stsc, `its entry ${i + 1} begins at chunk ${firstChunk + 1}`);
    if (samplesPerChunk === 0) throw boxError(stsc, `its entry ${i + 1} has chunks without frames`);
    const next = i + 1 < entries ? readU32(stsc.bytes, at + 12) - 1 : offsets.length;
    if (i + 1 < entries && next <= firstChunk)
      throw boxError(stsc, "its entries are not in ascending order");
    const end = Math.min(next, offsets.length);
    for (; chunk < end && covered < sampleCount; chunk++) {
      firsts[chunk] = covered;
      covered = Math.min(covered + samplesPerChunk, sampleCount);
    }
    if (covered === sampleCount || chunk === offsets.length) break;
  }
  return { covered, chunkFirsts: firsts.slice(0, chunk), chunkOffsets: offsets.slice(0, chunk) };
}

function readChunkOffsets(stbl: Box): Float64Array {
  const co64 = findBox(stbl, "co64");
  const box = co64 ?? needBox(stbl, "stco");
  const count = readCount(box, 4, co64 === null ? 4 : 8);
  const offsets = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = box.start + 8;
    offsets[i] = co64 === null ? readU32(box.bytes, at + i * 4) : readU64(box.bytes, at + i * 8);
    if (!Number.isSafeInteger(offsets[i])) throw boxError(box, `its chunk ${i + 1} is beyond any file`);
  }
  return offsets;
}

function readSyncs(stbl: Box, sampleCount: number): Uint32Array | null {
  const stss = findBox(stbl, "stss");
  if (stss === null) return null;
  const entries = readCount(stss, 4, 4);
  const syncs = new Uint32Array(entries);
  let used = 0;
  for (let i = 0; i < entries; i++) {
    const sample = readU32(stss.bytes, stss.start + 8 + i * 4) - 1;
    if (sample < 0 || (i > 0 && sample <= syncs[i - 1]!)) {
      throw boxError(stss, "its key frames are not in ascending order");
    }
    if (sample >= sampleCount) break;
    syncs[i] = sample;
    used++;
  }
  // Nothing could be played of a track without a key frame, so an empty list is taken for one that names the first.
  return used === 0 ? Uint32Array.of(0) : syncs.slice(0, used);
}

/** Throws MP4_TRUNCATED when a sample lies beyond the end of the file, MP4_BAD_BOX when samples overlap. */
function checkPresent(table: SampleTable, stbl: Box, context: SampleTableContext): void {
  let present = 0;
  let sum = 0;
  table.visitChunks((first, end, offset) => {
    const lengthBytes = table.bytesBetween(first, end);
    sum += lengthBytes;
    if (offset + lengthBytes <= context.fileBytes) {
      present += end - first;
      return;
    }
    let at = offset;
    for (let sample = first; sample < end; sample++) {
      at += table.sizeAt(sample);
      if (at > context.fileBytes) return;
      present++;
    }
  });
  if (present < table.count) throw mp4Errors.error("MP4_TRUNCATED", { present, count: table.count });
  if (sum > context.fileBytes) throw boxError(stbl, `its frames overlap: ${sum} bytes in all`);
}
