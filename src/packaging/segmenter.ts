import { ticksToUs } from "../base/time.ts";
import type { TrackId } from "../media/ids.ts";
import type { MediaPacket, PacketSink } from "../media/packet.ts";
import type { TrackSet } from "../media/track.ts";
import { OpenSegment } from "./open-segment.ts";
import type { SegmentTrack } from "./open-segment.ts";

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
};

/** Where and how segments are cut. */
export type SegmenterOptions = {
  readonly segmentDurationUs: number;
  /** Called with each segment as soon as all its tracks are complete. */
  onSegment(segment: FinishedSegment): void;
};

/**
 * Cuts a stream into segments at random access points.
 *
 * The cutting rule knows the media clock only: time is divided into cells of `segmentDurationUs` since 1970, and a
 * segment begins with the first GOP that starts in a new cell. Whoever sees the same packets cuts the same segments,
 * no matter when they began to listen. With GOPs no longer than a cell every cell begins one segment.
 *
 * The first segment's number is the number of its cell, and each next one counts on; after an absence, or with GOPs
 * longer than a cell, numbers lag behind the cells. No segment is complete before its number's cell has begun, so a
 * process that starts later, in a later cell, never uses a number twice. A publisher that returns within the cell in
 * which it left would break that: its first segment then lasts until the cells have caught up, and is dropped when the
 * publisher leaves before.
 *
 * All tracks are cut at the presentation time of that GOP's first picture. Since audio and video arrive interleaved,
 * a segment stays open until every other track has passed the cut, or the reference track is `MAX_LAG_US` ahead.
 */
export class Segmenter implements PacketSink {
  /** How long a finished picture waits for late audio. */
  static readonly MAX_LAG_US = 1_000_000;
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
  #nextSequence: number | null = null;

  constructor(options: SegmenterOptions) {
    this.#options = options;
  }

  onTracks(tracks: TrackSet): void {
    this.#finishAll();
    this.#tracks = tracks;
  }

  onPacket(packet: MediaPacket): void {
    if (this.#tracks === null || packet.epoch !== this.#tracks.epoch) return;
    if (this.#current === null) {
      if (packet.startsGop) this.#current = this.#open(packet, true);
      else return;
    } else this.#maybeCut(packet);
    this.#route(packet);
  }

  onPause(): void {
    this.#finishAll();
  }

  onEnd(): void {
    this.#finishAll();
  }

  #maybeCut(packet: MediaPacket): void {
    const newest = this.#next ?? this.#current!;
    const us = ticksToUs(packet.pts, packet.track.timescale);
    const isNewCell =
      packet.startsGop && this.#cellOf(us) > Math.max(this.#cellOf(newest.startUs), newest.sequence);
    const isTooLong =
      us - newest.startUs > Segmenter.MAX_SEGMENT_US || newest.bytes > Segmenter.MAX_SEGMENT_BYTES;
    if (isNewCell || isTooLong) {
      this.#finishCurrent();
      this.#next = this.#open(packet, packet.startsGop);
      for (const track of this.#tracks!.tracks) {
        if (track !== this.#tracks!.reference && track !== packet.track) this.#behind.add(track.id);
      }
      if (this.#behind.size === 0) this.#finishCurrent();
    } else if (this.#next !== null && us - this.#next.startUs > Segmenter.MAX_LAG_US) this.#finishCurrent();
  }

  #open(packet: MediaPacket, isIndependent: boolean): OpenSegment {
    const discontinuity = this.#pendingDiscontinuity;
    this.#pendingDiscontinuity = false;
    const startUs = ticksToUs(packet.pts, packet.track.timescale);
    this.#nextSequence ??= this.#cellOf(startUs);
    const sequence = this.#nextSequence++;
    return new OpenSegment({ sequence, startUs, tracks: this.#tracks!, isIndependent, discontinuity });
  }

  #cellOf(us: number): number {
    return Math.floor(us / this.#options.segmentDurationUs);
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
    const belongsBefore =
      this.#behind.has(packet.track.id) && ticksToUs(packet.dts, packet.track.timescale) < next.startUs;
    if (belongsBefore) {
      this.#current!.add(packet);
      return;
    }
    next.add(packet);
    this.#behind.delete(packet.track.id);
    if (this.#behind.size === 0) this.#finishCurrent();
  }

  /** Hands the current segment over when another one follows it without a break. */
  #finishCurrent(): void {
    if (this.#next === null) return;
    this.#emit(this.#current!, this.#next);
    this.#current = this.#next;
    this.#next = null;
    this.#behind.clear();
  }

  #finishAll(): void {
    this.#finishCurrent();
    const last = this.#current;
    if (last === null) return;
    this.#current = null;
    const hasOverrun = last.sequence > this.#cellOf(last.endUs);
    if (hasOverrun) this.#nextSequence = last.sequence;
    else this.#emit(last, null);
    this.#pendingDiscontinuity ||= !hasOverrun || last.discontinuity;
  }

  #emit(segment: OpenSegment, next: OpenSegment | null): void {
    const media = segment.finish(next);
    const durationUs = (next === null ? segment.endUs : next.startUs) - segment.startUs;
    this.#options.onSegment({
      sequence: segment.sequence,
      startUs: segment.startUs,
      durationUs: Math.max(durationUs, 1000),
      tracks: segment.tracks,
      isIndependent: segment.isIndependent,
      discontinuity: segment.discontinuity,
      media,
    });
  }
}
