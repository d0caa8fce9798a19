import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { MediaError } from "../../base/errors.ts";
import { readLog, reasonAgainstEpisode, reasonAgainstLock, writeLog } from "./episode-log.ts";
import type { Episode, LogEntry } from "./episode-log.ts";
import { keepErrors } from "./errors.ts";
import type { FileFacts, KeepFiles } from "./keep-files.ts";
import { meetsSpans, subtractSpan, uniteSpans } from "./time-spans.ts";
import type { MsSpan, SpanList } from "./time-spans.ts";

/** The file's name, below the stream's folder. */
export const EPISODES_FILE = "episodes.jsonl";

/** Episodes and locks of one stream, unless an option says otherwise. */
const MAX_KEPT = 100_000;

/** Locks of one stream among them, overlapping ones counted once. */
const MAX_LOCKS = 10_000;

/** A file above this is not read into memory: it is none of ours. Units: bytes. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** Changes of one stream that wait for the volume. */
const MAX_WAITING = 1000;

/** The file is written anew when it has so many lines more than twice what is left of them. */
const SPARE_LINES = 1000;

/** Streams of one root whose protections stay in memory, unless an option says otherwise. */
const MAX_STREAMS = 20_000;

const HOUR_MS = 3_600_000;

/** What a stream's protections need. */
export type StreamProtectionsOptions = {
  /** The stream's folder, absolute. */
  readonly folder: string;
  readonly files: KeepFiles;
  readonly clock: Clock;
  /** Most episodes and locks. */
  readonly limit?: number;
  /** Lines that do not count any more and stay before the file is written anew; 1000 unless given. */
  readonly spareLines?: number;
};

/** An episode that is to be made. Times are UTC. Units: milliseconds since 1970. */
export type EpisodeInput = {
  /** Left out: one is made. */
  readonly episodeId?: string | undefined;
  readonly openedAtMs: number;
  /** `null` or left out: it goes on. */
  readonly closedAtMs?: number | null | undefined;
  readonly title?: string | undefined;
  /** `null` or left out: it is kept until it is deleted. */
  readonly expiresAtMs?: number | null | undefined;
};

/** What of an episode may change; what is left out stays. */
export type EpisodePatch = {
  readonly closedAtMs?: number | null | undefined;
  readonly title?: string | undefined;
  readonly expiresAtMs?: number | null | undefined;
};

/** Which episodes are wanted: those with some time in between. Units: milliseconds since 1970. */
export type EpisodeFilter = {
  readonly openedBeforeMs?: number | undefined;
  readonly closedAfterMs?: number | undefined;
};

/** What is to be written, and what the asker gets when it is. */
type Change<T> = { readonly entries: readonly LogEntry[]; readonly result: T };

/**
 * What of one stream is kept longer than its archive: episodes and locks.
 *
 * A change is on the disk when its promise resolves, and not made when it rejects; a process that is killed meanwhile
 * leaves it made or not made, never half. The file belongs to one process at a time; what another one added is seen by the
 * next `load`. When the file cannot be read, or is damaged, every hour counts as protected, since what it kept is not known.
 */
export class StreamProtections {
  readonly #options: StreamProtectionsOptions;
  readonly #path: string;
  #episodes = new Map<string, Episode>();
  #locks: SpanList = [];
  /** The state of the file that is in memory; `null`: none is. */
  #seen: FileFacts | "absent" | null = null;
  #goodBytes = 0;
  #lines = 0;
  #unreadable: MediaError | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** How often episodes or locks have changed. */
  #changes = 0;
  /** What is protected, until an episode expires; `null`: to be found out. */
  #spans: { readonly list: SpanList; readonly untilMs: number } | null = null;

  constructor(options: StreamProtectionsOptions) {
    this.#options = options;
    this.#path = `${options.folder}/${EPISODES_FILE}`;
  }

  /** Changes that are not on the disk yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Reads the file when it has changed. Throws: DVR_EPISODES_UNREADABLE. */
  async load(): Promise<void> {
    await this.#inTurn(() => this.#load());
  }

