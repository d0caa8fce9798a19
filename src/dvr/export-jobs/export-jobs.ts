import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { asMediaError, messageOf } from "../../base/errors.ts";
import type { HttpFile } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import type { ObjectStore, S3Place } from "../objects/object-store.ts";
import { exportJobErrors } from "./errors.ts";
import type { ExportFiles, PartFile } from "./export-files.ts";

/** Where an export goes to: a file below a folder, or an object of a bucket, which is written as a file first. */
export type ExportPlace = {
  /** Absolute. */
  readonly folder: string;
  /** Below the folder, as `exportPath` has it; for a bucket only the words that name it to people. */
  readonly path: string;
  readonly bucket?: { readonly place: S3Place; readonly key: string };
};

/** What is to be exported, and where to. Times: seconds, UTC. */
export type ExportOrder<Source> = {
  readonly stream: string;
  readonly fromS: number;
  readonly durationS: number;
  readonly place: ExportPlace;
  readonly meta: string | null;
  readonly overwrites: boolean;
  /** For who opens it. */
  readonly source: Source;
};

/** What an export is about. */
export type ExportStatus = "waiting" | "running" | "done" | "failed" | "cancelled";

/** An export as people see it. Times: milliseconds since 1970. */
export type ExportJob = {
  readonly id: string;
  readonly stream: string;
  readonly fromS: number;
  readonly durationS: number;
  readonly path: string;
  readonly meta: string | null;
  readonly status: ExportStatus;
  /** What is where it goes to. */
  readonly bytes: number;
  /** `null` until it is known. */
  readonly totalBytes: number | null;
  /** 0 to 100; for a bucket, writing the file is the first half. */
  readonly percent: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly createdAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
};

/** Bounds of exports; the defaults in `export-jobs.ts`. */
export type ExportLimits = {
  readonly waiting: number;
  /** Exports that are over and still known. */
  readonly kept: number;
  readonly bytesPerSecond: number;
};

/** What exports need. */
export type ExportJobsParts<Source> = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: ExportFiles;
  /** The bytes of an export. Rejects with DVR_*, MP4_*, CODEC_*. */
  open(source: Source): Promise<HttpFile>;
  /** Opens the store of a bucket. Rejects with OBJECT_*, LATE_*. */
  store(place: S3Place): Promise<ObjectStore>;
  readonly limits?: Partial<ExportLimits>;
};

const LIMITS: ExportLimits = { waiting: 20, kept: 100, bytesPerSecond: 64 * 2 ** 20 };

/** What is read and written at a time. Units: bytes. */
const PIECE_BYTES = 512 * 1024;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

type Entry<Source> = {
  readonly order: ExportOrder<Source>;
  readonly job: Writable<ExportJob>;
  readonly abort: AbortController;
  readonly over: PromiseWithResolvers<void>;
};

/**
 * Exports, one after the other, at less than half of the speed that reading and writing would have, so that recording and
 * playing go on. They live as long as the thread: who wants one that was lost asks for it anew. What is not whole has a
 * name that nobody looks for, and goes with its export.
 */
export class ExportJobs<Source> {
  readonly #parts: ExportJobsParts<Source>;
  readonly #limits: ExportLimits;
  readonly #entries = new Map<string, Entry<Source>>();
  #isRunning = false;
  #isStopped = false;

  constructor(parts: ExportJobsParts<Source>) {
    this.#parts = parts;
    this.#limits = { ...LIMITS, ...parts.limits };
  }

