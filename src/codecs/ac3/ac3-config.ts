import { BitReader } from "../../base/bits.ts";
import { BitWriter } from "../bit-writer.ts";
import { badConfig, badUnit } from "../errors.ts";
import type { Ac3Frame } from "./syncframe.ts";
import { AC3_KILOBITS, parseAc3Frame } from "./syncframe.ts";

/** What `dac3` and `dec3` say about what is heard. */
export type Ac3Config = {
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitrateBps: number;
};

/** Most syncframes in one access unit: 8 independent and 64 dependent substreams, six frames of one block each. */
const MAX_FRAMES = 432;
const SAMPLE_RATES: readonly number[] = [48_000, 44_100, 32_000];
const MODE_CHANNELS: readonly number[] = [2, 1, 2, 3, 3, 4, 4, 5];
/** Channels by bit of chan_loc, from bit 0. Spec: ETSI TS 102 366 Table F.6.1. */
const LOCATION_CHANNELS: readonly number[] = [2, 2, 1, 1, 2, 2, 2, 1, 1];
/** Bits of chanmap (bit 0 is the most significant) that stand for the bits of chan_loc, from bit 0. */
const LOCATION_MAP_BITS: readonly number[] = [5, 6, 7, 8, 9, 10, 11, 12, 14];

/** The syncframes of one access unit. Throws: CODEC_BAD_UNIT. */
export function readAc3Frames(accessUnit: Uint8Array): Ac3Frame[] {
  const frames: Ac3Frame[] = [];
  for (let at = 0; at < accessUnit.byteLength;) {
    const frame = parseAc3Frame(accessUnit, at);
    if (frame === null) throw badUnit("ac3", "a syncframe is cut off");
    at += frame.frameBytes;
    if (at > accessUnit.byteLength) throw badUnit("ac3", "a syncframe is cut off");
    if (frames.push(frame) > MAX_FRAMES) throw badUnit("ac3", "too many syncframes in one access unit");
  }
  return frames;
}

/** Samples per channel of an access unit: those of its first independent substream. Throws: CODEC_BAD_UNIT. */
export function ac3UnitSamples(accessUnit: Uint8Array): number {
  let samples = 0;
  for (const frame of readAc3Frames(accessUnit)) {
    if (frame.substreamId === 0 && frame.streamType !== 1) samples += frame.samples;
  }
  return samples;
}

/**
 * Builds the payload of a `dac3` box from the first access unit.
 * Throws: CODEC_BAD_UNIT, CODEC_BAD_CONFIG. Spec: ETSI TS 102 366 section F.4.
 */
export function buildAc3Config(accessUnit: Uint8Array): Uint8Array {
  const frame = parseAc3Frame(accessUnit);
  if (frame === null || frame.isEnhanced) throw badConfig("ac3", "the first frame is not AC-3");
  return new BitWriter()
    .write(frame.sampleRateCode, 2)
    .write(frame.bitstreamId, 5)
    .write(frame.bitstreamMode, 3)
    .write(frame.codingMode, 3)
    .write(frame.hasLfe ? 1 : 0, 1)
    .write(frame.frameSizeCode >> 1, 5)
    .write(0, 5)
    .finish();
}

/** Parses the payload of a `dac3` box. Throws: CODEC_BAD_CONFIG. Spec: ETSI TS 102 366 section F.4. */
export function parseAc3Config(bytes: Uint8Array): Ac3Config {
  if (bytes.byteLength < 3) throw badConfig("ac3", "dac3 is cut off");
  const bits = new BitReader(bytes);
  const sampleRate = SAMPLE_RATES[bits.read(2)];
  bits.skip(8); // bsid, bsmod
  const channels = MODE_CHANNELS[bits.read(3)]! + bits.read(1);
  const kilobits = AC3_KILOBITS[bits.read(5)];
  if (sampleRate === undefined || kilobits === undefined)
    throw badConfig("ac3", "dac3 has reserved values");
  return { sampleRate, channels, bitrateBps: kilobits * 1000 };
}

/**
 * Builds the payload of a `dec3` box from the first access unit. bsmod is written as 0, complete main: it stands
 * behind the mixing metadata, and nothing known reads it.
 *
 * Throws: CODEC_BAD_UNIT, CODEC_BAD_CONFIG. Spec: ETSI TS 102 366 section F.6.
 */
export function buildEac3Config(accessUnit: Uint8Array): Uint8Array {
  const frames = readAc3Frames(accessUnit);
  const programs = groupSubstreams(frames);
  const first = programs[0]?.independent;
  if (first === undefined || !first.isEnhanced)
    throw badConfig("eac3", "the first frame is not Enhanced AC-3");
  const samples = ac3UnitSamples(accessUnit);
  const kilobits = Math.ceil((accessUnit.byteLength * 8 * first.sampleRate) / samples / 1000);
  const bits = new BitWriter().write(Math.min(kilobits, 0x1fff), 13).write(programs.length - 1, 3);
  for (const { independent, dependents, locations } of programs) {
    bits.write(independent.sampleRateCode, 2).write(independent.bitstreamId, 5).write(0, 2); // reserved, asvc
    bits
      .write(0, 3)
      .write(independent.codingMode, 3)
      .write(independent.hasLfe ? 1 : 0, 1); // bsmod
    bits
      .write(0, 3)
      .write(dependents, 4)
      .write(dependents > 0 ? locations : 0, dependents > 0 ? 9 : 1);
  }
  return bits.finish();
}

type Program = { independent: Ac3Frame; dependents: number; locations: number };

/** Gathers the substreams; frames after the first of the same substream only continue it. */
function groupSubstreams(frames: readonly Ac3Frame[]): Program[] {
  const programs: Program[] = [];
  let current: Program | undefined;
  for (const frame of frames) {
    if (frame.streamType !== 1) {
      current =
        frame.substreamId === programs.length
          ? { independent: frame, dependents: 0, locations: 0 }
          : undefined;
      if (current !== undefined) programs.push(current);
    } else if (current !== undefined && frame.substreamId === current.dependents) {
      current.dependents++;
      current.locations |= chanLoc(frame.channelMap);
    }
  }
  return programs.slice(0, 8);
}

function chanLoc(channelMap: number): number {
  let locations = 0;
  LOCATION_MAP_BITS.forEach((mapBit, bit) => {
    if ((channelMap >> (15 - mapBit)) & 1) locations |= 1 << bit;
  });
  return locations;
}

/**
 * Parses the payload of a `dec3` box, of its first program. `sampleRate` is 0 for the half rates (fscod 3), which only
 * the frames tell apart.
 * Throws: CODEC_BAD_CONFIG. Spec: ETSI TS 102 366 section F.6.
 */
export function parseEac3Config(bytes: Uint8Array): Ac3Config {
  if (bytes.byteLength < 5) throw badConfig("eac3", "dec3 is cut off");
  const bits = new BitReader(bytes);
  const bitrateBps = bits.read(13) * 1000;
  bits.skip(3); // num_ind_sub
  const sampleRate = SAMPLE_RATES[bits.read(2)];
  bits.skip(5 + 2 + 3); // bsid, reserved, asvc, bsmod
  let channels = MODE_CHANNELS[bits.read(3)]! + bits.read(1);
  bits.skip(3);
  if (bits.read(4) > 0) {
    const locations = bits.read(9);
    LOCATION_CHANNELS.forEach((count, bit) => {
      if ((locations >> bit) & 1) channels += count;
    });
  }
  if (bits.isExhausted) throw badConfig("eac3", "dec3 is cut off");
  return { sampleRate: sampleRate ?? 0, channels, bitrateBps };
}
