import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { dropOldest } from "../../base/oldest.ts";
import { BelievedTime } from "./believed-time.ts";
import { ArchiveWalk } from "./archive-walk.ts";
import type { DayFolder, HourFiles, WalkLimits } from "./archive-walk.ts";
import { deleteHour, deleteMedia, hasOnlyNotes, isCopied, isDeletedNote } from "./delete-hour.ts";
import { hourName, isDropped, isHalfDeleted } from "./delete-hour.ts";
import type { HourPlace, MediaFile } from "./delete-hour.ts";
import type { EpisodesWanted, KeptByServer } from "./episode-servers.ts";
import { keepErrors } from "./errors.ts";
import { systemCodeOf } from "./keep-files.ts";
import type { KeepFiles, VolumeSpace } from "./keep-files.ts";
import { hoursToDelete } from "./retention.ts";
import type {
  Deletion,
  DeletionReason,
  DiskUse,
  RetentionRules,
  StoredHour,
  StreamHours,
} from "./retention.ts";

/** From the end of one round to the beginning of the next. Units: milliseconds. */
const ROUND_MS = 60_000;

/** Hours deleted in one round, unless an option says otherwise: 18 000 an hour, so that the disk has time for recordings. */
const HOURS_A_ROUND = 300;

/** How long an hour may still be written after its end, whoever writes it. Units: milliseconds. */
const OPEN_AFTER_END_MS = 600_000;

/** A recording that goes on writes several times in such a time. Units: milliseconds. */
const WRITTEN_MS = 60_000;

/** Pauses after an hour could not be deleted: the first, and the longest that doubling leads to. Units: milliseconds. */
const RETRY_MS = 60_000;
const MAX_RETRY_MS = 3_600_000;

/** How often servers of episodes are asked in one round, each for other streams. */
const ASKING_TURNS = 5;

/** How soon the same failure is said again. Units: milliseconds. */
const TELL_AGAIN_MS = 3_600_000;

/** Streams that are named where a line is about many. */
const MAX_NAMED = 5;

/** Failures that are remembered, unless an option says otherwise. */
const MAX_FAILURES = 10_000;

/** What the system says when the whole volume refuses, not one file of it. */
const WHOLE_VOLUME: ReadonlySet<string> = new Set([
  "EROFS",
  "EIO",
  "ESTALE",
  "ETIMEDOUT",
  "ENXIO",
  "ENODEV",
]);

const HOUR_MS = 3_600_000;

/** An hour that was deleted: for events and for whoever keeps copies. */
export type DeletedHour = {
  readonly root: string;
  readonly stream: string;
  /** Hours since 1970, UTC. */
  readonly hour: number;
  /** `"unfinished"`: an earlier deletion was ended. */
  readonly reason: DeletionReason | "unfinished";
  readonly bytes: number;
  /** The hour is still in the archive; its media is in object storage only. */
  readonly keepsIndex: boolean;
  /** It stood in object storage. Where `keepsIndex` is false, what stands there is not needed any more. */
  readonly wasCopied: boolean;
};

/** What retention of one root needs. */
export type RetentionRoundOptions = {
  /** Absolute path, without a slash at its end. */
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The rules of a stream that was found on the volume; `null`: nothing of it is deleted. */
  rulesOf(stream: string): RetentionRules | null;
  /** Whether a recording of this process writes the hour; what ended a few minutes ago is left alone in any case. */
  isOpen(stream: string, hour: number): boolean;
  /** What a stream's episodes and locks keep. Rejects when that is not known: then everything of it is kept. */
  protectionsOf(stream: string, rules: RetentionRules): Promise<{ protects(hour: number): boolean }>;
  /** What the server of a stream's episodes keeps: asked of streams that have one, before hours of them are deleted. */
  readonly episodesOf?: (wanted: EpisodesWanted) => Promise<KeptByServer>;
  /**
   * Whether the text of an hour's note `HH.copied` proves that these files stand in object storage, where they would be
   * read from now. Asked before media leaves the volume for the sake of room.
   */
  isCopyProven(stream: string, note: string, media: readonly MediaFile[]): boolean;
  onDeleted(deleted: DeletedHour): void;
  /** An operation on the volume failed: for the state of the disk. */
  onFailure?(caught: unknown): void;
  /** Most hours of one round. */
  readonly hoursARound?: number;
  readonly walkLimits?: Partial<WalkLimits>;
  /** Folders that refused something, and what was said of them, that are remembered; 10 000 unless given. */
  readonly failureLimit?: number;
};

