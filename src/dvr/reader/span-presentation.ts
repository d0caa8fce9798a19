import { buildSegmentType } from "../../containers/mp4/fragment.ts";
import type { TrackSet } from "../../media/track.ts";
import { InitSegments, initName, selectTracks } from "../../packaging/init-segments.ts";
import type { MediaFile } from "../../packaging/media-path.ts";
import type { LentBody, MediaBody, Mutability, Presentation } from "../../packaging/presentation.ts";
import type { SegmentEntry, Timeline, TrackSelection } from "../../packaging/presentation.ts";
import type { TimeSpan } from "../../packaging/time-span.ts";
import { dvrErrors } from "../errors.ts";
import type { StoredRange } from "../export/stored-range.ts";
import { ArchivedSegment } from "./archived-segment.ts";
import { CompletedSegment, completeSegments, completeSet, silentSoundsOf } from "./completed-segment.ts";
import type { ListedEntry } from "./numbered-segments.ts";
import { formatNotes, parseNotes, silentFragment } from "./silent-sound.ts";
import type { SilentSound } from "./silent-sound.ts";
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

/** What a segment begins with of which nothing is recorded. */
const SEGMENT_TYPE = buildSegmentType();

/**
 * A span of a stream's archive, as it was when it was opened. Its segments are those of the live window, under the same
 * names and with the same tracks; where some have sound and others have not, those have silence, and a note in their URLs.
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
    const shown = completeSegments(listed, await setsBefore(archive, listed[0]!, mutability));
    return new SpanPresentation(archive, timelineOf({ listed, shown }, mutability, leastUs));
  }

  /** What has a segment or an init segment of that name, and nothing else; `null` when there is none. Rejects as `open`. */
  static async ofMedia(archive: StreamArchive, file: MediaFile): Promise<SpanPresentation | null> {
    const { name, sounds } = splitName(file.name) ?? { name: "", sounds: null };
    if (sounds === null) return null;
    const segment =
      file.kind === "segment"
        ? await archive.segmentOf(name)
        : await archive.segmentWithInit((tracks) => hasInit(tracks, sounds, { ...file, name }));
    const tracks = segment === null ? null : completedWith(segment.tracks, sounds);
    if (segment === null || tracks === null) return null;
    const entry = sounds.length === 0 ? segment : new CompletedSegment(segment, tracks, file.name);
    const presentation = new SpanPresentation(
      archive,
      timelineOf({ listed: [segment], shown: [entry] }, "static", segment.durationUs),
    );
    presentation.#inits.add(tracks);
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
    return `${this.#inits.nameOf(tracks, selection)}${this.noteOf(tracks, selection)}`;
  }

  noteOf(tracks: TrackSet, selection: TrackSelection): string {
    const sounds = silentSoundsOf(tracks, selection);
    return sounds.length === 0 ? "" : `-${formatNotes(sounds)}`;
  }

  initSegment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#inits.find(splitName(name)?.name ?? name, selection);
  }

  /** The memory of what is asked for in this way is not used again: it is the garbage collector's. */
  async segment(name: string, selection: TrackSelection): Promise<MediaBody | null> {
    return (await this.lendSegment(name, selection))?.body ?? null;
  }

  async lendSegment(fullName: string, selection: TrackSelection): Promise<LentBody | null> {
    const { name, sounds } = splitName(fullName) ?? { name: "", sounds: [] };
    const wanted = sounds.filter(({ track }) => selection.includes(track.id));
    if (wanted.length === 0) return await this.#archive.lendSegment(name, selection);
    const segment = await this.#archive.segmentOf(name);
    if (segment === null || completedWith(segment.tracks, wanted) === null) return null;
    const silence = wanted.map((sound) => silentFragment(sound, segment));
    const lent = await this.#archive.lendSegment(name, selection);
    if (lent === null) return { body: [SEGMENT_TYPE, ...silence], release: () => {} };
    return { body: [...lent.body, ...silence], release: () => lent.release() };
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

/**
 * Who plays what slides may have begun with sound that is not in it any more: as long as there are pictures alone, it goes on
 * as silence.
 */
async function setsBefore(
  archive: StreamArchive,
  { tracks, startUs }: SegmentEntry,
  mutability: Mutability,
): Promise<readonly TrackSet[]> {
  const isMute = tracks.tracks.every(({ kind }) => kind !== "audio");
  return mutability === "live" && isMute ? await archive.setsBefore(startUs) : [];
}

/** A name in a URL without its note, and what the note says; `null` when that is none. */
function splitName(
  text: string,
): { readonly name: string; readonly sounds: readonly SilentSound[] } | null {
  const dash = text.indexOf("-");
  if (dash < 0) return { name: text, sounds: [] };
  const sounds = parseNotes(text.slice(dash + 1));
  return sounds === null || sounds.length === 0 ? null : { name: text.slice(0, dash), sounds };
}

/** A set with silence in the place of what it lacks; `null`: it has a track of that id, or no pictures to fill it by. */
function completedWith(tracks: TrackSet, sounds: readonly SilentSound[]): TrackSet | null {
  if (sounds.length === 0) return tracks;
  const has = ({ track }: SilentSound): boolean => tracks.tracks.some(({ id }) => id === track.id);
  return tracks.reference.kind !== "video" || sounds.some(has) ? null : completeSet(tracks, sounds);
}

function hasInit(
  tracks: TrackSet,
  sounds: readonly SilentSound[],
  { selection, name }: Pick<MediaFile, "selection" | "name">,
): boolean {
  const whole = completedWith(tracks, sounds);
  if (whole === null || selectTracks(whole, selection).length === 0) return false;
  return initName(whole, selection) === name;
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

/**
 * `listed`: those of a complete range; of others, as `NumberedSegments` gives them. `shown`: the same, completed with silence.
 */
function timelineOf(
  { listed, shown }: { readonly listed: readonly ListedEntry[]; readonly shown: readonly SegmentEntry[] },
  mutability: Mutability,
  segmentDurationUs: number,
): Timeline {
  const first = listed[0]!;
  const isCounted = first.discontinuity && !first.isBehindDeleted;
  let targetDurationUs = segmentDurationUs;
  let recorded = 0;
  for (const segment of listed) {
    targetDurationUs = Math.max(targetDurationUs, segment.durationUs);
    if (segment instanceof ArchivedSegment) recorded++;
  }
  return {
    tracks: shown.at(-1)!.tracks,
    mutability,
    segments: shown,
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
