import { BitReader } from "../../base/bits.ts";
import { BitWriter } from "../bit-writer.ts";
import { badConfig } from "../errors.ts";
import { AAC_CHANNELS, AAC_SAMPLE_RATES, countProgramChannels } from "./tables.ts";

/** What an AudioSpecificConfig says. */
export type AacConfig = {
  /** Of the core coder, e.g. 2 for AAC-LC. Spec: ISO/IEC 14496-3 Table 1.17. */
  readonly objectType: number;
  /** Of the core coder, per second. */
  readonly coreSampleRate: number;
  /** channelConfiguration; 0 when a program config element lists the channels. */
  readonly channelConfig: number;
  /** Spectral band replication, when it is signalled in either explicit way. */
  readonly hasSbr: boolean;
  /** Parametric stereo, when it is signalled. */
  readonly hasPs: boolean;
  /** Of the output: after spectral band replication and parametric stereo. */
  readonly sampleRate: number;
  /** 0 for object types whose own configuration tells, which is not read. */
  readonly channels: number;
  /** Samples per frame and channel of the output; 0 for object types whose frames this server does not know. */
  readonly frameSamples: number;
};

const AOT_SBR = 5;
const AOT_PS = 29;
const SYNC_SBR = 0x2b7;
const SYNC_PS = 0x548;
/** Object types with a GASpecificConfig. Spec: ISO/IEC 14496-3 section 1.6.2.1. */
const GENERAL_AUDIO: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
const AOT_LOW_DELAY = 23;
/** Longest record that is read: a program config element with its comment has under 400 bytes. */
const MAX_CONFIG_BYTES = 1024;

type Extension = { hasSbr: boolean; hasPs: boolean; sampleRate: number };

/**
 * Parses an AudioSpecificConfig.
 *
 * SBR and PS are taken from hierarchical signalling (object types 5 and 29) and from the backward compatible form
 * (sync words 0x2b7, 0x548). Without either, a decoder may still find SBR in the frames; that is not looked for, and
 * times stay right, as both the rate and the frame are then the core's.
 * Throws: CODEC_BAD_CONFIG. Spec: ISO/IEC 14496-3 sections 1.6.2.1, 1.6.5, 4.4.1.
 */
export function parseAacConfig(bytes: Uint8Array): AacConfig {
  if (bytes.byteLength > MAX_CONFIG_BYTES) throw badConfig("aac", "AudioSpecificConfig is too long");
  const bits = new BitReader(bytes);
  let objectType = readObjectType(bits);
  const coreSampleRate = readSampleRate(bits);
  const channelConfig = bits.read(4);
  const extension: Extension = { hasSbr: false, hasPs: false, sampleRate: coreSampleRate };
  const isHierarchical = objectType === AOT_SBR || objectType === AOT_PS;
  if (isHierarchical) {
    extension.hasSbr = true;
    extension.hasPs = objectType === AOT_PS;
    extension.sampleRate = readSampleRate(bits);
    objectType = readObjectType(bits);
  }
  const core = readCore(bits, objectType, channelConfig);
  if (bits.isExhausted) throw badConfig("aac", "AudioSpecificConfig is cut off");
  if (!isHierarchical) readSyncExtension(bits, extension);
  if (coreSampleRate === 0 || extension.sampleRate === 0)
    throw badConfig("aac", "the sampling rate is reserved");
  const outputRatio = extension.sampleRate / coreSampleRate;
  if (outputRatio !== 1 && outputRatio !== 2)
    throw badConfig("aac", "the SBR rate is not once or twice the core's");
  return {
    objectType,
    coreSampleRate,
    channelConfig,
    ...extension,
    channels: extension.hasPs && core.channels === 1 ? 2 : core.channels,
    frameSamples: core.frameSamples * outputRatio,
  };
}

function readObjectType(bits: BitReader): number {
  const type = bits.read(5);
  return type === 31 ? 32 + bits.read(6) : type;
}

/** Spec: ISO/IEC 14496-3 section 1.6.3.3: index 15 is followed by the rate itself. */
function readSampleRate(bits: BitReader): number {
  const index = bits.read(4);
  return index === 15 ? bits.read(24) : (AAC_SAMPLE_RATES[index] ?? 0);
}

