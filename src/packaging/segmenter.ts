import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import { OpenSegment } from "./open-segment.ts";
import { partRuleOf } from "./part-rule.ts";
import type { LateParts } from "./late-parts.ts";
import type { PartRule } from "./part-rule.ts";
import type { SegmentRecorder } from "./segment-recorder.ts";
import type { SegmentParts } from "./segment-parts.ts";
import type { SegmentTrack } from "./segment-track.ts";

/** A segment as it leaves the segmenter. */
export type FinishedSegment = {
  /** Media sequence number. */
  readonly sequence: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly tracks: TrackSet;
  readonly isIndependent: boolean;
  /** The timeline breaks before it. */
  readonly discontinuity: boolean;
  readonly media: ReadonlyMap<TrackId, SegmentTrack>;
  /** `null` where there are none; yet to be made where nobody asked for them while it grew. */
  readonly parts: SegmentParts | LateParts | null;
};

/** Where and how segments are cut. */
export type SegmenterOptions = {
  readonly segmentDurationUs: number;
  /** How long a part is meant to be; left out: segments are not cut into parts. Units: microseconds. */
  readonly chunkDurationUs?: number;
  /** The longest that the next segment may become, in microseconds; a GOP that lasts longer is cut within. */
  maxDurationUs(): number;
  /** No segment has a lower number; for a stream whose slots had another length before. */
  readonly minSequence?: number | undefined;
  /** Called with each segment as soon as all its tracks are complete. */
  onSegment(segment: FinishedSegment): void;
  /** Hears of segments while they grow. */
  readonly recorder?: SegmentRecorder | null;
  /** Whether somebody follows the parts, so that each is to be known when it is complete; nobody when left out. */
  isFollowed?(): boolean;
  /** Called when a part of the open segment is complete that somebody follows, or another segment is the open one. */
  onPart?(): void;
};

/**
 * Cuts a stream into segments at random access points.
 *
 * The cutting rule knows the media clock only: time is divided into cells of `segmentDurationUs` since 1970, and a
 * segment begins with the first GOP that starts in a new cell. Whoever sees the same packets cuts the same segments,
 * no matter when they began to listen. With GOPs no longer than a cell every cell begins one segment.
 *
 * Numbers count slots of half a cell: the first segment takes the slot in which it begins, each next one counts on by
 * one, and none opens before its slot has begun. A stream uses one slot in two, so breaks find room, and a process that
 * starts later never uses a number twice. See docs/decisions/0004.
 *
 * When the reference track falls silent, as a frozen camera with a live microphone does, the other tracks' clock cuts.
 *
 * All tracks are cut at the presentation time of that GOP's first picture. Since audio and video arrive interleaved,
 * a segment stays open until every other track has passed the cut, or the reference track is `MAX_LAG_US` ahead.
 */
export class Segmenter implements PacketSink {
  /** How long a finished picture waits for late audio. */
  static readonly MAX_LAG_US = 1_000_000;
  /** How long the reference track may send nothing before the others' clock cuts. */
  static readonly MAX_SILENCE_US = 2_000_000;
  /** A stretch without any packet that is longer than this is no part of a segment: the timeline breaks there. */
  static readonly MAX_HOLE_US = 1_000_000;
  /** A segment without a key frame is cut here all the same: the bound on memory of a sender that never sends one. */
  static readonly MAX_SEGMENT_US = 60_000_000;
  static readonly MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

  readonly #options: SegmenterOptions;
  #tracks: TrackSet | null = null;
  #current: OpenSegment | null = null;
  #next: OpenSegment | null = null;
  /** Tracks, other than the reference, that have not reached `#next` yet. */
  readonly #behind = new Set<TrackId>();
  #pendingDiscontinuity = false;
  /** Between a slot and its number. */
  #slotOffset: number | null = null;
  #referenceUs = 0;
  #nextSequence: number | null = null;
  #partRule: PartRule | null = null;

  constructor(options: SegmenterOptions) {
    this.#options = options;
  }

  onTracks(tracks: TrackSet): void {
    this.#finishAll();
    this.#tracks = tracks;
  }