/** An hour as it was found, with what deciding needs. */
type Found = HourPlace & { readonly stored: StoredHour; readonly isRest: boolean };

type FoundStream = {
  readonly stream: string;
  readonly rules: RetentionRules;
  readonly hours: ReadonlyMap<number, Found>;
  readonly protections: Protections;
};

type Protections = { protects(hour: number): boolean };

type Planned = Pick<DeletedHour, "stream" | "hour" | "reason" | "bytes" | "keepsIndex">;

/** Deletes what is over in one root, once a minute, some hours at a time. */
export class RetentionRound {
  readonly #options: RetentionRoundOptions;
  readonly #walk: ArchiveWalk;
  readonly #time: BelievedTime;
  /** Days' folders of which an hour could not be deleted. */
  readonly #pauses = new Map<string, { untilUs: number; pauseMs: number }>();
  /** What was said and when, so that it is said again only after a while, or when it is another. */
  readonly #told = new Map<string, { readonly kind: string; readonly atUs: number }>();
  #lastFreed: { readonly bytes: number; readonly before: number } | null = null;
  /** Streams without rules, as they were found last, and of which it was said. */
  #unruled: { readonly stream: string; readonly bytes: number }[] = [];
  #toldUnruled = "";
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: RetentionRoundOptions) {
    const { root, files, clock, walkLimits } = options;
    this.#options = options;
    this.#time = new BelievedTime(clock);
    this.#walk = new ArchiveWalk({
      root,
      files,
      clock,
      onFailure: (path, caught) => this.#walkFailed(path, caught),
      onLimit: (what, limit) =>
        this.#tell(`limit ${what}`, keepErrors.error("DVR_WALK_LIMIT", { root, what, limit })),
      ...(walkLimits === undefined ? {} : { limits: walkLimits }),
    });
  }

  /** Begins a round now, and another a minute after each has ended. */
  start(): void {
    if (this.#isStopped || this.#running !== null) return;
    this.#running = this.#runAndSchedule();
  }

  async #runAndSchedule(): Promise<void> {
    await this.run();
    this.#running = null;
    if (!this.#isStopped) this.#timer = this.#options.clock.schedule(ROUND_MS, () => this.start());
  }

  /** Begins no further hour. Resolves when the one under way is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** One round. Never rejects: what went wrong is logged, and tried again in a later round. */
  async run(): Promise<void> {
    const disk = await this.#diskState();
    let streams = await this.#find();
    let chosen: readonly Deletion[] = this.#choose(streams, disk);
    // What is remembered of days that are over may be wrong by an hour: nothing is deleted by it, except for its age.
    const stale = new Set(chosen.filter(({ reason }) => reason !== "depth").map(({ stream }) => stream));
    if (stale.size > 0) {
      this.#walk.forget(stale);
      streams = await this.#find();
      chosen = this.#choose(streams, disk);
    }
    chosen = await this.#heedServers(streams, disk, chosen);
    let freedBytes = 0;
    for (const planned of [...this.#rests(streams), ...chosen]) {
      if (this.#isStopped) break;
      const outcome = await this.#delete(planned, streams.get(planned.stream)!);
      if (outcome === "volume refuses") break;
      if (outcome === "deleted") freedBytes += planned.bytes;
    }
    this.#tellUnruled();
    this.#lastFreed =
      disk === null || freedBytes === 0 ? null : { bytes: freedBytes, before: disk.usedBytes };
  }

  async #diskState(): Promise<VolumeSpace | null> {
    const { root, files } = this.#options;
    try {
      return await files.space(root);
    } catch (caught) {
      // A root that nothing was recorded into yet is not there.
      if (systemCodeOf(caught) !== "ENOENT") this.#walkFailed(root, caught);
      return null;
    }
  }

  /**
   * How full the volume is. What the last round deleted and does not show yet, as files that players have open, counts
   * as free for one round: it is not deleted twice.
   */
  #use(disk: VolumeSpace): DiskUse {
    const { bytes, before } = this.#lastFreed ?? { bytes: 0, before: 0 };
    const shown = Math.max(0, before - disk.usedBytes);
    const usedBytes = disk.usedBytes - Math.max(0, bytes - shown);
    return { usedPercent: (100 * usedBytes) / disk.totalBytes, totalBytes: disk.totalBytes };
  }

  async #find(): Promise<Map<string, FoundStream>> {
    const streams = new Map<string, FoundStream>();
    const days = await this.#walk.days(() => this.#isStopped);
    this.#unruled = [];
    for (const [stream, ofStream] of Map.groupBy(days, (day) => day.stream)) {
      const rules = this.#options.rulesOf(stream);
      if (rules === null) this.#unruled.push({ stream, bytes: bytesOf(ofStream) });
      const protections = rules === null ? null : await this.#protections(stream, rules);
      if (rules === null || protections === null) continue;
      const hours = new Map<number, Found>();
      for (const day of ofStream)
        for (const files of day.hours.filter(({ names }) => !isDropped(names))) {
          const found = this.#found(day, files, protections);
          hours.set(found.stored.hour, found);
        }
      streams.set(stream, { stream, rules, hours, protections });
    }
    return streams;
  }

  /** Streams that are configured no more, or elsewhere, may be another server's: they fill the disk, so that is said. */
  #tellUnruled(): void {
    const { root, logger } = this.#options;
    const names = this.#unruled.map(({ stream }) => stream).sort();
    const [before, streams] = [this.#toldUnruled, names.length];
    this.#toldUnruled = names.join(" ");
    if (streams === 0 || this.#toldUnruled === before) return;
    const bytes = this.#unruled.reduce((sum, stream) => sum + stream.bytes, 0);
    const some = names.slice(0, MAX_NAMED).join(" ");
    const facts = { root, streams, bytes, some };
    logger.info("recordings of streams that are not configured here are never deleted", facts);
  }

  async #protections(stream: string, rules: RetentionRules): Promise<Protections | null> {
    try {
      const protections = await this.#options.protectionsOf(stream, rules);
      this.#told.delete(`protections ${stream}`);
      return protections;
    } catch (caught) {
      const path = `${this.#options.root}/${stream}`;
      const error =
        asMediaError(caught) ??
        keepErrors.error("DVR_EPISODES_UNREADABLE", { path, reason: messageOf(caught) }, caught);
      this.#tell(`protections ${stream}`, error);
      return null;
    }
  }

  #found(day: DayFolder, files: HourFiles, protections: Protections): Found {
    const { hourOfDay, names, bytes, mediaBytes } = files;
    const hour = day.day * 24 + hourOfDay;
    const isProtected = protections.protects(hour) || this.#isPaused(day.path);
    const isOpen = this.#isOpen(day.stream, hour);
    // Notes stay as long as the archive reaches back: to delete them makes no room.
    const hasCopy = isCopied(names) || hasOnlyNotes(names);
    const stored = { hour, bytes, mediaBytes, isOpen, isProtected, isCopied: hasCopy };
    return { folder: day.path, hourOfDay, names, stored, isRest: isHalfDeleted(names) };
  }

  #isOpen(stream: string, hour: number): boolean {
    const endMs = (hour + 1) * HOUR_MS;
    return endMs + OPEN_AFTER_END_MS > this.#nowMs() || this.#options.isOpen(stream, hour);
  }

  /**
   * Whether its index has just been written, which happens to an old hour where the wall clock was set on while a stream is
   * recorded, whose media clock was not, and to one that is being completed from a peer. A clock of a volume that is ahead says nothing.
   */
  async #isWritten({ folder, hourOfDay, names }: Found): Promise<boolean> {
    const { files, clock } = this.#options;
    for (const ending of ["idx", "fill"]) {
      const index = `${hourName(hourOfDay)}.${ending}`;
      const facts = names.includes(index)
        ? await files.facts(`${folder}/${index}`).catch(() => null)
        : null;
      const agoMs = facts === null ? Infinity : clock.wallUs() / 1000 - facts.changedMs;
      if (agoMs >= 0 && agoMs < WRITTEN_MS) return true;
    }
    return false;
  }

  #choose(streams: ReadonlyMap<string, FoundStream>, disk: VolumeSpace | null): Deletion[] {
    const all = [...streams.values()].map(({ stream, rules, hours }): StreamHours => {
      const whole = [...hours.values()].filter(({ isRest }) => !isRest);
      return { stream, rules, hours: whole.map(({ stored }) => stored) };
    });
    const use = disk === null || disk.totalBytes <= 0 ? null : this.#use(disk);
    return hoursToDelete({ streams: all, disk: use, nowMs: this.#nowMs(), limit: this.#limit });
  }

  /**
   * Asks the servers of episodes of streams of which hours were chosen, and chooses anew. Others may be chosen in the place of
   * what is kept: after some turns, what was not asked for waits for the next round.
   */
  async #heedServers(
    streams: Map<string, FoundStream>,
    disk: VolumeSpace | null,
    first: readonly Deletion[],
  ): Promise<readonly Deletion[]> {
    const { episodesOf } = this.#options;
    const asked = new Set<string>();
    const isToAsk = ({ stream }: Deletion): boolean =>
      streams.get(stream)!.rules.episodesUrl !== undefined && !asked.has(stream);
    const turns = episodesOf === undefined ? 0 : ASKING_TURNS;
    let chosen = first;
    for (let turn = 0; turn < turns && !this.#isStopped; turn++) {
      const toAsk = Map.groupBy(chosen.filter(isToAsk), ({ stream }) => stream);
      if (toAsk.size === 0) return chosen;
      const found = await Promise.all(
        [...toAsk].map(async ([stream, deletions]) =>
          this.#askServer(
            streams.get(stream)!,
            deletions.map(({ hour }) => hour),
          ),
        ),
      );
      for (const stream of found) {
        streams.set(stream.stream, stream);
        asked.add(stream.stream);
      }
      chosen = this.#choose(streams, disk);
    }
    return chosen.filter((deletion) => !isToAsk(deletion));
  }

  /** A stream with what its server of episodes keeps. `hours`: those that were chosen. */
  async #askServer(found: FoundStream, hours: readonly number[]): Promise<FoundStream> {
    const { stream, rules, protections: own } = found;
    let oldest = Infinity;
    for (const hour of found.hours.keys()) oldest = Math.min(oldest, hour);
    const kept = await this.#options.episodesOf!({
      ...{ url: rules.episodesUrl!, stream, hours, expirationMs: rules.episodesExpirationMs },
      fromMs: oldest * HOUR_MS,
    });
    // One line for all streams of a server, whatever it says of each.
    if (kept.failure !== null) this.#tell(`episodes ${rules.episodesUrl}`, kept.failure, kept.failure.code);
    const protections = { protects: (hour: number) => own.protects(hour) || kept.protects(hour) };
    const heeded = [...found.hours].map(([hour, one]): [number, Found] => {
      const isProtected = one.stored.isProtected || kept.protects(hour);
      return [hour, { ...one, stored: { ...one.stored, isProtected } }];
    });
    return { ...found, protections, hours: new Map(heeded) };
  }

  /** Deletions that were begun and not ended. */
  #rests(streams: ReadonlyMap<string, FoundStream>): Planned[] {
    const rests: Planned[] = [];
    for (const { stream, hours } of streams.values())
      for (const { stored, folder, isRest } of hours.values()) {
        const { hour, bytes } = stored;
        if (isRest && !this.#isPaused(folder))
          rests.push({ stream, hour, bytes, reason: "unfinished", keepsIndex: false });
      }
    return rests.slice(0, this.#limit);
  }

  /** Deletes one hour, unless it has come to be kept since it was chosen. */
  async #delete(planned: Planned, from: FoundStream): Promise<"deleted" | "kept" | "volume refuses"> {
    const { stream, hour, reason, keepsIndex } = planned;
    const { root, files, logger } = this.#options;
    const found = from.hours.get(hour)!;
    const isKept = reason !== "unfinished" && from.protections.protects(hour);
    if (isKept || this.#isOpen(stream, hour) || this.#isPaused(found.folder)) return "kept";
    if (reason !== "unfinished" && (await this.#isWritten(found))) return "kept";
    this.#walk.forgetDay(found.folder);
    try {
      if (!keepsIndex) await deleteHour({ ...found, names: namesToDelete(found, reason) }, files);
      else if (!(await this.#deleteMedia(stream, found))) return this.#notProven(planned, found);
    } catch (caught) {
      return this.#deleteFailed({ stream, hour, folder: found.folder }, caught);
    }
    this.#pauses.delete(found.folder);
    this.#told.delete(`delete ${stream}`);
    const deleted = { root, ...planned, wasCopied: found.stored.isCopied };
    logger.info("an hour of the archive was deleted", { ...deleted, hour: hourText(hour) });
    this.#options.onDeleted(deleted);
    return "deleted";
  }

  async #deleteMedia(stream: string, found: Found): Promise<boolean> {
    return await deleteMedia(found, this.#options.files, (note, media) =>
      this.#options.isCopyProven(stream, note, media),
    );
  }

  #deleteFailed(
    what: { readonly stream: string; readonly hour: number; readonly folder: string },
    caught: unknown,
  ): "kept" | "volume refuses" {
    const { stream, hour, folder } = what;
    const context = { stream, hour: hourText(hour), path: folder, reason: messageOf(caught) };
    const error = keepErrors.error("DVR_DELETE_FAILED", context, caught);
    const code = systemCodeOf(caught);
    const isWhole = WHOLE_VOLUME.has(code);
    // One line a stream, or a volume, and kind of failure, not one an hour.
    this.#tell(isWhole ? this.#options.root : `delete ${stream}`, error, code);
    this.#pause(folder);
    this.#options.onFailure?.(caught);
    return isWhole ? "volume refuses" : "kept";
  }

  #notProven({ stream, hour }: Planned, { folder }: Found): "kept" {
    const context = { stream, hour: hourText(hour), path: folder };
    this.#tell(`copy ${stream}`, keepErrors.error("DVR_COPY_NOT_PROVEN", context), "");
    this.#pause(folder);
    return "kept";
  }

  /** Nothing of the day's folder is deleted for a while, each time for longer. */
  #pause(folder: string): void {
    const pauseMs = Math.min(MAX_RETRY_MS, 2 * (this.#pauses.get(folder)?.pauseMs ?? RETRY_MS / 2));
    this.#pauses.delete(folder);
    this.#pauses.set(folder, { pauseMs, untilUs: this.#options.clock.nowUs() + pauseMs * 1000 });
    dropOldest(this.#pauses, this.#options.failureLimit ?? MAX_FAILURES);
  }

  #isPaused(folder: string): boolean {
    const pause = this.#pauses.get(folder);
    return pause !== undefined && this.#options.clock.nowUs() < pause.untilUs;
  }

  #walkFailed(path: string, caught: unknown): void {
    const context = { path, reason: messageOf(caught) };
    // One line for the first folder, not one for each, when all refuse alike.
    const code = systemCodeOf(caught);
    this.#tell(`walk ${code}`, keepErrors.error("DVR_WALK_FAILED", context, caught), code);
    this.#options.onFailure?.(caught);
  }

  /** Says a thing, and the same of the same after an hour again. */
  #tell(about: string, error: MediaError, kind: string = error.message): void {
    const { root, logger, clock } = this.#options;
    const before = this.#told.get(about);
    if (before?.kind === kind && clock.nowUs() - before.atUs < TELL_AGAIN_MS * 1000) return;
    this.#told.delete(about);
    this.#told.set(about, { kind, atUs: clock.nowUs() });
    dropOldest(this.#told, this.#options.failureLimit ?? MAX_FAILURES);
    logger.warn("retention cannot do all of its work", { root, code: error.code, reason: error.message });
  }

  get #limit(): number {
    return this.#options.hoursARound ?? HOURS_A_ROUND;
  }

  #nowMs(): number {
    return this.#time.nowMs();
  }
}

/** What somebody has deleted is remembered as long as the archive reaches back, when the hour goes for the sake of room. */
function namesToDelete({ names }: Found, reason: DeletedHour["reason"]): readonly string[] {
  return reason === "depth" ? names : names.filter((name) => !isDeletedNote(name));
}

function bytesOf(days: readonly DayFolder[]): number {
  return days.flatMap(({ hours }) => hours).reduce((sum, { bytes }) => sum + bytes, 0);
}

function hourText(hour: number): string {
  return `${new Date(hour * HOUR_MS).toISOString().slice(0, 16)}Z`;
}
