import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { MediaFile } from "../packaging/media-path.ts";
import type { Presentation, TrackSelection } from "../packaging/presentation.ts";
import { dropOldest } from "../base/oldest.ts";
import { formatTimeSpan } from "../packaging/time-span.ts";
import { BlockPool } from "../vod/block-pool.ts";
import { BoundedWork } from "../vod/bounded-work.ts";
import { ByteLru } from "../vod/byte-lru.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { Mp4Export } from "./export/mp4-export.ts";
import { TsExport } from "./export/ts-export.ts";
import { Keepers } from "./keepers.ts";
import type { KeepersOptions } from "./keepers.ts";
import type { KeepFiles } from "./keep/keep-files.ts";
import { diskKeepFiles } from "./keep/storages/disk-keep-files.ts";
import { isProcessAlive, machineIdentity } from "./keep/storages/machine-identity.ts";
import type { WriterIdentity } from "./keep/writer-records.ts";
import type { PeerAddress } from "./replicate/peer.ts";
import type { Replicator, ReplicatorOptions } from "./replicate/replicator.ts";
import { HourCache } from "./reader/hour-cache.ts";
import type { RecordedExtent } from "./reader/recorded-ranges.ts";
import { SpanPresentation, storedRange } from "./reader/span-presentation.ts";
import type { SpanRequest } from "./reader/span-presentation.ts";
import { StreamArchive } from "./reader/stream-archive.ts";
import type { ArchiveReading } from "./reader/stream-archive.ts";
import { recoverRoot } from "./start-recovery.ts";
import { diskFiles } from "./storages/disk-files.ts";
import { ArchiveWriter } from "./writer/archive-writer.ts";
import type { FsyncPolicy, WaitingBytes } from "./writer/archive-writer.ts";
import { RecordingRoots } from "./writer/write-access.ts";

/** What archives need of the process. */
export type ArchivesOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** The pod's name, where no two pods have one name at a time. */
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
};

/** Where and how a stream is recorded. */
export type RecordingPlace = {
  readonly root: string;
  readonly stream: string;
  readonly fsync: FsyncPolicy;
};

const WAITING_BYTES = 256 * 1024 * 1024;

/** A span as a file of known length. */
export type ExportedMp4 = Pick<Mp4Export, "file" | "version">;

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
/** Streams of which it is known what is recorded. */
const MAX_STREAMS = 4096;

/** Spans that were asked for lately, with their playlists. A segment stands in a list, and in the text of a playlist. */
const SPAN_LIMITS = { bytes: 64 * 1024 * 1024, items: 1000 };
const SEGMENT_BYTES = 8 + 3 * 64;
const SPAN_BYTES = 4096;
/** A span that grows is looked at again after so long; one that is complete too, for what is recorded is deleted in time. */
const FRESH_US = { growing: 200_000, complete: 30_000_000 };

type Opened = { readonly presentation: SpanPresentation; readonly openedUs: number };

function freshUs(presentation: Presentation): number {
  return presentation.timeline().mutability === "static" ? FRESH_US.complete : FRESH_US.growing;
}

/** The archives of a media thread: what writes them, and what plays them. */
export class Archives {
  readonly #options: ArchivesOptions;
  readonly #files: ArchiveFiles;
  readonly #reading: ArchiveReading;
  readonly #streams = new Map<string, StreamArchive>();
  readonly #roots: Pick<RecordingRoots, "access" | "stop">;
  readonly #waiting: WaitingBytes;
  #keepers: Keepers | null = null;
  #isStopped = false;
  #replicator: Promise<Replicator> | null = null;
  readonly #spans = new ByteLru<Opened>(SPAN_LIMITS);
  readonly #opening = new Map<string, Promise<SpanPresentation>>();

