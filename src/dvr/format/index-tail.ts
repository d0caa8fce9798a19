import { dvrErrors } from "../errors.ts";
import type { ArchiveFile } from "../archive-files.ts";
import { INDEX_HEADER_BYTES } from "./index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, readIndexRecord } from "./index-record.ts";
import { emptyRecord, readRecordInto, recordView } from "./index-record.ts";
import type { IndexRecord } from "./index-record.ts";

/** Records that are read at first, 64 KiB: ten minutes of a stream, and more than is ever on its way to a disk. */
const FIRST_RECORDS = 1024;

/** Records that were appended together: those from `first` up to, and without, `end`. */
export type RecordGroup = {
  readonly first: number;
  readonly end: number;
  /** `null`: one of them is none. */
  readonly records: readonly IndexRecord[] | null;
};

/**
 * The end of an index on a disk, of which more is read as more is asked for. Records are counted from 0 at the header;
 * what is behind the last whole one is not seen.
 */
export class IndexTail {
  /** Whole records that the file has room for, good or bad. */
  readonly count: number;
  readonly #file: ArchiveFile;
  #first: number;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(file: ArchiveFile, sizeBytes: number) {
    this.#file = file;
    this.count = Math.max(0, Math.floor((sizeBytes - INDEX_HEADER_BYTES) / INDEX_RECORD_BYTES));
    this.#first = this.count;
  }

  /**
   * Where the last whole group ends, in records: all that was read in front of it is good. What was never flushed can be
   * missing in the middle as well as at the end, so that the last good record proves nothing of those before it.
   *
   * Returns: 0 where there is none. Reads 64 KiB, and more where these have no group's end in front of what is bad.
   */
  async endOfGood(): Promise<number> {
    while (await this.#reachBack()) {
      const end = this.#endOfGoodRead();
      if (end > 0) return end;
    }
    return 0;
  }

  #endOfGoodRead(): number {
    const view = recordView(this.#bytes);
    const record = emptyRecord();
    let end = 0;
    for (let number = this.#first; number < this.count; number++) {
      if (!readRecordInto(view, (number - this.#first) * INDEX_RECORD_BYTES, record)) break;
      if ((record.flags & RECORD_FLAG.groupEnd) !== 0) end = number + 1;
    }
    return end;
  }

  /** The group whose last record stands in front of record `end`, which is above 0. */
  async groupBefore(end: number): Promise<RecordGroup> {
    const records: IndexRecord[] = [];
    let isWhole = true;
    let first = end;
    for (; first > 0; first--) {
      const record = await this.at(first - 1);
      if (record === null) isWhole = false;
      else if ((record.flags & RECORD_FLAG.groupEnd) !== 0 && first < end) break;
      else if (isWhole) records.push(record);
    }
    return { first, end, records: isWhole ? records.toReversed() : null };
  }

  /** A record, which is read when it has not been yet; `null` when it is none. */
  async at(number: number): Promise<IndexRecord | null> {
    while (number < this.#first) await this.#reachBack();
    return this.#record(number);
  }

  #record(number: number): IndexRecord | null {
    return readIndexRecord(this.#bytes, (number - this.#first) * INDEX_RECORD_BYTES);
  }

  /** Reads as much again as was read already. Returns: `false` when nothing is left. */
  async #reachBack(): Promise<boolean> {
    if (this.#first === 0) return false;
    const loaded = this.count - this.#first;
    const first = Math.max(0, this.#first - Math.max(FIRST_RECORDS, loaded));
    const more = (this.#first - first) * INDEX_RECORD_BYTES;
    const bytes = new Uint8Array(more + this.#bytes.byteLength);
    const got = await this.#file.read(
      INDEX_HEADER_BYTES + first * INDEX_RECORD_BYTES,
      bytes.subarray(0, more),
    );
    if (got < more) {
      const { path } = this.#file;
      throw dvrErrors.error("DVR_DISK_FAILED", {
        action: "read",
        path,
        reason: "it became shorter meanwhile",
      });
    }
    bytes.set(this.#bytes, more);
    this.#bytes = bytes;
    this.#first = first;
    return true;
  }
}
