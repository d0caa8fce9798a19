/** A week of one stream's archive on the disk, as the server's format has it, made of a film. */
import { closeSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { HOUR_US, indexFile, mediaFile } from "../src/dvr/format/hour.ts";
import { buildIndexHeader } from "../src/dvr/format/index-header.ts";
import {
  INDEX_RECORD_BYTES,
  RECORD_FLAG,
  RECORD_KIND,
  emptyRecord,
  writeIndexRecord,
} from "../src/dvr/format/index-record.ts";
import type { IndexRecord } from "../src/dvr/format/index-record.ts";
import type { StoredSegment } from "../src/dvr/export/stored-range.ts";
import { filePackets } from "../test/support/file-packets.ts";
import { MemoryArchive } from "../test/support/memory-archive.ts";
import { FILM_SECONDS, GOP_SECONDS } from "./tools.ts";

/** An archive that was made. */
export type WeekArchive = {
  /** Its first second, and the one behind its last. Units: seconds since 1970. */
  readonly fromS: number;
  readonly toS: number;
};

const HOURS = 7 * 24;
const FILMS_AN_HOUR = 3600 / FILM_SECONDS;

/**
 * Writes a week that ends with the last whole hour. Its media is one hour of the film, of which all hours are links: the
 * times within the media are those of the first one, which no reader of playlists and segments looks at.
 */
export async function makeWeekArchive(folder: string, movie: string): Promise<WeekArchive> {
  const film = new MemoryArchive({ segmentDurationMs: GOP_SECONDS * 1000 });
  film.record((await filePackets(movie)).packets, 0);
  const file = [...film.mediaFiles.keys()][0]!;
  const bytes = film.bytesOf(file);
  const initBytes = film.chunks[0]!.offset;
  const lastHour = Math.floor(Date.now() / 3_600_000);
  const firstHour = lastHour - HOURS;
  const media = join(folder, mediaFile(firstHour, 0));
  for (let hour = firstHour; hour < lastHour; hour++) {
    const index = join(folder, indexFile(hour));
    mkdirSync(dirname(index), { recursive: true });
    if (hour === firstHour) writeHourOfMedia(media, bytes, initBytes);
    else linkSync(media, join(folder, mediaFile(hour, 0)));
    writeFileSync(index, hourIndex(hour, hour - firstHour, film.segments, bytes.byteLength - initBytes));
  }
  return { fromS: firstHour * 3600, toS: lastHour * 3600 };
}

/** The last hours of the week once more, as another stream's: links to their files. */
export function linkHours(week: WeekArchive, folder: string, other: string, hours: number): void {
  const end = week.toS / 3600;
  for (let hour = end - hours; hour < end; hour++) {
    mkdirSync(dirname(join(other, indexFile(hour))), { recursive: true });
    for (const name of [indexFile(hour), mediaFile(hour, 0)])
      linkSync(join(folder, name), join(other, name));
  }
}

function writeHourOfMedia(path: string, film: Uint8Array, initBytes: number): void {
  const file = openSync(path, "wx");
  try {
    writeSync(file, film.subarray(0, initBytes));
    for (let i = 0; i < FILMS_AN_HOUR; i++) writeSync(file, film.subarray(initBytes));
  } finally {
    closeSync(file);
  }
}

/** `number`: of the hour in the archive, from 0. */
function hourIndex(
  hour: number,
  number: number,
  segments: readonly StoredSegment[],
  filmBytes: number,
): Uint8Array {
  const records: IndexRecord[] = [];
  for (let film = 0; film < FILMS_AN_HOUR; film++) {
    const shiftUs = hour * HOUR_US + film * FILM_SECONDS * 1_000_000;
    const filmOrdinal = (number * FILMS_AN_HOUR + film) * segments.length;
    for (const [place, segment] of segments.entries())
      records.push(...recordsOf(segment, filmOrdinal + place, shiftUs, film * filmBytes));
  }
  const bytes = new Uint8Array(records.length * INDEX_RECORD_BYTES);
  for (const [place, record] of records.entries())
    writeIndexRecord(bytes, place * INDEX_RECORD_BYTES, record);
  return Buffer.concat([buildIndexHeader(hour), bytes]);
}

function recordsOf(
  { chunks, startUs, durationUs }: StoredSegment,
  ordinal: number,
  shiftUs: number,
  shiftBytes: number,
): IndexRecord[] {
  const { sync, segmentStart, independent, groupEnd } = RECORD_FLAG;
  const place = { ...emptyRecord(), ordinal, utcUs: shiftUs + startUs, sequence: ordinal % 2 ** 32 };
  const media = [...chunks].map((chunk, number) => ({
    ...place,
    kind: RECORD_KIND.chunk,
    flags: sync | (number === 0 ? segmentStart | independent : 0),
    trackNumber: chunk.trackNumber,
    offset: chunk.offset + shiftBytes,
    size: chunk.size,
    headerBytes: chunk.headerBytes,
    samples: chunk.samples,
    startUs: shiftUs + chunk.startUs,
    durationUs: chunk.durationUs,
  }));
  const end = {
    ...place,
    kind: RECORD_KIND.segmentEnd,
    flags: groupEnd | independent,
    startUs: shiftUs + startUs,
    durationUs,
  };
  return [...media, end];
}
