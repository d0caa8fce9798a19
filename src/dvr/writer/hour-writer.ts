import { buildInitSegment } from "../../containers/mp4/init-segment.ts";
import type { TrackSet } from "../../media/track.ts";
import type { ArchiveFile, ArchiveFiles } from "../archive-files.ts";
import { dvrErrors } from "../errors.ts";
import { MAX_MEDIA_FILES, hourPath, indexFile, mediaFile } from "../format/hour.ts";
import { MAX_HOUR_RECORDS } from "../format/hour-index.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "../format/index-header.ts";
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

/** Media files of an hour that are open: sources that change their tracks go back and forth between two or three. */
const MAX_OPEN_FILES = 4;

/** For the end record that recovery appends. */
const SPARE_RECORDS = 1;

/** How an hour is opened. */
export type OpenHourOptions = {
  /** What readers take unless given. */
  readonly maxRecords?: number;
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
  readonly #syncing = new Set<Promise<void>>();
  /** Whose file was asked for last: most segments have the tracks of the one before. It is open. */
  #latest: { readonly tracks: TrackSet; readonly number: number } | null = null;
  /** Media files of the hour from before, by number, and how long they are. */
  readonly #found: Map<number, number>;
  readonly #maxRecords: number;
  #records: number;

  private constructor(files: ArchiveFiles, folder: string, opened: OpenedHour) {
    const { recovered, index, maxRecords } = opened;
    this.#files = files;
    this.#folder = folder;
    this.hour = recovered.hour;
    this.#index = index;
    this.#found = new Map(recovered.mediaBytes);
    this.#maxRecords = maxRecords;
    this.#records = Math.max(0, recovered.indexBytes - INDEX_HEADER_BYTES) / INDEX_RECORD_BYTES;
  }

  /**
   * Recovers an hour, or begins it. Returns also the end record of its last segment, which is in the index by now.
   * Rejects with DVR_*.
   */
  static async open(
    files: ArchiveFiles,
    folder: string,
    hour: number,
    { maxRecords = MAX_HOUR_RECORDS }: OpenHourOptions = {},
  ): Promise<{ readonly writer: HourWriter; readonly recovered: RecoveredHour }> {
    const recovered = await recoverHour(files, folder, hour);
    const index = await files.create(`${folder}/${indexFile(hour)}`);
    const writer = new HourWriter(files, folder, { recovered, index, maxRecords });
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
    if (this.#latest?.tracks === tracks) return this.#latest.number;
    const number = await this.#mediaOf(buildInitSegment(tracks.tracks));
    this.#latest = { tracks, number };
    return number;
  }

  async #mediaOf(init: Uint8Array): Promise<number> {
    const open = this.#media.find((media) => sameBytes(media.init, init));
    if (open !== undefined) return open.number;
    if (this.#media.length >= MAX_OPEN_FILES) await this.#closeOldest();
    const known = await this.#findMedia(init);
    if (known !== null) return known;
    let number = 0;
    for (const [found, bytes] of this.#found) number = Math.max(number, found + (bytes === 0 ? 0 : 1));
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

  /** The file of those that the hour has which begins with these bytes; it is open then. */
  async #findMedia(init: Uint8Array): Promise<number | null> {
    for (const [number, bytes] of this.#found) {
      if (bytes < init.byteLength || this.#media.some((media) => media.number === number)) continue;
      const file = await this.#files.create(this.#path(number));
      let isIt = false;
      try {
        const head = new Uint8Array(init.byteLength);
        isIt = (await file.read(0, head)) === init.byteLength && sameBytes(head, init);
      } finally {
        if (!isIt) await file.close();
      }
      if (!isIt) continue;
      this.#media.push({ number, file, init, bytes });
      return number;
    }
    return null;
  }

  async #closeOldest(): Promise<void> {
    await Promise.allSettled(this.#syncing);
    const oldest = this.#media.shift()!;
    this.#latest = null;
    this.#found.set(oldest.number, oldest.bytes);
    try {
      await oldest.file.sync();
    } finally {
      await oldest.file.close();
    }
  }

  /**
   * Appends records, and in front of them the media of those that are of chunks, all of one file. Sets their places in it;
   * the last one ends the group. `isDurable`: it is on the disk itself when this resolves, and no record ever is before its
   * media. Rejects with DVR_HOUR_FULL, with nothing written, and DVR_DISK_FAILED.
   */
  async append(number: number, planned: readonly PlannedRecord[], isDurable = false): Promise<void> {
    if (this.#records + planned.length + SPARE_RECORDS > this.#maxRecords) {
      const [hour, most] = [hourPath(this.hour), this.#maxRecords];
      throw dvrErrors.error("DVR_HOUR_FULL", { hour, folder: this.#folder, most });
    }
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
    if (isDurable && pieces.length > 0) await media.file.sync();
    await this.#appendRecords(planned.map(({ record }) => record));
    if (isDurable) await this.#index.sync();
  }

  /** What was written is on the disk itself when this resolves: first the media, then what promises it. */
  async sync(): Promise<void> {
    const syncing = this.#sync();
    this.#syncing.add(syncing);
    try {
      await syncing;
    } finally {
      this.#syncing.delete(syncing);
    }
  }

  async #sync(): Promise<void> {
    await Promise.all(this.#media.map(({ file }) => file.sync()));
    await this.#index.sync();
  }

  /** Files are not closed under those who sync them. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#syncing);
    const files = [this.#index, ...this.#media.map(({ file }) => file)];
    this.#media.length = 0;
    const results = await Promise.allSettled(files.map((file) => file.close()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async #appendRecords(records: readonly RecordFields[]): Promise<void> {
    const bytes = new Uint8Array(records.length * INDEX_RECORD_BYTES);
    for (const [i, record] of records.entries()) writeIndexRecord(bytes, i * INDEX_RECORD_BYTES, record);
    await this.#index.append([bytes]);
    this.#records += records.length;
  }

  #path(number: number): string {
    return `${this.#folder}/${mediaFile(this.hour, number)}`;
  }
}

type OpenedHour = {
  readonly recovered: RecoveredHour;
  readonly index: ArchiveFile;
  readonly maxRecords: number;
};

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
