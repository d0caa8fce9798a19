import type { Cue } from "../containers/webvtt/cue.ts";
import type { TrackSet } from "../media/track.ts";
import type { TrackId } from "../media/ids.ts";

/**
 * What HLS and DASH know of something to play: tracks, init segments and a timeline of segments. A live window, an
 * archive range and a file each give one; a protocol that asks which of the three it has stands in the wrong room.
 */
export type Presentation = {
  /** The timeline as it is now: an immutable snapshot that is replaced, never changed. */
  timeline(): Timeline;
  /** The name of the init segment of these tracks: a hash of its bytes, so equal everywhere; see `InitSegments`. */
  initName(tracks: TrackSet, selection: TrackSelection): string;
  /**
   * What stands behind the name of a segment of these tracks where a URL names it, with its `-`: it says what a segment that
   * has not all of them is to be completed with. Empty, as where it is left out: nothing. An `initName` has it already.
   */
  noteOf?(tracks: TrackSet, selection: TrackSelection): string;
  /** The init segment (`ftyp`, `moov`) of that name for the selected tracks, or `null` when there is none. */
  initSegment(name: string, selection: TrackSelection): MediaBody | null;
  /**
   * The bytes of a segment with those of the selected tracks that it has. `null`: no segment of that name (not yet, or no more).
   * Rejects with a `MediaError` when the storage cannot give it.
   */
  segment(name: string, selection: TrackSelection): Promise<MediaBody | null> | MediaBody | null;
  /**
   * The same in memory that is used again when all to whom it was lent have released it; left out where segments are not
   * read for those who ask.
   */
  lendSegment?(name: string, selection: TrackSelection): Promise<LentBody | null>;
  /**
   * The tracks of a segment that is kept and not listed any more; `null` when there is none of that name. Left out where all
   * segments are listed.
   */
  unlistedTracks?(name: string): TrackSet | null;
  /** Entity tag of the segments where the same name may mean other bytes after a change of the file; else `null`. */
  readonly version: string | null;
  /** True where segments lie in memory as long as they are listed, so that a reply holds none of its own. */
  readonly isResident?: boolean;
  /**
   * Counts bytes that were made of a segment's body, to be kept as long as that is: `false` where they are too many, or the
   * segment is gone. Left out where nothing is kept.
   */
  keepDerived?(name: string, lengthBytes: number): boolean;
  /** Subtitles beside the segments; left out where there are none. */
  readonly texts?: readonly TextTrack[];
  /** What can be had of a live stream before its newest segment is complete; left out where parts are not made. */
  readonly edge?: EdgeSource;
  /** Waits until the timeline has a segment, as `EdgeSource.hold` does; left out where nothing more comes. */
  holdSegment?(hold: SegmentHold): { cancel(): void } | null;
};

/** Subtitles: their cues on the presentation's timeline, of which any stretch can be made. */
export type TextTrack = {
  /** `t1`, `t2`, ... */
  readonly id: TrackId;
  /** BCP 47 tag; `und` when it is not known. */
  readonly language: string;
  /** In order of their begin. Rejects with the storage's `MediaError`. */
  cues(): Promise<readonly Cue[]> | readonly Cue[];
  /** What its cues take in memory where they are kept from the start. */
  readonly memoryBytes?: number;
};

/** `live`: a sliding window. `event`: only grows. `static`: complete. */
export type Mutability = "live" | "event" | "static";

/** A snapshot. */
export type Timeline = {
  /** The tracks of the newest segment. */
  readonly tracks: TrackSet;
  readonly mutability: Mutability;
  /** Consecutive segments in order, oldest first; never empty. */
  readonly segments: readonly SegmentEntry[];
  /**
   * Those just before them that are still to be had, oldest first, for who needs a longer window than they are; left out
   * where there are none. The discontinuity sequence does not count them.
   */
  readonly earlier?: readonly SegmentEntry[];
  /** Discontinuities that went out of the window before the first segment (RFC 8216 4.3.3.3). */
  readonly discontinuitySequence: number;
  /** No segment is longer, rounded to seconds; never shrinks while the presentation lives. */
  readonly targetDurationUs: number;
  /** Where segments failed to begin with a key frame; left out where `isIndependent` of each tells all. */
  readonly randomAccess?: RandomAccess;
  /** Tells timelines apart that begin and end alike; left out where nothing changes between their ends. */
  readonly revision?: string;
};

/**
 * Where the segments of a live presentation failed to begin with a key frame. It only grows: what a playlist promised of
 * all segments and had to take back is not promised again while the presentation lives.
 */
export type RandomAccess = {
  /** Tracks of which some segment begins in the middle of a GOP. */
  readonly dependent: readonly TrackId[];
  /** Tracks of which that, or the contrary, happened where the reference track did otherwise: no two qualities of one cut. */
  readonly unaligned: readonly TrackId[];
};

