import type { Clock } from "../../base/clock.ts";
import { ticksToUs } from "../../base/time.ts";
import type { MediaPacket } from "../../media/packet.ts";
import { makeTrackSet } from "../../media/track.ts";
import type { TrackSet } from "../../media/track.ts";
import type { PacketRun, RecordedPackets } from "../../stream/recorded-packets.ts";
import { StoredPackets } from "../export/stored-packets.ts";
import type { ArchivedSegment } from "../reader/archived-segment.ts";
import type { StreamArchive } from "../reader/stream-archive.ts";
import { PlayClock } from "./play-clock.ts";
import { isBreakBetween, shiftAcross, timesOf } from "./segment-facts.ts";
import { SegmentWalk } from "./segment-walk.ts";

/** What an archive is played with. */
export type ArchivePlayParts = {
  readonly archive: Pick<StreamArchive, "segments" | "hours" | "nearest" | "storedRange">;
  readonly clock: Clock;
  /** Where the range ends on the media clock; `Infinity`: it goes on with what is recorded. Units: microseconds. */
  readonly toUs: number;
  /** Whether time passes in gaps, too. */
  readonly keepsGaps: boolean;
  /** What is recorded is there so long after it was live, at most. Units: microseconds. */
  readonly lateUs: number;
  /** How long is waited for a stream that has stopped; 0: until its last media is there. Units: microseconds. */
  patienceUs(): number;
};

/** A part of the archive in which nothing breaks: what one `StoredPackets` reads. */
type Window = {
  readonly packets: StoredPackets;
  readonly segments: readonly ArchivedSegment[];
  readonly tracks: TrackSet;
  readonly offsetUs: number;
  /** Where it is entered, on the player's clock. */
  readonly fromUs: number;
  /** All before that is there; `Infinity` where nothing follows without a break. */
  readonly wholeUs: number;
  /** What comes behind a break; `null`: nothing does, or not yet, or nothing breaks. */
  readonly next: ArchivedSegment | null;
  /** Nothing comes. */
  readonly isLast: boolean;
  /** Where the next read goes on behind it, once it is read to its end. */
  goesOnAtUs: number | null;
};

/** A point to begin at, on the player's clock as it was then. */
type Start = { readonly us: number; readonly offsetUs: number; readonly segment: ArchivedSegment };

/** What is recorded next is looked for so often. Units: milliseconds. */
const LOOK_MS = 250;
/** What was recorded so lately may be going on, as far as anybody knows. Units: microseconds. */
const RECENT_US = 60_000_000;
/** An archive that ended so long ago does not go on: no clock is so wrong. Units: microseconds. */
const LONG_AGO_US = 2 * 3_600_000_000;

/**
 * An archive as packets for one player, from any time on, and on with what is recorded meanwhile. It lists and reads what
 * it is asked for next: half a minute of segments and a second of media, whatever the range has.
 *
 * Its clock is the media clock, moved; over a gap or a break it goes on as if there was none, unless gaps are kept. Behind
 * a break `tracks` of the runs may be others.
 *
 * What comes to its end ends: a range at its end, and what goes on when nothing was recorded for as long as is waited for.
 */
export class ArchivePlay implements RecordedPackets {
  readonly endUs: number;
  /** Where the player's clock stands at its beginning: at the time that was asked for, where it is recorded. */
  readonly playedUs: number;
  readonly #parts: ArchivePlayParts;
  readonly #walk: SegmentWalk;
  readonly #clock: PlayClock;
  #start: Start;
  #tracks: TrackSet;
  /** The stored set that `#tracks` was made of. */
  #storedTracks: TrackSet;
  #epoch = 1;
  #window: Window | null = null;
  /** The time at which nothing came, and since when. */
  #edge: { readonly us: number; readonly sinceUs: number } | null = null;

