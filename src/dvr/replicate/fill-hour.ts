import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import { isChunkHeader } from "../format/chunk-header.ts";
import { FIRST_FILL_FILE, buildFillIndex, fillIndexFile, recordsOf, storedFills } from "../format/fill.ts";
import { storedMediaFile } from "../format/fill.ts";
import type { StoredFill } from "../format/fill.ts";
import { MAX_MEDIA_FILES, hourPath } from "../format/hour.ts";
import { HourIndex, MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import type { HourChunk } from "../format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES } from "../format/index-record.ts";
import type { KeepFiles } from "../keep/keep-files.ts";

/** Where the fills of an hour are. */
export type FillHourPlace = {
  readonly files: ArchiveFiles;
  readonly keepFiles: KeepFiles;
  /** Of the stream. */
  readonly folder: string;
  readonly hour: number;
};

type FillFile = { readonly number: number; readonly file: ArchiveFile; readonly init: Uint8Array };

const MAX_INDEX_BYTES = INDEX_HEADER_BYTES + MAX_HOUR_RECORDS * INDEX_RECORD_BYTES;

/** What an index that is not in place yet is called. */
const NEW = ".new";

/**
 * The fills of one hour, while some are added. Media is appended to files of its own; then an index of all fills is written
 * anew and put in the place of the old one, in one step. So there is nothing to recover: what no index promises is cut off
 * by the next one who appends, and nothing that one promises is ever changed.
 *
 * When a call rejects, close it, and open it again.
 */
export class FillHour {
  readonly #place: FillHourPlace;
  readonly #opened: FillFile[] = [];
  /** What is promised of each media file. Units: bytes. */
  readonly #ends = new Map<number, number>();
  #segments: readonly StoredFill[];

  private constructor(place: FillHourPlace, segments: readonly StoredFill[]) {
    this.#place = place;
    this.#segments = segments;
    for (const { file, chunks } of segments) {
      for (const { offset, size } of chunks)
        this.#ends.set(file, Math.max(this.#ends.get(file) ?? 0, offset + size));
    }
  }

  /** Reads what there is. Rejects with DVR_DISK_FAILED, DVR_BAD_INDEX, DVR_INDEX_VERSION. */
  static async open(place: FillHourPlace): Promise<FillHour> {
    const index = await readFillIndex(place.files, place.folder, place.hour);
    return new FillHour(place, index === null ? [] : storedFills(index));
  }

  /** In the order of their starts. */
  get segments(): readonly StoredFill[] {
    return this.#segments;
  }

  /** Whether so many more segments fit into the hour's index. */
  hasRoomFor(segments: readonly StoredFill[]): boolean {
    return recordsOf(this.#segments) + recordsOf(segments) <= MAX_HOUR_RECORDS;
  }

  /** The media file of an init segment, and its number. Rejects with DVR_DISK_FAILED, DVR_BAD_MEDIA, DVR_TOO_MANY_TRACK_SETS. */
  async fileFor(init: Uint8Array): Promise<number> {
    const isSame = (other: Uint8Array): boolean => Buffer.compare(other, init) === 0;
    const opened = this.#opened.find((one) => isSame(one.init));
    if (opened !== undefined) return opened.number;
    let number = 0;
    for (; this.#ends.has(number) || this.#opened.some((one) => one.number === number); number++) {
      if (!this.#ends.has(number) || !(await this.#isOnDisk(number))) continue;
      const file = await this.#open(number);
      const head = new Uint8Array(init.byteLength);
      const got = await file.read(0, head);
      if (got === head.byteLength && isSame(head)) {
        this.#opened.push({ number, file, init });
        return number;
      }
      await file.close();
    }
    if (number >= MAX_MEDIA_FILES) {
      const context = { hour: hourPath(this.#place.hour), most: MAX_MEDIA_FILES };
      throw dvrErrors.error("DVR_TOO_MANY_TRACK_SETS", context);
    }
    const file = await this.#open(number);
    this.#opened.push({ number, file, init });
    await file.append([init]);
    return number;
  }

  /** Appends media to a file of `fileFor`. Returns: where it begins. Rejects with DVR_DISK_FAILED. */
  async append(number: number, bytes: Uint8Array): Promise<number> {
    const { file } = this.#opened.find((one) => one.number === number)!;
    const at = await file.sizeBytes();
    await file.append([bytes]);
    return at;
  }

  /** Whether at these places of a file of `fileFor` there is what chunks begin with. Rejects with DVR_DISK_FAILED. */
  async hasChunks(number: number, chunks: readonly HourChunk[]): Promise<boolean> {
    const { file } = this.#opened.find((one) => one.number === number)!;
    for (const { offset, size, headerBytes } of chunks) {
      const header = new Uint8Array(headerBytes);
      if ((await file.read(offset, header)) < headerBytes || !isChunkHeader(header, size)) return false;
    }
    return true;
  }

  /**
   * Shows segments whose media was appended, with those that there were. They lie apart from each other. `beforeShown` is
   * given the index that is about to be put in place. Rejects with DVR_DISK_FAILED, and as `beforeShown` and the system do.
   */
  async commit(
    added: readonly StoredFill[],
    beforeShown: (index: HourIndex) => Promise<void> = async () => {},
  ): Promise<void> {
    const { keepFiles, folder, hour } = this.#place;
    const segments = [...this.#segments, ...added].sort((a, b) => a.startUs - b.startUs);
    const bytes = buildFillIndex(hour, segments);
    for (const { file } of this.#opened) await file.sync();
    const path = `${folder}/${fillIndexFile(hour)}`;
    await keepFiles.write(path + NEW, bytes);
    await beforeShown(HourIndex.parse(bytes, { path }));
    await keepFiles.rename(path + NEW, path);
    await keepFiles.syncFolder(path.slice(0, path.lastIndexOf("/")));
    this.#segments = segments;
    for (const { number, file } of this.#opened) this.#ends.set(number, await file.sizeBytes());
  }

  async close(): Promise<void> {
    const files = this.#opened.splice(0);
    for (const result of await Promise.allSettled(files.map(({ file }) => file.close())))
      if (result.status === "rejected") throw result.reason;
  }

  /** A file that is copied to object storage may have left the disk: nothing comes to it any more. */
  async #isOnDisk(number: number): Promise<boolean> {
    const { files, folder, hour } = this.#place;
    return (await files.stat(`${folder}/${storedMediaFile(hour, FIRST_FILL_FILE + number)}`)) !== null;
  }

  /** Opens a media file, cut to what is promised of it. */
  async #open(number: number): Promise<ArchiveFile> {
    const { files, folder, hour } = this.#place;
    const file = await files.create(`${folder}/${storedMediaFile(hour, FIRST_FILL_FILE + number)}`);
    const endBytes = this.#ends.get(number) ?? 0;
    try {
      await file.truncate(endBytes);
      const bytes = await file.sizeBytes();
      if (bytes === endBytes) return file;
      const reason = `it has ${bytes} bytes, and its index promises ${endBytes}`;
      throw dvrErrors.error("DVR_BAD_MEDIA", { path: file.path, reason });
    } catch (caught) {
      await file.close();
      throw caught;
    }
  }
}

/**
 * The index of an hour's fills; `null` when it has none. One that is not whole is no work of ours: nothing is to be added to
 * it. Rejects with DVR_DISK_FAILED, DVR_BAD_INDEX, DVR_INDEX_VERSION.
 */
export async function readFillIndex(
  files: ArchiveFiles,
  folder: string,
  hour: number,
): Promise<HourIndex | null> {
  const path = `${folder}/${fillIndexFile(hour)}`;
  const index = await readIndexFile(files, path);
  if (index === null) return null;
  const bad = (reason: string): Error => dvrErrors.error("DVR_BAD_INDEX", { path, reason });
  if (index.hour !== hour) throw bad(`it is the index of ${hourPath(index.hour)}`);
  if (index.stop !== null) throw bad(`its record at byte ${index.stop.offset} is damaged`);
  return index;
}

/** An index as far as its groups are whole; `null` when it is not there, or has no header yet. Rejects as `readFillIndex`. */
export async function readIndexFile(files: ArchiveFiles, path: string): Promise<HourIndex | null> {
  const file = await files.open(path);
  if (file === null) return null;
  try {
    const bytes = new Uint8Array(Math.min(await file.sizeBytes(), MAX_INDEX_BYTES));
    const got = await file.read(0, bytes);
    return got < INDEX_HEADER_BYTES ? null : HourIndex.parse(bytes.subarray(0, got), { path });
  } finally {
    await file.close();
  }
}
