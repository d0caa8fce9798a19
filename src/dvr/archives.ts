import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { OutsideHosts } from "../base/outside-hosts.ts";
import type { MediaFile } from "../packaging/media-path.ts";
import type { Presentation, Timeline, TrackSelection } from "../packaging/presentation.ts";
import { dropOldest } from "../base/oldest.ts";
import { formatTimeSpan } from "../packaging/time-span.ts";
import { BlockPool } from "../vod/block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "../vod/busy.ts";
import { ByteLru } from "../base/byte-lru.ts";
import { ArchiveChanges } from "./archive-changes.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { ExportJobs } from "./export-jobs/export-jobs.ts";
import { diskExportFiles } from "./export-jobs/storages/disk-export-files.ts";
import { Mp4Export } from "./export/mp4-export.ts";
import { Mp4Exports } from "./export/mp4-exports.ts";
import { TsExport } from "./export/ts-export.ts";
import { Copies } from "./copies.ts";
import type { CopyFigures } from "./copies.ts";
import type { DiskChange } from "./keep/disk-state.ts";
import { Keepers } from "./keepers.ts";
import type { KeepersOptions } from "./keepers.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import { diskKeepFiles } from "./keep/storages/disk-keep-files.ts";
import { isProcessAlive, machineIdentity } from "./keep/storages/machine-identity.ts";
import type { WriterIdentity } from "./keep/writer-records.ts";
import type { CacheOwner } from "./objects/cache-folders-storage.ts";
import { CopiedFiles } from "./objects/copied-files.ts";
import { CopyCaches } from "./objects/copy-caches.ts";
import { NO_COPIES } from "./objects/copy-rules.ts";
import type { CopyRules } from "./objects/copy-rules.ts";
import { CopyStores } from "./objects/copy-stores.ts";
import { openObjectStore } from "./objects/open-store.ts";
import { recordedKeyFrame } from "./pictures/key-frame.ts";
import type { KeyFrame } from "./pictures/key-frame.ts";
import type { PeerAddress } from "./replicate/peer.ts";
import type { Replicator, ReplicatorOptions } from "./replicate/replicator.ts";
import { HourCache } from "./reader/hour-cache.ts";
import type { RecordedExtent } from "./reader/recorded-ranges.ts";
import { SpanPresentation, storedRange } from "./reader/span-presentation.ts";
import type { SpanRequest } from "./reader/span-presentation.ts";
import { StreamArchive } from "./reader/stream-archive.ts";
import type { ArchiveReading } from "./reader/stream-archive.ts";
import { openPlay } from "./play/open-play.ts";
import type { ArchivePlay } from "./play/archive-play.ts";
import type { PlayRequest } from "./play/open-play.ts";
import { recoverRoot } from "./start-recovery.ts";
import { diskFiles } from "./storages/disk-files.ts";
import { ArchiveWriter } from "./writer/archive-writer.ts";
import type { FsyncPolicy, WaitingBytes } from "./writer/archive-writer.ts";
import { RecordingCounters } from "./writer/recording-counters.ts";
import type { RecordingFigures } from "./writer/recording-counters.ts";
import { filesInTurns } from "./writer/files-in-turns.ts";
import { SyncTurns } from "./writer/sync-turns.ts";
import { RecordingRoots } from "./writer/write-access.ts";

/** What archives need of the process. */
export type ArchivesOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** The pod's uid. */
  readonly pod?: string;
  /** What may wait to be written by this thread; 256 MiB unless given. */
  readonly waitingBytes?: number;
  /** Of one span; 524 288 unless given. */
  readonly maxSegments?: number;
  /** The disk's unless given. */
  readonly files?: ArchiveFiles;
  readonly keepFiles?: KeepFiles;
  readonly identity?: WriterIdentity;
  /** Who decides on who writes; leases on the volume unless given. */
  readonly roots?: Pick<RecordingRoots, "access" | "stop">;
  /** Where what is recorded is copied to, and played from; nowhere unless given. */
  readonly copies?: CopyRules;
  /** Where buckets, peers and servers of episodes may be; everywhere unless given. */
  readonly hosts?: OutsideHosts | undefined;
  /** Which of the threads this is; the only one unless given. */
  readonly thread?: CacheOwner;
  /** A root's volume takes recordings no more, or again. */
  onDiskChange?(change: DiskChange): void;
};