  private constructor(
    parts: ArchivePlayParts,
    segment: ArchivedSegment,
    { fromUs, zeroUs }: { readonly fromUs: number; readonly zeroUs: number },
  ) {
    this.#parts = parts;
    this.#walk = new SegmentWalk(parts.archive, parts.clock);
    this.#clock = new PlayClock(zeroUs);
    this.endUs = parts.toUs - zeroUs;
    this.#start = this.#startWith(segment);
    const askedUs = fromUs - zeroUs;
    this.playedUs = parts.keepsGaps ? askedUs : Math.max(askedUs, this.#start.us);
    this.#storedTracks = segment.tracks;
    this.#tracks = makeTrackSet(this.#epoch, segment.tracks.tracks);
  }

  /**
   * Opens it to be played from a time of the media clock on. `isUtc`: its clock is the media clock up to the first gap, and
   * not one that begins at 0.
   * Resolves with `null` where nothing is recorded. Rejects with DVR_*, MP4_*, CODEC_*.
   */
  static async open(parts: ArchivePlayParts, fromUs: number, isUtc: boolean): Promise<ArchivePlay | null> {
    const segment = await new SegmentWalk(parts.archive, parts.clock).startAt(fromUs);
    if (segment === null || segment.startUs >= parts.toUs) return null;
    const wallUs = parts.clock.wallUs();
    const endUs = timesOf(segment).endUs;
    // The newest there is may be all that there is yet of the time just now.
    const isJustNow = parts.toUs > wallUs && Math.min(endUs, fromUs) > wallUs - parts.lateUs - RECENT_US;
    if (endUs <= fromUs && !(isJustNow && fromUs <= wallUs + parts.lateUs)) return null;
    return new ArchivePlay(parts, segment, { fromUs, zeroUs: isUtc ? 0 : timesOf(segment).earliestUs });
  }

  get tracks(): TrackSet {
    return this.#tracks;
  }

  /** Of the segment that is started with. */
  get reorderUs(): number {
    const { segment } = this.#start;
    return Math.max(0, segment.startUs - timesOf(segment).pointUs);
  }

  /** Where it begins, or where `startAt` told last. Units: microseconds. */
  get startUs(): number {
    return this.#start.us;
  }

  /** When the picture is shown that is started with. Units: microseconds, media clock. */
  get firstUs(): number {
    return this.#start.segment.startUs;
  }

  atUtc(utcUs: number): number {
    return this.#clock.timeOf(utcUs);
  }

  async startAt(us: number): Promise<number> {
    const segment = await this.#walk.startAt(Math.max(0, us + this.#clock.offsetAt(us)));
    const start = segment === null ? this.#start : this.#startWith(segment);
    // What lies before its own beginning is no part of it.
    if (start.us >= 0) this.#start = start;
    this.#take(this.#start.segment.tracks);
    return this.#start.us;
  }

  #startWith(segment: ArchivedSegment): Start {
    const us = this.#clock.timeOf(timesOf(segment).earliestUs);
    return { us, offsetUs: this.#clock.offsetAt(us), segment };
  }

  async read(fromUs: number): Promise<PacketRun> {
    const window = await this.#windowAt(fromUs);
    if (window === null) return { ...NOTHING, toUs: fromUs, isLast: true };
    if (window.wholeUs <= fromUs) return await this.#wait(fromUs);
    const run = await window.packets.read(fromUs);
    const isRead = run.isLast || run.toUs >= window.wholeUs;
    const toUs = isRead ? this.#leave(window) : run.toUs;
    this.#window = window;
    return {
      packets: run.packets.filter((packet) => dtsUsOf(packet) < window.wholeUs),
      toUs,
      isLast: isRead && window.isLast,
      tracks: window.tracks,
      utcOffsetUs: window.offsetUs,
    };
  }

  /** Where the read behind a window begins. */
  #leave(window: Window): number {
    const { next, wholeUs, offsetUs, segments } = window;
    const last = segments.at(-1)!;
    if (next === null) window.goesOnAtUs = wholeUs === Infinity ? timesOf(last).endUs - offsetUs : wholeUs;
    else {
      const { keepsGaps } = this.#parts;
      const shiftUs = shiftAcross(last, next, { shiftUs: -offsetUs, keepsGaps });
      window.goesOnAtUs = timesOf(next).earliestUs + shiftUs;
      this.#clock.goOn(window.goesOnAtUs, -shiftUs);
    }
    return window.goesOnAtUs;
  }

