/** A film of an hour that costs no disk: its index is real, its media are a hole in the file. */
import { open } from "node:fs/promises";
import {
  audioSampleEntry,
  avcSampleEntry,
  box,
  bytes,
  fullBox,
  longBox,
  text,
  u16,
  u32,
  u64,
  u8,
} from "./mp4-boxes.ts";
import type { Bytes } from "./mp4-boxes.ts";

/** What `makeLongMovie` makes. */
export type LongMovieOptions = {
  readonly hours: number;
  readonly sizeBytes: number;
  readonly moovFirst: boolean;
};

const PICTURES_PER_CHUNK = 25;
const PICTURE_TICKS = 512;
const VIDEO_TIMESCALE = 12_800;
const FRAMES_PER_CHUNK = 47;
/** Nearly 48 kHz: 47 frames of 1024 samples are a second. */
const AUDIO_TIMESCALE = FRAMES_PER_CHUNK * 1024;

type Shape = { readonly count: number; readonly chunkBytes: number; readonly perChunk: number };

/**
 * Writes a sparse file with H.264 of 25 pictures a second with B-frames, key frames each 2 s, and AAC,
 * interleaved each second.
 */
export async function makeLongMovie(path: string, options: LongMovieOptions): Promise<void> {
  const seconds = Math.floor(options.hours * 3600);
  const audio: Shape = {
    count: seconds * FRAMES_PER_CHUNK,
    chunkBytes: FRAMES_PER_CHUNK * 341,
    perChunk: FRAMES_PER_CHUNK,
  };
  const videoChunk = Math.floor(options.sizeBytes / seconds) - audio.chunkBytes;
  const video: Shape = {
    count: seconds * PICTURES_PER_CHUNK,
    chunkBytes: videoChunk,
    perChunk: PICTURES_PER_CHUNK,
  };
  const ftyp = box("ftyp", text("isom"), u32(0), text("isomavc1"));
  const moovBytes = moov(video, audio, 0).byteLength;
  const mediaBytes = seconds * (video.chunkBytes + audio.chunkBytes);
  const mediaAt = ftyp.byteLength + (options.moovFirst ? moovBytes : 0) + 16;
  const index = moov(video, audio, mediaAt);
  const mdat = longBox("mdat").slice();
  mdat.set(u64(mediaBytes + 16), 8);
  const handle = await open(path, "w");
  try {
    await handle.truncate(mediaAt + mediaBytes + (options.moovFirst ? 0 : moovBytes));
    await handle.write(ftyp, 0, ftyp.byteLength, 0);
    await handle.write(mdat, 0, 16, mediaAt - 16);
    await handle.write(index, 0, moovBytes, options.moovFirst ? ftyp.byteLength : mediaAt + mediaBytes);
  } finally {
    await handle.close();
  }
}

function moov(video: Shape, audio: Shape, mediaAt: number): Bytes {
  const stride = video.chunkBytes + audio.chunkBytes;
  return box(
    "moov",
    fullBox("mvhd", 0, 0, u32(0, 0, 1000, 0), new Uint8Array(80)),
    trak(1, "vide", VIDEO_TIMESCALE, videoTables(video, mediaAt, stride)),
    trak(2, "soun", AUDIO_TIMESCALE, audioTables(audio, mediaAt + video.chunkBytes, stride)),
  );
}

function trak(number: number, handler: string, timescale: number, tables: readonly Bytes[]): Bytes {
  return box(
    "trak",
    fullBox("tkhd", 0, 3, u32(0, 0, number, 0, 0), new Uint8Array(60)),
    box(
      "mdia",
      fullBox("mdhd", 0, 0, u32(0, 0, timescale, 0), u16(0x55c4, 0)),
      fullBox("hdlr", 0, 0, u32(0), text(handler), u32(0, 0, 0), u8(0)),
      box("minf", box("stbl", ...tables)),
    ),
  );
}

function videoTables({ count, chunkBytes, perChunk }: Shape, first: number, stride: number): Bytes[] {
  const usual = Math.floor(chunkBytes / (perChunk + 10));
  const key = chunkBytes - usual * (perChunk - 1);
  return [
    fullBox("stsd", 0, 0, u32(1), avcSampleEntry()),
    fullBox("stts", 0, 0, u32(1, count, PICTURE_TICKS)),
    fullBox(
      "ctts",
      0,
      0,
      u32(count),
      column(count, (i) => [1, [1024, 2560, 1024, 0, 512][i % 5]!]),
    ),
    fullBox("stsc", 0, 0, u32(1, 1, perChunk, 1)),
    fullBox(
      "stsz",
      0,
      0,
      u32(0, count),
      column(count, (i) => [i % perChunk === 0 ? key : usual]),
    ),
    fullBox(
      "stss",
      0,
      0,
      u32(count / 50),
      column(count / 50, (i) => [i * 50 + 1]),
    ),
    chunkOffsets(count / perChunk, first, stride),
  ];
}

function audioTables({ count, chunkBytes, perChunk }: Shape, first: number, stride: number): Bytes[] {
  const esds = u8(3, 0x19, 0, 2, 0, 4, 0x11, 0x40, 0x15, ...new Uint8Array(11), 5, 2, 0x11, 0x90, 6, 1, 2);
  const size = chunkBytes / perChunk;
  return [
    fullBox("stsd", 0, 0, u32(1), audioSampleEntry("mp4a", fullBox("esds", 0, 0, esds))),
    fullBox("stts", 0, 0, u32(1, count, 1024)),
    fullBox("stsc", 0, 0, u32(1, 1, perChunk, 1)),
    fullBox(
      "stsz",
      0,
      0,
      u32(0, count),
      column(count, () => [size]),
    ),
    chunkOffsets(count / perChunk, first, stride),
  ];
}

function chunkOffsets(count: number, first: number, stride: number): Bytes {
  const all = Array.from({ length: count }, (_, i) => first + i * stride);
  return fullBox("co64", 0, 0, u32(count), u64(...all));
}

/** A table of numbers of 32 bits. */
function column(count: number, rowOf: (row: number) => readonly number[]): Bytes {
  const rows = Array.from({ length: count }, (_, i) => rowOf(i)).flat();
  const all = Buffer.alloc(rows.length * 4);
  for (const [i, value] of rows.entries()) all.writeUInt32BE(value, i * 4);
  return bytes(all);
}
