import { concatBytes } from "../../base/bytes.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import { rescale } from "../../base/time.ts";
import { buildTrack, frameDurationTicks } from "../../codecs/track.ts";
import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import type { AudioFrame, AudioFraming } from "./audio-frames.ts";
import type { ElementaryReader, PacketTaker } from "./elementary-reader.ts";
import { brokenPes } from "./elementary-reader.ts";
import { TS_TIMESCALE } from "./layout.ts";
import type { PesPayload } from "./pes-assembler.ts";
import type { StreamCodec } from "./stream-codec.ts";

/** Longest beginning of a frame that is kept: whole frames of AAC have under 8 KB, of E-AC-3 and Opus under 16. */
export const MAX_AUDIO_FRAME_BYTES = 16 * 1024;

/**
 * A stated time that is no further than this from where the last frame ended is rounding, and the frame stands there:
 * times at 90 kHz are not multiples of samples, and some muxers round to milliseconds. Units: parts of a second.
 */
const SEAM_PARTS = 400;

/**
 * Splits an audio stream into frames, also where they go across PES packets.
 *
 * A PES packet's time is that of the first frame that begins in it; the frames behind it follow by their own lengths, on
 * the grid of samples. What is no frame is skipped up to the next one.
 * Spec: ISO/IEC 13818-1 section 2.4.3.7 (PTS).
 */
export class SoundReader implements ElementaryReader {
  readonly #pid: number;
  readonly #id: TrackId;
  readonly #stream: StreamCodec;
  readonly #framing: AudioFraming;
  readonly #take: PacketTaker;
  #track: Track | null = null;
  #key: number | null = null;
  /** The beginning of a frame, and the time that was stated for it. */
  #rest: Uint8Array = new Uint8Array(0);
  #restPts: number | null = null;
  /** Where the next frame begins, in ticks of the track; `null` when only a stated time can tell. */
  #nextDts: number | null = null;

  constructor(pid: number, id: TrackId, stream: StreamCodec, framing: AudioFraming, take: PacketTaker) {
    this.#pid = pid;
    this.#id = id;
    this.#stream = stream;
    this.#framing = framing;
    this.#take = take;
  }

  get track(): Track | null {
    return this.#track;
  }

  /** Throws: TS_PES_BROKEN when something had to be skipped; all frames have been handed over then. */
  pes(pes: PesPayload, pts: number | null): void {
    const own = pes.bytes.subarray(pes.from, pes.to);
    const boundary = this.#rest.byteLength;
    const bytes = boundary === 0 ? own : concatBytes([this.#rest, own]);
    let stated = boundary === 0 ? pts : this.#restPts;
    let isOwnPts = boundary === 0;
    let skippedBytes = 0;
    let at = 0;
    let reason = "";
    while (at < bytes.byteLength) {
      if (!isOwnPts && at >= boundary) {
        stated = pts ?? stated;
        isOwnPts = true;
      }
      const frame = this.#frameAt(bytes, at);
      if (frame === null || (frame.key >= 0 && at + frame.frameBytes > bytes.byteLength)) break;
      if (frame.key < 0 || frame.frameBytes === 0) {
        const next = nextSync(bytes, at + 1, this.#framing.syncByte);
        skippedBytes += next - at;
        at = next;
        continue;
      }
      const { problem = null } = frame;
      reason = (problem ?? this.#frame(bytes, at, frame, stated)) || reason;
      // What is left out has a length that only its decoder knows.
      if (problem !== null) this.#nextDts = null;
      stated = null;
      at += frame.frameBytes;
    }
    if (bytes.byteLength - at > MAX_AUDIO_FRAME_BYTES) {
      skippedBytes += bytes.byteLength - at;
      at = bytes.byteLength;
    }
    this.#rest = bytes.slice(at);
    this.#restPts = this.#rest.byteLength > 0 ? stated : null;
    if (skippedBytes > 0)
      throw brokenPes(this.#pid, `${skippedBytes} bytes are no ${this.#stream.codec} frame`);
    if (reason !== "") throw brokenPes(this.#pid, reason);
  }

  lost(): void {
    this.#rest = new Uint8Array(0);
    this.#restPts = null;
    this.#nextDts = null;
  }

  end(): void {
    this.lost();
  }

  /** A frame that cannot be one has the key -1. */
  #frameAt(bytes: Uint8Array, at: number): AudioFrame | null {
    try {
      return this.#framing.read(bytes, at);
    } catch (caught) {
      if (asMediaError(caught) === null) throw caught;
      return NO_FRAME;
    }
  }

  /** Returns: why the frame was dropped, or `null`. */
  #frame(bytes: Uint8Array, at: number, frame: AudioFrame, stated: number | null): string | null {
    const payload = bytes.slice(at + frame.headerBytes, at + frame.frameBytes);
    const problem = frame.key === this.#key ? null : this.#configure(bytes, at, frame, payload);
    const track = this.#track;
    if (problem !== null || track === null) return problem;
    const dts = this.#place(track, stated);
    if (dts === null) return "a frame has no time";
    const durationTicks = frameDurationTicks(track, payload);
    this.#nextDts = durationTicks > 0 ? dts + durationTicks : null;
    this.#take({ track, dts, pts: dts, durationTicks, isSync: true, payload });
    return null;
  }

  #configure(bytes: Uint8Array, at: number, frame: AudioFrame, payload: Uint8Array): string | null {
    const { codec, language } = this.#stream;
    try {
      const own = this.#framing.config(bytes, at);
      const config = own.byteLength > 0 ? own : this.#stream.config;
      const track = buildTrack({ id: this.#id, codec, config, language, firstFrame: payload });
      if (this.#track?.timescale !== track.timescale) this.#nextDts = null;
      this.#track = track;
      this.#key = frame.key;
      return null;
    } catch (caught) {
      if (asMediaError(caught) === null) throw caught;
      return messageOf(caught);
    }
  }

  #place(track: Track, stated: number | null): number | null {
    const next = this.#nextDts;
    if (stated === null) return next;
    const dts = rescale(stated, TS_TIMESCALE, track.timescale);
    const isNear = next !== null && Math.abs(dts - next) * SEAM_PARTS <= track.timescale;
    return isNear ? next : dts;
  }
}

const NO_FRAME: AudioFrame = { headerBytes: 0, frameBytes: 0, key: -1 };

function nextSync(bytes: Uint8Array, from: number, syncByte: number): number {
  const at = bytes.indexOf(syncByte, from);
  return at < 0 ? bytes.byteLength : at;
}
