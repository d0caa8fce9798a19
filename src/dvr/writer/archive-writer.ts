import assert from "node:assert/strict";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { BoundedWork } from "../../base/bounded-work.ts";
import type { ArchiveFiles } from "../archive-files.ts";
import { hourOf } from "../format/hour.ts";
import { hoursOfStream } from "../format/hours-of-stream.ts";
import { RECORD_FLAG, RECORD_KIND, emptyRecord } from "../format/index-record.ts";
import type { IndexRecord, RecordFields, RecordKind } from "../format/index-record.ts";
import { HourWriter } from "./hour-writer.ts";
import type { WriteAccess } from "./write-access.ts";
import type { PlannedRecord } from "./hour-writer.ts";
import type { RecordedGroup, SegmentShare } from "./recorded-group.ts";
import type { RecordingCounters } from "./recording-counters.ts";
import type { GroupWriter } from "./stream-recorder.ts";

/** What the writer of a stream's archive needs. */
export type ArchiveWriterOptions = {
  readonly files: ArchiveFiles;
  /** Of the stream. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fsync: FsyncPolicy;
  /** Asks whether the stream may be written. `onLost`: it may not any more, from that moment on. */
  access(onLost: () => void): WriteAccess;
  /** What all streams of a thread have waiting to be written. */
  readonly waiting: WaitingBytes;
  /** Of all streams of a thread; nothing is counted when left out. */
  readonly counters?: RecordingCounters;
  /** Syncs of all streams of a thread: few at a time, so that those who write find the system's threads free. */
  readonly syncs: Pick<BoundedWork, "run">;
  /** Records of an hour; what readers take unless given. */
  readonly maxHourRecords?: number;
};

/** What waits to be written, of all streams of a thread: memory that a disk which stands still may take. Units: bytes. */
export type WaitingBytes = { bytes: number; readonly limit: number };

/**
 * When what was written has to be on the disk itself: never by our doing, two seconds after it was written at the latest, or
 * before the next group is written; of that, media before the records that promise it.
 */
export type FsyncPolicy = "none" | "interval" | "fragment";

/** Units: milliseconds. */
const FSYNC_INTERVAL_MS = 2000;

/** So long a new hour waits for the disk to take the end of the one before, and its own beginning. Units: milliseconds. */
const HOUR_PATIENCE_MS = 1000;

/** What waits to be written, of one stream. A disk that stands still for longer makes a gap. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Groups of sound alone are small, and each takes memory of its own: four minutes of them at the fastest. */
const MAX_WAITING_GROUPS = 1000;

/** After an error of the disk nothing is tried for so long. */
const RETRY_US = 5_000_000;

/** Two segments that are nearer to each other follow each other without a gap. */
const SAME_US = 1000;

/**
 * Where tracks change, sound and pictures from before end a little behind the first picture of what follows. What begins
 * earlier than that is of a clock that was set back. Units: microseconds.
 */
const MAX_OVERLAP_US = 1_000_000;

/** A wall clock that goes otherwise than the media clock by so much was set. */
const CLOCK_STEP_US = 2_000_000;

/** The segment that is being written. */
type OpenSegment = {
  readonly sequence: number;
  readonly startUs: number;
  readonly ordinal: number;
  readonly discontinuities: number;
  readonly hour: number;
  readonly file: number;
  /** `discontinuity` and `independent`. */
  readonly flags: number;
};

/** Where the archive ends: its last complete segment, if it has any. */
type End = {
  readonly ordinal: number | null;
  readonly startUs: number;
  readonly endUs: number;
  readonly discontinuities: number;
  /** It was found as it is: what comes now is of another run, also where it begins right behind. */
  readonly isFound: boolean;
};

/**
 * Hours that may not be in order when a process comes back. Where nothing is forced to the disk, a loss of power soon after
 * an hour began can cost the end of the one before.
 */
export const LAST_HOURS = 2;

/** What is wrong with an index, and not with the disk. */
const UNREADABLE: ReadonlySet<string> = new Set(["DVR_BAD_INDEX", "DVR_INDEX_VERSION"]);

/** The stream is not ours any more, or its volume takes nothing: who says so has logged it. */
class NoAccess extends Error {}

