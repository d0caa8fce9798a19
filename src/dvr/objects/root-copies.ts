import type { Clock, Timer } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { LogFields, Logger } from "../../base/log.ts";
import { HOUR_US, hourPath, parseHourPath } from "../format/hour.ts";
import { ArchiveWalk } from "../keep/archive-walk.ts";
import type { DayFolder, HourFiles } from "../keep/archive-walk.ts";
import { isCopied } from "../keep/delete-hour.ts";
import type { KeepFiles } from "../keep/keep-files.ts";
import type { CopyRules } from "./copy-rules.ts";
import type { CopyStores } from "./copy-stores.ts";
import { DiskHours } from "./hours-storage.ts";
import type { HourRef } from "./hours-storage.ts";
import { droppedHours, dropHour } from "./dropped-hours.ts";
import { locationOf } from "./object-store.ts";
import type { ObjectStore, S3Place } from "./object-store.ts";
import { Uploader } from "./uploader.ts";
import type { UploaderStats } from "./uploader.ts";

/** What copying what is below one root needs. */
export type RootCopiesOptions = {
  /** Absolute path, without a slash at its end. */
  readonly root: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stores: CopyStores;
  readonly rules: Pick<CopyRules, "of">;
  /** Whether it is this process that copies. */
  isOurs(): boolean;
};

/** From the end of one look at the disk to the beginning of the next. Units: milliseconds. */
const LOOK_MS = 60_000;
/** How long an hour may still be written after its end, and how long nothing must have come to it. Units: microseconds. */
const OPEN_AFTER_US = 600_000_000;
/** Hours with deleted spans or fills that are in their bucket are compared with it again after so long. Units: microseconds. */
const WHOLE_US = 600_000_000;
/** How often it is said that hours wait. Units: looks. */
const TELL_EVERY = 10;
/** Places below one root: each has an uploader. */
const MAX_PLACES = 64;

/** Things that are said once. */
const MAX_WARNED = 1000;

/** A place that hours are copied to. */
type Target = {
  readonly store: ObjectStore;
  readonly uploader: Uploader;
  /** Streams whose disk was looked through for it since it is there. */
  readonly streams: Set<string>;
  /** Hours that were found to be there as they are, though they may change, and when. Monotonic, microseconds. */
  readonly whole: WeakMap<HourFiles, number>;
};

/** Copies what is finished below one root, each stream to its place, and deletes there what retention deleted here. */
export class RootCopies {
  readonly #options: RootCopiesOptions;
  readonly #walk: ArchiveWalk;
  readonly #hours: DiskHours;
  /** By location. */
  readonly #targets = new Map<string, Target>();
  readonly #warned = new Set<string>();
  /** Streams of which hours have changed since the last look, other than by being recorded. */
  readonly #changed = new Set<string>();
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #isAskedFor = false;
  #looks = 0;
  #isStopped = false;
  readonly #stopping = new AbortController();

