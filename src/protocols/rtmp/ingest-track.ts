import { equalBytes } from "../../base/bytes.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Slab } from "../../base/slab-allocator.ts";
import { rescale } from "../../base/time.ts";
import { isAv1RandomAccess, stripTemporalDelimiters } from "../../codecs/av1/obu.ts";
import { isH264RandomAccess } from "../../codecs/h264/access-unit.ts";
import { isH265RandomAccess } from "../../codecs/h265/access-unit.ts";
import { isLengthPrefixed, toFourByteLengths } from "../../codecs/nal-units.ts";
import { buildTrack, frameDurationTicks } from "../../codecs/track.ts";
import { nalLengthSize } from "../../codecs/track-facts.ts";
import { badUnit } from "../../codecs/errors.ts";
import type { FrameUnit } from "../../containers/flv/tag-unit.ts";
import type { TrackId } from "../../media/ids.ts";
import type { SourcePacket } from "../../media/packet.ts";
import type { Codec, Track } from "../../media/track.ts";
import { AudioGrid } from "../../stream/audio-grid.ts";

/** Ticks per second of video: milliseconds become ticks exactly. */
const VIDEO_TIMESCALE = 90_000;
const NANOSECONDS = 1_000_000_000;
const NO_CONFIG = new Uint8Array(0);
/** Codecs whose frames tell what others put into a sequence header. */
const SELF_DESCRIBING: ReadonlySet<Codec> = new Set<Codec>(["mp3", "ac3", "eac3"]);

/** Bytes of the longest header that `frameKey` looks at. */
const MIN_HEADER_BYTES = 7;

/** One track of a publisher: its configuration as last sent, and the times of its packets. */
export class IngestTrack {
  readonly #id: TrackId;
  #track: Track | null = null;
  #sentConfig: Uint8Array = NO_CONFIG;
  #nalLengthSize = 4;
  #grid: AudioGrid | null = null;
  #lastDts: number | null = null;

  constructor(id: TrackId) {
    this.#id = id;
  }

  /** The track, or `null` while its configuration is not known. */
  get track(): Track | null {
    return this.#track;
  }

  /**
   * Takes a sequence header. Returns: true when the track is new or not as it was.
   * Throws: CODEC_BAD_CONFIG, CODEC_UNSUPPORTED.
   */
  configure(codec: Codec, config: Uint8Array): boolean {
    if (this.#track?.codec === codec && equalBytes(this.#sentConfig, config)) return false;
    this.#adopt(buildTrack({ id: this.#id, codec, config }));
    this.#nalLengthSize = nalLengthSize(codec, config);
    this.#sentConfig = config.slice();
    return true;
  }

  /**
   * Takes the first frame, or any later one, of a codec without sequence headers.
   * Returns: true when that made or changed the track. Throws: CODEC_BAD_UNIT.
   */
  configureFromFrame(unit: FrameUnit): boolean {
    if (!SELF_DESCRIBING.has(unit.codec)) return false;
    if (unit.payload.byteLength < MIN_HEADER_BYTES) throw badUnit(unit.codec, "the frame is cut off");
    const key = frameKey(unit);
    if (this.#track?.codec === unit.codec && equalBytes(this.#sentConfig, key)) return false;
    this.#adopt(this.#trackOfFrame(unit));
    this.#sentConfig = key;
    return true;
  }

  /** A frame that tells nothing is a broken frame, not a broken configuration: the next one may be whole. */
  #trackOfFrame({ codec, payload }: FrameUnit): Track {
    try {
      return buildTrack({ id: this.#id, codec, config: NO_CONFIG, firstFrame: payload });
    } catch (caught) {
      if (asMediaError(caught) === null) throw caught;
      throw badUnit(codec, messageOf(caught));
    }
  }

  #adopt(track: Track): void {
    if (this.#track?.timescale !== track.timescale) {
      this.#grid = track.kind === "audio" ? new AudioGrid(track.timescale) : null;
      this.#lastDts = null;
    }
    this.#track = track;
    this.#nalLengthSize = 4;
  }

  /**
   * Makes the packet of a frame, or `null` when the track is not known or the frame is of another codec.
   * Ownership: the packet's payload is a view of the message, which is a part of `slab`, or a copy where lengths had
   * to be rewritten.
   * Throws: CODEC_BAD_UNIT.
   */
  packet(unit: FrameUnit, timeMs: number, slab: Slab | null): SourcePacket | null {
    const track = this.#track;
    if (track === null || track.codec !== unit.codec) return null;
    if (track.kind === "video") return this.#picture(track, unit, timeMs, slab);
    return this.#sound(track, unit, timeMs, slab);
  }

  #sound(track: Track, unit: FrameUnit, timeMs: number, slab: Slab | null): SourcePacket {
    const durationTicks = frameDurationTicks(track, unit.payload);
    const timeUs = timeMs * 1000 + Math.round(unit.nanoOffset / 1000);
    const dts = this.#grid!.place(timeUs, durationTicks);
    return { track, dts, pts: dts, durationTicks, isSync: true, payload: unit.payload, slab };
  }

  #picture(track: Track, unit: FrameUnit, timeMs: number, slab: Slab | null): SourcePacket {
    const payload = this.#accessUnit(track, unit.payload);
    const stated = rescale(timeMs, 1000, VIDEO_TIMESCALE);
    const offset = rescale(unit.ctsOffsetMs, 1000, VIDEO_TIMESCALE);
    const dts = this.#behindLast(stated);
    // Two pictures in one millisecond keep their order; the second is not shown before it is decoded.
    const pts = Math.max(dts, stated + offset + rescale(unit.nanoOffset, NANOSECONDS, VIDEO_TIMESCALE));
    return { track, dts, pts, durationTicks: 0, isSync: isRandomAccess(track, payload), payload, slab };
  }

  #accessUnit(track: Track, payload: Uint8Array): Uint8Array {
    if (track.codec === "av1") return stripTemporalDelimiters(payload);
    if (this.#nalLengthSize !== 4) return toFourByteLengths(payload, this.#nalLengthSize);
    if (!isLengthPrefixed(payload)) throw badUnit(track.codec, "its NAL unit lengths do not add up");
    return payload;
  }

  /** Repeated times are moved on by a tick; a step back of a second or more is a new timeline and stands. */
  #behindLast(stated: number): number {
    const last = this.#lastDts;
    const follows = last === null || stated > last || stated <= last - VIDEO_TIMESCALE;
    this.#lastDts = follows ? stated : last + 1;
    return this.#lastDts;
  }
}

/** The bitstream decides, not the tag's flag: encoders mark pictures as key frames that are none, and the reverse. */
function isRandomAccess(track: Track, payload: Uint8Array): boolean {
  if (track.codec === "h264") return isH264RandomAccess(payload);
  if (track.codec === "h265") return isH265RandomAccess(payload);
  return isAv1RandomAccess(payload);
}

/**
 * The header bits that must stay the same within a track: for MP3 version, layer, sampling rate and mono or not
 * (ISO/IEC 11172-3 section 2.4.1.3), for AC-3 fscod and bsid (ETSI TS 102 366 section 4.3).
 */
function frameKey({ codec, payload }: FrameUnit): Uint8Array {
  const [b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = payload.subarray(1);
  if (codec === "mp3") return new Uint8Array([b1 & 0xfe, b2 & 0x0c, b3 >>> 6 === 3 ? 1 : 0]);
  return new Uint8Array([b4 & 0xc0, b5 >>> 3, codec === "ac3" ? b6 >>> 5 : b4 & 0x0f]);
}
