import { trackNumber } from "../../containers/mp4/track-number.ts";
import type { TrackId } from "../../media/ids.ts";
import type { TrackSet } from "../../media/track.ts";
import type { SegmentEntry } from "../../packaging/presentation.ts";
import { storedMediaFile } from "../format/fill.ts";
import type { NumberShift } from "../format/fill-numbers.ts";
import type { HourChunk, HourSegment } from "../format/hour-index.ts";
import type { HourView } from "./merged-hour.ts";

/** The hour of which a segment is. */
type OfHour = { readonly hour: number; readonly index: HourView; readonly shift: NumberShift };

/** A segment of an archive, as playlists know segments. */
export class ArchivedSegment implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent: boolean;
  /** Breaks of the archive up to and including it, as they were recorded. */
  readonly discontinuities: number;
  /** Its `discontinuity` is not among those: something in front of it is deleted. */
  readonly isBehindDeleted: boolean;
  /** Number of the media file within its hour. */
  readonly file: number;
  readonly #hour: OfHour;
  readonly #place: number;

  /** `stretchStartUs`: of the stretch that goes on from before it; `null`: it begins one. */
  constructor(
    hour: OfHour,
    place: number,
    facts: {
      readonly segment: HourSegment;
      readonly tracks: TrackSet;
      readonly stretchStartUs: number | null;
    },
  ) {
    const { segment, tracks, stretchStartUs } = facts;
    this.sequence = segment.ordinal + hour.shift.segments;
    this.name = segment.name;
    this.startUs = segment.startUs;
    this.durationUs = segment.durationUs;
    this.tracks = tracks;
    this.discontinuity = segment.discontinuity;
    this.stretchStartUs = stretchStartUs ?? segment.startUs;
    this.isIndependent = segment.independent;
    this.discontinuities = segment.discontinuities + hour.shift.breaks;
    this.isBehindDeleted = segment.isBehindDeleted;
    this.file = segment.file;
    this.#hour = hour;
    this.#place = place;
  }

  /** The same segment without the break that is in front of it only for what is deleted. */
  asRecorded(): ArchivedSegment {
    return this.#with({ discontinuity: false, isBehindDeleted: false }, this.stretchStartUs);
  }

  /** The same segment behind some that are gone: the timeline breaks, as it did not when it was recorded. */
  behindMissing(): ArchivedSegment {
    return this.#with({ discontinuity: true, isBehindDeleted: true }, null);
  }

  #with(
    breaks: Pick<HourSegment, "discontinuity" | "isBehindDeleted">,
    stretchStartUs: number | null,
  ): ArchivedSegment {
    const segment = { ...this.#hour.index.segment(this.#place), ...breaks };
    return new ArchivedSegment(this.#hour, this.#place, { segment, tracks: this.tracks, stretchStartUs });
  }

  /** The media clock is UTC. */
  get utcUs(): number {
    return this.startUs;
  }

  trackBytes(track: TrackId): number {
    return this.#chunks(track).reduce((sum, { size, headerBytes }) => sum + size - headerBytes, 0);
  }

  trackSamples(track: TrackId): number {
    return this.#chunks(track).reduce((sum, { samples }) => sum + samples, 0);
  }

  trackUs(track: TrackId): number {
    return this.#chunks(track).reduce((sum, { durationUs }) => sum + durationUs, 0);
  }

  /** Since 1970. */
  get hour(): number {
    return this.#hour.hour;
  }

  /** The media file that has all of it: its place below the stream's folder. */
  get mediaFile(): string {
    return storedMediaFile(this.hour, this.file);
  }

  /** All its chunks, as they lie in its media file. */
  chunks(): HourChunk[] {
    return this.#hour.index.chunks(this.#place);
  }

  #chunks(track: TrackId): HourChunk[] {
    return this.#hour.index.chunks(this.#place, trackNumber(track));
  }
}
