/** What the control thread asks media threads about archives. */
import type { CallHandlers } from "../../base/channel.ts";
import type { ArchivePlace, DeletedRange, EpisodeWrite } from "../../dvr/archive-changes.ts";
import type { Archives, ExportSource } from "../../dvr/archives.ts";
import type { ExportJob, ExportOrder } from "../../dvr/export-jobs/export-jobs.ts";
import type { DeletedSpan } from "../../dvr/format/deleted-spans.ts";
import type { Episode } from "../../dvr/keep/episode-log.ts";
import type { EpisodeFilter } from "../../dvr/keep/protections.ts";
import type { MsSpan, SpanList } from "../../dvr/keep/time-spans.ts";
import type { RecordedExtent } from "../../dvr/reader/recorded-ranges.ts";

/** Asked of the thread that keeps archives, but for the last one, which all are told. Times: microseconds. */
export type ArchiveCalls = {
  archiveRanges: { argument: ArchivePlace & DeletedSpan; answer: RecordedExtent };
  archiveDelete: { argument: ArchivePlace & DeletedSpan; answer: DeletedRange };
  archiveLocks: { argument: ArchivePlace; answer: SpanList };
  archiveLock: {
    argument: ArchivePlace & { readonly op: "lock" | "unlock"; readonly span: MsSpan };
    answer: null;
  };
  archiveEpisodes: { argument: ArchivePlace & { readonly filter: EpisodeFilter }; answer: Episode[] };
  archiveEpisodeMake: { argument: ArchivePlace & { readonly write: EpisodeWrite }; answer: Episode };
  archiveEpisodePut: {
    argument: ArchivePlace & { readonly write: EpisodeWrite & { readonly episodeId: string } };
    answer: { readonly episode: Episode; readonly isNew: boolean };
  };
  archiveEpisodeDelete: { argument: ArchivePlace & { readonly episodeId: string }; answer: null };
  archiveExport: { argument: ExportOrder<ExportSource>; answer: ExportJob };
  archiveExports: { argument: null; answer: readonly ExportJob[] };
  archiveExportFind: { argument: string; answer: ExportJob };
  archiveExportRemove: { argument: string; answer: null };
  /** What is recorded in a stream's folder is not as it was. */
  archiveForget: { argument: string; answer: null };
};

/** The archives of a thread, which may have to be loaded. */
export type UseArchives = <Result>(
  use: (archives: Archives) => Promise<Result> | Result,
) => Promise<Result> | Result;

/** What a media thread answers. `isLoaded`: archives that nobody has asked for yet have nothing to forget. */
export function archiveAnswers(use: UseArchives, isLoaded: () => boolean): CallHandlers<ArchiveCalls> {
  return {
    archiveRanges: ({ root, stream, fromUs, toUs }) =>
      use((archives) => archives.ranges(`${root}/${stream}`, fromUs, toUs)),
    archiveDelete: ({ fromUs, toUs, ...place }) =>
      use(({ changes }) => changes.deleteRange(place, { fromUs, toUs })),
    archiveLocks: (place) => use(({ changes }) => changes.locks(place)),
    archiveLock: async ({ op, span, ...place }) => {
      await use(({ changes }) => changes.changeLock(place, op, span));
      return null;
    },
    archiveEpisodes: ({ filter, ...place }) => use(({ changes }) => changes.episodes(place, filter)),
    archiveEpisodeMake: ({ write, ...place }) => use(({ changes }) => changes.createEpisode(place, write)),
    archiveEpisodePut: ({ write, ...place }) => use(({ changes }) => changes.putEpisode(place, write)),
    archiveEpisodeDelete: async ({ episodeId, ...place }) => {
      await use(({ changes }) => changes.deleteEpisode(place, episodeId));
      return null;
    },
    archiveExport: (order) => use((archives) => archives.exports.add(order)),
    archiveExports: () => (isLoaded() ? use((archives) => archives.exports.list()) : []),
    archiveExportFind: (id) => use((archives) => archives.exports.find(id)),
    archiveExportRemove: async (id) => {
      await use((archives) => archives.exports.remove(id));
      return null;
    },
    archiveForget: async (folder) => {
      if (isLoaded()) await use((archives) => archives.forget(folder));
      return null;
    },
  };
}