function readCore(
  bits: BitReader,
  objectType: number,
  channelConfig: number,
): { channels: number; frameSamples: number } {
  const tabled = AAC_CHANNELS[channelConfig] ?? 0;
  if (!GENERAL_AUDIO.has(objectType)) return { channels: tabled, frameSamples: 0 };
  const isShort = bits.flag(); // frameLengthFlag
  if (bits.flag()) bits.skip(14); // dependsOnCoreCoder: coreCoderDelay
  const hasExtension = bits.flag();
  const channels = channelConfig === 0 ? countProgramChannels(bits) : tabled;
  if (channels === 0) throw badConfig("aac", "the channel configuration is reserved");
  if (objectType === 6 || objectType === 20) bits.skip(3); // layerNr
  if (hasExtension) {
    if (objectType === 22) bits.skip(16); // numOfSubFrame, layer_length
    if (objectType === 17 || (objectType >= 19 && objectType <= 23 && objectType !== 22)) bits.skip(3);
    bits.skip(1); // extensionFlag3
  }
  const full = objectType === AOT_LOW_DELAY ? 512 : 1024;
  return { channels, frameSamples: isShort ? (full * 15) / 16 : full };
}

/** Spec: ISO/IEC 14496-3 section 1.6.2.1, syncExtensionType. */
function readSyncExtension(bits: BitReader, extension: Extension): void {
  if (bits.remaining < 16 || bits.read(11) !== SYNC_SBR) return;
  if (readObjectType(bits) !== AOT_SBR || !bits.flag()) return;
  const sampleRate = readSampleRate(bits);
  if (bits.isExhausted) return;
  extension.hasSbr = true;
  extension.sampleRate = sampleRate;
  if (bits.remaining >= 12 && bits.read(11) === SYNC_PS) extension.hasPs = bits.flag();
}

/** What `buildAacConfig` needs. */
export type AacConfigOptions = {
  /** 2 for AAC-LC. */
  readonly objectType: number;
  /** Of the core coder, per second. */
  readonly sampleRate: number;
  /** channelConfiguration 1 to 7 or 11 to 14. */
  readonly channelConfig: number;
  /** Output rate with spectral band replication, signalled hierarchically; none when absent. */
  readonly sbrSampleRate?: number;
  readonly hasPs?: boolean;
};

/**
 * Builds an AudioSpecificConfig of a general audio coder with frames of 1024 samples.
 *
 * Throws: CODEC_BAD_CONFIG for a channel configuration that is not in the table.
 * Spec: ISO/IEC 14496-3 section 1.6.2.1.
 */
export function buildAacConfig(options: AacConfigOptions): Uint8Array {
  const { objectType, sampleRate, channelConfig, sbrSampleRate, hasPs = false } = options;
  if ((AAC_CHANNELS[channelConfig] ?? 0) === 0)
    throw badConfig("aac", "the channel configuration is reserved");
  const bits = new BitWriter();
  if (sbrSampleRate === undefined) writeObjectType(bits, objectType);
  else writeObjectType(bits, hasPs ? AOT_PS : AOT_SBR);
  writeSampleRate(bits, sampleRate);
  bits.write(channelConfig, 4);
  if (sbrSampleRate !== undefined) {
    writeSampleRate(bits, sbrSampleRate);
    writeObjectType(bits, objectType);
  }
  return bits.write(0, 3).finish(); // frameLengthFlag, dependsOnCoreCoder, extensionFlag
}

function writeObjectType(bits: BitWriter, type: number): void {
  if (type < 31) bits.write(type, 5);
  else bits.write(31, 5).write(type - 32, 6);
}

function writeSampleRate(bits: BitWriter, sampleRate: number): void {
  const index = AAC_SAMPLE_RATES.indexOf(sampleRate);
  if (index >= 0) bits.write(index, 4);
  else bits.write(15, 4).write(sampleRate, 24);
}

/**
 * The codecs parameter: `mp4a.40.` and the object type, where a signalled SBR is 5 and PS is 29, so that players know
 * of them before the first byte.
 * Spec: RFC 6381 section 3.3.
 */
export function aacCodecString(config: AacConfig): string {
  if (config.hasPs) return "mp4a.40.29";
  if (config.hasSbr) return "mp4a.40.5";
  return `mp4a.40.${config.objectType}`;
}
