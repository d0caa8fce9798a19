import { silentFrameOf } from "../../codecs/silence.ts";
import type { SilentFrame } from "../../codecs/silence.ts";
import { MICROSECONDS, rescale, ticksToUs, usToTicks } from "../../base/time.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { Track } from "../../media/track.ts";
import { Segmenter } from "../segmenter.ts";
import { SilentGrid } from "./silent-grid.ts";

/** Sound may be as far behind its pictures as a stream's timeline allows, and is waited for so much longer. */
const MAX_KNOWN_LAG_US = 10_000_000;
const LAG_MARGIN_US = Segmenter.MAX_LAG_US / 2;

/** Frames for a time that was filled after which sound is taken to be back, or to be late. */
const PROOF_FRAMES = 8;

/** Filled at once: all that may be missing when filling begins, and no more, however far a clock jumped. */
const MAX_FILL_US = 15 * MICROSECONDS;

/** Where filling has come to, and for whom it is. */
export type FillPoint = Pick<MediaPacket, "epoch" | "arrivalUs"> & { readonly untilUs: number };

/**
 * One audio track and the silence that takes the place of what it lacks.
 *
 * Frames of silence lie on a `SilentGrid`: whoever sees the same pictures makes the same frames, wherever the sound ended
 * and whenever he began to listen. So there is less than a frame between sound and silence, and there is no drift.
 */
export class FilledTrack {
  readonly track: Track;
  /** The source says nothing of it: nothing is waited for. */
  readonly isKept: boolean;
  /** From the first frame that is filled to the first one of sound. */
  isSilent = false;
  readonly #frame: SilentFrame;
  readonly #grid: SilentGrid;
  readonly #frameUs: number;
  /** Behind the last frame that was filled; sound from before that is dropped. */
  #filledTicks = 0;
  /** Filling begins no earlier: behind what has come of the track, or where its pictures begin. */
  #fromTicks = 0;
  /** Where the track has come, as far as waiting for it is concerned. */
  #reachedUs = 0;
  /** How far its last frame was behind the pictures. */
  #lagUs = 0;
  #isFilling = false;
  /** Frames too late for the time that was filled, one soon after the other, and where the pictures were with the last. */
  #lateFrames = 0;
  #lateUs = 0;

  private constructor(track: Track, frame: SilentFrame, isKept: boolean, before: FilledTrack | null) {
    this.track = track;
    this.isKept = isKept;
    this.#frame = frame;
    this.#grid = new SilentGrid(frame, track.timescale);
    this.#frameUs = Math.ceil((frame.samples * MICROSECONDS) / frame.sampleRate);
    if (before === null) return;
    this.isSilent = before.isSilent;
    this.#filledTicks = moved(before.#filledTicks, before.track, track);
    this.#fromTicks = this.#filledTicks;
  }

  /** `before`: the same track in the set before. `null`: there is no silence of its codec. */
  static of(track: Track, isKept: boolean, before: FilledTrack | null): FilledTrack | null {
    const frame = track.kind === "audio" ? silentFrameOf(track) : null;
    return frame === null ? null : new FilledTrack(track, frame, isKept, before);
  }

  /** What a frame of silence lasts, rounded up. Units: microseconds. */
  get frameUs(): number {
    return this.#frameUs;
  }

  /** The pictures begin, or go on behind a hole: what is missing in front of that is not filled. */
  begin(us: number): void {
    this.#reachedUs = Math.max(this.#reachedUs, us);
    this.#fromTicks = Math.max(this.#fromTicks, usToTicks(us, this.track.timescale));
    this.#isFilling ||= this.isKept;
  }

  /**
   * The pictures have come to `us`. Returns: whether silence is to be filled up to there: the track is as far behind them as
   * a segment waits for it.
   */
  isMissingAt(us: number): boolean {
    const patienceUs = Math.max(Segmenter.MAX_LAG_US, this.#lagUs + LAG_MARGIN_US);
    this.#isFilling ||= us - this.#reachedUs >= patienceUs;
    return this.#isFilling;
  }

  /** Its next frame of sound; `pictureUs`: where the pictures are. Returns: `false` when silence has taken its place. */
  take({ dts, durationTicks }: MediaPacket, pictureUs: number | null): boolean {
    const us = ticksToUs(dts, this.track.timescale);
    const nowUs = pictureUs ?? us;
    const isTooLate = dts < this.#filledTicks;
    if (isTooLate && this.#isFilling && this.#isStraggler(nowUs)) return false;
    this.#isFilling = false;
    this.#lateFrames = 0;
    this.#lagUs = Math.min(Math.max(0, nowUs - us), MAX_KNOWN_LAG_US);
    if (isTooLate) return false;
    this.#reachedUs = us;
    this.#fromTicks = dts + (durationTicks || this.#grid.ticksOf(1));
    this.isSilent = false;
    return true;
  }

  /** A few frames for a time that was filled are what an encoder had left when it stopped; more are sound that is late. */
  #isStraggler(nowUs: number): boolean {
    if (nowUs - this.#lateUs > Segmenter.MAX_LAG_US) this.#lateFrames = 0;
    this.#lateUs = nowUs;
    return ++this.#lateFrames < PROOF_FRAMES;
  }

  /** Appends the frames of silence that begin in front of `untilUs`. */
  fill(into: MediaPacket[], { untilUs, epoch, arrivalUs }: FillPoint): void {
    const { track } = this;
    const firstTicks = usToTicks(untilUs - MAX_FILL_US, track.timescale);
    let index = this.#grid.indexFrom(Math.max(this.#fromTicks, firstTicks));
    for (; ; index++) {
      const dts = this.#grid.ticksOf(index);
      if (ticksToUs(dts, track.timescale) >= untilUs) return;
      const durationTicks = this.#grid.ticksOf(index + 1) - dts;
      const { payload } = this.#frame;
      into.push({
        ...{ track, dts, pts: dts, durationTicks, epoch, arrivalUs, payload },
        isSync: true,
        startsGop: false,
        slab: null,
      });
      this.#filledTicks = dts + durationTicks;
      this.#fromTicks = this.#filledTicks;
      this.#reachedUs = ticksToUs(dts, track.timescale);
      this.isSilent = true;
    }
  }
}

/** Ticks of a track's clock on that of another one, no earlier. */
function moved(ticks: number, from: Track, to: Track): number {
  return from.timescale === to.timescale ? ticks : rescale(ticks, from.timescale, to.timescale) + 1;
}
