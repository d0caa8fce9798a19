import type { Clock } from "../base/clock.ts";
import { asMediaError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { BlockPool } from "./block-pool.ts";
import { BoundedWork } from "../base/bounded-work.ts";
import { vodBusy } from "./busy.ts";
import type { WorkLimits } from "../base/bounded-work.ts";
import { ByteLru } from "../base/byte-lru.ts";
import type { ByteLruLimits } from "../base/byte-lru.ts";
import type { ByteSource, Storage } from "./byte-source.ts";
import { alignedFile } from "./aligned-file.ts";
import { vodErrors } from "./errors.ts";
import { FilePresentation } from "./file-presentation.ts";
import type { BlockCache } from "./segment-reading.ts";
import { readMediaFile } from "./media-file.ts";

/** How often a file is asked whether it changed. */
const CHECK_INTERVAL_US = 1_000_000;
/** How long a broken file stays broken without being read again, so that it cannot be hammered. */
const FAILURE_US = 1_000_000;
/** What an entry takes besides the index: segment table, entry objects. */
const BYTES_PER_SEGMENT = 400;
const BYTES_PER_SEGMENT_AND_TRACK = 20;
const BYTES_PER_ENTRY = 4096;

/** What `FileCache` needs. */
export type FileCacheOptions = {
  readonly limits: ByteLruLimits;
  /** Segments that were read lately, of all files. */
  readonly blocks: BlockCache;
  /** Memory that they are read into. */
  readonly pool: BlockPool;
  /** For each storage, so that one that hangs does not hold up the others. */
  readonly reads: WorkLimits;
  /** For each first storage of a request. */
  readonly openings: WorkLimits;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A file to open. */
export type FileRequest = {
  /** The same for requests that may share an entry. */
  readonly key: string;
  /** What viewers call the file. */
  readonly name: string;
  readonly storages: readonly Storage[];
  /** Below each of the storages. */
  readonly path: string;
  readonly segmentDurationMs: number;
};

type OpenedEntry = {
  readonly kind: "opened";
  readonly presentation: FilePresentation;
  readonly storage: Storage;
  /** Prefix of this file's segments in the cache of blocks. */
  readonly cacheKey: string;
  checkedUs: number;
};
type FailedEntry = { readonly kind: "failed"; readonly error: Error; readonly untilUs: number };

/**
 * Opened files: their indexes and descriptors. Bounded in bytes and in number; what was not used for the longest time
 * is closed first. Requests for a file that is being opened wait for that; a failure is remembered for a second; a
 * file that changed on its disk is noticed within a second and opened anew.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  readonly #entries: ByteLru<OpenedEntry | FailedEntry>;
  readonly #opening = new Map<string, Promise<FilePresentation>>();
  readonly #reads = new Map<string, BoundedWork>();
  readonly #openings = new Map<string, BoundedWork>();
  #isClosed = false;
  #nextCacheKey = 1;

  constructor(options: FileCacheOptions) {
    this.#options = options;
    this.#entries = new ByteLru(options.limits, (entry) => {
      if (entry.kind === "opened") entry.presentation.file.source.release();
    });
  }

  /** Files and failures that are kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** The file's presentation. Throws: VOD_*, MP4_*. */
  async open(request: FileRequest): Promise<FilePresentation> {
    const { key } = request;
    if (this.#isClosed) throw vodErrors.error("VOD_CLOSED");
    const opening = this.#opening.get(key);
    if (opening !== undefined) return await opening;
    const entry = this.#entries.get(key);
    const nowUs = this.#options.clock.nowUs();
    if (entry?.kind === "failed" && nowUs < entry.untilUs) throw entry.error;
    if (entry?.kind === "opened" && nowUs < entry.checkedUs + CHECK_INTERVAL_US) return entry.presentation;
    const known = entry?.kind === "opened" ? entry : null;
    const started = workOf(this.#openings, request.storages[0]?.location ?? "", this.#options.openings)
      .run(() => this.#check(request, known))
      .finally(() => this.#opening.delete(key));
    this.#opening.set(key, started);
    return await started;
  }

  /** Closes every file, also those that are being opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#opening.values());
    this.#entries.deleteWhere(() => true);
  }

  /** Drops the entries whose key is chosen. */
  drop(isChosen: (key: string) => boolean): void {
    this.#entries.deleteWhere(isChosen);
  }

  async #check(request: FileRequest, known: OpenedEntry | null): Promise<FilePresentation> {
    if (known !== null) {
      const version = await known.storage.versionOf(request.path);
      if (version === known.presentation.version) {
        known.checkedUs = this.#options.clock.nowUs();
        return known.presentation;
      }
      this.#entries.delete(request.key);
      this.#options.blocks.deleteWhere((key) => key.startsWith(`${known.cacheKey} `));
    }
    const { source, storage } = await openFirst(request);
    try {
      return await this.#read(request, source, storage);
    } catch (caught) {
      source.release();
      this.#rememberFailure(request, caught);
      throw caught;
    }
  }

  async #read(request: FileRequest, source: ByteSource, storage: Storage): Promise<FilePresentation> {
    const { clock, blocks, pool, log } = this.#options;
    const startedUs = clock.nowUs();
    const { segmentDurationMs } = request;
    const file = alignedFile(await readMediaFile(source), segmentDurationMs * 1000);
    const cacheKey = String(this.#nextCacheKey++);
    const reading = { blocks, pool, work: workOf(this.#reads, storage.location, this.#options.reads) };
    const presentation = new FilePresentation({ file, segmentDurationMs, reading, cacheKey });
    const segments = presentation.timeline().segments.length;
    const level = file.isCutOff ? "warn" : "info";
    log[level](file.isCutOff ? "file opened that is cut off, or still being written" : "file opened", {
      file: request.name,
      tracks: file.trackSet.tracks.map((track) => track.id).join(" "),
      durationMs: Math.round((file.endUs - file.startUs) / 1000),
      openedInMs: Math.round((clock.nowUs() - startedUs) / 1000),
      ...(file.notices.length === 0 ? {} : { notices: file.notices.slice(0, 8) }),
    });
    const segmentBytes = BYTES_PER_SEGMENT + BYTES_PER_SEGMENT_AND_TRACK * file.tracks.length;
    const bytes = file.memoryBytes + segments * segmentBytes + BYTES_PER_ENTRY;
    const checkedUs = clock.nowUs();
    this.#entries.set(request.key, { kind: "opened", presentation, storage, cacheKey, checkedUs }, bytes);
    return presentation;
  }

  #rememberFailure(request: FileRequest, caught: unknown): void {
    const error = caught instanceof Error ? caught : new Error(messageOf(caught));
    const untilUs = this.#options.clock.nowUs() + FAILURE_US;
    this.#entries.set(request.key, { kind: "failed", error, untilUs }, BYTES_PER_ENTRY);
    this.#options.log.warn("file refused", {
      file: request.name,
      code: asMediaError(caught)?.code ?? "unexpected",
      reason: error.message,
    });
  }
}

function workOf(all: Map<string, BoundedWork>, place: string, limits: WorkLimits): BoundedWork {
  let work = all.get(place);
  if (work === undefined) {
    work = new BoundedWork(limits, vodBusy);
    all.set(place, work);
  }
  return work;
}

/**
 * Opens the file in the first storage that has it; a storage that fails is passed over unless none has it.
 * Throws: VOD_NOT_FOUND, and what the storages throw.
 */
export async function openFirst(
  request: Pick<FileRequest, "name" | "path" | "storages">,
): Promise<{ source: ByteSource; storage: Storage }> {
  let failure: unknown = null;
  for (const storage of request.storages) {
    try {
      const source = await storage.open(request.path);
      if (source !== null) return { source, storage };
    } catch (caught) {
      failure ??= caught;
    }
  }
  if (failure !== null) throw failure;
  throw vodErrors.error("VOD_NOT_FOUND", { path: request.name });
}
