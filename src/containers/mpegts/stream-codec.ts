import type { Codec } from "../../media/track.ts";
import { buildOpusHead } from "../../codecs/opus/opus-head.ts";
import { DESCRIPTOR, OPUS_EXTENSION, STREAM_TYPE } from "./layout.ts";
import { readDescriptors } from "./table-reader.ts";
import type { Descriptor, StreamEntry } from "./table-reader.ts";

/** What an elementary stream is. */
export type StreamCodec = {
  readonly codec: Codec;
  /** ISO 639-2; `und` when the program map says nothing. */
  readonly language: string;
  /** The configuration where the program map has it all: Opus. Empty for others. */
  readonly config: Uint8Array;
};

const CODECS: Readonly<Record<number, Codec>> = {
  [STREAM_TYPE.mpeg1Audio]: "mp3",
  [STREAM_TYPE.mpeg2Audio]: "mp3",
  [STREAM_TYPE.adts]: "aac",
  [STREAM_TYPE.h264]: "h264",
  [STREAM_TYPE.h265]: "h265",
  [STREAM_TYPE.ac3]: "ac3",
  [STREAM_TYPE.eac3]: "eac3",
};

const REGISTERED: Readonly<Record<string, Codec>> = {
  "AC-3": "ac3",
  EAC3: "eac3",
  HEVC: "h265",
  Opus: "opus",
};

const NO_CONFIG = new Uint8Array(0);
/** stream counts, coupled counts and channel orders by channels. Spec: RFC 7845 section 5.1.1.2. */
const OPUS_LAYOUTS: readonly (readonly number[])[] = [
  [1, 0, 0],
  [1, 1, 0, 1],
  [2, 1, 0, 2, 1],
  [2, 2, 0, 1, 2, 3],
  [3, 2, 0, 4, 1, 2, 3],
  [4, 2, 0, 4, 1, 2, 3, 5],
  [4, 3, 0, 4, 1, 2, 3, 5, 6],
  [5, 3, 0, 6, 1, 2, 3, 4, 5, 7],
];
/** What encoders put there; a transport stream does not carry it. */
const OPUS_PRE_SKIP = 312;

/** What the entry's elementary stream is; `null` when it is nothing that is carried. */
export function streamCodecOf(entry: StreamEntry): StreamCodec | null {
  const descriptors = readDescriptors(entry.descriptors);
  const codec =
    CODECS[entry.streamType] ??
    (entry.streamType === STREAM_TYPE.private ? privateCodec(descriptors) : null);
  if (codec === null || codec === undefined) return null;
  const config = codec === "opus" ? opusConfig(descriptors) : NO_CONFIG;
  return config === null ? null : { codec, language: languageOf(descriptors), config };
}

/** Spec: ETSI EN 300 468 annex D (AC-3 in DVB); ISO/IEC 13818-1 section 2.6.8. */
function privateCodec(descriptors: readonly Descriptor[]): Codec | null {
  for (const { tag, body } of descriptors) {
    if (tag === DESCRIPTOR.dvbAc3) return "ac3";
    if (tag === DESCRIPTOR.dvbEac3) return "eac3";
    if (tag !== DESCRIPTOR.registration || body.byteLength < 4) continue;
    const codec = REGISTERED[String.fromCharCode(...body.subarray(0, 4))];
    if (codec !== undefined) return codec;
  }
  return null;
}

/** `OpusHead` of a channel_config_code of 1 to 8; `null` for dual mono and what is reserved. */
function opusConfig(descriptors: readonly Descriptor[]): Uint8Array | null {
  const found = descriptors.find(
    ({ tag, body }) =>
      tag === DESCRIPTOR.dvbExtension && body.byteLength >= 2 && body[0] === OPUS_EXTENSION,
  );
  const channels = found?.body[1] ?? 2;
  const layout = OPUS_LAYOUTS[channels - 1];
  if (layout === undefined) return null;
  const mappingFamily = channels > 2 ? 1 : 0;
  return buildOpusHead({
    channels,
    preSkip: OPUS_PRE_SKIP,
    inputSampleRate: 48_000,
    outputGain: 0,
    mappingFamily,
    mapping: mappingFamily === 0 ? NO_CONFIG : Uint8Array.from(layout),
  });
}

function languageOf(descriptors: readonly Descriptor[]): string {
  const body = descriptors.find(({ tag }) => tag === DESCRIPTOR.language)?.body;
  const code = body === undefined ? "" : String.fromCharCode(...body.subarray(0, 3)).toLowerCase();
  return /^[a-z]{3}$/.test(code) ? code : "und";
}