/**
 * Writes one stream's archive. Groups are written one after the other; what the disk does not take is a gap in the archive
 * and nothing else: whoever gives groups never waits.
 */
export class ArchiveWriter implements GroupWriter {
  readonly #options: ArchiveWriterOptions;
  readonly #waiting: RecordedGroup[] = [];
  #waitingBytes = 0;
  #syncTimer: Timer | null = null;
  /** For its turn: what comes by then is synced with it. */
  #isSyncWaiting = false;
  /** What the last sync failed with: it is said, and the files are closed, in turn with what is written. */
  #syncFailure: { readonly caught: unknown } | null = null;
  /** The stream became somebody else's: its files are to be closed, in turn with what is written. */
  #isLost = false;
  /** The stream is ours, as far as is known: nothing waits for that. */
  #isHeld = false;
  #running: Promise<void> | null = null;
  #isClosed = false;
  /** Groups were dropped since the last one that was taken. */
  #hasLost = false;
  #hour: HourWriter | null = null;
  /** Hours that nothing is written to any more, until they are synced and closed. */
  readonly #closing = new Set<Promise<void>>();
  /** `null` before the archive was looked at, and after an error. */
  #end: End | null = null;
  #segment: OpenSegment | null = null;
  #retryUs = -Infinity;
  #isFailing = false;
  #hasSaidUnreadable = false;
  /** An hour that takes no more records. */
  #fullHour: number | null = null;
  readonly #access: WriteAccess;
  /** Of the wall clock to the media clock; `null` before the first group. */
  #offsetUs: number | null = null;

