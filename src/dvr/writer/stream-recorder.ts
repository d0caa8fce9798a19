import type { Clock } from "../../base/clock.ts";
import type { TrackId } from "../../media/ids.ts";
import type { MediaPacket } from "../../media/packet.ts";
import type { RecordedEnd, RecordedSegment, SegmentRecorder } from "../../packaging/segment-recorder.ts";
import type { Schedule } from "../keep/schedule.ts";
import { RecordedGroup, chunksOf } from "./recorded-group.ts";
import type { RecordedChunk, SegmentShare } from "./recorded-group.ts";

/** Who writes groups. Takes their ownership. */
export type GroupWriter = { write(group: RecordedGroup): void };

/** Where a stream is recorded, and when: segments that begin by its schedule; all of them where there is none. */
export type RecorderTarget = {
  readonly writer: GroupWriter;
  readonly schedule: Pick<Schedule, "isRecordingAt"> | null;
};

/** Of streams with shorter GOPs, or without pictures, several GOPs are written together. Units: microseconds. */
const MIN_FLUSH_US = 250_000;

/** How far the segment that grows was taken. */
type Progress = {
  readonly sequence: number;
  readonly taken: Map<TrackId, number>;
  /** Nothing of it is recorded. */
  readonly isLeftOut: boolean;
  isBegun: boolean;
};

/**
 * Collects what of a stream is to be written, and gives it to the writer GOP by GOP: when the process is killed, the GOP
 * that was growing is lost, or a quarter of a second where GOPs are shorter.
 *
 * Sound that comes behind the pictures of its segment is written when the segment is complete, which is when viewers are told
 * of it: what they were shown is there.
 */
export class StreamRecorder implements SegmentRecorder {
  readonly #clock: Clock;
  /** `null`: nothing is recorded. */
  #target: RecorderTarget | null;
  /** For the next segment. */
  #next: { readonly target: RecorderTarget | null; readonly onChanged: () => void } | null = null;
  #group: RecordedGroup | null = null;
  #progress: Progress | null = null;
  #writtenUs = -Infinity;

  /** `writer` `null`: nothing is recorded. `schedule`: when segments begin that are; always unless given. */
  constructor(writer: GroupWriter | null, clock: Clock, schedule: RecorderTarget["schedule"] = null) {
    this.#clock = clock;
    this.#target = writer === null ? null : { writer, schedule };
  }

  /**
   * From the next segment on it is recorded otherwise, or no more where that is `null`. `onChanged`: then, the writer before gets nothing more. What was to
   * come in force with the next segment and did not, never does.
   */
  recordOtherwise(target: RecorderTarget | null, onChanged: () => void): void {
    this.#next = { target, onChanged };
  }

  onGop(segment: RecordedSegment, next: MediaPacket): void {
    if (this.#clock.nowUs() - this.#writtenUs < MIN_FLUSH_US) return;
    this.#take(segment, (id) => (id === next.track.id ? next.dts : null), null);
    this.#flush();
  }

  onSegment(segment: RecordedSegment, end: RecordedEnd): void {
    this.#take(segment, (id) => end.nextDts(id), end.endUs - segment.startUs);
    this.#progress = null;
    this.#flush();
  }

  onBreak(): void {
    this.#flush();
  }

  /** Puts what came of a segment since the last time into the group. */
  #take(
    segment: RecordedSegment,
    nextDts: (id: TrackId) => number | null,
    durationUs: number | null,
  ): void {
    const { sequence, startUs, tracks, isIndependent, discontinuity } = segment;
    if (this.#progress?.sequence !== sequence) {
      this.#change();
      const isLeftOut = !this.#isRecordingAt(startUs / 1000);
      this.#progress = { sequence, taken: new Map(), isLeftOut, isBegun: false };
    }
    const progress = this.#progress;
    if (progress.isLeftOut) return;
    const chunks: RecordedChunk[] = [];
    const group = (this.#group ??= new RecordedGroup());
    for (const track of tracks.tracks) {
      const packets = segment.packetsOf(track.id);
      const from = progress.taken.get(track.id) ?? 0;
      if (from === packets.length) continue;
      group.hold(packets, from);
      chunks.push(...chunksOf(track, packets, from, { sequence, nextDts: nextDts(track.id) }));
      progress.taken.set(track.id, packets.length);
    }
    if (chunks.length === 0 && (durationUs === null || !progress.isBegun)) return;
    const isStart = !progress.isBegun;
    progress.isBegun = true;
    const facts = { sequence, startUs, tracks, isIndependent, discontinuity, isStart, durationUs };
    const share: SegmentShare = { ...facts, chunks };
    group.add(share);
  }

  #isRecordingAt(ms: number): boolean {
    return this.#target !== null && this.#target.schedule?.isRecordingAt(ms) !== false;
  }

  #change(): void {
    const next = this.#next;
    if (next === null) return;
    this.#flush();
    this.#next = null;
    this.#target = next.target;
    next.onChanged();
  }

  #flush(): void {
    const group = this.#group;
    this.#group = null;
    if (group === null || group.shares.length === 0) return;
    this.#writtenUs = this.#clock.nowUs();
    group.utcUs = this.#clock.wallUs();
    this.#target?.writer.write(group);
  }
}
