import {
  ADTS_HEADER_BYTES,
  MAX_ADTS_FRAME_BYTES,
  buildAdtsHeader,
  setAdtsLength,
} from "../../codecs/aac/adts.ts";
import { parseAacConfig } from "../../codecs/aac/audio-specific-config.ts";
import { frameDurationTicks } from "../../codecs/track.ts";
import type { Track } from "../../media/track.ts";
import { toTsTicks } from "./timestamps.ts";

/** Most bytes of one PES packet's frames: its length field has 16 bits, its header takes some. */
export const MAX_AUDIO_PES_BYTES = 0xffff - 32;

const FIRST_BUFFER_BYTES = 4096;
/** Frames that follow each other this closely are one piece. Units: 90 kHz ticks. */
const SEAM_TICKS = 900;

/**
 * Gathers frames of one audio track, framed for a transport stream, until there are enough for a PES packet.
 *
 * AAC gets ADTS headers, Opus its control header; MP3 and AC-3 carry headers of their own.
 * Ownership: frames are copied; `bytes` is good until the next `add`.
 * Spec: ISO/IEC 14496-3 section 1.A.3.2; Opus in MPEG-2 TS, section on access units.
 */
export class AudioGatherer {
  readonly #track: Track;
  readonly #adts: Uint8Array | null;
  readonly #isOpus: boolean;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #lengthBytes = 0;
  #pts = 0;
  #endPts = 0;

  /** Throws: CODEC_BAD_CONFIG. */
  constructor(track: Track) {
    this.#track = track;
    this.#adts = track.codec === "aac" ? buildAdtsHeader(parseAacConfig(track.config)) : null;
    this.#isOpus = track.codec === "opus";
  }

  /** Bytes gathered; 0 when there is nothing to write. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Where the gathered bytes are, from offset 0 on. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Time of the first gathered frame. Units: 90 kHz ticks, not wrapped. */
  get pts(): number {
    return this.#pts;
  }

  /** How long what is gathered lasts. Units: 90 kHz ticks. */
  get lastsTicks(): number {
    return this.#endPts - this.#pts;
  }

  /** Whether the frame, at a time, goes into the same PES packet as what is gathered. */
  follows(payload: Uint8Array, pts: number): boolean {
    if (this.#lengthBytes === 0) return true;
    const fits = this.#lengthBytes + this.#framedBytes(payload) <= MAX_AUDIO_PES_BYTES;
    return fits && Math.abs(pts - this.#endPts) <= SEAM_TICKS;
  }

  /** Whether a frame can be carried at all, by its length. */
  accepts(payload: Uint8Array): boolean {
    if (payload.byteLength === 0) return false;
    const framedBytes = this.#framedBytes(payload);
    return framedBytes <= (this.#adts === null ? MAX_AUDIO_PES_BYTES : MAX_ADTS_FRAME_BYTES);
  }

  /** Adds a frame that `accepts` and `follows` said yes to. */
  add(payload: Uint8Array, pts: number): void {
    if (this.#lengthBytes === 0) this.#pts = pts;
    this.#endPts = pts + toTsTicks(frameDurationTicks(this.#track, payload), this.#track.timescale);
    const framedBytes = this.#framedBytes(payload);
    this.#makeRoom(framedBytes);
    const at = this.#lengthBytes;
    this.#lengthBytes = at + framedBytes;
    this.#buffer.set(payload, this.#lengthBytes - payload.byteLength);
    if (this.#adts !== null) {
      this.#buffer.set(this.#adts, at);
      setAdtsLength(this.#buffer, at, framedBytes);
    } else if (this.#isOpus) writeOpusControl(this.#buffer, at, payload.byteLength);
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#lengthBytes = 0;
  }

  #framedBytes(payload: Uint8Array): number {
    if (this.#adts !== null) return ADTS_HEADER_BYTES + payload.byteLength;
    return this.#isOpus ? opusControlBytes(payload.byteLength) + payload.byteLength : payload.byteLength;
  }

  #makeRoom(moreBytes: number): void {
    const needed = this.#lengthBytes + moreBytes;
    if (needed <= this.#buffer.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
    grown.set(this.#buffer.subarray(0, this.#lengthBytes));
    this.#buffer = grown;
  }
}

function opusControlBytes(payloadBytes: number): number {
  return 3 + Math.floor(payloadBytes / 255);
}

/** opus_control_header: an 11-bit prefix, no trimming, and the length in steps of 255. */
function writeOpusControl(out: Uint8Array, at: number, payloadBytes: number): void {
  out[at] = 0x7f;
  out[at + 1] = 0xe0;
  let to = at + 2;
  let rest = payloadBytes;
  for (; rest >= 255; rest -= 255) out[to++] = 255;
  out[to] = rest;
}