  onPacket(packet: MediaPacket): void {
    if (this.#tracks === null || packet.epoch !== this.#tracks.epoch) return;
    const us = ticksToUs(packet.pts, packet.track.timescale);
    const before = this.#current;
    const partCount = before?.partCount ?? 0;
    if (before === null) {
      if (!packet.startsGop || !this.#isSlotOpen(us)) return;
      this.#current = this.#open(us, true);
    } else {
      this.#maybeCut(packet, us);
      if (packet.startsGop) this.#options.recorder?.onGop(this.#current!, packet);
    }
    if (packet.track === this.#tracks.reference) this.#referenceUs = us;
    this.#route(packet);
    if (us - this.#referenceUs > Segmenter.MAX_LAG_US) this.#closePartsInSilence(us);
    if (this.#current !== before || (before?.partCount ?? 0) > partCount) this.#options.onPart?.();
  }

  /** The segment that grows, up to where all tracks have come. */
  get current(): OpenSegment | null {
    return this.#current;
  }

  /** How parts are cut; `null` until enough media has come to tell. It never changes then. */
  get partRule(): PartRule | null {
    return this.#partRule;
  }

  /** Payload bytes of segments that still take packets. */
  get bytes(): number {
    return (this.#current?.bytes ?? 0) + (this.#next?.bytes ?? 0);
  }

  onPause(): void {
    this.#finishAll();
  }

  onEnd(): void {
    this.#finishAll();
  }

  #maybeCut(packet: MediaPacket, us: number): void {
    if (this.#isSilenceOver(packet, us)) this.#cutBySilence(us);
    const newest = this.#next ?? this.#current!;
    if (this.#isCut(packet, us, newest)) {
      this.#finishCurrent();
      this.#next = this.#open(us, packet.startsGop);
      for (const track of this.#tracks!.tracks) {
        if (track !== this.#tracks!.reference && track !== packet.track) this.#behind.add(track.id);
      }
      if (this.#behind.size === 0) this.#finishCurrent();
    } else if (this.#next !== null && us - this.#next.startUs > Segmenter.MAX_LAG_US) this.#finishCurrent();
  }

  /** The reference track has been silent for too long, or it comes back too late for the segment that waited for it. */
  #isSilenceOver(packet: MediaPacket, us: number): boolean {
    const silenceUs = us - this.#referenceUs;
    if (packet.track !== this.#tracks!.reference) return silenceUs > Segmenter.MAX_SILENCE_US;
    const newest = this.#next ?? this.#current!;
    return silenceUs > Segmenter.MAX_LAG_US / 2 && us - newest.startUs > this.#options.maxDurationUs();
  }

  #isCut(packet: MediaPacket, us: number, newest: OpenSegment): boolean {
    return this.#mayCut(packet, us, newest) && !newest.isClosedAt(us);
  }

  #mayCut(packet: MediaPacket, us: number, newest: OpenSegment): boolean {
    if (newest.bytes > Segmenter.MAX_SEGMENT_BYTES) return true;
    if (packet.track !== this.#tracks!.reference) return false;
    const cellUs = this.#options.segmentDurationUs;
    const isNewCell = Math.floor(us / cellUs) > Math.floor(newest.startUs / cellUs) && this.#isSlotOpen(us);
    return (packet.startsGop && isNewCell) || us - newest.startUs > this.#options.maxDurationUs();
  }

  /**
   * The reference track has gone silent: the cells that have passed since become segments of what the others sent.
   * What they sent was taken into the segment that waited for a GOP; it is given on to where it belongs.
   */
  #cutBySilence(us: number): void {
    this.#finishCurrent();
    const cellUs = this.#options.segmentDurationUs;
    for (;;) {
      const last = this.#current!;
      const cellEndUs = (Math.floor(last.startUs / cellUs) + 1) * cellUs;
      const boundaryUs = Math.max(cellEndUs, this.#referenceUs + 1, last.closedUs + 1);
      if (boundaryUs > us || !this.#isSlotOpen(boundaryUs)) return;
      this.#next = this.#open(boundaryUs, true);
      for (const packet of last.splitOff(boundaryUs)) this.#next.adopt(packet);
      this.#finishCurrent();
    }
  }

  /** The reference track is silent: the others' clock closes parts, but none that `#cutBySilence` might cut. */
  #closePartsInSilence(us: number): void {
    const current = this.#current!;
    const cellUs = this.#options.segmentDurationUs;
    const limitUs = Math.max((Math.floor(current.startUs / cellUs) + 1) * cellUs, this.#referenceUs + 1);
    current.closePartsInSilence(us, limitUs);
  }

  /** The first segment tells how long frames, and so parts, are. */
  #learnPartRule(segment: OpenSegment): void {
    const { chunkDurationUs } = this.#options;
    if (chunkDurationUs !== undefined) this.#partRule ??= partRuleOf(chunkDurationUs, segment.frameUs());
  }

  #open(startUs: number, isIndependent: boolean): OpenSegment {
    const discontinuity = this.#pendingDiscontinuity;
    this.#pendingDiscontinuity = false;
    this.#nextSequence ??= this.#slotOf(startUs);
    const sequence = this.#nextSequence++;
    if (this.#current !== null) this.#learnPartRule(this.#current);
    const [tracks, partRule] = [this.#tracks!, this.#partRule];
    const isFollowed = this.#options.isFollowed?.() === true;
    return new OpenSegment({
      sequence,
      startUs,
      tracks,
      isIndependent,
      discontinuity,
      partRule,
      isFollowed,
    });
  }

  #isSlotOpen(us: number): boolean {
    return this.#nextSequence === null || this.#nextSequence <= this.#slotOf(us);
  }

  #slotOf(us: number): number {
    const slot = Math.floor((us * 2) / this.#options.segmentDurationUs);
    this.#slotOffset ??= Math.max(0, (this.#options.minSequence ?? 0) - slot);
    return slot + this.#slotOffset;
  }

  #route(packet: MediaPacket): void {
    const next = this.#next;
    if (next === null) {
      this.#current!.add(packet);
      return;
    }
    if (packet.track === this.#tracks!.reference) {
      next.add(packet);
      return;
    }
    // By when it is shown, as the cut is: the key frame of another quality is decoded in front of it.
    const belongsBefore =
      this.#behind.has(packet.track.id) && ticksToUs(packet.pts, packet.track.timescale) < next.startUs;
    if (belongsBefore) {
      this.#current!.add(packet);
      next.follow(packet);
      return;
    }
    next.add(packet);
    this.#behind.delete(packet.track.id);
    if (this.#behind.size === 0) this.#finishCurrent();
  }

  /** Hands the current segment over when another one follows it without a break. */
  #finishCurrent(): void {
    if (this.#next === null) return;
    const hole = this.#next.startUs - this.#current!.endUs > Segmenter.MAX_HOLE_US;
    if (hole) this.#next.discontinuity = true;
    const done = this.#current!;
    this.#current = this.#next;
    this.#next = null;
    this.#behind.clear();
    this.#emit(done, hole ? null : this.#current);
  }

  #finishAll(): void {
    this.#finishCurrent();
    if (this.#current === null) return;
    const { startUs, endUs } = this.#current;
    if (endUs - startUs > this.#options.maxDurationUs()) this.#cutBySilence(endUs - 1);
    const done = this.#current;
    this.#current = null;
    this.#pendingDiscontinuity = true;
    this.#emit(done, null);
    this.#options.recorder?.onBreak();
  }

  #emit(segment: OpenSegment, next: OpenSegment | null): void {
    this.#learnPartRule(segment);
    const endUs = Math.max(next === null ? segment.endUs : next.startUs, segment.startUs + 1000);
    this.#options.recorder?.onSegment(segment, {
      endUs,
      nextDts: (id) => next?.first(id)?.dts ?? null,
    });
    const { media, parts } = segment.finish(next, endUs);
    this.#options.onSegment({
      sequence: segment.sequence,
      startUs: segment.startUs,
      durationUs: endUs - segment.startUs,
      tracks: segment.tracks,
      isIndependent: segment.isIndependent,
      discontinuity: segment.discontinuity,
      media,
      parts,
    });
  }
}
