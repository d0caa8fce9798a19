import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { EdgeWaiters, HOLD_TARGETS, SegmentWaiters, endAtOnce } from "./edge-waiters.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { Track, TrackSet } from "../media/track.ts";
import { InitSegments } from "./init-segments.ts";
import { ALWAYS_RANDOM_ACCESS, dependentTracks, withSegment } from "./random-access.ts";
import { LiveSegment, segmentName } from "./live-segment.ts";
import type { EdgeSource, Hold, LiveEdge, MediaBody, Presentation } from "./presentation.ts";
import type { OpenSegmentEntry, RandomAccess, SegmentHold } from "./presentation.ts";
import type { Timeline, TrackSelection } from "./presentation.ts";
import type { SegmentRecorder } from "./segment-recorder.ts";
import type { SegmentParts } from "./segment-parts.ts";
import { Segmenter } from "./segmenter.ts";
import { SilenceFiller } from "./silence/silence-filler.ts";
import { snapshotOf } from "./window-snapshot.ts";
import type { EdgeSnapshot, WindowSnapshot } from "./window-snapshot.ts";
import type { FinishedSegment } from "./segmenter.ts";

/** Where a window ended: the one that takes its place goes on from there. */
export type WindowEnd = {
  /** Above every number of the window. */
  readonly nextSequence: number;
  readonly discontinuitySequence: number;
  readonly randomAccess: RandomAccess;
  /** Its sound, which players still expect. */
  readonly heard?: readonly Track[];
};

/** The shape of a stream's live window. */
export type LiveWindowOptions = {
  /** The window that was there before. */
  readonly after?: WindowEnd | undefined;
  readonly segmentDurationUs: number;
  /** Segments that the playlist lists; as many again stay for players that hold an older playlist. */
  readonly segmentCount: number;
  /** How long a part of a segment is meant to be; left out: none are made. Units: microseconds. */
  readonly chunkDurationUs?: number;
  /** Who keeps what is packaged. */
  readonly recorder?: SegmentRecorder | null;
  /** Called with each segment, and with each of its parts that is known by then. Units: microseconds. */
  readonly onMade?: (segmentUs: number, partsUs: readonly number[]) => void;
  /** For how long requests are held; the machine's when left out. */
  readonly clock?: Clock;
  /** The stream's; nothing is logged when left out. */
  readonly log?: Logger;
};

/** A segment may be longer than the target duration by what rounding to seconds hides, less one slow frame. */
const ROUNDING_US = 350_000;

/** Processes begin their discontinuity sequence below this: hls.js keeps an array of that length. */
const FIRST_DISCONTINUITIES = 1000;

/** A segment may be listed by this part of its duration later, for the sake of fewer and larger reads. */
const PATIENT_PART = 8;

/** While somebody follows the parts, a packet may wait for this part of one. */
const PATIENT_PART_OF_PART = 8;

/** A timeline's segments and the earlier ones are so many together, where so many are kept. */
const LONG_SEGMENTS = 8;

/** Segments during which nobody asked for the edge, or for anything; after them nobody is thought to follow it. */
const UNUSED_SEGMENTS = 4;

/** Segment durations of media before the playlist is shown: a player that has less waits for the next segment. */
const START_SEGMENTS = 1.5;

/** One stream's segments in memory never weigh more, whatever `segment_count` says. */
const MAX_WINDOW_BYTES = 512 * 1024 * 1024;

/**
 * The last segments of a live stream, as a `Presentation`.
 *
 * The media sequence never goes back, not when a publisher returns, not when the process restarts: see the segmenter.
 * The discontinuity sequence begins with a number of its own for each process, so that a player that survives a restart
 * does not take the new timeline for the old one.
 */
export class LiveWindow implements PacketSink, Presentation {
  static readonly MAX_WAITERS = 5000;
  static #made = 0;

  /** No other window of this thread has it, and later ones have higher ones. */
  readonly id = ++LiveWindow.#made;

