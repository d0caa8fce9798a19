import { ticksToUs } from "../base/time.ts";
import { silentFrameOf } from "../codecs/silence.ts";
import { buildFragmentHeader } from "../containers/mp4/fragment.ts";
import type { TrackId } from "../media/ids.ts";
import type { TrackSet } from "../media/track.ts";
import { DerivedBytes } from "./derived-bytes.ts";
import { selectTracks } from "./init-segments.ts";
import { LateParts } from "./late-parts.ts";
import { dependentTracks } from "./random-access.ts";
import { formatTrackSelection } from "./presentation.ts";
import type { MediaBody, PartEntry, SegmentEntry, TrackSelection } from "./presentation.ts";
import type { SegmentParts } from "./segment-parts.ts";
import type { SegmentTrack } from "./segment-track.ts";
import type { FinishedSegment } from "./segmenter.ts";

/** Fragment headers kept per segment: more selections than players ask for. */
const MAX_CACHED_SELECTIONS = 16;

/** The name of a segment that begins there: the media clock in milliseconds. */
export function segmentName(startUs: number): string {
  return String(Math.floor(startUs / 1000));
}

/** A finished segment of a live window. */
export class LiveSegment implements SegmentEntry {
  readonly sequence: number;
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly discontinuity: boolean;
  readonly stretchStartUs: number;
  readonly isIndependent: boolean;
  readonly dependent: readonly TrackId[];
  readonly utcUs: number;
  readonly #media: ReadonlyMap<TrackId, SegmentTrack>;
  readonly #bodies = new Map<string, MediaBody>();
  readonly #mediaBytes: number;
  readonly #derived: DerivedBytes;
  #parts: SegmentParts | LateParts | null;

  /** `before`: the segment that it follows. */
  constructor(finished: FinishedSegment, before: LiveSegment | undefined) {
    this.sequence = finished.sequence;
    this.name = segmentName(finished.startUs);
    this.startUs = finished.startUs;
    this.utcUs = finished.startUs;
    this.durationUs = finished.durationUs;
    this.tracks = finished.tracks;
    this.discontinuity = finished.discontinuity;
    this.isIndependent = finished.isIndependent;
    this.#media = finished.media;
    this.dependent = dependentTracks(finished.tracks.tracks, (id) => startsInSync(finished.media.get(id)));
    this.stretchStartUs =
      before !== undefined && this.#goesOnFrom(before) ? before.stretchStartUs : finished.startUs;
    this.#parts = finished.parts;
    this.#mediaBytes = [...finished.media.values()].reduce((sum, { table }) => sum + table.dataBytes, 0);
    this.#derived = new DerivedBytes(this.#mediaBytes);
  }

  /** Its parts, made by now if they were not before; `null` where it has none. */
  get segmentParts(): SegmentParts | null {
    if (this.#parts instanceof LateParts) this.#parts = this.#parts.make();
    return this.#parts;
  }

  get parts(): readonly PartEntry[] | undefined {
    return this.segmentParts?.entries;
  }

  /** Of its media, and of what was made of it and is kept. */
  get bytes(): number {
    return this.#mediaBytes + this.#derived.bytes;
  }

  /** Counts bytes that were made of a body; `false` where they are too many to be kept. */
  keepDerived(lengthBytes: number): boolean {
    return this.#derived.take(lengthBytes);
  }

  /** Lets go of what was made of it. Returns: how many bytes that was. */
  forgetDerived(): number {
    const { bytes } = this.#derived;
    this.#forgetBodies();
    return bytes;
  }

  /** It is not in the window any more: its payloads may be overwritten. */
  release(): void {
    for (const track of this.#media.values()) track.release();
  }

  trackBytes(track: TrackId): number {
    return this.#media.get(track)?.table.dataBytes ?? 0;
  }

  trackSamples(track: TrackId): number {
    return this.#media.get(track)?.table.count ?? 0;
  }

  trackUs(track: TrackId): number {
    const table = this.#media.get(track)?.table;
    if (table === undefined) return 0;
    let ticks = 0;
    for (const duration of table.durations) ticks += duration;
    return ticksToUs(ticks, table.track.timescale);
  }

  /** `body` with the blocks in shared memory. */
  sharedBody(selection: TrackSelection): MediaBody | null {
    for (const { id } of selectTracks(this.tracks, selection)) {
      if (this.#media.get(id)?.share() === true) this.#forgetBodies();
    }
    return this.body(selection);
  }

  /** The fragment of the selected tracks: a header of its own, then the shared blocks. */
  body(selection: TrackSelection): MediaBody | null {
    const key = formatTrackSelection(selection);
    const made = this.#bodies.get(key);
    if (made !== undefined) return made;
    const chosen = selectTracks(this.tracks, selection).flatMap((track) => this.#media.get(track.id) ?? []);
    if (chosen.length === 0) return null;
    const header = buildFragmentHeader(
      this.sequence % 2 ** 32,
      chosen.map((track) => track.table),
      { styp: true },
    );
    const body = [header, ...chosen.flatMap((track) => track.blocks())];
    if (this.#bodies.size >= MAX_CACHED_SELECTIONS) this.#forgetBodies();
    this.#bodies.set(key, body);
    return body;
  }

  /**
   * Pictures that freeze end no stretch: players hold the last one, and Shaka Player refuses a Period without any. Nor does
   * sound that would be filled if the source had gone on: it broke off, and what comes behind it is a stretch of its own.
   */
  #goesOnFrom(before: LiveSegment): boolean {
    if (this.discontinuity || this.tracks !== before.tracks) return false;
    const { tracks, reference } = this.tracks;
    return tracks.every((track) => {
      if (track.kind !== "audio") return true;
      const has = this.#media.has(track.id);
      const had = before.#media.has(track.id);
      const isCutOff = had && !has && reference.kind === "video" && silentFrameOf(track) !== null;
      return has === had || isCutOff;
    });
  }

  /** What was made of them goes with them. */
  #forgetBodies(): void {
    this.#bodies.clear();
    this.#derived.clear();
  }
}

function startsInSync(track: SegmentTrack | undefined): boolean | undefined {
  return track === undefined ? undefined : track.table.syncFlags[0] === 1;
}