  /** Whether an hour, counted since 1970, has a part of an episode or lock; any has before the first `load`. */
  protects(hour: number): boolean {
    if (this.#seen === null || this.#unreadable !== null) return true;
    return meetsSpans(this.#protectedSpans(), { fromMs: hour * HOUR_MS, toMs: (hour + 1) * HOUR_MS });
  }

  /**
   * What is protected now where an episode that does not say when it expires does so some time after it was closed. Units:
   * milliseconds.
   */
  expiring(afterMs: number): { protects(hour: number): boolean } {
    const sinceMs = this.#nowMs() - afterMs;
    const isOver = ({ closedAtMs, expiresAtMs }: Episode): boolean =>
      expiresAtMs === null && closedAtMs !== null && closedAtMs <= sinceMs;
    let found: { readonly list: SpanList; readonly changes: number } | null = null;
    const protects = (hour: number): boolean => {
      if (this.#seen === null || this.#unreadable !== null) return true;
      // What comes to be kept meanwhile counts.
      if (found?.changes !== this.#changes)
        found = { list: this.#spansOf((episode) => !isOver(episode)), changes: this.#changes };
      return meetsSpans(found.list, { fromMs: hour * HOUR_MS, toMs: (hour + 1) * HOUR_MS });
    };
    return { protects };
  }

  /** Episodes that have not expired, the first opened first. */
  listEpisodes(filter: EpisodeFilter = {}): Episode[] {
    const { openedBeforeMs = Infinity, closedAfterMs = -Infinity } = filter;
    const nowMs = this.#nowMs();
    return [...this.#episodes.values()]
      .filter((episode) => !isExpired(episode, nowMs))
      .filter(
        ({ openedAtMs, closedAtMs }) =>
          openedAtMs < openedBeforeMs && (closedAtMs ?? Infinity) > closedAfterMs,
      )
      .sort((a, b) => a.openedAtMs - b.openedAtMs);
  }

  /** What is locked, in ascending order; locks that overlap or touch are one. */
  listLocks(): SpanList {
    return this.#locks;
  }

  /** The episodes and locks that keep some part of a span. */
  meeting(span: MsSpan): { readonly episodes: readonly string[]; readonly locks: SpanList } {
    const nowMs = this.#nowMs();
    const meets = (fromMs: number, toMs: number): boolean => fromMs < span.toMs && toMs > span.fromMs;
    const episodes = [...this.#episodes.values()]
      .filter((episode) => !isExpired(episode, nowMs))
      .filter(({ openedAtMs, closedAtMs }) => meets(openedAtMs, endOf(openedAtMs, closedAtMs)))
      .map(({ episodeId }) => episodeId);
    return { episodes, locks: this.#locks.filter(({ fromMs, toMs }) => meets(fromMs, toMs)) };
  }

  /** Runs while nothing is protected or let go. Rejects with what `run` rejects with, DVR_EPISODES_BUSY, _UNREADABLE. */
  async exclusively<T>(run: () => Promise<T>): Promise<T> {
    return await this.#inTurn(async () => {
      await this.#load();
      return await run();
    });
  }

  /**
   * Makes an episode, which keeps its hours from now on. Throws: DVR_EPISODE_INVALID, DVR_EPISODE_EXISTS,
   * DVR_EPISODE_LIMIT, DVR_EPISODES_BUSY, DVR_EPISODES_UNREADABLE, DVR_EPISODES_UNWRITABLE.
   */
  async createEpisode(input: EpisodeInput): Promise<Episode> {
    return await this.#change(() => {
      const {
        episodeId = randomUUID(),
        openedAtMs,
        closedAtMs = null,
        title = "",
        expiresAtMs = null,
      } = input;
      const episode = { episodeId, openedAtMs, closedAtMs, updatedAtMs: this.#nowMs(), title, expiresAtMs };
      const before = this.#episodes.get(episodeId);
      if (before !== undefined && !isExpired(before, this.#nowMs()))
        throw keepErrors.error("DVR_EPISODE_EXISTS", { episodeId });
      return this.#put(episode);
    });
  }

  /** Changes an episode: closes it, names it, keeps it for longer or shorter. Throws: as `createEpisode`, DVR_EPISODE_UNKNOWN. */
  async updateEpisode(episodeId: string, patch: EpisodePatch): Promise<Episode> {
    return await this.#change(() => {
      const before = this.#known(episodeId);
      const {
        closedAtMs = before.closedAtMs,
        title = before.title,
        expiresAtMs = before.expiresAtMs,
      } = patch;
      return this.#put({ ...before, closedAtMs, title, expiresAtMs, updatedAtMs: this.#nowMs() });
    });
  }

  /** Keeps an episode until a time, or with `null` until it is deleted. Throws: as `updateEpisode`. */
  async protectEpisode(episodeId: string, untilMs: number | null): Promise<Episode> {
    return await this.updateEpisode(episodeId, { expiresAtMs: untilMs });
  }

  /** Forgets an episode; its hours go when their time is over. Throws: as `updateEpisode`. */
  async deleteEpisode(episodeId: string): Promise<void> {
    await this.#change(() => {
      this.#known(episodeId);
      return { entries: [{ op: "delete", episodeId }], result: undefined };
    });
  }

  /** Keeps a stretch of time until it is unlocked. Throws: as `createEpisode`. */
  async lock(span: MsSpan): Promise<void> {
    await this.#changeLocks("lock", span);
  }

  /** Takes a stretch of time out of all locks. Throws: as `createEpisode`. */
  async unlock(span: MsSpan): Promise<void> {
    await this.#changeLocks("unlock", span);
  }

  async #changeLocks(op: "lock" | "unlock", { fromMs, toMs }: MsSpan): Promise<void> {
    await this.#change(() => {
      const reason = reasonAgainstLock(fromMs, toMs);
      if (reason !== null) throw keepErrors.error("DVR_EPISODE_INVALID", { reason });
      const entry: LogEntry = { op, fromMs, toMs };
      const locks = locksAfter(this.#locks, [entry]);
      if (locks.length > this.#locks.length) this.#checkRoom();
      if (locks.length > MAX_LOCKS) throw this.#limitError(MAX_LOCKS, "locks");
      return { entries: [entry], result: undefined };
    });
  }

  #put(episode: Episode): Change<Episode> {
    const reason = reasonAgainstEpisode(episode);
    if (reason !== null) throw keepErrors.error("DVR_EPISODE_INVALID", { reason });
    if (!this.#episodes.has(episode.episodeId)) this.#checkRoom();
    return { entries: [{ op: "episode", episode }], result: episode };
  }

  #known(episodeId: string): Episode {
    const episode = this.#episodes.get(episodeId);
    if (episode !== undefined && !isExpired(episode, this.#nowMs())) return episode;
    throw keepErrors.error("DVR_EPISODE_UNKNOWN", { episodeId });
  }

  /** Room for one more. What has expired is forgotten when that is needed. */
  #checkRoom(): void {
    const { limit = MAX_KEPT } = this.#options;
    if (this.#episodes.size + this.#locks.length < limit) return;
    this.#forgetExpired();
    if (this.#episodes.size + this.#locks.length >= limit)
      throw this.#limitError(limit, "episodes and locks");
  }

  #limitError(limit: number, what: string): MediaError {
    return keepErrors.error("DVR_EPISODE_LIMIT", { path: this.#path, limit, what });
  }

  /** `plan` looks at what is there when its turn has come, and says what to write. */
  async #change<T>(plan: () => Change<T>): Promise<T> {
    return await this.#inTurn(async () => {
      await this.#load();
      const { entries, result } = plan();
      await this.#write(entries);
      this.#apply(entries);
      return result;
    });
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING)
      throw keepErrors.error("DVR_EPISODES_BUSY", { limit: MAX_WAITING, path: this.#path });
    this.#waiting++;
    const turn = this.#last.then(run).finally(() => this.#waiting--);
    this.#last = turn.catch(() => {});
    return await turn;
  }

  async #load(): Promise<void> {
    const { files } = this.#options;
    try {
      const facts = await files.facts(this.#path);
      if (!this.#isSeen(facts)) await this.#read(facts);
    } catch (caught) {
      this.#seen = null;
      throw this.#unreadableBecause(messageOf(caught), caught);
    }
    if (this.#unreadable !== null) throw this.#unreadable;
  }

  #isSeen(facts: FileFacts | null): boolean {
    if (facts === null || this.#seen === null || this.#seen === "absent")
      return facts === null && this.#seen === "absent";
    return facts.bytes === this.#seen.bytes && facts.changedMs === this.#seen.changedMs;
  }

  async #read(facts: FileFacts | null): Promise<void> {
    const isTooBig = facts !== null && facts.bytes > MAX_FILE_BYTES;
    const bytes =
      facts === null || isTooBig ? null : await this.#options.files.read(this.#path, MAX_FILE_BYTES);
    const { entries, goodBytes, damagedLine } = readLog(bytes ?? new Uint8Array(0));
    this.#episodes = new Map();
    this.#locks = [];
    this.#lines = 0;
    this.#goodBytes = goodBytes;
    this.#apply(entries);
    this.#seen = bytes === null && !isTooBig ? "absent" : facts;
    this.#unreadable = null;
    if (isTooBig) this.#unreadable = this.#unreadableBecause(`it has more than ${MAX_FILE_BYTES} bytes`);
    if (damagedLine !== null) this.#unreadable = this.#unreadableBecause(`line ${damagedLine} is damaged`);
  }

  #unreadableBecause(reason: string, cause?: unknown): MediaError {
    return keepErrors.error("DVR_EPISODES_UNREADABLE", { path: this.#path, reason }, cause);
  }

  async #write(entries: readonly LogEntry[]): Promise<void> {
    const { files, folder, spareLines = SPARE_LINES } = this.#options;
    const bytes = writeLog(entries);
    const left = this.#episodes.size + this.#locks.length;
    const isLong = this.#lines >= spareLines + 2 * left;
    const isNew = this.#seen === "absent";
    try {
      if (isNew) await files.makeFolder(folder);
      if (isLong) await this.#shorten();
      await files.append(this.#path, this.#goodBytes, bytes);
      if (isNew) await files.syncFolder(folder);
    } catch (caught) {
      await this.#cutBack();
      throw keepErrors.error(
        "DVR_EPISODES_UNWRITABLE",
        { path: this.#path, reason: messageOf(caught) },
        caught,
      );
    }
    this.#goodBytes += bytes.byteLength;
    await this.#look();
  }

  /** Takes back what a change that failed may have left. What is in the file is not known until the next `load`. */
  async #cutBack(): Promise<void> {
    this.#seen = null;
    try {
      await this.#options.files.append(this.#path, this.#goodBytes, new Uint8Array(0));
    } catch {
      // The volume refuses this too. Then the next change cuts it off, or it is found made.
    }
  }

  /** Remembers what the file looks like now, so that it is not read again. */
  async #look(): Promise<void> {
    const facts = await this.#options.files.facts(this.#path).catch(() => null);
    // With another size, somebody else wrote meanwhile: then it is read again.
    this.#seen =
      facts?.bytes === this.#goodBytes ? facts : { bytes: this.#goodBytes, changedMs: Number.NaN };
  }

  /** Writes the file anew, if the volume lets it: where it is full, a change may still find room at the end. */
  async #shorten(): Promise<void> {
    try {
      await this.#writeAnew();
    } catch {
      // The change that follows says what is wrong with the volume.
      await this.#options.files.remove(`${this.#path}.new`).catch(() => false);
    }
  }

  /** The file without what does not count any more: a new one, whole on the disk before it takes the old one's place. */
  async #writeAnew(): Promise<void> {
    const { files, folder } = this.#options;
    this.#forgetExpired();
    const episodes = [...this.#episodes.values()].map((episode): LogEntry => ({ op: "episode", episode }));
    const locks = this.#locks.map((span): LogEntry => ({ op: "lock", ...span }));
    const entries = [...episodes, ...locks];
    const bytes = writeLog(entries);
    await files.write(`${this.#path}.new`, bytes);
    await files.rename(`${this.#path}.new`, this.#path);
    this.#goodBytes = bytes.byteLength;
    this.#lines = entries.length;
    await files.syncFolder(folder);
  }

  #apply(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.op === "episode") this.#episodes.set(entry.episode.episodeId, entry.episode);
      if (entry.op === "delete") this.#episodes.delete(entry.episodeId);
    }
    this.#locks = locksAfter(this.#locks, entries);
    this.#lines += entries.length;
    this.#changes++;
    this.#spans = null;
  }

  #forgetExpired(): void {
    const nowMs = this.#nowMs();
    for (const [episodeId, episode] of this.#episodes)
      if (isExpired(episode, nowMs)) this.#episodes.delete(episodeId);
  }

  #protectedSpans(): SpanList {
    const nowMs = this.#nowMs();
    if (this.#spans !== null && nowMs < this.#spans.untilMs) return this.#spans.list;
    let untilMs = Infinity;
    for (const episode of this.#episodes.values())
      if (!isExpired(episode, nowMs)) untilMs = Math.min(untilMs, episode.expiresAtMs ?? Infinity);
    this.#spans = { list: this.#spansOf(() => true), untilMs };
    return this.#spans.list;
  }

  /** What is locked, and what episodes keep that have not expired and count. */
  #spansOf(counts: (episode: Episode) => boolean): SpanList {
    const nowMs = this.#nowMs();
    const live = [...this.#episodes.values()].filter(
      (episode) => !isExpired(episode, nowMs) && counts(episode),
    );
    const spans = live.map(({ openedAtMs, closedAtMs }) => ({
      fromMs: openedAtMs,
      toMs: endOf(openedAtMs, closedAtMs),
    }));
    return uniteSpans([...spans, ...this.#locks]);
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.wallUs() / 1000);
  }
}

function isExpired({ expiresAtMs }: Episode, nowMs: number): boolean {
  return expiresAtMs !== null && expiresAtMs <= nowMs;
}

/** One that was closed in the moment in which it was opened keeps that moment. */
function endOf(openedAtMs: number, closedAtMs: number | null): number {
  return Math.max(closedAtMs ?? Infinity, openedAtMs + 1);
}

/** The locks after changes of them in their order; locks in a row are united at one go. */
function locksAfter(locks: SpanList, entries: readonly LogEntry[]): SpanList {
  let after = locks;
  let added: MsSpan[] = [];
  const unite = (): void => {
    if (added.length > 0) after = uniteSpans([...after, ...added]);
    added = [];
  };
  for (const entry of entries) {
    if (entry.op !== "lock" && entry.op !== "unlock") continue;
    const span = { fromMs: entry.fromMs, toMs: entry.toMs };
    if (entry.op === "lock") added.push(span);
    else {
      unite();
      after = subtractSpan(after, span);
    }
  }
  unite();
  return after;
}

/** What the protections of a root need. */
export type ProtectionsOptions = Omit<StreamProtectionsOptions, "folder"> & {
  /** Absolute path, without a slash at its end. */
  readonly root: string;
  /** Most streams in memory. */
  readonly streamLimit?: number;
};

/** The protections of all streams in a root. */
export class Protections {
  readonly #options: ProtectionsOptions;
  readonly #streams = new Map<string, StreamProtections>();

  constructor(options: ProtectionsOptions) {
    this.#options = options;
  }

  /** Streams whose protections are in memory. */
  get size(): number {
    return this.#streams.size;
  }

  /** A stream's protections as they are on the volume now; to be asked for anew each time, not kept. Throws: DVR_EPISODES_UNREADABLE, DVR_EPISODES_BUSY. */
  async of(stream: string): Promise<StreamProtections> {
    const protections = this.#of(stream);
    await protections.load();
    return protections;
  }

  #of(stream: string): StreamProtections {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    this.#makeRoom();
    const protections = new StreamProtections({
      ...this.#options,
      folder: `${this.#options.root}/${stream}`,
    });
    this.#streams.set(stream, protections);
    return protections;
  }

  /** Forgets the stream that was asked for first of those that nothing is written for. */
  #makeRoom(): void {
    if (this.#streams.size < (this.#options.streamLimit ?? MAX_STREAMS)) return;
    for (const [stream, protections] of this.#streams) {
      if (protections.waiting > 0) continue;
      this.#streams.delete(stream);
      return;
    }
  }
}