  readonly releasesSlabs = true;
  readonly version = null;
  readonly isResident = true;
  readonly #options: LiveWindowOptions;
  readonly #segmenter: Segmenter;
  /** In front of the segmenter. */
  readonly #filler: SilenceFiller;
  readonly #inits = new InitSegments();
  /** Oldest first: segments kept for late players, then the listed ones. */
  #segments: LiveSegment[] = [];
  readonly #byName = new Map<string, LiveSegment>();
  #discontinuitySequence: number | null = null;
  #targetDurationUs: number;
  #timeline: Timeline | null = null;
  #changes = 0;
  #randomAccess: RandomAccess;
  #ended = false;
  #waiters: (() => void)[] = [];
  /** `undefined` where segments are not cut into parts. */
  readonly edge?: EdgeSource;
  readonly #held: EdgeWaiters;
  readonly #heldForSegments: SegmentWaiters;
  #edge: LiveEdge | null = null;
  #edgeMoves = 0;
  /** Threads that follow the edge, and wait for its next move. */
  #followers: (() => void)[] = [];
  /** `#changes` when somebody last asked for the edge. */
  #edgeUsed = -Infinity;
  /** `#changes` when somebody last asked for the timeline. */
  #timelineUsed = 0;

  constructor(options: LiveWindowOptions) {
    this.#options = options;
    const { clock = systemClock } = options;
    this.#held = new EdgeWaiters(clock);
    this.#heldForSegments = new SegmentWaiters(clock);
    if (options.chunkDurationUs !== undefined) this.edge = this.#makeEdgeSource();
    this.#targetDurationUs = options.segmentDurationUs;
    this.#randomAccess = options.after?.randomAccess ?? ALWAYS_RANDOM_ACCESS;
    this.#segmenter = new Segmenter({
      segmentDurationUs: options.segmentDurationUs,
      minSequence: options.after?.nextSequence,
      maxDurationUs: () => this.#longestUs(),
      onSegment: (segment) => this.#append(segment),
      recorder: options.recorder ?? null,
      onPart: () => this.#edgeMoved(),
      isFollowed: () => this.#isEdgeUsed(),
      ...(options.chunkDurationUs === undefined ? {} : { chunkDurationUs: options.chunkDurationUs }),
    });
    this.#filler = new SilenceFiller(this.#segmenter, {
      ...(options.after?.heard === undefined ? {} : { heard: options.after.heard }),
      ...(options.log === undefined ? {} : { log: options.log }),
    });
  }

  /**
   * True once there is enough to play without a stall. `timeline` may be called only after that.
   */
  get isReady(): boolean {
    return this.#timeline !== null;
  }

  /**
   * Resolves when the window is ready, or when it has ended and never will be. Bounded: beyond `MAX_WAITERS` at once
   * it resolves immediately.
   */
  whenReady(): Promise<void> {
    return this.whenChanged(0);
  }

  /** Bytes that the window holds: media, the segment that still grows, and what was made of segments and is kept. */
  get bytes(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.bytes;
    return sum + this.#segmenter.bytes;
  }

  /** Where it is to be gone on from: the timeline breaks there. The segment that grows has a number already. */
  get end(): WindowEnd {
    const last = this.#segments.at(-1);
    const randomAccess = this.#randomAccess;
    const { after = { nextSequence: 0, discontinuitySequence: 0, randomAccess } } = this.#options;
    const { heard } = this.#filler;
    if (last === undefined || this.#discontinuitySequence === null) return { ...after, heard };
    const discontinuitySequence = this.#discontinuitySequence + countDiscontinuities(this.#segments, 0) + 1;
    return { nextSequence: last.sequence + 2, discontinuitySequence, randomAccess, heard };
  }

  timeline(): Timeline {
    if (this.#timeline === null) throw new RangeError("no segment is complete yet: check isReady first");
    this.#timelineUsed = this.#changes;
    return this.#timeline;
  }

  initName(tracks: TrackSet, selection: TrackSelection): string {
    return this.#inits.nameOf(tracks, selection);
  }

  initSegment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#inits.find(name, selection);
  }

  segment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#byName.get(name)?.body(selection) ?? null;
  }

  keepDerived(name: string, lengthBytes: number): boolean {
    return this.#byName.get(name)?.keepDerived(lengthBytes) === true;
  }

  /** Lets go of what was made of its segments: it is made again for who asks. Returns: how many bytes that was. */
  forgetDerived(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.forgetDerived();
    return bytes;
  }

  unlistedTracks(name: string): TrackSet | null {
    return this.#byName.get(name)?.tracks ?? null;
  }

  /** The same with its media in shared memory, for another thread to send. */
  sharedSegment(name: string, selection: TrackSelection): MediaBody | null {
    return this.#byName.get(name)?.sharedBody(selection) ?? null;
  }

  /** The timeline as data, for another thread; `null` before it is ready. */
  snapshot(): WindowSnapshot | null {
    this.#timelineUsed = this.#changes;
    return this.#timeline === null ? null : snapshotOf(this.#timeline, this.#version);
  }

  get #version(): Pick<WindowSnapshot, "windowId" | "version"> {
    return { windowId: this.id, version: this.#changes };
  }

  /**
   * Resolves when the window has changed since the snapshot of that version, is ready for version 0, or has ended.
   * Bounded as `whenReady` is.
   */
  whenChanged(version: number): Promise<void> {
    const isNews = this.#timeline !== null && this.#changes > version;
    if (isNews || this.#ended || this.#waiters.length >= LiveWindow.MAX_WAITERS) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /**
   * The edge as data, for another thread that was told `version` of it, and of the window version `knownWindow`; `null`
   * without one, and when the window has ended and its last edge was told.
   */
  edgeSnapshot(version: number, knownWindow: number): EdgeSnapshot | null {
    const edge = this.#ended && this.#edgeMoves <= version ? null : this.#edgeNow();
    if (edge === null) return null;
    const { timeline, partTargetUs, open } = edge;
    const window = this.#changes === knownWindow ? null : snapshotOf(timeline, this.#version, true);
    return { windowId: this.id, version: this.#edgeMoves, partTargetUs, open, window };
  }

  /** Resolves when the edge has moved since the snapshot of that version, or the window has ended. Bounded as `whenReady`. */
  whenEdgeMoved(version: number): Promise<void> {
    const isNews = this.#edgeMoves > version;
    if (isNews || this.#ended || this.#followers.length >= LiveWindow.MAX_WAITERS) return Promise.resolve();
    return new Promise((resolve) => this.#followers.push(resolve));
  }

  /** No segment will ever be added. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  patienceMs(): number {
    const { partRule } = this.#segmenter;
    if (partRule !== null && this.#isEdgeUsed()) return partRule.stepUs / 1000 / PATIENT_PART_OF_PART;
    const isUsed = this.#changes - this.#timelineUsed < UNUSED_SEGMENTS || this.#waiters.length > 0;
    return isUsed ? this.#options.segmentDurationUs / 1000 / PATIENT_PART : Infinity;
  }

  /** Requests that are held until a part or a segment is there. */
  get heldRequests(): number {
    return this.#held.size + this.#heldForSegments.size;
  }

  holdSegment(hold: SegmentHold): { cancel(): void } | null {
    if (this.#timeline === null || this.#ended) return endAtOnce(hold);
    return this.#heldForSegments.hold(hold, this.#timeline);
  }

  /** The same with its media in shared memory, for another thread to send. */
  sharedPart(segment: string, index: number, selection: TrackSelection): MediaBody | null {
    return this.#partsOf(segment)?.sharedBody(index, selection) ?? null;
  }

  onTracks(tracks: TrackSet): void {
    this.#filler.onTracks(tracks);
  }

  onPacket(packet: MediaPacket): void {
    this.#filler.onPacket(packet);
  }

  onPause(): void {
    this.#filler.onPause();
  }

  onEnd(reason = ""): void {
    this.#filler.onEnd(reason);
    this.#ended = true;
    this.#wake();
    this.#wakeFollowers();
    this.#held.close();
    this.#heldForSegments.close();
  }

  #append(finished: FinishedSegment): void {
    const segment = new LiveSegment(finished, this.#segments.at(-1));
    this.#options.onMade?.(finished.durationUs, partDurations(finished.parts));
    this.#inits.add(finished.tracks);
    this.#segments.push(segment);
    this.#byName.set(segment.name, segment);
    this.#randomAccess = withSegment(this.#randomAccess, segment);
    if (this.#timeline === null)
      this.#targetDurationUs = Math.max(this.#targetDurationUs, finished.durationUs);
    this.#discontinuitySequence ??= this.#firstDiscontinuities(finished.startUs);
    this.#discontinuitySequence += this.#dropOld();
    const enoughUs = this.#options.segmentDurationUs * START_SEGMENTS;
    if (this.#timeline === null && this.#heldUs() < enoughUs) return;
    const listed = this.#segments.slice(-this.#options.segmentCount);
    const earlier = this.#earlier(listed.length);
    this.#timeline = {
      tracks: finished.tracks,
      mutability: "live",
      segments: listed,
      ...(earlier.length === 0 ? {} : { earlier }),
      discontinuitySequence:
        this.#discontinuitySequence + countDiscontinuities(this.#segments, listed.length),
      targetDurationUs: this.#targetDurationUs,
      randomAccess: this.#randomAccess,
    };
    this.#changes++;
    this.#wake();
    this.#edgeMoved();
    this.#heldForSegments.wake(this.#timeline);
  }

  /** Without the oldest one that is kept: the next segment drops it, and who holds this timeline may ask then. */
  #earlier(listed: number): readonly LiveSegment[] {
    const from = Math.max(this.#segments.length - Math.max(LONG_SEGMENTS, listed), this.#isFull() ? 1 : 0);
    return this.#segments.slice(from, this.#segments.length - listed);
  }

  #isFull(): boolean {
    return this.#segments.length >= this.#options.segmentCount * 2;
  }

  #makeEdgeSource(): EdgeSource {
    return {
      now: () => this.#edgeNow(),
      hold: (hold) => this.#hold(hold),
      part: (segment, index, selection) => this.#partsOf(segment)?.body(index, selection) ?? null,
    };
  }

  #edgeNow(): LiveEdge | null {
    const { partRule } = this.#segmenter;
    this.#edgeUsed = this.#changes;
    if (this.#timeline === null || partRule === null) return null;
    this.#edge ??= {
      timeline: this.#timeline,
      partTargetUs: partRule.targetUs,
      open: this.#openEntry(),
    };
    return this.#edge;
  }

  #openEntry(): OpenSegmentEntry | null {
    const open = this.#segmenter.current;
    const made = open?.parts ?? null;
    if (open === null || made === null) return null;
    const { sequence, startUs, tracks, discontinuity, isIndependent } = open;
    const [name, parts] = [segmentName(startUs), [...made.entries]];
    const dependent = dependentTracks(tracks.tracks, (id) => open.first(id)?.isSync);
    this.#inits.add(tracks);
    const place = { sequence, name, startUs, utcUs: startUs };
    return { ...place, tracks, discontinuity, isIndependent, dependent, parts };
  }

  #isEdgeUsed(): boolean {
    return this.#changes - this.#edgeUsed < UNUSED_SEGMENTS;
  }

  #hold(hold: Hold): { cancel(): void } | null {
    if (this.#timeline === null || this.#ended) return endAtOnce(hold);
    return this.#held.hold(hold, (this.#timeline.targetDurationUs / 1000) * HOLD_TARGETS);
  }

  #edgeMoved(): void {
    this.#edge = null;
    this.#edgeMoves++;
    this.#wakeFollowers();
    if (this.#held.size === 0) return;
    const edge = this.#edgeNow();
    if (edge !== null) this.#held.wake(edge);
  }

  #wakeFollowers(): void {
    const followers = this.#followers;
    if (followers.length === 0) return;
    this.#followers = [];
    for (const resolve of followers) resolve();
  }

  #partsOf(segment: string): SegmentParts | null {
    const known = this.#byName.get(segment);
    if (known !== undefined) return known.segmentParts;
    const open = this.#segmenter.current;
    return open !== null && segmentName(open.startUs) === segment ? open.parts : null;
  }

  /** Before a playlist was shown, anything; after that what its target duration allows (RFC 8216 section 6.2.1). */
  #longestUs(): number {
    if (this.#timeline === null) return Segmenter.MAX_SEGMENT_US;
    return Math.max(1, Math.round(this.#timeline.targetDurationUs / 1e6)) * 1e6 + ROUNDING_US;
  }

  #heldUs(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.durationUs;
    return sum;
  }

  #firstDiscontinuities(startUs: number): number {
    return (
      this.#options.after?.discontinuitySequence ?? Math.floor(startUs / 10_000_000) % FIRST_DISCONTINUITIES
    );
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Drops segments that nobody may ask for any more. Returns: how many discontinuities went with them. */
  #dropOld(): number {
    const keep = this.#options.segmentCount * 2;
    let heldBytes = this.bytes - this.#segmenter.bytes;
    let discontinuities = 0;
    while (this.#segments.length > keep || (heldBytes > MAX_WINDOW_BYTES && this.#segments.length > 1)) {
      const oldest = this.#segments.shift()!;
      if (this.#byName.get(oldest.name) === oldest) this.#byName.delete(oldest.name);
      oldest.release();
      heldBytes -= oldest.bytes;
      if (oldest.discontinuity) discontinuities++;
    }
    return discontinuities;
  }
}

/** Discontinuities among the segments that are kept but no longer listed. */
function countDiscontinuities(segments: readonly LiveSegment[], listed: number): number {
  let count = 0;
  for (let i = 0; i < segments.length - listed; i++) if (segments[i]!.discontinuity) count++;
  return count;
}

/** Of parts that were made while the segment grew. Units: microseconds. */
function partDurations(parts: FinishedSegment["parts"]): readonly number[] {
  return parts === null || !("entries" in parts) ? [] : parts.entries.map(({ durationUs }) => durationUs);
}
