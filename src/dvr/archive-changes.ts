import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import type { DeletedSpan } from "./format/deleted-spans.ts";
import { hoursWithFills } from "./format/hours-of-stream.ts";
import { deleteRange, planDeletion } from "./keep/delete-range.ts";
import type { RangeDeletionParts } from "./keep/delete-range.ts";
import type { Episode } from "./keep/episode-log.ts";
import { keepErrors } from "./keep/errors.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import type { EpisodeFilter, EpisodePatch, StreamProtections } from "./keep/protections.ts";
import type { MsSpan, SpanList } from "./keep/time-spans.ts";
import type { Keepers } from "./keepers.ts";
import type { HourCache } from "./reader/hour-cache.ts";

/** Whose archive is meant: `stream`'s, below `root`. */
export type ArchivePlace = { readonly root: string; readonly stream: string };

/** What became of a deletion: what keeps a part of the range stands in its way. */
export type DeletedRange =
  | { readonly kind: "deleted"; readonly segments: number }
  | { readonly kind: "protected"; readonly episodes: readonly string[]; readonly locks: SpanList };

/** An episode to be made, or changed where there is one of that id. */
export type EpisodeWrite = EpisodePatch & {
  readonly episodeId?: string | undefined;
  readonly openedAtMs?: number | undefined;
};

/** What changes of archives need. */
export type ArchiveChangesParts = {
  readonly files: ArchiveFiles;
  readonly keepFiles: KeepFiles;
  readonly hours: Pick<HourCache, "hour">;
  readonly clock: Clock;
  readonly log: Logger;
  /** What keeps the roots; `null`: this thread keeps none. */
  keepers(): Pick<Keepers, "protectionsOf"> | null;
  /** What is recorded in a stream's folder is not as it was. */
  forget(folder: string): void;
  /** Something was deleted that may be copied elsewhere. */
  onDeleted?(place: ArchivePlace): void;
};

/** What people change of archives: they delete, and protect from being deleted. For the one thread that keeps the roots. */
export class ArchiveChanges {
  readonly #parts: ArchiveChangesParts;

  constructor(parts: ArchiveChangesParts) {
    this.#parts = parts;
  }

  /**
   * Deletes all segments that have a part of a range, up to now: whole hours with their files, of other hours the
   * segments are hidden at once, and their bytes go with the hour. Units: microseconds.
   * Rejects with DVR_DELETE_FAILED, DVR_DELETE_LIMIT, DVR_DISK_FAILED, DVR_BAD_INDEX, DVR_EPISODES_*, DVR_NOT_KEPT.
   */
  async deleteRange(place: ArchivePlace, { fromUs, toUs }: DeletedSpan): Promise<DeletedRange> {
    const span = { fromUs, toUs: Math.min(toUs, this.#parts.clock.wallUs()) };
    if (span.fromUs >= span.toUs) return { kind: "deleted", segments: 0 };
    const protections = await this.#protections(place);
    return await protections.exclusively(() => this.#delete(place, span, protections));
  }

  async #delete(
    { root, stream }: ArchivePlace,
    span: DeletedSpan,
    protections: StreamProtections,
  ): Promise<DeletedRange> {
    const { log } = this.#parts;
    const folder = `${root}/${stream}`;
    const parts = this.#deletionParts(folder);
    // What is listed by now, not a moment ago.
    this.#parts.forget(folder);
    const plan = await planDeletion(span, parts);
    if (plan.parts.length === 0) return { kind: "deleted", segments: 0 };
    const deleted = plan.span ?? span;
    const kept = protections.meeting(spanMs(deleted));
    if (kept.episodes.length + kept.locks.length > 0) return { kind: "protected", ...kept };
    try {
      await deleteRange(plan, parts);
    } finally {
      this.#parts.forget(folder);
      this.#parts.onDeleted?.({ root, stream });
    }
    log.info("a range of the archive was deleted", {
      root,
      stream,
      from: new Date(deleted.fromUs / 1000).toISOString(),
      to: new Date(deleted.toUs / 1000).toISOString(),
      segments: plan.segments,
    });
    return { kind: "deleted", segments: plan.segments };
  }

  #deletionParts(folder: string): RangeDeletionParts {
    const { files, keepFiles, hours, clock } = this.#parts;
    return {
      ...{ folder, files: keepFiles, clock },
      hours: () => hoursWithFills(files, folder),
      index: async (hour) => (await hours.hour(folder, hour))?.index ?? null,
    };
  }

  /** Locks, in ascending order. Rejects with DVR_EPISODES_*, DVR_NOT_KEPT. */
  async locks(place: ArchivePlace): Promise<SpanList> {
    return (await this.#protections(place)).listLocks();
  }

  /** Keeps a stretch of time, or lets it go. Rejects with DVR_EPISODE_*, DVR_EPISODES_*, DVR_NOT_KEPT. */
  async changeLock(place: ArchivePlace, op: "lock" | "unlock", span: MsSpan): Promise<void> {
    const protections = await this.#protections(place);
    await (op === "lock" ? protections.lock(span) : protections.unlock(span));
  }

  /** Episodes, the first opened first. Rejects as `locks`. */
  async episodes(place: ArchivePlace, filter: EpisodeFilter): Promise<Episode[]> {
    return (await this.#protections(place)).listEpisodes(filter);
  }

  /** Makes an episode. Rejects with DVR_EPISODE_*, DVR_EPISODES_*, DVR_NOT_KEPT. */
  async createEpisode(place: ArchivePlace, write: EpisodeWrite): Promise<Episode> {
    const { openedAtMs } = write;
    if (openedAtMs === undefined)
      throw keepErrors.error("DVR_EPISODE_INVALID", { reason: "opened_at is missing" });
    return await (await this.#protections(place)).createEpisode({ ...write, openedAtMs });
  }

  /** Changes the episode of that id, or makes it. Returns: it, and whether it is new. Rejects as `createEpisode`. */
  async putEpisode(
    place: ArchivePlace,
    write: EpisodeWrite & { readonly episodeId: string },
  ): Promise<{ readonly episode: Episode; readonly isNew: boolean }> {
    const protections = await this.#protections(place);
    const known = protections.listEpisodes().find(({ episodeId }) => episodeId === write.episodeId);
    if (known === undefined) return { episode: await this.createEpisode(place, write), isNew: true };
    if (write.openedAtMs !== undefined && write.openedAtMs !== known.openedAtMs)
      throw keepErrors.error("DVR_EPISODE_INVALID", { reason: "opened_at of an episode stays as it is" });
    return { episode: await protections.updateEpisode(write.episodeId, write), isNew: false };
  }

  /** Forgets an episode; what it kept goes when its time is over. Rejects as `createEpisode`. */
  async deleteEpisode(place: ArchivePlace, episodeId: string): Promise<void> {
    await (await this.#protections(place)).deleteEpisode(episodeId);
  }

  async #protections({ root, stream }: ArchivePlace): Promise<StreamProtections> {
    const keepers = this.#parts.keepers();
    if (keepers === null) throw keepErrors.error("DVR_NOT_KEPT", { root });
    return await keepers.protectionsOf(root, stream);
  }
}

/** Outwards to whole milliseconds. */
function spanMs({ fromUs, toUs }: DeletedSpan): MsSpan {
  return { fromMs: Math.floor(fromUs / 1000), toMs: Math.ceil(toUs / 1000) };
}
