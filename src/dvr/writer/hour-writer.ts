import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import type { TrackSet } from "../../media/track.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import { MAX_MEDIA_FILES, hourPath, indexFile, mediaFile } from "../format/hour.ts";
import { buildIndexHeader } from "../format/index-header.ts";
import { INDEX_RECORD_BYTES, writeIndexRecord } from "../format/index-record.ts";
import type { RecordFields } from "../format/index-record.ts";
import { recoverHour } from "../format/recover.ts";
import type { RecoveredHour } from "../format/recover.ts";
import type { RecordedChunk } from "./recorded-group.ts";

/** A media file that is written to. */
type MediaOut = {
  readonly number: number;
  readonly file: ArchiveFile;
  readonly init: Uint8Array;
  bytes: number;
};

/** One record to be written, and the chunk that it is of. */
export type PlannedRecord = { readonly record: RecordFields; readonly chunk: RecordedChunk | null };

/**
 * The files of one hour of a stream's archive, while it is recorded. Nothing is written to two files at a time, and of a
 * group the media first.
 *
 * When a call rejects, what was written of its group is unknown: the hour is to be closed, and opened again, which
 * recovers it.
 */
export class HourWriter {
  readonly hour: number;
  readonly #files: ArchiveFiles;
  readonly #folder: string;
  readonly #index: ArchiveFile;
  readonly #media: MediaOut[] = [];
  /** Media files of the hour from before, by number, and how long they are. */
  readonly #found: Map<number, number>;

  private constructor(files: ArchiveFiles, folder: string, recovered: RecoveredHour, index: ArchiveFile) {
    this.#files = files;
    this.#folder = folder;
    this.hour = recovered.hour;
    this.#index = index;
    this.#found = new Map(recovered.mediaBytes);
  }

  /**
   * Recovers an hour, or begins it. Returns also the end record of its last segment, which is in the index by now.
   * Rejects with DVR_*.
   */
  static async open(
    files: ArchiveFiles,
    folder: string,
    hour: number,
  ): Promise<{ readonly writer: HourWriter; readonly recovered: RecoveredHour }> {
    const recovered = await recoverHour(files, folder, hour);
    const index = await files.create(`${folder}/${indexFile(hour)}`);
    const writer = new HourWriter(files, folder, recovered, index);
    try {
      if (recovered.indexBytes === 0) await index.append([buildIndexHeader(hour)]);
      const { lastEnd, isEndMissing } = recovered;
      if (lastEnd !== null && isEndMissing) await writer.#appendRecords([lastEnd]);
      return { writer, recovered };
    } catch (caught) {
      await writer.close().catch(() => {});
      throw caught;
    }
  }

  /** The file to which the media of a track set goes, and its number. Rejects with DVR_DISK_FAILED, DVR_TOO_MANY_TRACK_SETS. */
  async mediaFor(tracks: TrackSet): Promise<number> {
    const init = buildInitSegment(tracks.tracks);
    const open = this.#media.find((media) => sameBytes(media.init, init));
    if (open !== undefined) return open.number;
    let number = 0;
    for (const [found, bytes] of this.#found) {
      number = Math.max(number, found + (bytes === 0 ? 0 : 1));
      if (bytes < init.byteLength) continue;
      const file = await this.#files.create(this.#path(found));
      const head = new Uint8Array(init.byteLength);
      await file.read(0, head);
      if (sameBytes(head, init)) {
        this.#media.push({ number: found, file, init, bytes });
        return found;
      }
      await file.close();
    }
    for (const media of this.#media) number = Math.max(number, media.number + 1);
    if (number >= MAX_MEDIA_FILES)
      throw dvrErrors.error("DVR_TOO_MANY_TRACK_SETS", {
        hour: hourPath(this.hour),
        most: MAX_MEDIA_FILES,
      });
    const file = await this.#files.create(this.#path(number));
    const media = { number, file, init, bytes: 0 };
    this.#media.push(media);
    await file.append([init]);
    media.bytes = init.byteLength;
    this.#found.set(number, media.bytes);
    return number;
  }

  /**
   * Appends records, and in front of them the media of those that are of chunks, all of one file. Sets their places in it;
   * the last one ends the group. Rejects with DVR_DISK_FAILED.
   */
  async append(number: number, planned: readonly PlannedRecord[]): Promise<void> {
    const media = this.#media.find((one) => one.number === number)!;
    const pieces: Uint8Array[] = [];
    let at = media.bytes;
    for (const { record, chunk } of planned) {
      record.file = number;
      if (chunk === null) continue;
      record.offset = at;
      at += chunk.size;
      for (const piece of chunk.pieces) pieces.push(piece);
    }
    if (pieces.length > 0) await media.file.append(pieces);
    media.bytes = at;
    await this.#appendRecords(planned.map(({ record }) => record));
  }

  /** What was written is on the disk itself when this resolves: first the media, then what promises it. */
  async sync(): Promise<void> {
    await Promise.all(this.#media.map(({ file }) => file.sync()));
    await this.#index.sync();
  }

  async close(): Promise<void> {
    const files = [this.#index, ...this.#media.map(({ file }) => file)];
    this.#media.length = 0;
    const results = await Promise.allSettled(files.map((file) => file.close()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #appendRecords(records: readonly RecordFields[]): Promise<void> {
    const bytes = new Uint8Array(records.length * INDEX_RECORD_BYTES);
    for (const [i, record] of records.entries()) writeIndexRecord(bytes, i * INDEX_RECORD_BYTES, record);
    await this.#index.append([bytes]);
  }

  #path(number: number): string {
    return `${this.#folder}/${mediaFile(this.hour, number)}`;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