  /** Puts an export behind those that wait. Rejects with DVR_EXPORTS_FULL, DVR_EXPORT_EXISTS, DVR_EXPORT_UNWRITABLE. */
  async add(order: ExportOrder<Source>): Promise<ExportJob> {
    this.#requireRoom();
    const { folder, path, bucket } = order.place;
    if (bucket === undefined && !order.overwrites && (await this.#parts.files.exists(folder, path)))
      throw exportJobErrors.error("DVR_EXPORT_EXISTS", { path });
    this.#requireRoom();
    const entry = this.#entryOf(order);
    this.#entries.set(entry.job.id, entry);
    this.#forgetOld();
    if (!this.#isRunning) void this.#runAll();
    return { ...entry.job };
  }

  /** All that are known, the oldest first. */
  list(): ExportJob[] {
    return [...this.#entries.values()].map(({ job }) => ({ ...job }));
  }

  /** Throws: DVR_EXPORT_UNKNOWN. */
  find(id: string): ExportJob {
    return { ...this.#known(id).job };
  }

  /** Cancels an export that is not over, and forgets it; nothing of it is left when this resolves. Rejects as `find`. */
  async remove(id: string): Promise<void> {
    const entry = this.#known(id);
    entry.abort.abort();
    if (entry.job.status === "waiting") this.#end(entry, "cancelled");
    await entry.over.promise;
    this.#entries.delete(id);
  }

  /** Cancels all. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#entries.keys()].map((id) => this.remove(id)));
  }

  #requireRoom(): void {
    const waiting = [...this.#entries.values()].filter(({ job }) => job.status === "waiting").length;
    const { waiting: limit } = this.#limits;
    if (waiting >= limit || this.#isStopped) throw exportJobErrors.error("DVR_EXPORTS_FULL", { limit });
  }

  #known(id: string): Entry<Source> {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw exportJobErrors.error("DVR_EXPORT_UNKNOWN", { id });
    return entry;
  }

  #entryOf(order: ExportOrder<Source>): Entry<Source> {
    const { stream, fromS, durationS, meta, place } = order;
    const job: ExportJob = {
      ...{ id: randomUUID(), stream, fromS, durationS, path: place.path, meta, status: "waiting" },
      ...{ bytes: 0, totalBytes: null, percent: 0, error: null },
      ...{ createdAtMs: this.#nowMs(), startedAtMs: null, finishedAtMs: null },
    };
    return { order, job, abort: new AbortController(), over: Promise.withResolvers() };
  }

  #forgetOld(): void {
    const over = [...this.#entries.values()].filter(({ job }) => job.finishedAtMs !== null);
    for (const { job } of over.slice(0, Math.max(0, over.length - this.#limits.kept)))
      this.#entries.delete(job.id);
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#run(next);
    this.#isRunning = false;
  }

  #next(): Entry<Source> | undefined {
    return [...this.#entries.values()].find(({ job }) => job.status === "waiting");
  }

  async #run(entry: Entry<Source>): Promise<void> {
    const { job, order, abort } = entry;
    job.status = "running";
    job.startedAtMs = this.#nowMs();
    try {
      await this.#export(entry);
      this.#end(entry, "done");
    } catch (caught) {
      const code = asMediaError(caught)?.code ?? "DVR_EXPORT_UNWRITABLE";
      if (!abort.signal.aborted) job.error = { code, message: messageOf(caught) };
      this.#end(entry, abort.signal.aborted ? "cancelled" : "failed");
    }
    const { id, status, path, totalBytes } = job;
    const reason = job.error?.message;
    this.#parts.log.info("an export of the archive ended", {
      ...{ id, stream: order.stream, path, status, bytes: totalBytes ?? 0 },
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #end({ job, over }: Entry<Source>, status: ExportStatus): void {
    job.status = status;
    job.finishedAtMs = this.#nowMs();
    if (status === "done") job.percent = 100;
    over.resolve();
  }

  async #export(entry: Entry<Source>): Promise<void> {
    const { job, order, abort } = entry;
    const { folder, path, bucket } = order.place;
    const file = await this.#parts.open(order.source);
    job.totalBytes = file.sizeBytes;
    const part = await this.#parts.files.begin(folder, job.id, file.sizeBytes);
    try {
      await this.#write(entry, file, part);
      await part.finish();
      abort.signal.throwIfAborted();
      if (bucket === undefined) await part.publish(path, order.overwrites);
      else await this.#upload(entry, part, bucket);
    } finally {
      await part.discard();
    }
  }

  async #write({ job, order, abort }: Entry<Source>, file: HttpFile, part: PartFile): Promise<void> {
    const { clock } = this.#parts;
    const isFile = order.place.bucket === undefined;
    for (let at = 0; at < file.sizeBytes;) {
      abort.signal.throwIfAborted();
      const fromUs = clock.nowUs();
      const piece = await file.read(at, PIECE_BYTES);
      await part.write(piece);
      at += piece.byteLength;
      if (isFile) job.bytes = at;
      job.percent = Math.floor((at / file.sizeBytes) * (isFile ? 99 : 49));
      await this.#pause(piece.byteLength, (clock.nowUs() - fromUs) / 1000);
    }
  }

  /** Leaves the disk to others for as long as it was in use, and longer where that was fast. */
  async #pause(bytes: number, tookMs: number): Promise<void> {
    const wantedMs = (bytes / this.#limits.bytesPerSecond) * 1000;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#parts.clock.schedule(Math.max(tookMs, wantedMs - tookMs), resolve);
    await promise;
  }

  async #upload(
    { job, order, abort }: Entry<Source>,
    part: PartFile,
    { place, key }: NonNullable<ExportPlace["bucket"]>,
  ): Promise<void> {
    const store = await this.#parts.store(place);
    const bytes = job.totalBytes!;
    const { signal } = abort;
    try {
      if (!order.overwrites && (await store.head(key, { signal })) !== null)
        throw exportJobErrors.error("DVR_EXPORT_EXISTS", { path: order.place.path });
      await store.put(
        key,
        { path: part.path, bytes },
        {
          signal,
          onProgress: (sent) => {
            job.bytes = sent;
            job.percent = 50 + Math.floor((sent / bytes) * 49);
          },
        },
      );
    } finally {
      store.close();
    }
  }

  #nowMs(): number {
    return Math.floor(this.#parts.clock.wallUs() / 1000);
  }
}