/** Where and how a stream is recorded. */
export type RecordingPlace = {
  readonly root: string;
  readonly stream: string;
  readonly fsync: FsyncPolicy;
};

const WAITING_BYTES = 256 * 1024 * 1024;

/** A span as a file of known length. `isOver`: nothing comes to it any more. */
export type ExportedMp4 = Pick<Mp4Export, "file" | "version"> & { readonly isOver: boolean };

/** What a job exports: a span of a stream's folder. */
export type ExportSource = { readonly folder: string; readonly request: SpanRequest };

/** Where exports of a root's archives go to. No stream's folder begins with a dot. */
const EXPORTS_FOLDER = ".exports";
/** A file of an export that nobody has written to for so long was left by a process that is gone. Units: milliseconds. */
const ABANDONED_MS = 3_600_000;

/** The folder of exports of a root's archives. */
export function exportsFolder(root: string): string {
  return `${root}/${EXPORTS_FOLDER}`;
}

/** A span as bytes that are made when they are asked for; `pause` waits. */
export type ExportedTs = {
  read(): AsyncIterable<Uint8Array>;
  pause(ms: number): Promise<void>;
};

/** A playlist has so many segments at most: some twelve days of two seconds each, and 40 MB of text. */
const MAX_SEGMENTS = 2 ** 19;
/** Memory that waits to be read into again. Units: bytes. */
const FREE_BYTES = 32 * 1024 * 1024;
/** Segments that are read at a time by one thread, and that wait for it. */
const READS = { running: 16, waiting: 2000 };
/** Recordings that are synced at a time, and that are written to, and all that may wait: see `filesInTurns`. */
const SYNCS = { running: 2, waiting: 65_536 };
const WRITES = { running: 8, waiting: 65_536 };
/** How long a host of object storage may be silent to those who play. Units: milliseconds. */
const FAR_SILENCE_MS = 5000;
/** Streams of which it is known what is recorded. */
const MAX_STREAMS = 4096;

/** Spans that were asked for lately, with their playlists. A segment stands in a list, and in the text of a playlist. */
const SPAN_LIMITS = { bytes: 64 * 1024 * 1024, items: 1000 };
const SEGMENT_BYTES = 8 + 3 * 64;
const SPAN_BYTES = 4096;
/** A span that is complete is looked at again too, for what is recorded is deleted in time. Units: microseconds. */
const COMPLETE_US = 30_000_000;
/** How long a span that grows is shown as it is, for each of its segments, and at least and at most. Units: microseconds. */
const GROWING_US = { each: 10, least: 200_000, most: 3_000_000 };

/** A span that ended so long ago is over. Units: microseconds. */
const LONG_US = 60_000_000;

type Opened = { readonly presentation: SpanPresentation; readonly openedUs: number };

/**
 * How long a span is shown as it was read before it is read again. Units: microseconds. To read one of a week takes a tenth
 * of a second, so those that are long are read less often: no later than players wait for it.
 */
export function spanFreshUs({ mutability, segments }: Pick<Timeline, "mutability" | "segments">): number {
  if (mutability === "static") return COMPLETE_US;
  const { each, least, most } = GROWING_US;
  return Math.min(most, Math.max(least, segments.length * each));
}

/** Whether nothing comes to a span any more, however far the recording is behind. */
function isLongOver({ span, nowUs }: SpanRequest): boolean {
  if (span.kind !== "archive" || span.durationS === null) return false;
  return (span.fromS + span.durationS) * 1e6 + LONG_US < nowUs;
}

