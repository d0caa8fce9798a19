/** An hour of an archive as bytes, written as a recorder would: what recovery and readers are tried on. */
import { concatBytes } from "../../src/base/bytes.ts";
import { usToTicks } from "../../src/base/time.ts";
import { buildFragmentHeader } from "../../src/containers/mp4/fragment.ts";
import { buildInitSegment } from "../../src/containers/mp4/init-segment.ts";
import { trackNumber } from "../../src/containers/mp4/track-number.ts";
import { HOUR_US, indexFile, mediaFile } from "../../src/dvr/format/hour.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "../../src/dvr/format/index-record.ts";
import { emptyRecord, writeIndexRecord } from "../../src/dvr/format/index-record.ts";
import type { IndexRecord } from "../../src/dvr/format/index-record.ts";
import { INDEX_HEADER_BYTES, buildIndexHeader } from "../../src/dvr/format/index-header.ts";
import type { Track } from "../../src/media/track.ts";
import { audioTrack, videoTrack } from "./media.ts";

/** How a segment is written. */
export type SegmentPlan = {
  /** Since the hour began; behind the segment before unless given. */
  readonly atUs?: number;
  /** 2 s unless given. */
  readonly durationUs?: number;
  /** How many appends bring its media, one GOP each; 1 unless given. */
  readonly groups?: number;
  /** `last`: with the last of its media, which is usual. `apart`: as a group of its own. `none`: it never came. */
  readonly end?: "last" | "apart" | "none";
  readonly discontinuity?: boolean;
  /** Pictures are shown so much later than they are decoded, and a segment start record says so. */
  readonly leadUs?: number;
  /** Bytes of each sample; 20 unless given. */
  readonly sampleBytes?: number;
};

/** How far the files were filled by one append. */
export type GroupEnd = {
  readonly indexBytes: number;
  /** What the records promise of each media file, by its number: 0 where nothing is, though an init segment be there. */
  readonly mediaBytes: readonly number[];
};

const SAMPLES = 3;

/** What is in front of an hour: `discontinuities`, breaks of earlier ones. */
export type ArchiveHourOptions = {
  readonly tracks?: readonly Track[];
  readonly firstOrdinal?: number;
  readonly discontinuities?: number;
};

/** Builds up an hour, append by append. */
export class ArchiveHour {
  readonly hour: number;
  readonly tracks: readonly Track[];
  /** After the header and after each append, the first one for an index of a header alone. */
  readonly groups: GroupEnd[] = [];
  readonly records: IndexRecord[] = [];
  readonly #media: Uint8Array[][] = [];
  readonly #index: Uint8Array[];
  readonly #promised: number[] = [];
  #nextUs: number;
  #ordinal: number;
  #discontinuities: number;

  constructor(hour = 496_640, options: ArchiveHourOptions = {}) {
    this.hour = hour;
    this.tracks = options.tracks ?? [videoTrack(), audioTrack()];
    this.#ordinal = options.firstOrdinal ?? 7000;
    this.#discontinuities = options.discontinuities ?? 3;
    this.#nextUs = hour * HOUR_US;
    this.#index = [buildIndexHeader(hour)];
    this.newFile();
    this.#noteGroup();
  }

  /** Goes on in the next media file, which gets its init segment. */
  newFile(): this {
    this.#media.push([buildInitSegment(this.tracks)]);
    this.#promised.push(0);
    return this;
  }

  /** The next segment. */
  segment(plan: SegmentPlan = {}): this {
    const { durationUs = 2_000_000, groups = 1, end = "last", leadUs = 0 } = plan;
    const startUs = plan.atUs === undefined ? this.#nextUs : this.hour * HOUR_US + plan.atUs;
    const ordinal = this.#ordinal++;
    const discontinuity = plan.discontinuity === true ? RECORD_FLAG.discontinuity : 0;
    this.#discontinuities += plan.discontinuity === true ? 1 : 0;
    const flags = discontinuity | RECORD_FLAG.independent;
    const base: IndexRecord = {
      ...emptyRecord(),
      ordinal,
      startUs,
      utcUs: startUs + 150_000,
      discontinuities: this.#discontinuities,
      file: this.#media.length - 1,
      sequence: (ordinal * 2 + 11) % 2 ** 32,
    };
    const endRecord: IndexRecord = { ...base, kind: RECORD_KIND.segmentEnd, flags, durationUs };
    for (let group = 0; group < groups; group++) {
      const from = startUs + Math.floor((durationUs * group) / groups);
      const to = startUs + Math.floor((durationUs * (group + 1)) / groups);
      const records = this.#chunks({ ...base, startUs: from, durationUs: to - from }, plan);
      if (group === 0)
        records[0] = { ...records[0]!, flags: records[0]!.flags | flags | RECORD_FLAG.segmentStart };
      if (group === 0 && leadUs > 0) records.unshift({ ...base, kind: RECORD_KIND.segmentStart, flags });
      if (group === groups - 1 && end === "last") records.push(endRecord);
      this.append(records);
    }
    if (end === "apart") this.append([endRecord]);
    this.#nextUs = startUs + durationUs;
    return this;
  }

