import { SENT_CHUNK_BYTES } from "./from-stream.ts";
import type { AmfValue } from "./wire/amf-value.ts";
import { writtenMessageBytes, writtenTimestampMs, writtenTypeId } from "./wire/chunk-writer.ts";
import { MESSAGE } from "./wire/messages.ts";

/**
 * How much of the stream a `play` command asks for.
 *
 * The specification counts `start` and `duration` in seconds, but Flash and librtmp send milliseconds: rtmpdump's
 * `--live --stop 5` is `-1000, 5000`. So it is milliseconds, unless `start` is one of the specification's own words
 * for "live" in its own unit, -1 or -2.
 * Returns: milliseconds, or `null` for what plays on to the end: no number, zero or less.
 * Spec: Adobe RTMP 1.0 section 7.2.2.1.
 */
export function playDurationMs(args: readonly AmfValue[]): number | null {
  const [, start, duration] = args;
  if (typeof duration !== "number" || !Number.isFinite(duration) || duration <= 0) return null;
  return start === -1 || start === -2 ? duration * 1000 : duration;
}

/**
 * Where in a recording a `play` command asks to begin. Units: milliseconds, as Flash and librtmp send it; 0 for the words
 * for "live". Spec: Adobe RTMP 1.0 section 7.2.2.1.
 */
export function playStartMs(args: readonly AmfValue[]): number {
  const [, start] = args;
  return typeof start === "number" && Number.isFinite(start) ? Math.max(0, start) : 0;
}

/** Ends a player's stream of bytes after so much stream time, by the timestamps of the media and configurations in it. */
export class PlayDuration {
  readonly #durationMs: number;
  #playedMs = 0;
  #lastTimestampMs: number | null = null;
  #isOver = false;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** True once a message came that lies beyond the duration. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many of the bytes, whole messages as `rtmpFormat` makes them, lie within the duration. */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.byteLength) {
      if (!this.#passes(bytes, at)) return at;
      at += writtenMessageBytes(bytes, at, SENT_CHUNK_BYTES);
    }
    return bytes.byteLength;
  }

  /** The player paused: the stream time until it goes on does not count. */
  interrupt(): void {
    this.#lastTimestampMs = null;
  }

  /** Metadata has no time. */
  #passes(bytes: Uint8Array, at: number): boolean {
    if (writtenTypeId(bytes, at) === MESSAGE.dataAmf0) return !this.#isOver;
    return this.#advance(writtenTimestampMs(bytes, at));
  }

  #advance(timestampMs: number): boolean {
    // A signed difference, so that neither the clock's wrap nor a track that lags a little counts as weeks.
    if (this.#lastTimestampMs !== null) this.#playedMs += (timestampMs - this.#lastTimestampMs) | 0;
    this.#lastTimestampMs = timestampMs;
    this.#isOver ||= this.#playedMs >= this.#durationMs;
    return !this.#isOver;
  }
}
