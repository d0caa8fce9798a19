import { asMediaError } from "../../base/errors.ts";
import { parseAdtsHeader } from "../../codecs/aac/adts.ts";
import { buildAacConfig } from "../../codecs/aac/audio-specific-config.ts";
import { parseAc3Frame } from "../../codecs/ac3/syncframe.ts";
import { parseMp3Header } from "../../codecs/mp3/frame-header.ts";
import type { Codec } from "../../media/track.ts";

/** One frame of audio within an elementary stream. */
export type AudioFrame = {
  /** Bytes in front of the payload, which the transport stream alone needs. */
  readonly headerBytes: number;
  /** Header and payload. */
  readonly frameBytes: number;
  /** Stays the same as long as the configuration does. */
  readonly key: number;
  /** Why the frame is left out whole, though it is one; `null` where it is not. */
  readonly problem?: string | null;
};

/** How frames of a codec are found. */
export type AudioFraming = {
  /**
   * The frame that begins at `at`, with a key below 0 when it cannot be used; `null` when more bytes are needed to tell.
   * Throws: CODEC_BAD_UNIT when none begins there.
   */
  read(bytes: Uint8Array, at: number): AudioFrame | null;
  /** The configuration that the frame tells, empty where `buildTrack` reads the frame itself. Throws: CODEC_BAD_CONFIG. */
  config(bytes: Uint8Array, at: number): Uint8Array;
  /** The byte that every frame begins with. */
  readonly syncByte: number;
};

const NO_CONFIG = new Uint8Array(0);

const adts: AudioFraming = {
  syncByte: 0xff,
  read(bytes, at) {
    const header = parseAdtsHeader(bytes, at);
    if (header === null) return null;
    const { headerBytes, frameBytes, objectType, sampleRate, channelConfig, blocks } = header;
    const key = sampleRate * 64 + objectType * 8 + channelConfig;
    // Where a block ends is known only by decoding it, and an AAC packet elsewhere is one block.
    const problem =
      blocks === 1 ? null : `an ADTS frame has ${blocks} raw data blocks: set the encoder to one a frame`;
    return { headerBytes, frameBytes, key, problem };
  },
  config(bytes, at) {
    const header = parseAdtsHeader(bytes, at)!;
    return buildAacConfig(header);
  },
};

const mp3: AudioFraming = {
  syncByte: 0xff,
  read(bytes, at) {
    const header = parseMp3Header(bytes, at);
    if (header === null) return null;
    const { frameBytes, sampleRate, layer, channels } = header;
    return {
      headerBytes: 0,
      frameBytes,
      key: frameBytes === 0 ? -1 : sampleRate * 64 + layer * 8 + channels,
    };
  },
  config: () => NO_CONFIG,
};

const ac3: AudioFraming = {
  syncByte: 0x0b,
  read(bytes, at) {
    const frame = parseAc3Frame(bytes, at);
    if (frame === null) return null;
    const key = frame.isEnhanced
      ? -1
      : frame.sampleRate * 64 + frame.codingMode * 2 + (frame.hasLfe ? 1 : 0);
    return { headerBytes: 0, frameBytes: frame.frameBytes, key };
  },
  config: () => NO_CONFIG,
};

/** An access unit is an independent substream's frame and the dependent ones behind it. Spec: ETSI TS 102 366 annex E. */
const eac3: AudioFraming = {
  syncByte: 0x0b,
  read(bytes, at) {
    const first = parseAc3Frame(bytes, at);
    if (first === null) return null;
    const { sampleRate, codingMode, hasLfe, streamType, isEnhanced } = first;
    let frameBytes = first.frameBytes;
    for (;;) {
      const next = dependentAt(bytes, at + frameBytes);
      if (next === 0) break;
      frameBytes += next;
    }
    const isFirst = isEnhanced && streamType !== 1;
    return {
      headerBytes: 0,
      frameBytes,
      key: isFirst ? sampleRate * 64 + codingMode * 2 + (hasLfe ? 1 : 0) : -1,
    };
  },
  config: () => NO_CONFIG,
};

/** Bytes of the dependent frame that begins at `at`; 0 when none does. */
function dependentAt(bytes: Uint8Array, at: number): number {
  try {
    const frame = parseAc3Frame(bytes, at);
    const belongs =
      frame !== null && frame.isEnhanced && (frame.streamType === 1 || frame.substreamId !== 0);
    return belongs ? frame.frameBytes : 0;
  } catch (caught) {
    if (asMediaError(caught) === null) throw caught;
    return 0;
  }
}

/** opus_control_header in front of every packet. Spec: Opus in MPEG-2 TS, section on access units. */
const opus: AudioFraming = {
  syncByte: 0x7f,
  read(bytes, at) {
    if (at + 3 > bytes.byteLength) return null;
    const flags = bytes[at + 1]!;
    if (bytes[at] !== 0x7f || (flags & 0xe0) !== 0xe0) return { headerBytes: 0, frameBytes: 0, key: -1 };
    let to = at + 2;
    let payloadBytes = 0;
    while (bytes[to] === 255) {
      payloadBytes += 255;
      to++;
    }
    payloadBytes += bytes[to++] ?? 0;
    if ((flags & 0x10) !== 0) to += 2; // start_trim
    if ((flags & 0x08) !== 0) to += 2; // end_trim
    if ((flags & 0x04) !== 0) to += 1 + (bytes[to] ?? 0); // control_extension
    if (to > bytes.byteLength) return null;
    const headerBytes = to - at;
    return { headerBytes, frameBytes: headerBytes + payloadBytes, key: payloadBytes === 0 ? -1 : 1 };
  },
  config: () => NO_CONFIG,
};

/** By codec; `null` where it is no audio. */
export const AUDIO_FRAMINGS: Readonly<Record<Codec, AudioFraming | null>> = {
  aac: adts,
  mp3,
  ac3,
  eac3,
  opus,
  h264: null,
  h265: null,
  av1: null,
  webvtt: null,
};