/** The archives of a media thread: what writes them, and what plays them. */
export class Archives {
  /** What people change of archives; for the thread that keeps the roots. */
  readonly changes: ArchiveChanges;
  /** Exports that run as jobs; for the same thread. */
  readonly exports: ExportJobs<ExportSource>;
  readonly #options: ArchivesOptions;
  readonly #files: ArchiveFiles;
  readonly #reading: ArchiveReading;
  readonly #streams = new Map<string, StreamArchive>();
  readonly #roots: Pick<RecordingRoots, "access" | "stop">;
  readonly #waiting: WaitingBytes;
  readonly #recordings = new RecordingCounters();
  readonly #syncs: SyncTurns;
  readonly #written: ArchiveFiles;
  readonly #copyRules: CopyRules;
  readonly #identity: WriterIdentity;
  /** Of those who play: a host that is slow is given up sooner than by those who copy. */
  readonly #stores: CopyStores;
  #keepers: Keepers | null = null;
  #copies: Copies | null = null;
  /** How often something was forgotten: a span that was read before that is not kept. */
  #forgotten = 0;
  #isStopped = false;
  #replicator: Promise<Replicator> | null = null;
  readonly #spans = new ByteLru<Opened>(SPAN_LIMITS);
  readonly #opening = new Map<string, Promise<SpanPresentation>>();
  readonly #mp4s: Mp4Exports;