  /** The wall clock is set. */
  clockStep(stepUs: number): this {
    const { clockStep } = RECORD_FLAG;
    const utcUs = this.#nextUs + stepUs;
    const place = { startUs: this.#nextUs, utcUs, ordinal: this.#ordinal };
    return this.append([{ ...emptyRecord(), ...place, kind: RECORD_KIND.fact, flags: clockStep }]);
  }

  /** Appends records as one group. */
  append(records: readonly IndexRecord[]): this {
    for (const [number, record] of records.entries()) {
      const isLast = number === records.length - 1;
      const written = isLast ? { ...record, flags: record.flags | RECORD_FLAG.groupEnd } : record;
      const bytes = new Uint8Array(INDEX_RECORD_BYTES);
      writeIndexRecord(bytes, 0, written);
      this.#index.push(bytes);
      this.records.push(written);
      if (written.kind === RECORD_KIND.chunk) this.#promised[written.file] = written.offset + written.size;
    }
    this.#noteGroup();
    return this;
  }

  get index(): Uint8Array {
    return concatBytes(this.#index);
  }

  /** By the number of the file. */
  get media(): Uint8Array[] {
    return this.#media.map(concatBytes);
  }

  /** All its files by their paths below a stream's folder. */
  files(folder: string): Record<string, Uint8Array> {
    const files: Record<string, Uint8Array> = { [`${folder}/${indexFile(this.hour)}`]: this.index };
    for (const [number, bytes] of this.media.entries())
      files[`${folder}/${mediaFile(this.hour, number)}`] = bytes;
    return files;
  }

  /** Writes the media of one append, and gives its records. */
  #chunks(base: IndexRecord, plan: SegmentPlan): IndexRecord[] {
    return this.tracks.map((track) => {
      const isVideo = track.kind === "video";
      const leadUs = isVideo ? (plan.leadUs ?? 0) : 0;
      const decodedUs = base.startUs - leadUs;
      const sampleBytes = plan.sampleBytes ?? 20;
      const ticks = Math.floor(usToTicks(base.durationUs, track.timescale) / SAMPLES);
      const header = buildFragmentHeader(this.records.length, [
        {
          track,
          baseDts: usToTicks(decodedUs, track.timescale),
          count: SAMPLES,
          sizes: new Uint32Array(SAMPLES).fill(sampleBytes),
          durations: new Uint32Array(SAMPLES).fill(ticks),
          ctsOffsets: new Int32Array(SAMPLES).fill(usToTicks(leadUs, track.timescale)),
          syncFlags: isVideo ? Uint8Array.of(1, 0, 0) : new Uint8Array(SAMPLES).fill(1),
          dataBytes: sampleBytes * SAMPLES,
        },
      ]);
      const file = this.#media[base.file]!;
      const offset = file.reduce((sum, piece) => sum + piece.byteLength, 0);
      const payload = new Uint8Array(sampleBytes * SAMPLES).fill(0xa5);
      file.push(concatBytes([header, payload]));
      return {
        ...base,
        kind: RECORD_KIND.chunk,
        trackNumber: trackNumber(track.id),
        flags: RECORD_FLAG.sync,
        startUs: decodedUs,
        offset,
        size: header.byteLength + payload.byteLength,
        headerBytes: header.byteLength,
        samples: SAMPLES,
      };
    });
  }

  #noteGroup(): void {
    const indexBytes = INDEX_HEADER_BYTES + this.records.length * INDEX_RECORD_BYTES;
    this.groups.push({ indexBytes, mediaBytes: [...this.#promised] });
  }
}
