import type { TrackId } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";

/** One track's samples of a GOP or less, as they lie in a media file: a `moof` and its `mdat`. */
export type StoredChunk = {
  /** As in MP4; see `trackNumber`. */
  readonly trackNumber: number;
  /** One of `StoredRange.mediaFiles`. */
  readonly mediaFileKey: string;
  /** Where the `moof` begins in its file. Units: bytes. */
  readonly offset: number;
  /** Of `moof` and `mdat`. Units: bytes. */
  readonly size: number;
  /** Of these, in front of the payload. */
  readonly headerBytes: number;
  /** Decode time of the first sample. Units: microseconds, media clock. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly samples: number;
};

/** One segment of an archive. */
export type StoredSegment = {
  /** When its first picture is shown. Units: microseconds, media clock. */
  readonly startUs: number;
  readonly durationUs: number;
  /** The timeline breaks before it. */
  readonly discontinuity: boolean;
  /** It begins with a random access point of the reference track. */
  readonly independent: boolean;
  /** In the order in which they are to be sent; those of one track in order of time. */
  readonly chunks: Iterable<StoredChunk>;
};

/**
 * A range of an archive: what is recorded, and where it lies. Whoever lists an archive makes one; what exports it knows
 * nothing of indexes and directories.
 */
export type StoredRange = {
  /** In order of time. Read once, from begin to end, when an export is planned; nothing of them is kept. */
  readonly segments: Iterable<StoredSegment>;
  /** The tracks of each media file, as its init segment has them. */
  readonly mediaFiles: ReadonlyMap<string, readonly Track[]>;
  readonly read: StoredReader;
};

/**
 * Reads what lies from `offset` on in a media file into the targets, one after the other.
 *
 * Returns: the bytes that were read, fewer than there is room for only where the file ends. Rejects with the storage's
 * `MediaError`; when it has settled, nothing writes to the targets any more.
 */
export type StoredReader = (
  mediaFileKey: string,
  offset: number,
  targets: readonly Uint8Array[],
) => Promise<number>;

/** Which tracks of a range are wanted. */
export type StoredTracks = {
  /** Left out: all. Ids that the range does not have are nothing. */
  readonly ids?: readonly TrackId[] | undefined;
  /** Leaves out what the output cannot carry; left out: all are taken. */
  accepts?(track: Track): boolean;
};
