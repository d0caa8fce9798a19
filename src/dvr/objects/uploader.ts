import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import { Ring } from "../../base/ring.ts";
import { backOffMs } from "./back-off.ts";
import { copyHour } from "./hour-copy.ts";
import type { HourFile, HourRef, RecordedHours } from "./hours-storage.ts";
import type { ObjectStore } from "./object-store.ts";

/** What an `Uploader` needs. */
export type UploaderOptions = {
  /** Ownership: whoever opened it closes it, after the uploader. */
  readonly store: ObjectStore;
  readonly hours: RecordedHours;
  readonly clock: Clock;
  readonly log: Logger;
  /** An hour is copied and verified, media and index. May be told more than once of the same hour. */
  readonly onSafe: (hour: HourRef) => void;
  /** Of 0 up to, not including, 1; `Math.random` unless given. */
  readonly random?: () => number;
  readonly limits?: Partial<UploaderLimits>;
};

/** What an uploader does and keeps at most. */
export type UploaderLimits = {
  /** Hours that are copied at a time. */
  readonly running: number;
  /** Hours that wait; what is beyond is found again on the disk. */
  readonly waiting: number;
  /** Hours that are copied and could not be noted; those beyond are looked at again at the next start. */
  readonly unnoted: number;
  /** Streams whose disk is to be looked through; of those beyond, hours are found at the next start. */
  readonly streams: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
};

/** How an uploader is doing. */
export type UploaderStats = {
  readonly running: number;
  readonly waiting: number;
  /** Streams whose hours on the disk are not all known. */
  readonly streamsToScan: number;
  readonly copiedHours: number;
  readonly sentBytes: number;
  readonly failures: number;
  /** Of the last attempt that failed; `null` when the last one succeeded. */
  readonly lastError: string | null;
  /** Milliseconds until the store is tried again; 0 when it is not waited for. */
  readonly pauseMs: number;
};

const DEFAULTS: UploaderLimits = {
  running: 1,
  waiting: 256,
  unnoted: 4096,
  streams: 20_000,
  firstPauseMs: 1000,
  longestPauseMs: 300_000,
};

/** Failures of our own disk, or of one hour: they hold up the stream that has them, not the store. */
const LOCAL: ReadonlySet<string> = new Set([
  "OBJECT_FILE_UNREADABLE",
  "OBJECT_FILE_CHANGED",
  "OBJECT_TOO_BIG",
  "OBJECT_BAD_KEY",
  "OBJECT_HOUR_TAKEN",
]);

/** Failures that leave something in the store that is not to be believed. */
const DAMAGING: ReadonlySet<string> = new Set(["OBJECT_CHECKSUM", "OBJECT_COPY_DIFFERS"]);

/** An hour that is copied. */
type Copied = { readonly hour: HourRef; readonly files: readonly HourFile[] };

/** A stream whose disk is to be looked through. */
type Scan = {
  readonly stream: string;
  /** Not before this; monotonic. */
  dueUs: number;
  /** The path of the last hour that was found; `null`: from the first. */
  after: string | null;
  /** It was asked for again while it was under way: what it found may not be all. */
  isAskedAgain: boolean;
};