  /** The window in which a time is, or `null` where there is nothing. */
  async #windowAt(fromUs: number): Promise<Window | null> {
    const window = this.#window;
    if (window !== null && window.goesOnAtUs === fromUs)
      return await this.#open(window.next ?? window.segments.at(-1)!, fromUs);
    const { us, offsetUs, segment: started } = this.#start;
    if (fromUs === us) {
      // A read that was under way may have come to a break meanwhile.
      if (this.#clock.offsetAt(us) !== offsetUs) this.#clock.goOn(us, offsetUs);
      return await this.#open(started, fromUs);
    }
    if (window !== null && window.goesOnAtUs === null && fromUs >= window.fromUs && fromUs < window.wholeUs)
      return window;
    const segment = await this.#walk.startAt(fromUs + this.#clock.offsetAt(fromUs));
    return segment === null ? null : await this.#open(segment, fromUs);
  }

  /** What follows from a segment on, up to a break. */
  async #open(first: ArchivedSegment, fromUs: number): Promise<Window> {
    const { archive, toUs } = this.#parts;
    const later = await this.#walk.after(first);
    const inRange = later.filter(({ startUs }) => startUs < toUs);
    const all = [first, ...inRange];
    const breaks = all.findIndex((segment, at) => at > 0 && isBreakBetween(all[at - 1]!, segment));
    const segments = breaks < 0 ? all : all.slice(0, breaks);
    const last = segments.at(-1)!;
    const next = all[breaks] ?? null;
    const isLast =
      next === null &&
      (inRange.length < later.length || (later.length === 0 && this.#isOver(last, fromUs)));
    const offsetUs = this.#clock.offsetAt(fromUs);
    const tracks = this.#take(first.tracks);
    const wholeUs = next !== null || isLast ? Infinity : timesOf(last).wholeUs - offsetUs;
    const packets = new StoredPackets(archive.storedRange(segments), {
      shiftUs: -offsetUs,
      firstEpoch: tracks.epoch,
    });
    return { packets, segments, tracks, offsetUs, fromUs, wholeUs, next, isLast, goesOnAtUs: null };
  }

  /** Whether nothing more comes behind the newest segment that there is. */
  #isOver(newest: ArchivedSegment, fromUs: number): boolean {
    const { clock, toUs, lateUs } = this.#parts;
    const wallUs = clock.wallUs();
    if (wallUs > toUs + lateUs) return true;
    const agoUs = wallUs - timesOf(newest).endUs;
    if (agoUs > LONG_AGO_US) return true;
    if (this.#edge?.us !== fromUs) return false;
    const waitedUs = clock.nowUs() - this.#edge.sinceUs;
    return waitedUs > lateUs + Math.max(0, this.#parts.patienceUs() - Math.max(0, agoUs - waitedUs));
  }

  /** For a moment, for what is recorded next. */
  async #wait(fromUs: number): Promise<PacketRun> {
    const { clock } = this.#parts;
    if (this.#edge?.us !== fromUs) this.#edge = { us: fromUs, sinceUs: clock.nowUs() };
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.schedule(LOOK_MS, resolve);
    await promise;
    return { ...NOTHING, toUs: fromUs };
  }

  /** The tracks of what is stored, under an epoch of their own. */
  #take(stored: TrackSet): TrackSet {
    if (stored !== this.#storedTracks) {
      this.#storedTracks = stored;
      this.#tracks = makeTrackSet(++this.#epoch, stored.tracks);
    }
    return this.#tracks;
  }
}

const NOTHING = { packets: [], isLast: false } as const;

function dtsUsOf({ dts, track }: MediaPacket): number {
  return ticksToUs(dts, track.timescale);
}
