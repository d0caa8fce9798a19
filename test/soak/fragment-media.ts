/** The samples in a segment of MP4, whatever fragments they are in: what is the same live and in the archive. */
import { createHash } from "node:crypto";

/** Samples of each track, one behind the other, by the number of the track. */
export type SegmentMedia = ReadonlyMap<number, Buffer>;

type Box = { readonly type: string; readonly from: number; readonly to: number };

/** Flags of `tfhd` and `trun`. Spec: ISO/IEC 14496-12 sections 8.8.7, 8.8.8. */
const TFHD = { baseDataOffset: 1, description: 2, duration: 8, size: 0x10 };
const TRUN = { dataOffset: 1, firstFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, cts: 0x800 };

/** Takes the samples out of `moof` and `mdat` boxes. Throws when a box does not end where it has to. */
export function segmentMedia(bytes: Buffer): SegmentMedia {
  const media = new Map<number, Buffer[]>();
  let moofAt = 0;
  for (const top of boxes(bytes, 0, bytes.byteLength)) {
    if (top.type !== "moof") continue;
    moofAt = top.from - 8;
    for (const traf of boxes(bytes, top.from, top.to).filter(({ type }) => type === "traf"))
      takeTrack(bytes, moofAt, traf, media);
  }
  return new Map([...media].map(([track, pieces]) => [track, Buffer.concat(pieces)]));
}

/** One text for what a segment has of each track. */
export function mediaDigest(media: SegmentMedia): string {
  const hash = createHash("sha256");
  for (const [track, samples] of [...media].toSorted(([a], [b]) => a - b))
    hash.update(`${track}:${samples.byteLength}:`).update(samples);
  return hash.digest("hex");
}

function boxes(bytes: Buffer, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let at = from; at < to;) {
    const size = at + 8 <= to ? bytes.readUInt32BE(at) : 0;
    if (size < 8 || at + size > to) throw new Error(`a box at ${at} has ${size} bytes of ${to - at}`);
    found.push({ type: bytes.toString("latin1", at + 4, at + 8), from: at + 8, to: at + size });
    at += size;
  }
  return found;
}

function takeTrack(bytes: Buffer, moofAt: number, traf: Box, into: Map<number, Buffer[]>): void {
  let track = 0;
  let defaultSize = 0;
  let next = moofAt;
  for (const { type, from } of boxes(bytes, traf.from, traf.to)) {
    const flags = bytes.readUInt32BE(from) & 0xffffff;
    if (type === "tfhd") {
      track = bytes.readUInt32BE(from + 4);
      let at = from + 8 + 8 * Number((flags & TFHD.baseDataOffset) !== 0);
      at += 4 * Number((flags & TFHD.description) !== 0) + 4 * Number((flags & TFHD.duration) !== 0);
      if ((flags & TFHD.size) !== 0) defaultSize = bytes.readUInt32BE(at);
    }
    if (type !== "trun") continue;
    const count = bytes.readUInt32BE(from + 4);
    if ((flags & TRUN.dataOffset) !== 0) next = moofAt + bytes.readInt32BE(from + 8);
    const length = samplesBytes(bytes, from, { flags, count, defaultSize });
    if (next < 0 || next + length > bytes.byteLength) throw new Error("samples end behind the segment");
    into.set(track, [...(into.get(track) ?? []), bytes.subarray(next, next + length)]);
    next += length;
  }
}

type Run = { readonly flags: number; readonly count: number; readonly defaultSize: number };

function samplesBytes(bytes: Buffer, from: number, { flags, count, defaultSize }: Run): number {
  if ((flags & TRUN.size) === 0) return count * defaultSize;
  const has = (flag: number): number => Number((flags & flag) !== 0) * 4;
  const first = from + 8 + has(TRUN.dataOffset) + has(TRUN.firstFlags);
  const stride = has(TRUN.duration) + has(TRUN.size) + has(TRUN.flags) + has(TRUN.cts);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += bytes.readUInt32BE(first + i * stride + has(TRUN.duration));
  return sum;
}
