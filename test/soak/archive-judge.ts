/** Whether the files of a recorded stream are what docs/archive-format.md says, for the soak that kills recorders. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseHourFile } from "../../src/dvr/format/hour.ts";
import { HourIndex } from "../../src/dvr/format/hour-index.ts";
import { INDEX_HEADER_BYTES } from "../../src/dvr/format/index-header.ts";
import { INDEX_RECORD_BYTES, RECORD_FLAG, RECORD_KIND } from "../../src/dvr/format/index-record.ts";
import { readIndexRecord } from "../../src/dvr/format/index-record.ts";

/** Files of a stream below its folder that are indexes of hours. */
export async function indexesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => parseHourFile(name)?.file === null).toSorted();
}

/**
 * Looks through all indexes of a stream that nobody writes.
 *
 * Returns: what is wrong, one line each; none when every record is good, every promised byte is there and begins as a chunk
 * does, groups are whole, and segments stand one behind the other with consecutive ordinals. `mayEndOpen`: a segment
 * without an end may be the last, because nobody could append one.
 */
export async function judgeIndexes(folder: string, mayEndOpen = false): Promise<string[]> {
  const wrong: string[] = [];
  let ordinal: number | null = null;
  let endUs = -Infinity;
  for (const name of await indexesOf(folder)) {
    const path = join(folder, name);
    const say = (what: string): void => void wrong.push(`${path}: ${what}`);
    const bytes = await readFile(path);
    if (bytes.byteLength === 0) continue;
    await judgeRecords(path, bytes, mayEndOpen, say);
    const index = HourIndex.parse(bytes, { path });
    for (let i = 0; i < index.segmentCount; i++) {
      const segment = index.segment(i);
      if (ordinal !== null && segment.ordinal !== ordinal + 1)
        say(`segment ${segment.ordinal} stands behind ${ordinal}`);
      ordinal = segment.ordinal;
      if (segment.startUs < endUs - 1000)
        say(`segment ${ordinal} begins ${endUs - segment.startUs} us early`);
      endUs = segment.startUs + segment.durationUs;
      if (index.chunks(i).length === 0) say(`segment ${ordinal} has no media`);
    }
  }
  return wrong;
}

async function judgeRecords(
  path: string,
  bytes: Buffer,
  mayEndOpen: boolean,
  say: (what: string) => void,
): Promise<void> {
  const rest = (bytes.byteLength - INDEX_HEADER_BYTES) % INDEX_RECORD_BYTES;
  if (rest !== 0) say(`${rest} bytes are behind its last record`);
  const media = new Map<number, Buffer | null>();
  let last = null;
  for (let at = INDEX_HEADER_BYTES; at + INDEX_RECORD_BYTES <= bytes.byteLength; at += INDEX_RECORD_BYTES) {
    const record = readIndexRecord(bytes, at);
    if (record === null) return say(`no record is at ${at}`);
    last = record;
    if (record.kind !== RECORD_KIND.chunk) continue;
    const file = record.file;
    if (!media.has(file)) media.set(file, await readMedia(path, file));
    const chunk = media.get(file)?.subarray(record.offset, record.offset + record.size);
    if (chunk?.byteLength !== record.size)
      say(`the chunk at ${record.offset} of file ${file} is not all there`);
    else if (chunk.toString("latin1", 4, 8) !== "moof")
      say(`what is at ${record.offset} of file ${file} is no chunk`);
  }
  if (last === null) return;
  if ((last.flags & RECORD_FLAG.groupEnd) === 0) say("its last group is not whole");
  if (!mayEndOpen && last.kind !== RECORD_KIND.segmentEnd && last.kind !== RECORD_KIND.fact)
    say("its last segment has no end");
}

async function readMedia(indexPath: string, file: number): Promise<Buffer | null> {
  const path = indexPath.replace(/idx$/, file === 0 ? "mp4" : `${file}.mp4`);
  return (await stat(path).catch(() => null)) === null ? null : await readFile(path);
}
