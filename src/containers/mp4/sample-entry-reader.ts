import { readU16, readU32 } from "../../base/bytes.ts";
import type { Codec, TrackKind } from "../../media/track.ts";
import {
  boxError,
  contentBytes,
  findBox,
  needBytes,
  printableType,
  readCount,
  wrapBox,
} from "./box-reader.ts";
import type { Box } from "./box-reader.ts";
import { readEsDescriptor } from "./es-descriptor.ts";
import { mp4Errors } from "./errors.ts";
import { MP4_LIMITS } from "./limits.ts";

/** What a sample description says of the codec. */
export type SampleEntry = {
  /** The four-character code of the entry, e.g. `avc1`. */
  readonly entry: string;
  readonly codec: Codec;
  /** As `Track.config`; may lack parameter sets where `inBandSets`. */
  readonly config: Uint8Array;
  /** Parameter sets may be in the samples (`avc3`, `hev1`). */
  readonly inBandSets: boolean;
};

type EntryReader = (entry: Box) => Omit<SampleEntry, "entry">;

const VISUAL_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;

const videoReaders: Readonly<Record<string, EntryReader>> = {
  avc1: (entry) => readAvc(entry, false),
  avc3: (entry) => readAvc(entry, true),
  hvc1: (entry) => readHevc(entry, false),
  hev1: (entry) => readHevc(entry, true),
  av01: (entry) => plain("av1", needConfig(entry, VISUAL_ENTRY_BYTES, "av1C")),
};

const audioReaders: Readonly<Record<string, EntryReader>> = {
  mp4a: readMp4a,
  ".mp3": () => plain("mp3", new Uint8Array(0)),
  "ms?U": () => plain("mp3", new Uint8Array(0)),
  Opus: (entry) => plain("opus", opusHeadOf(needConfig(entry, audioBytes(entry), "dOps"))),
  "ac-3": (entry) => plain("ac3", needConfig(entry, audioBytes(entry), "dac3")),
  "ec-3": (entry) => plain("eac3", needConfig(entry, audioBytes(entry), "dec3")),
};

/**
 * The samples of each are of a kind of their own: `SampleEntry.entry` tells. QuickTime's `text` is not here: that is what
 * the names of chapters are in.
 */
const textReaders: Readonly<Record<string, EntryReader>> = {
  tx3g: () => plain("webvtt", new Uint8Array(0)),
  wvtt: () => plain("webvtt", new Uint8Array(0)),
};

const READERS = { video: videoReaders, audio: audioReaders, text: textReaders } as const;

/**
 * Reads the first sample description of a `stsd` box.
 *
 * Throws: MP4_ENCRYPTED for a protected entry; MP4_UNSUPPORTED for a codec that is not known, for several different
 * descriptions, and for NAL unit lengths of less than 4 bytes; MP4_BAD_BOX.
 * Spec: ISO/IEC 14496-12 section 8.5.2; ISO/IEC 14496-15 sections 5.4.2, 8.4.1; ISO/IEC 14496-14 section 5.6;
 * Opus in ISOBMFF 4.3; ETSI TS 102 366 annex F; AV1-ISOBMFF 2.2. QuickTime sound descriptions of version 1 and 2.
 */
export function readSampleEntry(stsd: Box, kind: TrackKind): SampleEntry {
  const count = readCount(stsd, 4, 8);
  if (count === 0) throw boxError(stsd, "it describes nothing");
  const first = entryAt(stsd, stsd.start + 8);
  if (count > 1) checkSameEntries(stsd, first, count);
  if (first.type === "encv" || first.type === "enca" || first.type === "drms" || first.type === "p608") {
    if (first.type !== "p608") throw mp4Errors.error("MP4_ENCRYPTED", { entry: first.type });
  }
  const readers = READERS[kind];
  const reader = Object.hasOwn(readers, first.type) ? readers[first.type] : undefined;
  if (reader === undefined) throw unsupported(`${kind} of the kind "${first.type}"`);
  return { entry: first.type, ...reader(first) };
}

function entryAt(stsd: Box, at: number): Box {
  const { bytes, base, end } = stsd;
  if (at + 8 > end) throw boxError(stsd, "it ends before its entries do");
  const sizeBytes = readU32(bytes, at);
  if (sizeBytes < 8 || sizeBytes > end - at) {
    throw mp4Errors.error("MP4_BOX_SIZE", {
      box: printableType(bytes, at + 4),
      offset: base + at,
      sizeBytes,
      availableBytes: end - at,
    });
  }
  const type = printableType(bytes, at + 4);
  return { type, bytes, start: at + 8, end: at + sizeBytes, base, offset: base + at };
}

