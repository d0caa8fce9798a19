import type { TrackSet } from "../../media/track.ts";
import { InitSegments, initName, selectTracks } from "../../packaging/init-segments.ts";
import type { MediaFile } from "../../packaging/media-path.ts";
import type { LentBody, MediaBody, Mutability, Presentation } from "../../packaging/presentation.ts";
import type { Timeline, TrackSelection } from "../../packaging/presentation.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { dvrErrors } from "../errors.ts";
import type { StoredRange } from "../export/stored-range.ts";
import { ArchivedSegment } from "./archived-segment.ts";
import type { ListedEntry } from "./numbered-segments.ts";
import type { StreamArchive } from "./stream-archive.ts";

/** What a span of an archive is to be. */
export type SpanRequest = {
  readonly span: TimeSpan;
  /** Of the stream, for messages. */
  readonly name: string;
  /** Wall clock. */
  readonly nowUs: number;
  /** As the stream's live window has them. */
  readonly segmentDurationUs: number;
  readonly segmentCount: number;
};

/** From when to when, and what the playlist of it is. Units: microseconds. */
type Bounds = { readonly fromUs: number; readonly toUs: number; readonly mutability: Mutability };

const SECOND_US = 1_000_000;

/** What is recorded is in the archive so many segments after it was live; until then a range is not complete. */
const LATE_SEGMENTS = 3;

/** A download is planned in one go: of three days of segments of two seconds, in a tenth of a second. */
const MAX_DOWNLOAD_SEGMENTS = 2 ** 17;

/** A live window far behind has so many segments at least. */
const MIN_LIVE_SEGMENTS = 4;

/**
 * A span of a stream's archive, as it was when it was opened. Its segments are those of the live window, under the same
 * names and with the same tracks.
 */
export class SpanPresentation implements Presentation {
  readonly version = null;
  readonly #archive: StreamArchive;
  readonly #timeline: Timeline;
  readonly #inits = new InitSegments();

  private constructor(archive: StreamArchive, timeline: Timeline) {
    this.#archive = archive;
    this.#timeline = timeline;
  }

  /** Reads what is recorded of a span. Rejects with DVR_NOTHING_RECORDED, and what reading rejects with. */
  static async open(archive: StreamArchive, request: SpanRequest): Promise<SpanPresentation> {
    const bounds = boundsOf(request, await archive.now(request.nowUs));
    const segments = await archive.segments(bounds.fromUs, bounds.toUs);
    if (segments.length === 0) throw await nothingRecorded(archive, request, bounds);
    // The target duration of a playlist that goes on never shrinks.
    const leastUs = Math.max(
      request.segmentDurationUs,
      bounds.mutability === "static" ? 0 : archive.longestUs,
    );
    const { mutability } = bounds;
    let listed: readonly ListedEntry[] = mutability === "static" ? segments : archive.numbered(segments);
    // By numbers, so that it never goes back when something of it is deleted.
    if (request.span.kind === "timeshift_rel")
      listed = listed.slice(-Math.max(MIN_LIVE_SEGMENTS, request.segmentCount));
    return new SpanPresentation(archive, timelineOf(listed, mutability, leastUs));
  }

  /** What has a segment or an init segment of that name, and nothing else; `null` when there is none. Rejects as `open`. */
  static async ofMedia(archive: StreamArchive, file: MediaFile): Promise<SpanPresentation | null> {
    const segment =
      file.kind === "segment"
        ? await archive.segmentOf(file.name)
        : await archive.segmentWithInit((tracks) => hasInit(tracks, file));
    if (segment === null) return null;
    const presentation = new SpanPresentation(archive, timelineOf([segment], "static", segment.durationUs));
    presentation.#inits.add(segment.tracks);
    return presentation;
  }

  /** Whether it has the same segments as another one of the same span. */
  isLike(other: SpanPresentation): boolean {
    const [a, b] = [this.#timeline, other.#timeline];
    const isSame = a.mutability === b.mutability && a.segments.length === b.segments.length;
    return isSame && a.segments.every((segment, place) => segment === b.segments[place]);
  }

  timeline(): Timeline {
    return this.#timeline;
  }

  initName(tracks: TrackSet, selection: TrackSelection): string {
    return this.#inits.nameOf(tracks, selection);
  }

  initSegment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#inits.find(name, selection);
  }

