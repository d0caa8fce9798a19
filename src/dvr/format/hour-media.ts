import { dirname } from "node:path/posix";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { isChunkHeader } from "./chunk-header.ts";
import { hourPath, mediaFile, parseHourFile } from "./hour.ts";
import { RECORD_KIND } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

/** Ends of what an index promises, in bytes, by the number of the media file. */
export type MediaEnds = Map<number, number>;

/** The media files of an hour that lie on a disk, as recovery sees them: whether what was promised is there. */
export class HourMedia {
  readonly #files: ArchiveFiles;
  readonly #folder: string;
  readonly #hour: number;
  readonly #sizes = new Map<number, number>();
  readonly #opened = new Map<number, ArchiveFile>();

  private constructor(files: ArchiveFiles, folder: string, hour: number) {
    this.#files = files;
    this.#folder = folder;
    this.#hour = hour;
  }

  /** Looks for them; opens none. `folder`: of the stream. */
  static async find(files: ArchiveFiles, folder: string, hour: number): Promise<HourMedia> {
    const media = new HourMedia(files, folder, hour);
    const day = dirname(hourPath(hour));
    for (const name of await files.list(`${folder}/${day}`)) {
      const found = parseHourFile(`${day}/${name}`);
      if (found === null || found.hour !== hour || found.file === null) continue;
      const sizeBytes = await files.stat(media.#path(found.file));
      if (sizeBytes !== null) media.#sizes.set(found.file, sizeBytes);
    }
    return media;
  }

  /**
   * Whether the chunks of a group are there: none ends behind its file, and in each file the last one that the hour has
   * begins as a chunk does, which a file that was made longer and never filled does not.
   *
   * `ends`: what later groups have told. Those of this one are added when it is there. `isUnsure`: all chunks are looked at.
   */
  async holds(group: readonly IndexRecord[], ends: MediaEnds, isUnsure: boolean): Promise<boolean> {
    const last = new Map<number, IndexRecord>();
    const chunks = group.filter(({ kind }) => kind === RECORD_KIND.chunk);
    for (const record of chunks) {
      if (record.offset + record.size > (this.#sizes.get(record.file) ?? 0)) return false;
      if (!ends.has(record.file)) last.set(record.file, record);
    }
    for (const record of isUnsure ? chunks : last.values()) if (!(await this.#begins(record))) return false;
    for (const { file, offset, size } of last.values()) ends.set(file, offset + size);
    return true;
  }

  /** Whether each file ends where what was promised of it does. */
  endsAt(ends: MediaEnds): boolean {
    return [...this.#sizes].every(([number, sizeBytes]) => sizeBytes === (ends.get(number) ?? 0));
  }

  /** Cuts each file off where what was promised of it ends. Returns: what is left of each, and how much was cut. */
  async cut(ends: MediaEnds): Promise<{ left: MediaEnds; cutBytes: number }> {
    const left: MediaEnds = new Map();
    let cutBytes = 0;
    for (const [number, sizeBytes] of this.#sizes) {
      const endBytes = ends.get(number) ?? 0;
      left.set(number, endBytes);
      if (sizeBytes === endBytes) continue;
      await (await this.#open(number))?.truncate(endBytes);
      cutBytes += sizeBytes - endBytes;
    }
    return { left, cutBytes };
  }

  async close(): Promise<void> {
    const files = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(files.map(async (file) => await file.close()));
  }

  async #begins({ file: number, offset, size, headerBytes }: IndexRecord): Promise<boolean> {
    const header = new Uint8Array(headerBytes);
    const file = await this.#open(number);
    const got = file === null ? 0 : await file.read(offset, header);
    return got === headerBytes && isChunkHeader(header, size);
  }

  async #open(number: number): Promise<ArchiveFile | null> {
    const opened = this.#opened.get(number);
    if (opened !== undefined) return opened;
    const file = await this.#files.open(this.#path(number));
    if (file !== null) this.#opened.set(number, file);
    return file;
  }

  #path(number: number): string {
    return `${this.#folder}/${mediaFile(this.#hour, number)}`;
  }
}
