/** Whether the files of a stream's archive are what docs/archive-format.md says they are. */
import { parseHourFile } from "../../src/dvr/format/hour.ts";
import { HourIndex } from "../../src/dvr/format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../../src/dvr/format/index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "../../src/dvr/format/index-record.ts";
import { readIndexRecord } from "../../src/dvr/format/index-record.ts";
import type { IndexRecord } from "../../src/dvr/format/index-record.ts";

/** A stream's files by their paths, which may have any folder in front. */
export type ArchiveContents = ReadonlyMap<string, Uint8Array>;

/** What a judge lets pass. */
export type JudgeOptions = {
  /** A segment without an end may be the last of an hour, because nobody could append one. */
  readonly mayEndOpen?: boolean;
  /** Segments may be missing between others. */
  readonly mayLackOrdinals?: boolean;
  /** No video or audio track ends before its segment, but for those that ended a second before: players have no hole. */
  readonly hasNoHoles?: boolean;
};

const INDEX = /[0-9]{4}\/[0-9]{2}\/[0-9]{2}\/[0-9]{2}\.idx$/;

/**
 * Looks through all indexes of a stream that nobody writes.
 *
 * Returns: what is wrong, one line each; none when every record is good, every promised byte is there and begins as a chunk
 * does, groups are whole, and segments stand one behind the other with consecutive ordinals, by a second at most in another.
 */
export function archiveFaults(contents: ArchiveContents, options: JudgeOptions = {}): string[] {
  const wrong: string[] = [];
  let ordinal: number | null = null;
  let endUs = -Infinity;
  for (const [path, bytes] of [...contents].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isIndex(path) || bytes.byteLength === 0) continue;
    const say = (what: string): void => void wrong.push(`${path}: ${what}`);
    judgeRecords(path, bytes, { contents, options, say });
    const index = HourIndex.parse(bytes, { path });
    for (let i = 0; i < index.segmentCount; i++) {
      const segment = index.segment(i);
      const isNext =
        options.mayLackOrdinals === true
          ? segment.ordinal > (ordinal ?? -1)
          : segment.ordinal === (ordinal ?? segment.ordinal - 1) + 1;
      if (!isNext) say(`segment ${segment.ordinal} stands behind ${ordinal}`);
      ordinal = segment.ordinal;
      if (segment.startUs < endUs - 1_000_000)
        say(`segment ${ordinal} begins ${endUs - segment.startUs} us early`);
      endUs = segment.startUs + segment.durationUs;
      if (index.chunks(i).length === 0) say(`segment ${ordinal} has no media`);
      if (options.hasNoHoles === true) for (const hole of holesOf(index, i)) say(hole);
    }
  }
  return wrong;
}

/** Pictures are decoded before they are shown, and sound is a frame shorter or longer. Units: microseconds. */
const SMALL_HOLE_US = 150_000;
const STOPPED_US = 1_000_000;

function holesOf(index: HourIndex, place: number): string[] {
  const { ordinal, startUs, durationUs } = index.segment(place);
  const ends = new Map<number, number>();
  for (const chunk of index.chunks(place))
    if (chunk.trackNumber < 200) ends.set(chunk.trackNumber, chunk.startUs + chunk.durationUs);
  return [...ends].flatMap(([track, us]) => {
    const holeUs = startUs + durationUs - us;
    const isHole = holeUs > SMALL_HOLE_US && holeUs < STOPPED_US;
    return isHole ? [`track ${track} of segment ${ordinal} ends ${holeUs} us early`] : [];
  });
}

function isIndex(path: string): boolean {
  return parseHourFile(INDEX.exec(path)?.[0] ?? "")?.file === null;
}

type Judging = {
  readonly contents: ArchiveContents;
  readonly options: JudgeOptions;
  readonly say: (what: string) => void;
};

function judgeRecords(path: string, bytes: Uint8Array, { contents, options, say }: Judging): void {
  const rest = (bytes.byteLength - INDEX_HEADER_BYTES) % INDEX_RECORD_BYTES;
  if (rest !== 0) say(`${rest} bytes are behind its last record`);
  let last: IndexRecord | null = null;
  for (let at = INDEX_HEADER_BYTES; at + INDEX_RECORD_BYTES <= bytes.byteLength; at += INDEX_RECORD_BYTES) {
    const record = readIndexRecord(bytes, at);
    if (record === null) return say(`no record is at ${at}`);
    last = record;
    if (record.kind !== RECORD_KIND.chunk) continue;
    const { file, offset, size } = record;
    const media = contents.get(path.replace(/idx$/, file === 0 ? "mp4" : `${file}.mp4`));
    const chunk = Buffer.from(media?.subarray(offset, offset + size) ?? []);
    if (chunk.byteLength !== size) say(`the chunk at ${offset} of file ${file} is not all there`);
    else if (chunk.toString("latin1", 4, 8) !== "moof")
      say(`what is at ${offset} of file ${file} is no chunk`);
  }
  if (last === null) return;
  if ((last.flags & RECORD_FLAG.groupEnd) === 0) say("its last group is not whole");
  const isOpen = last.kind !== RECORD_KIND.segmentEnd && last.kind !== RECORD_KIND.fact;
  if (isOpen && options.mayEndOpen !== true) say("its last segment has no end");
}
