/**
 * Files on demand. The index of an MP4 file is read once and kept in typed arrays (`containers/mp4`, `media-file.ts`),
 * cut into segments at key frames (`segment-cuts.ts`), and each segment's bytes are read from its storage when a
 * player asks for them (`block-reader.ts`), without decoding or preparing anything. `VodLibrary` is the front door;
 * `startFileSource` plays a file as if it were live.
 */
import { resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Presentation } from "../packaging/presentation.ts";
import type { RecordedPackets } from "../stream/recorded-packets.ts";
import { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import type { ByteSource, Storage } from "./byte-source.ts";
import { listFiles } from "./catalogue.ts";
import { vodErrors } from "./errors.ts";
import { FileCache, openFirst } from "./file-cache.ts";
import type { FilePresentation } from "./file-presentation.ts";
import { findVod } from "./find-vod.ts";
import { FileSets } from "./file-sets.ts";
import { BlockCache } from "./segment-reading.ts";
import type { MediaFile } from "./media-file.ts";
import { DiskStorage } from "./storages/disk-storage.ts";

/** Files under one name. */
export type VodOptions = {
  /** Segments joined by `/`, e.g. `vod`; what stands before a file's path in its name. */
  readonly name: string;
  /** Asked in this order. A path that is not absolute begins in the working directory. */
  readonly storages: readonly { readonly path: string }[];
  readonly segmentDurationMs: number;
  /** Whole files may be had. */
  readonly download?: boolean;
  /** The path of a folder plays the files in it as qualities of one work. */
  readonly autoMbr?: boolean;
};

/** What a library may cost. */
export type VodLimits = {
  /** Files with their index in memory and a descriptor open. */
  readonly files: number;
  readonly indexBytes: number;
  /** Segments that were read lately. */
  readonly segmentCacheBytes: number;
  /** Memory of segments that were sent and are not kept, which waits to be used again. */
  readonly freeBlockBytes: number;
  /** Reads of segments at a time for each storage, and how many more wait. */
  readonly reads: number;
  readonly waitingReads: number;
  /** Pieces of downloads that wait for their turn; `reads` are read at a time. */
  readonly waitingDownloads: number;
  /** Files of which the index is read at a time for each vod, and how many more wait. */
  readonly openings: number;
  readonly waitingOpenings: number;
};

/** The limits when none are given. */
export const DEFAULT_VOD_LIMITS: VodLimits = {
  files: 256,
  indexBytes: 128 * 2 ** 20,
  segmentCacheBytes: 64 * 2 ** 20,
  freeBlockBytes: 16 * 2 ** 20,
  reads: 4,
  waitingReads: 1000,
  waitingDownloads: 10_000,
  openings: 4,
  waitingOpenings: 500,
};

/** What `VodLibrary` needs. */
export type VodLibraryOptions = {
  readonly vods: readonly VodOptions[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<VodLimits>;
};

/** A file to be had whole. */
export type DownloadedFile = Pick<ByteSource, "sizeBytes" | "version" | "modifiedMs" | "read">;

type Vod = {
  readonly name: string;
  readonly options: VodOptions;
  readonly storages: readonly Storage[];
  /** The same storages, in which paths may name several files. */
  readonly players: readonly Storage[];
};

const MAX_CACHED_BLOCKS = 20_000;
const LIST_DEPTH = 8;
const LIST_ENTRIES = 20_000;
const LIST_TIME_US = 500_000;
const LIST_KEPT_US = 2_000_000;

/** All files that are served. A storage that cannot be read at the start is said in the log, once, and asked all the same. */
export class VodLibrary {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #files: FileCache;
  readonly #blocks: BlockCache;
  readonly #downloads: BoundedWork;
  #vods: readonly Vod[];
  #listing: { limit: number; untilUs: number; names: Promise<readonly string[]> } | null = null;

  constructor(options: VodLibraryOptions) {
    const limits = { ...DEFAULT_VOD_LIMITS, ...options.limits };
    this.#clock = options.clock;
    this.#log = options.log;
    this.#blocks = new BlockCache({ bytes: limits.segmentCacheBytes, items: MAX_CACHED_BLOCKS });
    this.#downloads = new BoundedWork({ running: limits.reads, waiting: limits.waitingDownloads }, vodBusy);
    this.#files = new FileCache({
      limits: { bytes: limits.indexBytes, items: limits.files },
      blocks: this.#blocks,
      pool: new BlockPool(limits.freeBlockBytes),
      reads: { running: limits.reads, waiting: limits.waitingReads },
      openings: { running: limits.openings, waiting: limits.waitingOpenings },
      clock: options.clock,
      log: options.log,
    });
    this.#vods = options.vods.map((vod) => this.#make(vod));
  }

  /** The `vod` whose name is the longest one that begins the path, and the rest of the path; `null` for none. */
  find(path: string): { vod: string; rest: string } | null {
    const found = findVod(this.#vods, path);
    return found === null ? null : { vod: found.vod.name, rest: found.rest };
  }

  /**
   * What plays under a path such as `vod/films/one.mp4`. Ask again for every playlist: that is when a changed file is
   * noticed. Throws: VOD_*, MP4_*, each with a message for the viewer and an `httpStatus`.
   */
  async open(path: string): Promise<Presentation> {
    return await this.#open(path);
  }

  /** The same file for `startFileSource`. Throws like `open`. */
  async openMedia(path: string): Promise<MediaFile> {
    return (await this.#open(path)).file;
  }

  /** The same file for those who play it through one connection. Throws like `open`. */
  async openPackets(path: string): Promise<RecordedPackets> {
    return (await this.#open(path)).packets();
  }

  /**
   * A file itself, whatever is in it. Nothing need be given back: it is opened for the time of each read.
   * Throws: VOD_NOT_FOUND, _NO_DOWNLOAD, _BAD_PATH, _UNREADABLE, _READ_FAILED, _BUSY.
   */
  async download(path: string): Promise<DownloadedFile> {
    const found = findVod(this.#vods, path);
    if (found === null) throw vodErrors.error("VOD_NOT_FOUND", { path });
    const { options, storages } = found.vod;
    if (options.download !== true) throw vodErrors.error("VOD_NO_DOWNLOAD", { vod: options.name });
    const { source } = await openFirst({ name: path, path: found.rest, storages });
    source.release();
    const { sizeBytes, version, modifiedMs } = source;
    const read = (offset: number, maxBytes: number): Promise<Uint8Array> =>
      this.#downloads.run(() => source.read(offset, maxBytes));
    return { sizeBytes, version, modifiedMs, read };
  }

  /**
   * Names of files for people to choose from, sorted; at most `limit`. See `listFiles`. Looks at the storages at most
   * every two seconds, however often it is asked.
   */
  async list(limit: number): Promise<readonly string[]> {
    const nowUs = this.#clock.nowUs();
    if (this.#listing === null || this.#listing.limit !== limit || nowUs >= this.#listing.untilUs) {
      const vods = this.#vods.map(({ options, storages }) => ({ name: options.name, storages }));
      const limits = {
        files: limit,
        entries: LIST_ENTRIES,
        depth: LIST_DEPTH,
        deadlineUs: nowUs + LIST_TIME_US,
      };
      this.#listing = { limit, untilUs: nowUs + LIST_KEPT_US, names: listFiles(vods, limits) };
    }
    return await this.#listing.names;
  }

  /** Serves these from now on. Files of those that did not change stay open. */
  setVods(vods: readonly VodOptions[]): void {
    const kept = new Map(this.#vods.map((vod) => [JSON.stringify(vod.options), vod]));
    this.#vods = vods.map((options) => kept.get(JSON.stringify(options)) ?? this.#make(options));
    const prefixes = this.#vods.map((vod) => keyOf(vod, ""));
    this.#listing = null;
    this.#files.drop((key) => !prefixes.some((prefix) => key.startsWith(prefix)));
  }

  /** Closes every file. Presentations that are still used finish what they read. */
  async close(): Promise<void> {
    await this.#files.close();
    this.#blocks.deleteWhere(() => true);
  }

  async #open(path: string): Promise<FilePresentation> {
    const found = findVod(this.#vods, path);
    if (found === null) throw vodErrors.error("VOD_NOT_FOUND", { path });
    const { vod, rest } = found;
    const { segmentDurationMs } = vod.options;
    const key = keyOf(vod, rest);
    return await this.#files.open({
      key,
      name: path,
      storages: vod.players,
      path: rest,
      segmentDurationMs,
    });
  }

  #make(options: VodOptions): Vod {
    const storages = options.storages.map(({ path }) => new DiskStorage(resolve(path), this.#clock));
    for (const storage of storages) {
      // Not awaited: a disk that hangs must not hold up the start.
      this.#warnOfProblem(options.name, storage).catch((caught: unknown) => {
        this.#log.error("vod storage was not looked at", { vod: options.name, reason: messageOf(caught) });
      });
    }
    const folders = options.autoMbr ?? false;
    const players = storages.map((storage) => new FileSets(storage, { folders }));
    return { name: options.name, options, storages, players };
  }

  /** A storage may be mounted later, so one that is missing is no failure; but most often its path is mistyped. */
  async #warnOfProblem(name: string, storage: Storage): Promise<void> {
    const reason = await storage.problem();
    if (reason === null) return;
    this.#log.warn("vod storage is not there yet", { vod: name, path: storage.location, reason });
  }
}

/** NUL cannot be in a path that is served, so keys of different vods never meet. */
function keyOf(vod: Vod, rest: string): string {
  return `${JSON.stringify(vod.options)}\0${rest}`;
}
