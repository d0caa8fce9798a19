import { concatBytes, readU32, writeU32 } from "../../base/bytes.ts";
import { H264_NAL, h264NalType } from "../../codecs/h264/access-unit.ts";
import { parseAvcConfig } from "../../codecs/h264/avc-config.ts";
import { H265_NAL, h265NalType } from "../../codecs/h265/access-unit.ts";
import { parseHevcConfig } from "../../codecs/h265/hevc-config.ts";
import { NAL_LENGTH_BYTES, nalUnitEnd } from "../../codecs/nal-units.ts";
import type { Track } from "../../media/track.ts";

/** Access unit delimiters that allow every kind of picture. Spec: ITU-T H.264 section 7.3.2.4; H.265 section 7.3.2.5. */
const H264_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0);
const H265_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50);

/**
 * Writes length-prefixed access units as a transport stream wants them: Annex B, an access unit delimiter in front, and
 * parameter sets behind it in every random access point that has none of its own.
 *
 * Call `measure`, then `write` for the same payload.
 * Spec: ISO/IEC 13818-1 section 2.14 (H.264), 2.17 (H.265); ETSI TS 101 154 sections 5.5.1, 5.14.1.
 */
export class AccessUnitWriter {
  readonly #isH265: boolean;
  readonly #delimiter: Uint8Array;
  /** Delimiter and parameter sets. */
  readonly #start: Uint8Array;
  #prefix: Uint8Array;
  /** Bytes of the payload's own delimiter, which is left out. */
  #skipBytes = 0;

  /** Throws: CODEC_BAD_CONFIG. */
  constructor(track: Track) {
    this.#isH265 = track.codec === "h265";
    this.#delimiter = this.#isH265 ? H265_DELIMITER : H264_DELIMITER;
    this.#start = concatBytes([this.#delimiter, ...parameterSets(track).flatMap(withStartCode)]);
    this.#prefix = this.#delimiter;
  }

  /** Bytes that `write` will write; 0 when the lengths in the payload do not add up or it is empty. */
  measure(payload: Uint8Array, isSync: boolean): number {
    let hasSets = false;
    this.#skipBytes = 0;
    for (let at = 0, end = 0; at < payload.byteLength; at = end) {
      end = nalUnitEnd(payload, at);
      if (end < 0) return 0;
      const start = at + NAL_LENGTH_BYTES;
      if (start === end) continue;
      if (at === 0 && this.#isDelimiter(payload[start]!)) this.#skipBytes = end;
      else hasSets ||= this.#isSps(payload[start]!);
    }
    this.#prefix = isSync && !hasSets ? this.#start : this.#delimiter;
    const ownBytes = payload.byteLength - this.#skipBytes;
    return ownBytes === 0 ? 0 : this.#prefix.byteLength + ownBytes;
  }

  /** Writes what was measured. */
  write(out: Uint8Array, at: number, payload: Uint8Array): void {
    const skipBytes = this.#skipBytes;
    out.set(this.#prefix, at);
    const base = at + this.#prefix.byteLength - skipBytes;
    out.set(skipBytes === 0 ? payload : payload.subarray(skipBytes), base + skipBytes);
    for (let from = skipBytes; from < payload.byteLength;) {
      writeU32(out, base + from, 1);
      from += NAL_LENGTH_BYTES + readU32(payload, from);
    }
  }

  #isDelimiter(header: number): boolean {
    return this.#isH265
      ? h265NalType(header) === H265_NAL.delimiter
      : h264NalType(header) === H264_NAL.delimiter;
  }

  #isSps(header: number): boolean {
    return this.#isH265 ? h265NalType(header) === H265_NAL.sps : h264NalType(header) === H264_NAL.sps;
  }
}

function parameterSets(track: Track): readonly Uint8Array[] {
  if (track.codec === "h265") {
    const { vps, sps, pps } = parseHevcConfig(track.config);
    return [...vps, ...sps, ...pps];
  }
  const { sps, pps } = parseAvcConfig(track.config);
  return [...sps, ...pps];
}

function withStartCode(unit: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(0, 0, 0, 1), unit];
}
