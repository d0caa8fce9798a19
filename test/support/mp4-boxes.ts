/** Builds MP4 boxes by hand, for files that no muxer would write. */

/** Numbers and boxes are byte strings that are put together. */
export type Bytes = Uint8Array;

/** Joins byte strings. */
export function bytes(...parts: readonly Bytes[]): Bytes {
  return new Uint8Array(Buffer.concat(parts));
}

/** One byte each. */
export function u8(...values: readonly number[]): Bytes {
  return Uint8Array.from(values);
}

/** Two bytes each, big-endian. */
export function u16(...values: readonly number[]): Bytes {
  return bytes(...values.map((value) => u8(value >>> 8, value)));
}

/** Four bytes each, big-endian. */
export function u32(...values: readonly number[]): Bytes {
  return bytes(...values.map((value) => u8(value >>> 24, value >>> 16, value >>> 8, value)));
}

/** Eight bytes each, big-endian. */
export function u64(...values: readonly (number | bigint)[]): Bytes {
  const all = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) all.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), i * 8);
  return new Uint8Array(all);
}

/** Latin-1 text. */
export function text(value: string): Bytes {
  return new Uint8Array(Buffer.from(value, "latin1"));
}

/** A box of ISO/IEC 14496-12 4.2. */
export function box(type: string, ...parts: readonly Bytes[]): Bytes {
  const contents = bytes(...parts);
  return bytes(u32(contents.byteLength + 8), text(type), contents);
}

/** A box with a version and flags. */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Bytes[]): Bytes {
  return box(type, u32(version * 2 ** 24 + flags), ...parts);
}

/** A box whose size is written as told, whatever it holds. */
export function boxOfSize(type: string, sizeBytes: number, ...parts: readonly Bytes[]): Bytes {
  return bytes(u32(sizeBytes), text(type), ...parts);
}

/** A box with a 64-bit size. */
export function longBox(type: string, ...parts: readonly Bytes[]): Bytes {
  const contents = bytes(...parts);
  return bytes(u32(1), text(type), u64(contents.byteLength + 16), contents);
}

/** What `smallMovie` makes; any box may be replaced by its type, and left out with `null`. */
export type SmallMovieOptions = {
  readonly boxes?: Readonly<Record<string, Bytes | null>>;
  /** More boxes at the end of the moov. */
  readonly moreInMoov?: readonly Bytes[];
  /** Boxes after the mdat, or after the moov where that is last. */
  readonly after?: readonly Bytes[];
  readonly moovFirst?: boolean;
};

/** AVCDecoderConfigurationRecord of a 64x64 picture, made by x264. */
export const SMALL_AVC_CONFIG = new Uint8Array(
  Buffer.from(
    "0164000affe100186764000aacd94426c044000003000400000300c83c48965801000668ebe3cb22c0fdf8f800",
    "hex",
  ),
);

/** Bytes of each of the small movie's samples. */
export const SMALL_MOVIE_SIZES = [40, 10, 20, 30, 40, 10];
const FTYP = box("ftyp", text("isom"), u32(0), text("isom"));
const MDAT = box("mdat", new Uint8Array(150).fill(7));

/**
 * A file with one H.264 track of six samples: 40 ms each, key frames first and fifth, in two chunks of three.
 * By itself it is right.
 */
export function smallMovie(options: SmallMovieOptions = {}): Bytes {
  const moovBytes = moov(options, 0, 0).byteLength;
  const mediaAt = options.moovFirst === false ? FTYP.byteLength + 8 : FTYP.byteLength + moovBytes + 8;
  const index = moov(options, mediaAt, mediaAt + 70);
  const media = pick(options, "mdat", MDAT);
  const first = pick(options, "ftyp", FTYP);
  const order = options.moovFirst === false ? [media, index] : [index, media];
  return bytes(first, ...order, ...(options.after ?? []));
}

function moov(options: SmallMovieOptions, firstChunk: number, secondChunk: number): Bytes {
  const stbl = pick(
    options,
    "stbl",
    box(
      "stbl",
      pick(options, "stsd", fullBox("stsd", 0, 0, u32(1), avcSampleEntry())),
      pick(options, "stts", fullBox("stts", 0, 0, u32(1, 6, 40))),
      pick(options, "ctts", new Uint8Array(0)),
      pick(options, "stsc", fullBox("stsc", 0, 0, u32(1, 1, 3, 1))),
      pick(options, "stsz", fullBox("stsz", 0, 0, u32(0, 6, ...SMALL_MOVIE_SIZES))),
      pick(options, "stco", fullBox("stco", 0, 0, u32(2, firstChunk, secondChunk))),
      pick(options, "stss", fullBox("stss", 0, 0, u32(2, 1, 5))),
    ),
  );
  const dinf = pick(options, "dinf", box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1))));
  const minf = pick(options, "minf", box("minf", dinf, stbl));
  const mdhd = pick(options, "mdhd", fullBox("mdhd", 0, 0, u32(0, 0, 1000, 240), u16(0x55c4, 0)));
  const hdlr = pick(options, "hdlr", fullBox("hdlr", 0, 0, u32(0), text("vide"), u32(0, 0, 0), u8(0)));
  const mdia = pick(options, "mdia", box("mdia", mdhd, hdlr, minf));
  const tkhd = pick(options, "tkhd", fullBox("tkhd", 0, 3, u32(0, 0, 1, 0, 240), new Uint8Array(60)));
  const edts = pick(options, "edts", new Uint8Array(0));
  const trak = pick(options, "trak", box("trak", tkhd, edts, mdia));
  const mvhd = pick(options, "mvhd", fullBox("mvhd", 0, 0, u32(0, 0, 1000, 240), new Uint8Array(80)));
  return pick(options, "moov", box("moov", mvhd, trak, ...(options.moreInMoov ?? [])));
}

/** The sample entry of the small movie, or the same under another code and with other child boxes. */
export function avcSampleEntry(entry = "avc1", ...children: readonly Bytes[]): Bytes {
  const fields = bytes(new Uint8Array(24), u16(64, 64), new Uint8Array(50));
  return box(entry, fields, ...(children.length === 0 ? [box("avcC", SMALL_AVC_CONFIG)] : children));
}

/** A sample entry of sound with 28 bytes of fields. */
export function audioSampleEntry(entry: string, ...children: readonly Bytes[]): Bytes {
  return box(entry, u32(0), u16(0, 1), u32(0, 0), u16(2, 16), u32(0), u32(48_000 * 65_536), ...children);
}

function pick(options: SmallMovieOptions, type: string, usual: Bytes): Bytes {
  const given = options.boxes?.[type];
  return given === undefined ? usual : (given ?? new Uint8Array(0));
}
