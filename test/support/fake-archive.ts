/** What was recorded of a stream, in memory, for tests of what plays stretches of it. */
import { InitSegments } from "../../src/packaging/init-segments.ts";
import type { Mutability, Presentation, SegmentEntry } from "../../src/packaging/presentation.ts";
import type { TimeSpan } from "../../src/packaging/time-span.ts";
import type { TrackSet } from "../../src/media/track.ts";
import { trackSet } from "./media.ts";
import { CLOCK_START_US, segmentEntry } from "./presentation.ts";

/** The media clock of the first segment, in seconds. */
export const ARCHIVE_START_S = CLOCK_START_US / 1_000_000;

/** Each segment lasts so long, unless its stretch says something else. */
const SEGMENT_US = 2_000_000;

/** A window that stays behind now has so many segments. */
const SHIFTED_SEGMENTS = 5;

/** What was recorded one behind the other. */
export type RecordedStretch = {
  readonly segments: number;
  /** How long nothing was recorded before it, in seconds; not at all unless given. */
  readonly gapS?: number;
  /** The timeline breaks before it, as when the server was started again; where there is a gap it does in any case. */
  readonly isBreak?: boolean;
  /** Of the one before unless given. */
  readonly tracks?: TrackSet;
  /** There is sound unless told. */
  readonly hasSound?: boolean;
  readonly segmentUs?: number;
};

/** A recording that goes on: its presentations are of what it had when they were asked for. */
export class FakeArchive {
  readonly segments: SegmentEntry[] = [];
  readonly #inits = new InitSegments();
  #tracks = trackSet();
  #hasSound = true;
  #nowUs = CLOCK_START_US;
  #discontinuities = 0;
  /** Of the archive up to each segment, and with it. */
  readonly #counts: number[] = [];

  /** Where the newest segment ends. Seconds since 1970. */
  get nowS(): number {
    return this.#nowUs / 1_000_000;
  }

  /** Records one stretch after the other; `onSegment` is called behind each segment. */
  record(stretches: readonly RecordedStretch[], onSegment: () => void = () => {}): this {
    for (const stretch of stretches) {
      const { gapS = 0, tracks = this.#tracks, hasSound = true } = stretch;
      const isBreak = gapS > 0 || stretch.isBreak === true;
      const isOther = isBreak || tracks !== this.#tracks || hasSound !== this.#hasSound;
      this.#nowUs += gapS * 1_000_000;
      this.#tracks = tracks;
      this.#hasSound = hasSound;
      const stretchStartUs =
        isOther || this.segments.length === 0 ? this.#nowUs : this.segments.at(-1)!.stretchStartUs;
      for (let index = 0; index < stretch.segments; index++) {
        this.#add(stretch, isBreak && index === 0 && this.segments.length > 0, stretchStartUs);
        onSegment();
      }
    }
    return this;
  }

  #add({ segmentUs = SEGMENT_US }: RecordedStretch, discontinuity: boolean, stretchStartUs: number): void {
    const sounds = this.#hasSound;
    if (discontinuity) this.#discontinuities++;
    this.#counts.push(this.#discontinuities);
    this.segments.push(
      segmentEntry(this.segments.length, {
        startUs: this.#nowUs,
        durationUs: segmentUs,
        utcUs: this.#nowUs,
        tracks: this.#tracks,
        discontinuity,
        stretchStartUs,
        trackBytes: (id) => (id.startsWith("v") ? 500_000 : sounds ? 32_000 : 0),
        trackSamples: (id) => (id.startsWith("v") ? 50 : sounds ? 94 : 0),
        trackUs: (id) => (id.startsWith("v") || sounds ? segmentUs : 0),
      }),
    );
    this.#nowUs += segmentUs;
  }

  /** The presentation of a span as it is now; `null` where nothing was recorded in it. */
  present(span: TimeSpan): Presentation | null {
    const segments = this.#segmentsOf(span);
    const first = segments[0];
    if (first === undefined) return null;
    const before = this.#counts[this.segments.indexOf(first)]! - (first.discontinuity ? 1 : 0);
    const timeline = {
      tracks: segments.at(-1)!.tracks,
      mutability: this.#mutabilityOf(span),
      segments,
      discontinuitySequence: before,
      targetDurationUs: SEGMENT_US,
    };
    return {
      version: null,
      timeline: () => timeline,
      initName: (tracks, selection) => this.#inits.nameOf(tracks, selection),
      initSegment: (name, selection) => this.#inits.find(name, selection),
      segment: (name) =>
        this.segments.some((segment) => segment.name === name) ? [Uint8Array.of(1, 2)] : null,
    };
  }

  #segmentsOf(span: TimeSpan): SegmentEntry[] {
    switch (span.kind) {
      case "archive": {
        const endUs = span.durationS === null ? Infinity : (span.fromS + span.durationS) * 1_000_000;
        return this.segments.filter(({ startUs }) => startUs >= span.fromS * 1_000_000 && startUs < endUs);
      }
      case "timeshift_abs":
        return this.segments.filter(({ startUs }) => startUs >= span.fromS * 1_000_000);
      case "rewind":
        return this.segments.filter(({ startUs }) => startUs >= this.#nowUs - span.agoS * 1_000_000);
      case "timeshift_rel": {
        const edgeUs = this.#nowUs - span.agoS * 1_000_000;
        return this.segments
          .filter(({ startUs, durationUs }) => startUs + durationUs <= edgeUs)
          .slice(-SHIFTED_SEGMENTS);
      }
    }
  }

  #mutabilityOf(span: TimeSpan): Mutability {
    if (span.kind === "rewind" || span.kind === "timeshift_rel") return "live";
    if (span.kind === "timeshift_abs" || span.durationS === null) return "event";
    return this.nowS >= span.fromS + span.durationS ? "static" : "event";
  }
}