  constructor(options: ArchivesOptions) {
    this.#options = options;
    this.#files = options.files ?? diskFiles;
    this.#written = filesInTurns(this.#files, new BoundedWork(WRITES, vodBusy));
    this.#copyRules = options.copies ?? NO_COPIES;
    const { clock, log, hosts, identity = machineIdentity({ pod: options.pod ?? "" }) } = options;
    this.#identity = identity;
    this.#mp4s = new Mp4Exports(clock);
    this.#syncs = new SyncTurns({ clock, log, limits: SYNCS });
    this.#stores = new CopyStores({ clock, hosts, attempts: 2, silenceMs: FAR_SILENCE_MS });
    const files = options.keepFiles ?? diskKeepFiles;
    this.#roots =
      options.roots ??
      new RecordingRoots({
        ...{ files, clock, log, identity, isAlive: isProcessAlive },
        onDiskChange: (change) => options.onDiskChange?.(change),
      });
    this.#waiting = { bytes: 0, limit: options.waitingBytes ?? WAITING_BYTES };
    const caches = new CopyCaches({ clock, log, owner: options.thread ?? { index: 0, count: 1 } });
    const played = new CopiedFiles({
      ...{ disk: this.#files, rules: this.#copyRules, stores: this.#stores, caches, clock, log },
    });
    this.#reading = {
      files: played,
      disk: this.#files,
      hours: new HourCache(played, options.clock, this.#files),
      pool: new BlockPool(FREE_BYTES),
      work: new BoundedWork(READS, vodBusy),
      farWork: new BoundedWork(READS, vodBusy),
      clock: options.clock,
      maxSegments: options.maxSegments ?? MAX_SEGMENTS,
      log,
    };
    const { hours } = this.#reading;
    this.changes = new ArchiveChanges({
      ...{ files: this.#files, keepFiles: files, hours, clock, log },
      keepers: () => this.#keepers,
      forget: (folder) => this.forget(folder),
      onDeleted: ({ root, stream }) => this.#copies?.changed(root, stream),
    });
    this.exports = new ExportJobs({
      ...{ clock, log, files: diskExportFiles },
      open: async ({ folder, request }) => (await this.mp4(folder, request, null)).file,
      store: (place) => openObjectStore(place, { clock, hosts }),
    });
  }

  /** Puts what is recorded below some roots in order, once at the start. Never rejects. */
  async recover(roots: readonly string[]): Promise<void> {
    const { clock, log, keepFiles = diskKeepFiles } = this.#options;
    for (const root of roots) {
      const recovered = await recoverRoot(root, {
        files: this.#files,
        keepFiles,
        clock,
        log,
        roots: this.#roots,
      });
      if (recovered > 0)
        log.info("archives were put in order behind a sudden end", { root, streams: recovered });
    }
  }

  /** Keeps what is recorded below these roots within its bounds from now on, and no other roots; copies what is to be. */
  keep(roots: ReadonlySet<string>, rulesOf: KeepersOptions["rulesOf"]): void {
    const { clock, log, hosts, keepFiles: files = diskKeepFiles } = this.#options;
    const copies = this.#copyRules;
    const onDropped = (root: string, stream: string): void => this.#copies?.changed(root, stream);
    this.#keepers ??= new Keepers({ files, clock, log, hosts, rulesOf, copies, onDropped });
    this.#keepers.setRoots(roots);
    const olderThanMs = clock.wallUs() / 1000 - ABANDONED_MS;
    for (const root of roots) void diskExportFiles.sweep(exportsFolder(root), olderThanMs);
    if (this.#copies === null && copies.roots().size === 0) return;
    const identity = this.#identity;
    this.#copies ??= new Copies({
      ...{ files, clock, log, hosts, identity, isAlive: isProcessAlive, rules: copies },
    });
    this.#copies.configure();
  }

  /** What the recorders have done. */
  recordingFigures(): RecordingFigures {
    return this.#recordings.figures(this.#waiting.bytes);
  }

  /** How copying to object storage is doing; `null` where this thread copies nothing. */
  copyFigures(): CopyFigures | null {
    return this.#copies?.figures() ?? null;
  }

  /** Completes recordings from these peers from now on, and from no others. Rejects when the code for it cannot be loaded. */
  async replicate(peers: readonly PeerAddress[], targetsOf: ReplicatorOptions["targetsOf"]): Promise<void> {
    if (this.#isStopped || (this.#replicator === null && peers.length === 0)) return;
    this.#replicator ??= this.#loadReplicator(targetsOf);
    (await this.#replicator).setPeers(peers);
  }

  async #loadReplicator(targetsOf: ReplicatorOptions["targetsOf"]): Promise<Replicator> {
    const { clock, log, hosts, keepFiles = diskKeepFiles } = this.#options;
    const loaded = await import("./replicate/replicator.ts");
    return new loaded.Replicator({
      ...{ files: this.#files, keepFiles, hours: this.#reading.hours, clock, log, hosts, targetsOf },
      access: (root, stream, onLost) => this.#roots.access(root, stream, onLost),
      onCompleted: (root, stream) => this.#copies?.changed(root, stream),
    });
  }

  /** Gives the roots back, when all writers are closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await (await this.#replicator)?.stop();
    await Promise.all([this.#keepers?.stop(), this.#copies?.stop(), this.exports.stop()]);
    this.#stores.close();
    await this.#roots.stop();
  }

  /** What writes a stream's archive. Throws: DVR_LEASE_LIMIT. */
  writer({ root, stream, fsync }: RecordingPlace, log: Logger): ArchiveWriter {
    return new ArchiveWriter({
      ...{ files: this.#written, folder: `${root}/${stream}`, fsync, clock: this.#options.clock, log },
      waiting: this.#waiting,
      counters: this.#recordings,
      syncs: this.#syncs,
      access: (onLost) => this.#roots.access(root, stream, onLost),
    });
  }

  /**
   * A span of a stream's archive. All who ask for the same one at a time get the same one, and again as long as nothing has
   * come. Rejects with DVR_*, MP4_*, CODEC_*.
   */
  async span(folder: string, request: SpanRequest): Promise<Presentation> {
    const key = `${folder} ${formatTimeSpan(request.span)}`;
    const known = this.#spans.get(key);
    const nowUs = this.#options.clock.nowUs();
    if (known !== undefined && nowUs - known.openedUs < spanFreshUs(known.presentation.timeline()))
      return known.presentation;
    const opening = this.#opening.get(key);
    if (opening !== undefined) return await opening;
    const open = this.#open(key, folder, request).finally(() => {
      if (this.#opening.get(key) === open) this.#opening.delete(key);
    });
    this.#opening.set(key, open);
    return await open;
  }

  async #open(key: string, folder: string, request: SpanRequest): Promise<SpanPresentation> {
    const openedUs = this.#options.clock.nowUs();
    const forgotten = this.#forgotten;
    const opened = await SpanPresentation.open(this.#archive(folder), request);
    const before = this.#spans.get(key)?.presentation;
    const presentation = before?.isLike(opened) === true ? before : opened;
    const bytes = presentation.timeline().segments.length * SEGMENT_BYTES;
    if (forgotten === this.#forgotten) this.#spans.set(key, { presentation, openedUs }, bytes + SPAN_BYTES);
    return presentation;
  }

  /** A span as one MP4 file, the same for all who ask at a time. Rejects with DVR_*, MP4_*, CODEC_*. */
  async mp4(folder: string, request: SpanRequest, tracks: TrackSelection | null): Promise<ExportedMp4> {
    const range = `${formatTimeSpan(request.span)} ${tracks?.join(" ") ?? "all"}`;
    const isOver = isLongOver(request);
    const { file, version } = await this.#mp4s.of({ folder, range, isOver }, async () => {
      const stored = await storedRange(this.#archive(folder), request);
      return new Mp4Export(stored, tracks === null ? {} : { tracks });
    });
    return { file, version, isOver };
  }

  /** A span as one transport stream. Rejects as `mp4`. */
  async ts(folder: string, request: SpanRequest, tracks: TrackSelection | null): Promise<ExportedTs> {
    const range = await storedRange(this.#archive(folder), request);
    const made = new TsExport(range, tracks === null ? {} : { tracks });
    return { read: () => made.read(), pause: (ms) => this.#pause(ms) };
  }

  /**
   * A span as packets for one player, from its beginning on and on with what is recorded meanwhile. Rejects with
   * DVR_NOTHING_RECORDED, and as `span`.
   */
  play(folder: string, request: PlayRequest): Promise<ArchivePlay> {
    return openPlay(this.#archive(folder), request, this.#options.clock);
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#options.clock.schedule(ms, resolve);
    return promise;
  }

  /** What has a segment or an init segment of that name; `null` when there is none. Rejects with DVR_*, MP4_*, CODEC_*. */
  media(folder: string, file: MediaFile): Promise<Presentation | null> {
    return SpanPresentation.ofMedia(this.#archive(folder), file);
  }

  /**
   * What is recorded in a folder from a time on and before another one; no ranges where nothing is. Units: microseconds of
   * the media clock. Rejects with DVR_DISK_FAILED, DVR_BAD_INDEX.
   */
  ranges(folder: string, fromUs: number, toUs: number): Promise<RecordedExtent> {
    return this.#archive(folder).ranges(fromUs, toUs);
  }

  /** The last key frame that is recorded at a time or before it. Rejects as `recordedKeyFrame`. Units: microseconds. */
  keyFrame(folder: string, atUs: number, name: string): Promise<KeyFrame> {
    return recordedKeyFrame(this.#archive(folder), atUs, name);
  }

  /** Hours of a stream were deleted, or something of them: nobody is shown any more what they had. */
  forget(folder: string): void {
    this.#forgotten++;
    this.#reading.hours.forget(folder);
    this.#streams.get(folder)?.forget();
    const isOfFolder = (key: string): boolean => key.startsWith(`${folder} `);
    this.#spans.deleteWhere(isOfFolder);
    this.#mp4s.forget(folder);
    for (const key of this.#opening.keys()) if (isOfFolder(key)) this.#opening.delete(key);
  }

  #archive(folder: string): StreamArchive {
    const known = this.#streams.get(folder);
    if (known !== undefined) return known;
    const archive = new StreamArchive(folder, this.#reading);
    this.#streams.set(folder, archive);
    dropOldest(this.#streams, MAX_STREAMS);
    return archive;
  }
}