/**
 * Copies finished hours to one place, for as long as it takes. Nothing of it is kept anywhere: an hour without a note
 * that it is copied is one that is not, and is found on the disk at the next start.
 *
 * A store that fails stops all copying to it for a while, up to five minutes, and is then tried with another hour than
 * the one before. A disk that fails stops its stream alone.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #limits: UploaderLimits;
  readonly #waiting: Ring<HourRef>;
  /** Hours that wait or run. */
  readonly #known = new Set<string>();
  /** Hours under way; `false`: their stream was forgotten meanwhile. */
  readonly #copying = new Map<HourRef, boolean>();
  /** Hours of which the store has something that is not right, whatever its size. */
  readonly #suspects = new Map<string, true>();
  readonly #scans = new Map<string, Scan>();
  /** Hours that were copied while the disk is looked through: what is found may be older. */
  readonly #copiedMeanwhile = new Set<string>();
  /** Hours that are copied, and could not be noted as that. */
  readonly #unnoted = new Map<string, Copied>();
  #unnotedDueUs = Infinity;
  #isNoting = false;
  /** Failures in a row of streams whose disk fails. */
  readonly #localFailures = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #jobs = new Set<Promise<void>>();
  #isScanning = false;
  /** Of the store, in a row. */
  #failures = 0;
  #pausedUntilUs = -Infinity;
  #timer: Timer | null = null;
  #copiedHours = 0;
  #sentBytes = 0;
  #allFailures = 0;
  #lastError: string | null = null;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULTS, ...options.limits };
    this.#waiting = new Ring(this.#limits.waiting);
  }

  /** Copies an hour that has just finished. One that is known already is not added again. */
  add(hour: HourRef): void {
    if (this.#isStopped) return;
    this.#want(hour.stream);
    if (!this.#enqueue(hour)) this.#scanLater(hour.stream);
    this.#pump();
  }

  /** Looks through the disk for hours of a stream that are not copied; for every stream that is copied, at start. */
  scan(stream: string): void {
    if (this.#isStopped) return;
    this.#want(stream);
    this.#scanLater(stream);
    this.#pump();
  }

  /** A stream is not copied any more: what waits is dropped; an hour that is under way is finished. */
  forget(stream: string): void {
    this.#scans.delete(stream);
    this.#localFailures.delete(stream);
    this.#want(stream, false);
    for (const [id, { hour }] of this.#unnoted) if (hour.stream === stream) this.#unnoted.delete(id);
    for (let left = this.#waiting.length; left > 0; left--) {
      const hour = this.#waiting.shift()!;
      if (hour.stream === stream) this.#known.delete(idOf(hour));
      else this.#waiting.push(hour);
    }
  }

  /**
   * Stops, and resolves when nothing is under way any more. Idempotent. An upload in parts is given up at the host first,
   * which takes as long as the host does; to close the store as well ends that too.
   */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting.clear();
    this.#scans.clear();
    await Promise.allSettled(this.#jobs);
  }

  stats(): UploaderStats {
    const pauseUs = Math.max(0, this.#pausedUntilUs - this.#options.clock.nowUs());
    return {
      running: this.#copying.size,
      waiting: this.#waiting.length,
      streamsToScan: this.#scans.size,
      copiedHours: this.#copiedHours,
      sentBytes: this.#sentBytes,
      failures: this.#allFailures,
      lastError: this.#lastError,
      pauseMs: Math.ceil(pauseUs / 1000),
    };
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Whether an hour of the stream that is under way and fails is tried again. */
  #want(stream: string, isWanted = true): void {
    for (const hour of this.#copying.keys()) if (hour.stream === stream) this.#copying.set(hour, isWanted);
  }

  /** Returns: whether the hour waits or runs now. */
  #enqueue(hour: HourRef): boolean {
    const id = idOf(hour);
    if (this.#known.has(id)) return true;
    if (!this.#waiting.push(hour)) return false;
    this.#known.add(id);
    return true;
  }

  /** `delayMs`: how long the stream is left alone. */
  #scanLater(stream: string, delayMs = 0): void {
    const dueUs = this.#options.clock.nowUs() + delayMs * 1000;
    const scan = this.#scans.get(stream);
    if (scan !== undefined) {
      scan.after = null;
      scan.isAskedAgain = true;
      scan.dueUs = Math.max(scan.dueUs, dueUs);
      return;
    }
    if (this.#scans.size >= this.#limits.streams) {
      this.#options.log.warn(
        "too many streams are behind with their copies; some are left to the next start",
        {
          stream,
          limit: this.#limits.streams,
        },
      );
      return;
    }
    this.#scans.set(stream, { stream, dueUs, after: null, isAskedAgain: false });
  }

  /** Starts what may be started now, and sets the timer for what may be later. */
  #pump(): void {
    if (this.#isStopped) return;
    const nowUs = this.#options.clock.nowUs();
    while (this.#copying.size < this.#limits.running && nowUs >= this.#pausedUntilUs) {
      // While it is not known whether the store is back, one hour asks for all.
      if (this.#failures > 0 && this.#copying.size > 0) break;
      const hour = this.#waiting.shift();
      if (hour === undefined) break;
      this.#start(this.#copy(hour));
    }
    if (this.#waiting.length === 0) this.#scanNext(nowUs);
    if (!this.#isNoting && this.#unnoted.size > 0 && nowUs >= this.#unnotedDueUs)
      this.#start(this.#noteAgain());
    this.#setTimer(nowUs);
  }

  #start(job: Promise<void>): void {
    const tracked = job
      .catch((caught: unknown) => {
        this.#options.log.error("copying ended in an unforeseen way", { reason: messageOf(caught) });
      })
      .finally(() => {
        this.#jobs.delete(tracked);
        this.#pump();
      });
    this.#jobs.add(tracked);
  }

  #setTimer(nowUs: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    const dueUs = this.#nextDueUs(nowUs);
    if (dueUs === null) return;
    const delayMs = Math.max(1, Math.ceil((dueUs - nowUs) / 1000));
    this.#timer = this.#options.clock.schedule(delayMs, () => this.#pump());
  }

  /** When something may be started that may not be now; `null` when a job's end or a new hour is what is waited for. */
  #nextDueUs(nowUs: number): number | null {
    const due: number[] = [];
    if (this.#waiting.length > 0) due.push(this.#pausedUntilUs);
    else if (!this.#isScanning) for (const { dueUs } of this.#scans.values()) due.push(dueUs);
    if (this.#unnoted.size > 0 && !this.#isNoting) due.push(this.#unnotedDueUs);
    const next = due.reduce((first, dueUs) => (dueUs > nowUs ? Math.min(first, dueUs) : first), Infinity);
    return next === Infinity ? null : next;
  }

  #scanNext(nowUs: number): void {
    if (this.#isScanning) return;
    for (const scan of this.#scans.values()) {
      if (scan.dueUs > nowUs) continue;
      // At the end of the line, so that every stream has its turn.
      this.#scans.delete(scan.stream);
      this.#scans.set(scan.stream, scan);
      this.#isScanning = true;
      this.#start(this.#scan(scan));
      return;
    }
  }

  async #scan(scan: Scan): Promise<void> {
    const { hours, store } = this.#options;
    // A share, so that a stream with a year on its disk does not keep all others waiting.
    const limit = Math.max(1, Math.floor(this.#limits.waiting / 8));
    scan.isAskedAgain = false;
    this.#copiedMeanwhile.clear();
    try {
      const search = { location: store.location, limit, after: scan.after };
      const found = await hours.uncopied(scan.stream, search);
      if (this.#isStopped || this.#scans.get(scan.stream) !== scan) return;
      const isLeft = (hour: HourRef): boolean =>
        !this.#copiedMeanwhile.has(idOf(hour)) && !this.#enqueue(hour);
      const firstLeft = found.findIndex(isLeft);
      if (scan.isAskedAgain) return;
      const taken = firstLeft < 0 ? found : found.slice(0, firstLeft);
      if (firstLeft < 0 && found.length < limit) this.#scans.delete(scan.stream);
      else scan.after = taken.at(-1)?.path ?? scan.after;
    } catch (caught) {
      if (!this.#isStopped) this.#failLocally(scan.stream, caught);
    } finally {
      this.#isScanning = false;
      this.#copiedMeanwhile.clear();
    }
  }

  async #copy(hour: HourRef): Promise<void> {
    const { store, hours, clock, log } = this.#options;
    const { signal } = this.#stopping;
    const startedUs = clock.nowUs();
    this.#copying.set(hour, true);
    const id = idOf(hour);
    let isWaiting = false;
    try {
      const copy = await copyHour(hour, { store, hours, signal, sendsAll: this.#suspects.has(id) });
      this.#failures = 0;
      this.#lastError = null;
      this.#localFailures.delete(hour.stream);
      this.#suspects.delete(id);
      if (copy === null) return;
      this.#copiedHours++;
      this.#sentBytes += copy.sentBytes;
      const ms = Math.round((clock.nowUs() - startedUs) / 1000);
      const { length: files } = copy.files;
      log.info("hour copied", { ...hour, to: store.location, files, bytes: copy.sentBytes, ms });
      await this.#mark({ hour, files: copy.files });
      if (this.#isScanning) this.#copiedMeanwhile.add(id);
      this.#tell(hour);
    } catch (caught) {
      if (!this.#isStopped) isWaiting = this.#fail(hour, caught);
    } finally {
      this.#copying.delete(hour);
      if (!isWaiting) this.#known.delete(id);
    }
  }

  /** The hour is safe also without the note, which is written when the disk lets it be. */
  async #mark(copied: Copied): Promise<void> {
    const { hour, files } = copied;
    try {
      await this.#options.hours.markCopied(hour, this.#options.store.location, files);
      this.#unnoted.delete(idOf(hour));
    } catch (caught) {
      const pauseMs = this.#limits.longestPauseMs;
      this.#unnoted.set(idOf(hour), copied);
      dropOldest(this.#unnoted, this.#limits.unnoted);
      this.#unnotedDueUs = this.#options.clock.nowUs() + pauseMs * 1000;
      this.#told("a copied hour could not be noted, trying again", caught, { ...hour, pauseMs });
    }
  }

  /** One that fails is taken to speak for all. */
  async #noteAgain(): Promise<void> {
    this.#isNoting = true;
    for (const copied of this.#unnoted.values()) {
      await this.#mark(copied);
      if (this.#isStopped || this.#unnotedDueUs > this.#options.clock.nowUs()) break;
    }
    this.#isNoting = false;
  }

  /** What goes wrong with whoever is told is not the store's fault. */
  #tell(hour: HourRef): void {
    try {
      this.#options.onSafe(hour);
    } catch (caught) {
      this.#options.log.error("an hour was copied, and what follows failed", {
        ...hour,
        reason: messageOf(caught),
      });
    }
  }

  /** Returns: whether the hour waits again. */
  #fail(hour: HourRef, caught: unknown): boolean {
    const isWanted = this.#copying.get(hour) === true;
    const code = asMediaError(caught)?.code ?? "";
    if (DAMAGING.has(code)) this.#suspects.set(idOf(hour), true);
    dropOldest(this.#suspects, this.#limits.waiting);
    if (LOCAL.has(code)) {
      if (isWanted) this.#failLocally(hour.stream, caught, hour);
      return false;
    }
    this.#failures++;
    const pauseMs = this.#pauseMs(this.#failures);
    this.#pausedUntilUs = this.#options.clock.nowUs() + pauseMs * 1000;
    this.#told("an hour could not be copied, trying again", caught, { ...hour, pauseMs });
    if (!isWanted) return false;
    // At the end of the line: when it is this hour that the store refuses, others are copied in between.
    const isWaiting = this.#waiting.push(hour);
    if (!isWaiting) this.#scanLater(hour.stream);
    return isWaiting;
  }

  /** The hour is left to the disk, where it is found again. */
  #failLocally(stream: string, caught: unknown, hour?: HourRef): void {
    const failures = (this.#localFailures.get(stream) ?? 0) + 1;
    this.#localFailures.set(stream, failures);
    dropOldest(this.#localFailures, this.#limits.streams);
    const pauseMs = this.#pauseMs(failures);
    this.#scanLater(stream, pauseMs);
    this.#told("hours of a stream could not be copied, trying again", caught, { stream, ...hour, pauseMs });
  }

  #pauseMs(failures: number): number {
    const { firstPauseMs, longestPauseMs } = this.#limits;
    const { random = Math.random } = this.#options;
    return backOffMs(failures, { firstMs: firstPauseMs, longestMs: longestPauseMs }, random());
  }

  #told(message: string, caught: unknown, fields: Readonly<Record<string, unknown>>): void {
    this.#allFailures++;
    this.#lastError = messageOf(caught);
    const code = asMediaError(caught)?.code ?? "unexpected";
    this.#options.log.warn(message, { ...fields, code, reason: this.#lastError });
  }
}

function idOf(hour: HourRef): string {
  return `${hour.stream}\0${hour.path}`;
}
