import { equalBytes } from "../../base/bytes.ts";
import { asMediaError } from "../../base/errors.ts";
import { annexBToLengthPrefixed } from "../../codecs/nal-units.ts";
import { findH264ParameterSets, isH264RandomAccess } from "../../codecs/h264/access-unit.ts";
import { buildAvcConfig } from "../../codecs/h264/avc-config.ts";
import { findH265ParameterSets, isH265RandomAccess } from "../../codecs/h265/access-unit.ts";
import { buildHevcConfig } from "../../codecs/h265/hevc-config.ts";
import { buildTrack } from "../../codecs/track.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import { AccessUnitSplitter } from "./access-unit-splitter.ts";
import type { PesTimes } from "./access-unit-splitter.ts";
import type { ElementaryReader, PacketTaker } from "./elementary-reader.ts";
import { brokenPes } from "./elementary-reader.ts";
import { TS_TIMESCALE } from "./layout.ts";
import type { PesPayload } from "./pes-assembler.ts";

const NO_CONFIG = new Uint8Array(0);

/**
 * Makes packets of an H.264 or H.265 stream, one access unit each, however they lie in PES packets.
 *
 * Parameter sets make the track; they stay in the payloads as well. What comes before the first ones is dropped. An
 * access unit without a time of its own follows the one before it at the distance that pictures had, or that the stream
 * says they have, and as far before its presentation: right in streams without reordering, near it in others.
 */
export class PictureReader implements ElementaryReader {
  readonly #pid: number;
  readonly #id: TrackId;
  readonly #codec: "h264" | "h265";
  readonly #take: PacketTaker;
  readonly #splitter: AccessUnitSplitter;
  #track: Track | null = null;
  #config: Uint8Array = NO_CONFIG;
  #lastDts: number | null = null;
  /** Of the last access unit with a time of its own, and how many have come since. */
  #statedDts: number | null = null;
  #sinceStated = 0;
  #ctsOffset = 0;
  /** Between access units, as stated times tell; 0 until they do. */
  #stepTicks = 0;
  #problem: Error | null = null;

  constructor(pid: number, id: TrackId, codec: "h264" | "h265", take: PacketTaker) {
    this.#pid = pid;
    this.#id = id;
    this.#codec = codec;
    this.#take = take;
    this.#splitter = new AccessUnitSplitter(codec, (bytes, from, to, times) => {
      this.#accessUnit(bytes.subarray(from, to), times);
    });
  }

  get track(): Track | null {
    return this.#track;
  }

  /**
   * Throws: TS_PES_BROKEN, CODEC_BAD_CONFIG, CODEC_UNSUPPORTED, CODEC_TOO_BIG for what had to be dropped; all else has
   * been handed over then.
   */
  pes(pes: PesPayload, pts: number | null, dts: number | null): void {
    const times = pts === null || dts === null ? null : { pts, dts };
    const droppedBytes = this.#splitter.push(pes.bytes, pes.from, pes.to, times);
    if (droppedBytes > 0) this.#problem ??= brokenPes(this.#pid, "a part of an access unit is missing");
    this.#report();
  }

  lost(): void {
    this.#splitter.lost();
  }

  /** Throws: what `pes` throws. */
  end(): void {
    this.#splitter.flush();
    this.#report();
  }

  #report(): void {
    const problem = this.#problem;
    this.#problem = null;
    if (problem !== null) throw problem;
  }

  #accessUnit(annexB: Uint8Array, stated: PesTimes | null): void {
    try {
      const times = this.#timesOf(stated);
      const payload = annexBToLengthPrefixed(annexB);
      if (payload === null) throw brokenPes(this.#pid, "an access unit has no NAL unit");
      this.#configure(payload);
      if (this.#track === null)
        throw brokenPes(this.#pid, "an access unit before the first parameter sets");
      const placed = times ?? this.#timesBehind(this.#track);
      this.#lastDts = placed.dts;
      const isSync = this.#codec === "h264" ? isH264RandomAccess(payload) : isH265RandomAccess(payload);
      this.#take({ track: this.#track, ...placed, durationTicks: 0, isSync, payload });
    } catch (caught) {
      if (asMediaError(caught) === null) throw caught;
      this.#problem ??= caught as Error;
    }
  }

  /** Learns from stated times; gives them back. */
  #timesOf(stated: PesTimes | null): PesTimes | null {
    this.#sinceStated++;
    if (stated === null) return null;
    if (this.#statedDts !== null) {
      const ticks = (stated.dts - this.#statedDts) / this.#sinceStated;
      if (ticks > 0 && ticks <= TS_TIMESCALE) this.#stepTicks = Math.round(ticks);
    }
    this.#statedDts = stated.dts;
    this.#sinceStated = 0;
    this.#ctsOffset = stated.pts - stated.dts;
    return stated;
  }

  /** The times of an access unit that has none of its own. */
  #timesBehind(track: Track): PesTimes {
    const told = track.frameRate > 0 ? Math.round(TS_TIMESCALE / track.frameRate) : 0;
    const stepTicks = this.#stepTicks || told;
    if (this.#lastDts === null || stepTicks === 0) throw brokenPes(this.#pid, "an access unit has no time");
    const dts = this.#lastDts + stepTicks;
    return { dts, pts: dts + this.#ctsOffset };
  }

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