  constructor(options: ArchiveWriterOptions) {
    this.#options = options;
    this.#access = options.access(() => {
      this.#isLost = true;
      this.#isHeld = false;
      if (this.#isClosed) void this.#access.release();
      else this.#runOn();
    });
  }

  /** Bytes of media that wait to be written. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Puts the end of the archive in order before the first group comes. Returns: where it ends on the media clock, in
   * microseconds, which what is recorded next has to be behind; `null` when nothing is recorded, or the disk fails.
   */
  async prepare(): Promise<number | null> {
    if (this.#running !== null || this.#isClosed) return null;
    let endUs: number | null = null;
    const prepare = async (): Promise<void> => {
      try {
        if (!this.#access.mayWrite()) return;
        this.#end ??= await this.#recover();
        endUs = this.#end.endUs;
      } catch (caught) {
        await this.#failed(caught);
      }
    };
    await (this.#running = this.#run(prepare));
    return endUs === -Infinity ? null : endUs;
  }

  write(group: RecordedGroup): void {
    const { waiting } = this.#options;
    const isTooMuch =
      this.#waiting.length >= MAX_WAITING_GROUPS ||
      this.#waitingBytes + group.bytes > MAX_WAITING_BYTES ||
      waiting.bytes + group.bytes > waiting.limit;
    if (this.#isClosed || isTooMuch) {
      this.#hasLost = true;
      this.#options.counters?.lost();
      group.release();
      return;
    }
    group.followsLoss = this.#hasLost;
    this.#hasLost = false;
    this.#waiting.push(group);
    this.#waitingBytes += group.bytes;
    waiting.bytes += group.bytes;
    this.#runOn();
  }

  /** Writes what waits, and nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#syncTimer?.cancel();
    // One who waits for the stream to be his waits no more; what came meanwhile is not written then.
    if (!this.#isHeld) await this.#access.release();
    await this.#running;
    try {
      await this.#closeHour();
      await Promise.all(this.#closing);
      if (this.#syncFailure !== null) throw this.#syncFailure.caught;
    } finally {
      // Nobody else has the stream while files of it are open here.
      await Promise.all(this.#closing);
      await this.#access.release();
    }
  }

  /**
   * Syncs beside what is written, some time after the first group that was written since the last time: a complete segment
   * is listed at once, and a write that waited for a disk to be synced would come late when the process is killed.
   */
  #syncLater(): void {
    this.#syncTimer ??= this.#options.clock.schedule(FSYNC_INTERVAL_MS, () => {
      this.#syncTimer = null;
      void this.#syncBeside();
    });
  }

  /** An hour that is closed while this waits for its turn is synced by then. Never rejects. */
  async #syncBeside(): Promise<void> {
    if (this.#isSyncWaiting) return;
    this.#isSyncWaiting = true;
    try {
      await this.#options.syncs.run(async () => {
        this.#isSyncWaiting = false;
        await this.#hour?.sync();
      });
    } catch (caught) {
      this.#noteUnsynced(caught);
    }
  }

  #noteUnsynced(caught: unknown): void {
    this.#syncFailure = { caught };
    if (!this.#isClosed) this.#runOn();
  }

  #runOn(): void {
    this.#running ??= this.#run();
  }

  async #failIfUnsynced(): Promise<void> {
    const failure = this.#syncFailure;
    this.#syncFailure = null;
    if (failure !== null) await this.#failed(failure.caught);
  }

  async #run(before: (() => Promise<void>) | null = null): Promise<void> {
    try {
      await this.#whenHeld();
      await this.#writeAll(before);
    } finally {
      // At once, so that a group that comes now is not taken for one that is under way.
      this.#running = null;
    }
  }

  async #writeAll(before: (() => Promise<void>) | null): Promise<void> {
    await this.#leaveIfLost();
    await before?.();
    await this.#failIfUnsynced();
    for (let group = this.#waiting[0]; group !== undefined; group = this.#waiting[0]) {
      await this.#whenHeld();
      try {
        await this.#writeOrDrop(group);
      } finally {
        this.#waiting.shift();
        this.#waitingBytes -= group.bytes;
        this.#options.waiting.bytes -= group.bytes;
        group.release();
      }
      await this.#leaveIfLost();
      await this.#failIfUnsynced();
    }
  }

  /** A stream that was lost, as by a volume that hung for half a minute, is waited for as it was at first. */
  async #whenHeld(): Promise<void> {
    do {
      await this.#leaveIfLost();
      await this.#access.whenHeld();
    } while (this.#isLost);
    this.#isHeld = true;
  }

  async #leaveIfLost(): Promise<void> {
    if (!this.#isLost) return;
    this.#isLost = false;
    await this.#leave();
  }

  async #writeOrDrop(group: RecordedGroup): Promise<void> {
    const { clock, counters } = this.#options;
    if (clock.nowUs() < this.#retryUs || !this.#access.mayWrite()) {
      counters?.lost();
      // What is recorded of its segment gets its end when it goes on.
      if (this.#segment !== null) await this.#leave();
      return;
    }
    try {
      // A segment whose beginning is recorded and whose rest is lost gets its end.
      if (group.followsLoss && this.#segment !== null) await this.#leave();
      this.#end ??= await this.#recover();
      await this.#writeGroup(group);
      this.#succeeded();
      counters?.wrote(group.bytes, clock.wallUs() - group.utcUs);
      if (this.#options.fsync === "interval") this.#syncLater();
    } catch (caught) {
      counters?.lost();
      if (caught instanceof NoAccess) await this.#leave();
      else if (asMediaError(caught)?.code === "DVR_HOUR_FULL") await this.#fillHour(group, caught);
      else await this.#failed(caught);
    }
  }

  /** Segments of an hour that takes no more are dropped; it is said once. */
  async #fillHour(group: RecordedGroup, caught: unknown): Promise<void> {
    const { log, folder } = this.#options;
    const hour = this.#segment?.hour ?? hourOf(group.shares[0]!.startUs);
    if (this.#fullHour !== hour)
      log.error("recording has stopped until the next hour", { folder, error: messageOf(caught) });
    this.#fullHour = hour;
    await this.#leave();
  }

  #succeeded(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.log.info("recording goes on", { folder: this.#options.folder });
  }

  /** A volume that takes nothing is told of once, by its state, whatever the number of its streams. */
  async #failed(caught: unknown): Promise<void> {
    const { log, folder, clock } = this.#options;
    this.#retryUs = clock.nowUs() + RETRY_US;
    this.#access.failed(caught);
    if (!this.#isFailing && this.#access.mayWrite()) {
      this.#isFailing = true;
      log.error("recording has stopped, it is tried again", { folder, error: messageOf(caught) });
    }
    await this.#leave();
  }

  #mustHold(): void {
    if (this.#isLost || !this.#access.mayWrite()) throw new NoAccess();
  }

  /** Knows nothing of the archive any more: its files are closed without a word. */
  async #leave(): Promise<void> {
    this.#segment = null;
    this.#end = null;
    await this.#closeHour().catch(() => {});
  }

  /** Looks where the archive ends, and puts its last hour in order, and the one in front of that: see `LAST_HOURS`. */
  async #recover(): Promise<End> {
    const { files, folder } = this.#options;
    let end: End | null = null;
    let seen = 0;
    for await (const hour of hoursOfStream(files, folder)) {
      this.#mustHold();
      const lastEnd = await this.#recoverHour(hour);
      if (lastEnd !== null) end ??= endOf(lastEnd);
      if (++seen >= LAST_HOURS && end !== null) break;
    }
    return (
      end ?? { ordinal: null, startUs: -Infinity, endUs: -Infinity, discontinuities: 0, isFound: true }
    );
  }

  /** An index that cannot be read, and is not touched, is no reason to record nothing from then on. */
  async #recoverHour(hour: number): Promise<IndexRecord | null> {
    const { files, folder, log } = this.#options;
    try {
      const { writer, recovered } = await HourWriter.open(files, folder, hour);
      await writer.close();
      return recovered.lastEnd;
    } catch (caught) {
      if (!UNREADABLE.has(asMediaError(caught)?.code ?? "")) throw caught;
      if (!this.#hasSaidUnreadable)
        log.error("an hour of the archive cannot be recorded on", { folder, error: messageOf(caught) });
      this.#hasSaidUnreadable = true;
      return null;
    }
  }

  async #writeGroup(group: RecordedGroup): Promise<void> {
    const step = this.#clockStep(group);
    let planned: PlannedRecord[] = [];
    let place: OpenSegment | null = null;
    for (const share of group.shares) {
      if (place !== null && share.isStart && hourOf(share.startUs) !== place.hour) {
        await this.#append(place, planned);
        planned = [];
      }
      const segment = await this.#segmentOf(share);
      if (segment === null) continue;
      if (place !== null && place.file !== segment.file) {
        await this.#append(place, planned);
        planned = [];
      }
      place = segment;
      this.#plan(planned, segment, share, group.utcUs);
    }
    if (place === null) return;
    if (step !== null) {
      step.record.ordinal = place.ordinal + 1;
      step.record.discontinuities = place.discontinuities;
      planned.push(step);
    }
    await this.#append(place, planned);
  }

  async #append({ hour, file }: OpenSegment, planned: readonly PlannedRecord[]): Promise<void> {
    const last = planned.at(-1);
    if (last === undefined) return;
    last.record.flags |= RECORD_FLAG.groupEnd;
    this.#mustHold();
    const isDurable = this.#options.fsync === "fragment";
    assert.equal(this.#hour?.hour, hour, "what is of an hour comes before the next one");
    await this.#hour.append(file, planned, isDurable);
  }

  /** The segment of which a share is; `null`: its beginning was lost. */
  async #segmentOf(share: SegmentShare): Promise<OpenSegment | null> {
    if (!share.isStart) return this.#segment?.sequence === share.sequence ? this.#segment : null;
    const { sequence, startUs, tracks, isIndependent } = share;
    const end = this.#end!;
    // Segments of one archive stand one behind the other, whatever clocks say, and no two have one name.
    if (startUs < end.endUs - MAX_OVERLAP_US || startUs < end.startUs + SAME_US)
      return (this.#segment = null);
    const hour = hourOf(startUs);
    if (hour === this.#fullHour) return (this.#segment = null);
    const writer = await this.#hourOf(hour);
    this.#mustHold();
    const file = await writer.mediaFor(tracks);
    const isBreak = share.discontinuity || end.isFound || startUs - end.endUs > SAME_US;
    const flags = (isBreak ? RECORD_FLAG.discontinuity : 0) | (isIndependent ? RECORD_FLAG.independent : 0);
    const discontinuities = end.discontinuities + (isBreak ? 1 : 0);
    // A segment that is never completed uses up no number.
    const ordinal = end.ordinal === null ? sequence : end.ordinal + 1;
    return (this.#segment = { sequence, startUs, ordinal, discontinuities, hour, file, flags });
  }

  async #hourOf(hour: number): Promise<HourWriter> {
    if (this.#hour?.hour === hour) return this.#hour;
    await this.#shortly(this.#closeBeside());
    this.#mustHold();
    const { files, folder, fsync, maxHourRecords: maxRecords } = this.#options;
    const options = maxRecords === undefined ? {} : { maxRecords };
    const { writer, recovered } = await HourWriter.open(files, folder, hour, options);
    this.#hour = writer;
    // The header of a new index, and its folders.
    if (recovered.indexBytes === 0 && fsync !== "none") await this.#shortly(this.#syncBeside());
    return writer;
  }

  /** Resolves when the hour that was written to is synced and closed, which is done beside what follows. Never rejects. */
  async #closeBeside(): Promise<void> {
    const hour = this.#hour;
    this.#hour = null;
    if (hour === null) return;
    const closing = this.#options.syncs.run(async () => await this.#syncAndClose(hour));
    const closed = closing
      .catch((caught: unknown) => this.#noteUnsynced(caught))
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
    await closed;
  }

  /**
   * An hour is on the disk before the next one begins, and an index before something is promised in it, if the disk is as
   * quick as that. All streams begin an hour at the same moment: a slow one would have a hundred of them wait for a minute.
   */
  async #shortly(work: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(HOUR_PATIENCE_MS, resolve);
    await Promise.race([work, late]);
    timer.cancel();
  }

  #plan(planned: PlannedRecord[], segment: OpenSegment, share: SegmentShare, utcUs: number): void {
    const { ordinal, flags, startUs, discontinuities } = segment;
    const of = (kind: RecordKind): RecordFields => ({
      ...emptyRecord(),
      ...{ kind, ordinal, startUs, utcUs, discontinuities, flags },
      sequence: share.sequence % 2 ** 32,
    });
    if (share.isStart && share.durationUs === null)
      planned.push({ record: of(RECORD_KIND.segmentStart), chunk: null });
    for (const [i, chunk] of share.chunks.entries()) {
      const record = of(RECORD_KIND.chunk);
      const { trackNumber, startUs: chunkUs, durationUs, samples, headerBytes, size } = chunk;
      Object.assign(record, { trackNumber, startUs: chunkUs, durationUs, samples, headerBytes, size });
      record.flags = share.isStart && i === 0 ? flags | RECORD_FLAG.segmentStart : 0;
      if (chunk.isSync) record.flags |= RECORD_FLAG.sync;
      planned.push({ record, chunk });
    }
    if (share.durationUs === null) return;
    const record = of(RECORD_KIND.segmentEnd);
    record.durationUs = share.durationUs;
    planned.push({ record, chunk: null });
    this.#segment = null;
    this.#end = { ordinal, startUs, endUs: startUs + share.durationUs, discontinuities, isFound: false };
  }

  /** That the wall clock was set since the last group. */
  #clockStep({ endUs: mediaUs, utcUs }: RecordedGroup): PlannedRecord | null {
    const offsetUs = utcUs - mediaUs;
    const before = this.#offsetUs;
    this.#offsetUs = offsetUs;
    if (before === null || Math.abs(offsetUs - before) < CLOCK_STEP_US) return null;
    const { fact } = RECORD_KIND;
    const flags = RECORD_FLAG.clockStep;
    return { record: { ...emptyRecord(), kind: fact, flags, startUs: mediaUs, utcUs }, chunk: null };
  }

  async #closeHour(): Promise<void> {
    const hour = this.#hour;
    this.#hour = null;
    if (hour !== null) await this.#syncAndClose(hour);
  }

  async #syncAndClose(hour: HourWriter): Promise<void> {
    try {
      if (this.#options.fsync !== "none") await hour.sync();
    } finally {
      await hour.close();
    }
  }
}

function endOf({ ordinal, startUs, durationUs, discontinuities }: IndexRecord): End {
  return { ordinal, startUs, endUs: startUs + durationUs, discontinuities, isFound: true };
}
