import { parseAvcConfig } from "../../codecs/h264/avc-config.ts";
import { parseH264Sps } from "../../codecs/h264/sps.ts";
import { parseHevcConfig } from "../../codecs/h265/hevc-config.ts";
import { parseH265Sps } from "../../codecs/h265/sps.ts";
import { buildOpusSpecificBox, parseOpusHead } from "../../codecs/opus/opus-head.ts";
import type { SampleAspect } from "../../codecs/video-usability.ts";
import type { Codec, Track } from "../../media/track.ts";
import type { BoxWriter } from "./box-writer.ts";

const SQUARE: SampleAspect = { width: 1, height: 1 };
/** 72 dpi as 16.16 fixed point. Spec: ISO/IEC 14496-12 section 12.1.3. */
const RESOLUTION = 0x0048_0000;
/** objectTypeIndication. Spec: ISO/IEC 14496-1 Table 5. */
const OTI_AAC = 0x40;
const OTI_MP3 = 0x6b;
const OTI_MP3_LOW_RATES = 0x69;

const WRITERS: Readonly<Record<Codec, (boxes: BoxWriter, track: Track) => void>> = {
  h264: (boxes, track) => writeVisual(boxes, track, "avc1", "avcC"),
  h265: (boxes, track) => writeVisual(boxes, track, "hvc1", "hvcC"),
  av1: (boxes, track) => writeVisual(boxes, track, "av01", "av1C"),
  aac: (boxes, track) => writeAudio(boxes, track, "mp4a", () => writeEsds(boxes, OTI_AAC, track.config)),
  mp3: (boxes, track) =>
    writeAudio(boxes, track, "mp4a", () => writeEsds(boxes, mp3Indication(track), track.config)),
  opus: (boxes, track) => writeAudio(boxes, track, "Opus", () => writeOpusConfig(boxes, track)),
  ac3: (boxes, track) =>
    writeAudio(boxes, track, "ac-3", () => boxes.box("dac3", () => boxes.raw(track.config))),
  eac3: (boxes, track) =>
    writeAudio(boxes, track, "ec-3", () => boxes.box("dec3", () => boxes.raw(track.config))),
  webvtt: writeWebVtt,
};

/**
 * Writes the sample entry of a track, with its codec configuration box.
 *
 * Spec: ISO/IEC 14496-12 section 8.5.2, 12.1.3, 12.2.3; ISO/IEC 14496-14 section 5.6; ISO/IEC 14496-15 sections 5.4.2,
 * 8.4.1; AV1-ISOBMFF 2.2; Opus in ISOBMFF 4.3.1; ETSI TS 102 366 F.3, F.5; ISO/IEC 14496-30 section 7.5.
 */
export function writeSampleEntry(boxes: BoxWriter, track: Track): void {
  WRITERS[track.codec](boxes, track);
}

/**
 * The aspect of the track's samples (pixels), from its parameter set; 1:1 for AV1, whose headers do not tell, and for
 * sets that cannot be read.
 */
export function sampleAspectOf(track: Track): SampleAspect {
  if (track.codec === "h264") return parseH264Sps(parseAvcConfig(track.config).sps[0]!).vui.sampleAspect;
  if (track.codec === "h265") return parseH265Sps(parseHevcConfig(track.config).sps[0]!).vui.sampleAspect;
  return SQUARE;
}

/** Spec: ISO/IEC 14496-12 section 12.1.3. */
function writeVisual(boxes: BoxWriter, track: Track, entry: string, config: string): void {
  const aspect = sampleAspectOf(track);
  boxes.box(entry, () => {
    boxes.zeros(6).u16(1); // data_reference_index
    boxes.zeros(16).u16(track.width).u16(track.height).u32(RESOLUTION).u32(RESOLUTION);
    boxes.zeros(4).u16(1); // frame_count
    boxes.zeros(32).u16(0x0018).u16(0xffff); // compressorname, depth, pre_defined
    boxes.box(config, () => boxes.raw(track.config));
    if (aspect.width !== aspect.height) boxes.box("pasp", () => boxes.u32(aspect.width).u32(aspect.height));
  });
}

/** Rates above 65535 do not fit into 16.16: 0 is written, and the configuration tells. Spec: 14496-12 section 12.2.3. */
function writeAudio(boxes: BoxWriter, track: Track, entry: string, writeConfig: () => void): void {
  boxes.box(entry, () => {
    boxes.zeros(6).u16(1); // data_reference_index
    boxes.zeros(8).u16(Math.max(1, track.channels)).u16(16).zeros(4);
    boxes.u16(track.sampleRate <= 0xffff ? track.sampleRate : 0).u16(0);
    writeConfig();
  });
}

/** MPEG-1 audio has rates from 32 kHz on, MPEG-2 and 2.5 below. */
function mp3Indication(track: Track): number {
  return track.sampleRate >= 32_000 || track.sampleRate === 0 ? OTI_MP3 : OTI_MP3_LOW_RATES;
}

const ES_FIXED_BYTES = 3;
const DECODER_FIXED_BYTES = 13;
const SL_BYTES = 1;

/** Spec: ISO/IEC 14496-14 section 5.6.1; ISO/IEC 14496-1 sections 7.2.6.5, 7.2.6.6, 7.2.6.7, 7.3.2.3. */
function writeEsds(boxes: BoxWriter, indication: number, config: Uint8Array): void {
  const specificBytes = config.byteLength === 0 ? 0 : descriptorBytes(config.byteLength);
  const decoderBytes = DECODER_FIXED_BYTES + specificBytes;
  const streamBytes = ES_FIXED_BYTES + descriptorBytes(decoderBytes) + descriptorBytes(SL_BYTES);
  boxes.fullBox("esds", 0, 0, () => {
    writeDescriptorHeader(boxes, 3, streamBytes).u16(0).u8(0); // ES_DescrTag: ES_ID, flags
    writeDescriptorHeader(boxes, 4, decoderBytes).u8(indication).u8(0x15); // DecoderConfigDescrTag: audio stream
    boxes.u24(0).u32(0).u32(0); // bufferSizeDB, maxBitrate, avgBitrate: unknown
    if (specificBytes > 0) writeDescriptorHeader(boxes, 5, config.byteLength).raw(config); // DecSpecificInfoTag
    writeDescriptorHeader(boxes, 6, SL_BYTES).u8(2); // SLConfigDescrTag: predefined for MP4
  });
}

/** A descriptor with its tag and its 4-byte size, the form that every reader takes. */
function descriptorBytes(contentBytes: number): number {
  return 5 + contentBytes;
}

function writeDescriptorHeader(boxes: BoxWriter, tag: number, lengthBytes: number): BoxWriter {
  boxes.u8(tag);
  for (const shift of [21, 14, 7]) boxes.u8(0x80 | ((lengthBytes >> shift) & 0x7f));
  return boxes.u8(lengthBytes & 0x7f);
}

function writeOpusConfig(boxes: BoxWriter, track: Track): void {
  boxes.box("dOps", () => boxes.raw(buildOpusSpecificBox(parseOpusHead(track.config))));
}

/** Spec: ISO/IEC 14496-30 section 7.5: `vttC` has the text before the first cue. */
function writeWebVtt(boxes: BoxWriter, track: Track): void {
  const header = track.config.byteLength === 0 ? new TextEncoder().encode("WEBVTT") : track.config;
  boxes.box("wvtt", () => {
    boxes.zeros(6).u16(1); // data_reference_index
    boxes.box("vttC", () => boxes.raw(header));
  });
}