/** One segment of the timeline. */
export type SegmentEntry = {
  /** Media sequence number; consecutive. */
  readonly sequence: number;
  /** Unique in the presentation and stable: the media clock at the segment's start, in milliseconds. */
  readonly name: string;
  readonly startUs: number;
  readonly durationUs: number;
  /** The tracks in force. */
  readonly tracks: TrackSet;
  /** The timeline breaks before this segment. */
  readonly discontinuity: boolean;
  /**
   * Where its stretch began: the start of the newest segment up to this one with a break before it, or other tracks than
   * the one before, or sound of other tracks, but for sound that its last segment lacks since the source broke off. Known
   * also when that segment has left the timeline.
   */
  readonly stretchStartUs: number;
  /** Decoding may start at it: it begins with a random access point of the reference track. */
  readonly isIndependent: boolean;
  /** Its video tracks that do not begin with one of their own; left out where they all are cut as the reference track is. */
  readonly dependent?: readonly TrackId[];
  /** UTC of the segment's start in microseconds; `null` for what has no wall clock, such as a file. */
  readonly utcUs: number | null;
  /** Payload bytes of one track in this segment, for measured bandwidths; 0 for a track that is not in it. */
  trackBytes(track: TrackId): number;
  /** Samples of one track in this segment, for measured frame rates; 0 for a track that is not in it. */
  trackSamples(track: TrackId): number;
  /** What those samples last together, in microseconds: not the segment's length where the track has holes. */
  trackUs(track: TrackId): number;
  /** There is no media: it stands for a number that playlists have to count. Left out where there is some. */
  readonly isGap?: true;
  /** The parts that it was cut into, in order; left out where it was not. Together they are as long as it is. */
  readonly parts?: readonly PartEntry[] | undefined;
};

/** A part of a segment, of all its tracks: plain data. Its index, from 0, is its place among the segment's parts. */
export type PartEntry = {
  readonly durationUs: number;
  /** The tracks that have samples in it. */
  readonly tracks: readonly PartTrack[];
};

/** One track in one part. */
export type PartTrack = {
  readonly id: TrackId;
  readonly samples: number;
  /** A decoder may start at one of its samples. */
  readonly hasSync: boolean;
};

/** The segment that still grows, with the parts that are complete. */
export type OpenSegmentEntry = Pick<
  SegmentEntry,
  "sequence" | "name" | "startUs" | "tracks" | "discontinuity" | "isIndependent" | "dependent" | "utcUs"
> & { readonly parts: readonly PartEntry[] };

/** The live edge of a presentation: a snapshot that is replaced with every part. */
export type LiveEdge = {
  /** As it was with that part. */
  readonly timeline: Timeline;
  /** No part is longer; never changes once it was shown. */
  readonly partTargetUs: number;
  /** `null` while nothing comes. */
  readonly open: OpenSegmentEntry | null;
};

/** What somebody waits for: a part, or with `part` null the whole segment, of that media sequence number. */
export type EdgePoint = { readonly sequence: number; readonly part: number | null };

/** How a wait ended: it is there, it took too long, or it will never come. */
export type HoldEnd = "reached" | "late" | "over";

/** One who waits. `address` is whose share of the places it takes. */
export type Hold = EdgePoint & { readonly address: string; end(how: HoldEnd): void };

/** One who waits for the timeline to have a segment of that media sequence number, or a later one. */
export type SegmentHold = Omit<Hold, "part">;

/** Where parts come from. */
export type EdgeSource = {
  /** The edge as it is now; `null` while the presentation has none, or is not told of it yet: see `follow`. */
  now(): LiveEdge | null;
  /** Where the edge is somewhere else and not followed here yet: has it followed, and resolves when `now` knows it. */
  follow?(): Promise<void> | null;
  /** The same for one look, after which nobody has to follow it; `null` also when it was looked at a moment ago. */
  look?(): Promise<void> | null;
  /**
   * Waits for a point of the edge. Returns: what ends the wait without a word, for one who left; `null` when there is no
   * place for another one. `end` is called once at most, and not before this returned.
   */
  hold(hold: Hold): { cancel(): void } | null;
  /**
   * The bytes of a complete part with those of the selected tracks that it has; `null` when there is none of that name.
   */
  part(
    segment: string,
    index: number,
    selection: TrackSelection,
  ): Promise<MediaBody | null> | MediaBody | null;
};

/** Shared immutable buffers to be sent in order. */
export type MediaBody = readonly Uint8Array[];

/**
 * A body for a while. Who has it calls `release` when nobody reads its bytes any more, which then may become others; a
 * second call does nothing. Without that call they stay as they are, and are left to the garbage collector.
 */
export type LentBody = { readonly body: MediaBody; release(): void };

/** The tracks that a client chose, in order. */
export type TrackSelection = readonly TrackId[];

const SELECTION = /^(?:[vat][1-9][0-9]?){1,16}$/;

/** Reads the form of the URLs, `v1a1` or `a2`; `null` when it is not one or names a track twice. */
export function parseTrackSelection(text: string): TrackSelection | null {
  if (text.length > 48 || !SELECTION.test(text)) return null;
  const ids = (text.match(/[vat][0-9]+/g) ?? []) as string[] as TrackId[];
  return new Set(ids).size === ids.length ? ids : null;
}

/** Writes a selection as the URLs show it. */
export function formatTrackSelection(selection: TrackSelection): string {
  return selection.join("");
}
