import { concatBytes, writeU32 } from "../../base/bytes.ts";
import { parseAvcConfig } from "../../codecs/h264/avc-config.ts";
import { parseHevcConfig } from "../../codecs/h265/hevc-config.ts";
import { NAL_LENGTH_BYTES } from "../../codecs/nal-units.ts";
import type { Track } from "../../media/track.ts";
import type { RangePlan } from "./range-plan.ts";

const NONE = new Uint8Array(0);

/**
 * What is put in front of the chunks of a video track that has several configurations: the parameter sets of each, as NAL
 * units of its first picture.
 *
 * By the standard the sample description says them, and does. But FFmpeg's demuxer, and with it much of what plays MP4,
 * takes the first description for all fragments, and would decode the pictures of one resolution with the parameter sets of
 * another. All chunks have them, so that a player may jump from any one to any other.
 */
export class InBandSets {
  /** By track and configuration; empty for tracks of one configuration. */
  readonly #sets: readonly (readonly Uint8Array[])[];
  readonly #plan: RangePlan;

  /** Throws: CODEC_BAD_CONFIG. */
  constructor(plan: RangePlan) {
    this.#plan = plan;
    this.#sets = plan.tracks.map(({ configs }) =>
      configs.length === 1 ? [] : configs.map(({ track }) => parameterSets(track)),
    );
  }

  /** What stands in front of the payload of a chunk. Shared: not to be written to. */
  of(chunk: number): Uint8Array {
    const { track, config } = this.#plan.chunks;
    return this.#sets[track[chunk]!]![config[chunk]!] ?? NONE;
  }

  /** A chunk with what is put into it. */
  sizeOf(chunk: number): number {
    return this.#plan.chunks.size[chunk]! + this.of(chunk).byteLength;
  }
}

/**
 * The parameter sets of a track's configuration as NAL units behind their lengths; none for codecs that have them elsewhere.
 *
 * Throws: CODEC_BAD_CONFIG. Spec: ISO/IEC 14496-15 sections 5.3.3, 8.3.3.
 */
export function parameterSets({ codec, config }: Track): Uint8Array {
  if (codec === "h264") {
    const { sps, pps } = parseAvcConfig(config);
    return lengthPrefixed([...sps, ...pps]);
  }
  if (codec !== "h265") return NONE;
  const { vps, sps, pps } = parseHevcConfig(config);
  return lengthPrefixed([...vps, ...sps, ...pps]);
}

function lengthPrefixed(units: readonly Uint8Array[]): Uint8Array {
  const prefixed = units.flatMap((unit) => {
    const length = new Uint8Array(NAL_LENGTH_BYTES);
    writeU32(length, 0, unit.byteLength);
    return [length, unit];
  });
  return concatBytes(prefixed);
}