  constructor(options: ArchivesOptions) {
    this.#options = options;
    this.#files = options.files ?? diskFiles;
    const { clock, log, identity = machineIdentity({ pod: options.pod ?? "" }) } = options;
    const files = options.keepFiles ?? diskKeepFiles;
    this.#roots =
      options.roots ?? new RecordingRoots({ files, clock, log, identity, isAlive: isProcessAlive });
    this.#waiting = { bytes: 0, limit: options.waitingBytes ?? WAITING_BYTES };
    this.#reading = {
      files: this.#files,
      hours: new HourCache(this.#files, options.clock),
      pool: new BlockPool(FREE_BYTES),
      work: new BoundedWork(READS),
      clock: options.clock,
      maxSegments: options.maxSegments ?? MAX_SEGMENTS,
    };
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

  /** Keeps what is recorded below these roots within its bounds from now on, and no other roots. */
  keep(roots: ReadonlySet<string>, rulesOf: KeepersOptions["rulesOf"]): void {
    const { clock, log, keepFiles: files = diskKeepFiles } = this.#options;
    this.#keepers ??= new Keepers({ files, clock, log, rulesOf });
    this.#keepers.setRoots(roots);
  }

  /** Completes recordings from these peers from now on, and from no others. Rejects when the code for it cannot be loaded. */
  async replicate(peers: readonly PeerAddress[], targetsOf: ReplicatorOptions["targetsOf"]): Promise<void> {
    if (this.#isStopped || (this.#replicator === null && peers.length === 0)) return;
    this.#replicator ??= this.#loadReplicator(targetsOf);
    (await this.#replicator).setPeers(peers);
  }

  async #loadReplicator(targetsOf: ReplicatorOptions["targetsOf"]): Promise<Replicator> {
    const { clock, log, keepFiles = diskKeepFiles } = this.#options;
    const loaded = await import("./replicate/replicator.ts");
    return new loaded.Replicator({
      ...{ files: this.#files, keepFiles, hours: this.#reading.hours, clock, log, targetsOf },
      access: (root, stream, onLost) => this.#roots.access(root, stream, onLost),
    });
  }

  /** Gives the roots back, when all writers are closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await (await this.#replicator)?.stop();
    await this.#keepers?.stop();
    await this.#roots.stop();
  }

  /** What writes a stream's archive. Throws: DVR_LEASE_LIMIT. */
  writer({ root, stream, fsync }: RecordingPlace, log: Logger): ArchiveWriter {
    return new ArchiveWriter({
      ...{ files: this.#files, folder: `${root}/${stream}`, fsync, clock: this.#options.clock, log },
      waiting: this.#waiting,
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
    if (known !== undefined && nowUs - known.openedUs < freshUs(known.presentation))
      return known.presentation;
    const opening = this.#opening.get(key);
    if (opening !== undefined) return await opening;
    const open = this.#open(key, folder, request).finally(() => this.#opening.delete(key));
    this.#opening.set(key, open);
    return await open;
  }

  async #open(key: string, folder: string, request: SpanRequest): Promise<SpanPresentation> {
    const openedUs = this.#options.clock.nowUs();
    const opened = await SpanPresentation.open(this.#archive(folder), request);
    const before = this.#spans.get(key)?.presentation;
    const presentation = before?.isLike(opened) === true ? before : opened;
    const bytes = presentation.timeline().segments.length * SEGMENT_BYTES;
    this.#spans.set(key, { presentation, openedUs }, bytes + SPAN_BYTES);
    return presentation;
  }

  /** A span as one MP4 file. Rejects with DVR_*, MP4_*, CODEC_*. */
  async mp4(folder: string, request: SpanRequest, tracks: TrackSelection | null): Promise<ExportedMp4> {
    const range = await storedRange(this.#archive(folder), request);
    return new Mp4Export(range, tracks === null ? {} : { tracks });
  }

  /** A span as one transport stream. Rejects as `mp4`. */
  async ts(folder: string, request: SpanRequest, tracks: TrackSelection | null): Promise<ExportedTs> {
    const range = await storedRange(this.#archive(folder), request);
    const made = new TsExport(range, tracks === null ? {} : { tracks });
    return { read: () => made.read(), pause: (ms) => this.#pause(ms) };
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

  #archive(folder: string): StreamArchive {
    const known = this.#streams.get(folder);
    if (known !== undefined) return known;
    const archive = new StreamArchive(folder, this.#reading);
    this.#streams.set(folder, archive);
    dropOldest(this.#streams, MAX_STREAMS);
    return archive;
  }
}
