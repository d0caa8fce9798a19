import { equalBytes } from "../../base/bytes.ts";
import { annexBToLengthPrefixed } from "../../codecs/nal-units.ts";
import { findH264ParameterSets, isH264RandomAccess } from "../../codecs/h264/access-unit.ts";
import { buildAvcConfig } from "../../codecs/h264/avc-config.ts";
import { findH265ParameterSets, isH265RandomAccess } from "../../codecs/h265/access-unit.ts";
import { buildHevcConfig } from "../../codecs/h265/hevc-config.ts";
import { buildTrack } from "../../codecs/track.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import type { ElementaryReader, PacketTaker } from "./elementary-reader.ts";
import { brokenPes } from "./elementary-reader.ts";
import { TS_TIMESCALE } from "./layout.ts";
import type { PesPayload } from "./pes-assembler.ts";

const NO_CONFIG = new Uint8Array(0);

/**
 * Makes packets of the PES packets of an H.264 or H.265 stream, one access unit each, as muxers write them.
 *
 * Parameter sets make the track; they stay in the payloads as well. What comes before the first ones is dropped.
 */
export class PictureReader implements ElementaryReader {
  readonly #pid: number;
  readonly #id: TrackId;
  readonly #codec: "h264" | "h265";
  readonly #take: PacketTaker;
  #track: Track | null = null;
  #config: Uint8Array = NO_CONFIG;

  constructor(pid: number, id: TrackId, codec: "h264" | "h265", take: PacketTaker) {
    this.#pid = pid;
    this.#id = id;
    this.#codec = codec;
    this.#take = take;
  }

  get track(): Track | null {
    return this.#track;
  }

  /** Throws: TS_PES_BROKEN, CODEC_BAD_CONFIG, CODEC_UNSUPPORTED, CODEC_TOO_BIG. */
  pes(pes: PesPayload, pts: number | null, dts: number | null): void {
    if (pts === null || dts === null) throw brokenPes(this.#pid, "an access unit has no time");
    const payload = annexBToLengthPrefixed(pes.bytes.subarray(pes.from, pes.to));
    if (payload === null) throw brokenPes(this.#pid, "an access unit has no NAL unit");
    const isSync = this.#codec === "h264" ? isH264RandomAccess(payload) : isH265RandomAccess(payload);
    this.#configure(payload);
    if (this.#track === null) throw brokenPes(this.#pid, "an access unit before the first parameter sets");
    this.#take({ track: this.#track, dts, pts, durationTicks: 0, isSync, payload });
  }

  /** An access unit stands in one PES packet: nothing is kept between two. */
  lost(): void {}

  end(): void {}

  #configure(payload: Uint8Array): void {
    const config = this.#codec === "h264" ? avcConfigIn(payload) : hevcConfigIn(payload);
    if (config === null || equalBytes(config, this.#config)) return;
    this.#track = buildTrack({ id: this.#id, codec: this.#codec, config, timescale: TS_TIMESCALE });
    this.#config = config;
  }
}

/** The record of the parameter sets in an access unit; `null` when they are not complete. */
function avcConfigIn(payload: Uint8Array): Uint8Array | null {
  const { sps, pps } = findH264ParameterSets(payload);
  return sps.length === 0 || pps.length === 0 ? null : buildAvcConfig(distinct(sps), distinct(pps));
}

function hevcConfigIn(payload: Uint8Array): Uint8Array | null {
  const { vps, sps, pps } = findH265ParameterSets(payload);
  if (vps.length === 0 || sps.length === 0 || pps.length === 0) return null;
  return buildHevcConfig({ vps: distinct(vps), sps: distinct(sps), pps: distinct(pps) });
}

/** Some encoders repeat a parameter set within an access unit. */
function distinct(sets: readonly Uint8Array[]): Uint8Array[] {
  return sets.filter((set, i) => sets.findIndex((other) => equalBytes(other, set)) === i);
}