  /** The memory of what is asked for in this way is not used again: it is the garbage collector's. */
  async segment(name: string, selection: TrackSelection): Promise<MediaBody | null> {
    return (await this.lendSegment(name, selection))?.body ?? null;
  }

  lendSegment(name: string, selection: TrackSelection): Promise<LentBody | null> {
    return this.#archive.lendSegment(name, selection);
  }
}

/** What is recorded of a span, to be made one file of. Rejects as `SpanPresentation.open`. */
export async function storedRange(archive: StreamArchive, request: SpanRequest): Promise<StoredRange> {
  const bounds = boundsOf(request, await archive.now(request.nowUs));
  const segments = await archive.segments(bounds.fromUs, bounds.toUs);
  if (segments.length === 0) throw await nothingRecorded(archive, request, bounds);
  if (segments.length > MAX_DOWNLOAD_SEGMENTS)
    throw dvrErrors.error("DVR_SPAN_TOO_LONG", { most: MAX_DOWNLOAD_SEGMENTS });
  return archive.storedRange(segments);
}

function hasInit(tracks: TrackSet, { selection, name }: MediaFile): boolean {
  return selectTracks(tracks, selection).length > 0 && initName(tracks, selection) === name;
}

/** `nowUs`: on the media clock. */
function boundsOf({ span, segmentDurationUs }: SpanRequest, nowUs: number): Bounds {
  switch (span.kind) {
    case "archive": {
      const fromUs = span.fromS * SECOND_US;
      if (span.durationS === null) return { fromUs, toUs: nowUs, mutability: "event" };
      const toUs = fromUs + span.durationS * SECOND_US;
      const isComplete = toUs + LATE_SEGMENTS * segmentDurationUs < nowUs;
      return { fromUs, toUs, mutability: isComplete ? "static" : "event" };
    }
    case "timeshift_abs":
      return { fromUs: span.fromS * SECOND_US, toUs: nowUs, mutability: "event" };
    case "rewind":
      return { fromUs: nowUs - span.agoS * SECOND_US, toUs: nowUs, mutability: "live" };
    case "timeshift_rel": {
      const toUs = nowUs - span.agoS * SECOND_US;
      // As much as a window of the longest segments may have.
      return { fromUs: toUs - 64 * segmentDurationUs, toUs, mutability: "live" };
    }
  }
}

/** `segments`: those of a complete range; of others, as `NumberedSegments` gives them. */
function timelineOf(
  segments: readonly ListedEntry[],
  mutability: Mutability,
  segmentDurationUs: number,
): Timeline {
  const [first, last] = [segments[0]!, segments.at(-1)!];
  const isCounted = first.discontinuity && !first.isBehindDeleted;
  let targetDurationUs = segmentDurationUs;
  let recorded = 0;
  for (const segment of segments) {
    targetDurationUs = Math.max(targetDurationUs, segment.durationUs);
    if (segment instanceof ArchivedSegment) recorded++;
  }
  return {
    tracks: last.tracks,
    mutability,
    segments,
    discontinuitySequence: first.discontinuities - (isCounted ? 1 : 0),
    targetDurationUs,
    // Something of it may be deleted, or come from a peer.
    revision: String(recorded),
  };
}

/** Makes (does not throw) the error of a span in which nothing is recorded; it tells what is recorded near it. */
export async function nothingRecorded(
  archive: StreamArchive,
  request: Pick<SpanRequest, "name">,
  bounds: Pick<Bounds, "fromUs" | "toUs">,
): Promise<Error> {
  const { beforeUs, afterUs } = await archive.nearest(bounds.fromUs);
  return dvrErrors.error("DVR_NOTHING_RECORDED", {
    name: request.name,
    from: isoTime(bounds.fromUs),
    to: isoTime(bounds.toUs),
    before: beforeUs === null ? "nothing before it" : `before it up to ${isoTime(beforeUs)}`,
    after: afterUs === null ? "nothing after it" : `after it from ${isoTime(afterUs)} on`,
  });
}

function isoTime(us: number): string {
  const time = new Date(Math.floor(us / 1000));
  return Number.isNaN(time.getTime()) ? `${us / SECOND_US} s` : time.toISOString();
}