function checkSameEntries(stsd: Box, first: Box, count: number): void {
  let at = first.end;
  const firstBytes = first.bytes.subarray(first.start - 8, first.end);
  for (let i = 1; i < count; i++) {
    const other = entryAt(stsd, at);
    const same = Buffer.compare(firstBytes, other.bytes.subarray(at, other.end)) === 0;
    if (!same) throw unsupported("a track whose codec configuration changes in the middle");
    at = other.end;
  }
}

function plain(codec: Codec, config: Uint8Array): Omit<SampleEntry, "entry"> {
  return { codec, config, inBandSets: false };
}

function readAvc(entry: Box, inBandSets: boolean): Omit<SampleEntry, "entry"> {
  const config = needConfig(entry, VISUAL_ENTRY_BYTES, "avcC");
  if (config.byteLength < 7) throw boxError(entry, `its "avcC" has ${config.byteLength} bytes`);
  checkNaluLength((config[4]! & 3) + 1);
  return { codec: "h264", config, inBandSets };
}

function readHevc(entry: Box, inBandSets: boolean): Omit<SampleEntry, "entry"> {
  const config = needConfig(entry, VISUAL_ENTRY_BYTES, "hvcC");
  if (config.byteLength < 23) throw boxError(entry, `its "hvcC" has ${config.byteLength} bytes`);
  checkNaluLength((config[21]! & 3) + 1);
  return { codec: "h265", config, inBandSets };
}

function checkNaluLength(lengthBytes: number): void {
  if (lengthBytes !== 4) throw unsupported(`video whose NAL units have lengths of ${lengthBytes} bytes`);
}

/** QuickTime's sound descriptions of version 1 and 2 have more fields before the child boxes. */
function audioBytes(entry: Box): number {
  if (contentBytes(entry) < AUDIO_ENTRY_BYTES) return AUDIO_ENTRY_BYTES;
  const version = readU16(entry.bytes, entry.start + 8);
  return AUDIO_ENTRY_BYTES + (version === 1 ? 16 : version === 2 ? 36 : 0);
}

function readMp4a(entry: Box): Omit<SampleEntry, "entry"> {
  const children = childrenOf(entry, audioBytes(entry));
  const wave = findBox(children, "wave");
  const esds = findBox(children, "esds") ?? (wave === null ? null : findBox(wave, "esds"));
  if (esds === null) throw boxError(entry, 'it holds no "esds"');
  const descriptor = readEsDescriptor(esds);
  if (descriptor.codec === null) {
    throw unsupported(`audio with the object type 0x${descriptor.objectType.toString(16)}`);
  }
  return plain(descriptor.codec, descriptor.config);
}

function childrenOf(entry: Box, fieldBytes: number): Box {
  needBytes(entry, 0, fieldBytes);
  return { ...entry, start: entry.start + fieldBytes };
}

function needConfig(entry: Box, fieldBytes: number, type: string): Uint8Array {
  const box = findBox(childrenOf(entry, fieldBytes), type);
  if (box === null) throw boxError(entry, `it holds no "${type}"`);
  if (contentBytes(box) > MP4_LIMITS.configBytes) {
    throw mp4Errors.error("MP4_LIMIT", {
      what: `a "${type}" with a length`,
      value: contentBytes(box),
      limit: MP4_LIMITS.configBytes,
    });
  }
  return box.bytes.slice(box.start, box.end);
}

/**
 * The identification header of RFC 7845 5.1 for a `dOps` box: the same fields, numbers little-endian.
 *
 * | dOps | version 0 | channels | preSkip u16 | sampleRate u32 | gain i16 | family | mapping table |
 */
function opusHeadOf(dOps: Uint8Array): Uint8Array {
  if (dOps.byteLength < 11) throw boxError(wrapBox("dOps", dOps, 0, 0), "it is too short");
  const head = new Uint8Array(8 + dOps.byteLength);
  head.set(Buffer.from("OpusHead", "latin1"));
  head.set(dOps, 8);
  head[8] = 1;
  head.set(dOps.subarray(2, 4).toReversed(), 10);
  head.set(dOps.subarray(4, 8).toReversed(), 12);
  head.set(dOps.subarray(8, 10).toReversed(), 16);
  return head;
}

function unsupported(what: string): Error {
  return mp4Errors.error("MP4_UNSUPPORTED", { what });
}