  constructor(options: RootCopiesOptions) {
    const { root, files, clock, log } = options;
    this.#options = options;
    this.#hours = new DiskHours({ root, isOpen: (hour) => this.#isOpen(hour) });
    this.#walk = new ArchiveWalk({
      ...{ root, files, clock },
      onFailure: (path, caught) =>
        log.warn("a folder cannot be looked through for hours to copy", {
          path,
          reason: messageOf(caught),
        }),
      onLimit: (what, limit) =>
        log.warn("there is more to copy below a root than is looked at", { root, what, limit }),
    });
  }

  /** Looks at the disk now, and a minute after each look has ended. */
  start(): void {
    this.#isAskedFor = true;
    if (this.#isStopped || this.#running !== null) return;
    this.#timer?.cancel();
    this.#running = this.#lookAndSchedule();
  }

  async #lookAndSchedule(): Promise<void> {
    try {
      while (this.#isAskedFor && !this.#isStopped) {
        this.#isAskedFor = false;
        await this.look();
      }
    } catch (caught) {
      const { root, log } = this.#options;
      log.error("looking for hours to copy ended in an unforeseen way", {
        root,
        reason: messageOf(caught),
      });
    }
    this.#running = null;
    if (!this.#isStopped) this.#timer = this.#options.clock.schedule(LOOK_MS, () => this.start());
  }

  /**
   * Hours of a stream were deleted, or something of them, or something came to them: its days are read anew by the next look,
   * not when they happen to be.
   */
  changed(stream: string): void {
    this.#changed.add(stream);
  }

  /** Ends what is under way; what is not copied by then is found by the next start. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#stopping.abort();
    await Promise.all([this.#running, this.#closeTargets()]);
    await this.#closeTargets();
  }

  /** What each place is doing. */
  stats(): ReadonlyMap<string, UploaderStats> {
    return new Map([...this.#targets].map(([location, { uploader }]) => [location, uploader.stats()]));
  }

  /** One look. */
  async look(): Promise<void> {
    if (!this.#options.isOurs()) return await this.#closeTargets();
    this.#walk.forget(this.#changed);
    this.#changed.clear();
    const days = await this.#walk.days(() => this.#isStopped);
    const used = new Set<Target>();
    for (const [stream, ofStream] of Map.groupBy(days, (day) => day.stream)) {
      if (this.#isStopped) return;
      const rule = this.#options.rules.of(this.#options.root, stream);
      const target = rule === null ? null : await this.#target(rule.place);
      if (target === null) this.#forget(stream, null);
      else used.add(target);
      if (target !== null) await this.#lookAt(stream, ofStream, target);
    }
    for (const [location, target] of this.#targets) {
      if (used.has(target)) continue;
      this.#targets.delete(location);
      await target.uploader.close();
    }
    if (this.#looks++ % TELL_EVERY === 0) this.#tell();
  }

  async #lookAt(stream: string, days: readonly DayFolder[], target: Target): Promise<void> {
    this.#forget(stream, target);
    await this.#drop(stream, days, target);
    if (!target.streams.has(stream)) {
      target.streams.add(stream);
      // It finds also what is noted as copied to another place.
      return target.uploader.scan(stream);
    }
    for (const day of days)
      for (const hour of day.hours.filter(mayBeCopied)) {
        if (this.#isStopped) return;
        const ref = { stream, path: hourPath(day.day * 24 + hour.hourOfDay) };
        if (await this.#isToCopy(ref, hour, target)) target.uploader.add(ref);
      }
  }

  /** Whether an hour lacks something in its bucket. One that does not is looked into again when its day was read anew. */
  async #isToCopy(ref: HourRef, hour: HourFiles, { store, whole }: Target): Promise<boolean> {
    const nowUs = this.#options.clock.nowUs();
    const wholeUs = whole.get(hour);
    if (wholeUs !== undefined && nowUs - wholeUs < WHOLE_US) return false;
    if (await this.#isOpen(ref)) return false;
    if (!(await this.#hours.isCopied(ref, store.location))) return true;
    whole.set(hour, nowUs);
    return false;
  }

  /** A stream is not copied any more to places other than this one. */
  #forget(stream: string, to: Target | null): void {
    for (const target of this.#targets.values())
      if (target !== to && target.streams.delete(stream)) target.uploader.forget(stream);
  }

  /**
   * Whether the hour may still grow: it ended not long ago, or an index was written to lately, as by a recording whose clock
   * is behind, or by who completes it from a peer.
   */
  async #isOpen({ stream, path }: HourRef): Promise<boolean> {
    const { root, files, clock } = this.#options;
    const hour = parseHourPath(path);
    const nowUs = clock.wallUs();
    if (hour === null || (hour + 1) * HOUR_US + OPEN_AFTER_US > nowUs) return true;
    try {
      for (const ending of ["idx", "fill"]) {
        const facts = await files.facts(`${root}/${stream}/${path}.${ending}`);
        const changedUs = (facts?.changedMs ?? 0) * 1000;
        // A time that is still to come tells nothing.
        if (changedUs <= nowUs && changedUs + OPEN_AFTER_US > nowUs) return true;
      }
      return false;
    } catch {
      return true;
    }
  }

  async #target(place: S3Place): Promise<Target | null> {
    try {
      const location = locationOf(place);
      const store = await this.#options.stores.get(place);
      const known = this.#targets.get(location);
      if (known?.store === store) return known;
      // The credentials are others now.
      await known?.uploader.close();
      if (this.#isStopped) return null;
      if (known === undefined && this.#targets.size >= MAX_PLACES) {
        this.#warnOnce("hours are not copied: there are too many buckets below one root", {
          most: MAX_PLACES,
        });
        return null;
      }
      const target: Target = {
        ...{ store, uploader: this.#uploader(store) },
        ...{ streams: new Set(), whole: new WeakMap() },
      };
      this.#targets.set(location, target);
      return target;
    } catch (caught) {
      const code = asMediaError(caught)?.code ?? "unexpected";
      this.#warnOnce("nothing is copied: the bucket cannot be opened", {
        code,
        reason: messageOf(caught),
      });
      return null;
    }
  }

  /** Says a thing once for as long as the process runs. */
  #warnOnce(message: string, fields: LogFields): void {
    const key = JSON.stringify([message, fields]);
    if (this.#warned.has(key) || this.#warned.size >= MAX_WARNED) return;
    this.#warned.add(key);
    this.#options.log.warn(message, { root: this.#options.root, ...fields });
  }

  #uploader(store: ObjectStore): Uploader {
    const { clock, log } = this.#options;
    return new Uploader({
      ...{ store, clock, log, hours: this.#hours },
      onSafe: (hour) => void this.#dropIfGone(hour, store),
    });
  }

  /** Deletes in the bucket what was deleted here since the last look. */
  async #drop(stream: string, days: readonly DayFolder[], { store }: Target): Promise<void> {
    const { files, log } = this.#options;
    const { signal } = this.#stopping;
    for (const dropped of droppedHours(stream, days)) {
      if (this.#isStopped) return;
      try {
        if (await dropHour(dropped, { files, store, signal })) {
          this.#walk.forgetDay(dropped.folder);
          log.info("hour deleted from its bucket", { ...dropped.hour, from: store.location });
        } else
          this.#warnOnce("hours that were deleted here stay in a bucket that is not configured any more", {
            stream,
            configured: store.location,
          });
      } catch (caught) {
        if (this.#isStopped) return;
        const code = asMediaError(caught)?.code ?? "unexpected";
        const reason = messageOf(caught);
        log.warn("an hour could not be deleted from its bucket, trying again", {
          ...dropped.hour,
          code,
          reason,
        });
        // The others would meet the same.
        return;
      }
    }
  }

  /** An hour that was deleted while it was copied. Never rejects. */
  async #dropIfGone(hour: HourRef, store: ObjectStore): Promise<void> {
    const { files, root, log } = this.#options;
    try {
      for (const ending of ["idx", "fill"])
        if ((await files.facts(`${root}/${hour.stream}/${hour.path}.${ending}`)) !== null) return;
      const listed = await store.list(`${hour.stream}/${hour.path}.`);
      for (const { key } of listed.objects) await store.delete(key);
      log.info("hour deleted from its bucket: it was deleted here meanwhile", { ...hour });
    } catch (caught) {
      log.warn("an hour that was deleted here stays in its bucket", { ...hour, reason: messageOf(caught) });
    }
  }

  #tell(): void {
    for (const [to, { uploader }] of this.#targets) {
      const { waiting, running, streamsToScan, failures, lastError, pauseMs } = uploader.stats();
      const state = { to, waiting, running, streamsToScan, failures, pauseMs };
      if (waiting + running + streamsToScan > 0)
        this.#options.log.info("hours wait to be copied", { ...state, lastError });
    }
  }

  async #closeTargets(): Promise<void> {
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    await Promise.all(targets.map(({ uploader }) => uploader.close()));
  }
}

/** Whether the names of an hour's files say that it may be one that is not copied as it is now. */
function mayBeCopied({ names }: HourFiles): boolean {
  const has = (ending: string): boolean => names.some((name) => name.endsWith(ending));
  const hasIndex = has(".idx") || has(".fill");
  // What is copied may have come to have more fills, and some of it may be deleted.
  return hasIndex && (isCopied(names) ? has(".del") || has(".fill") : has(".mp4"));
}
