import { readU16 } from "../../base/bytes.ts";
import { mpegCrc32 } from "./crc32.ts";
import { tsErrors } from "./errors.ts";
import { SECTION_CRC_BYTES, SECTION_HEADER_BYTES, TABLE_ID } from "./tables.ts";

/** A program as the PAT names it. */
export type ProgramEntry = { readonly programNumber: number; readonly pmtPid: number };

/** An elementary stream as the PMT names it. Ownership: `descriptors` is a view of the section. */
export type StreamEntry = {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: Uint8Array;
};

/** A descriptor. Ownership: `body` is a view. */
export type Descriptor = { readonly tag: number; readonly body: Uint8Array };

/** Most elementary streams that are read of one program map; its 1024 bytes would hold 201. */
export const MAX_STREAM_ENTRIES = 64;

const PID_MASK = 0x1fff;
const LENGTH_MASK = 0x0fff;
const MIN_SECTION_BYTES = SECTION_HEADER_BYTES + SECTION_CRC_BYTES;

/**
 * The programs of a PAT section that is in force; `null` for another table, and for one that is only announced.
 *
 * Throws: TS_SECTION_BROKEN. Spec: ISO/IEC 13818-1 section 2.4.4.3.
 */
export function parsePat(section: Uint8Array): ProgramEntry[] | null {
  if (!isInForce(section, TABLE_ID.pat, 0)) return null;
  const programs: ProgramEntry[] = [];
  for (let at = SECTION_HEADER_BYTES; at + 4 <= section.byteLength - SECTION_CRC_BYTES; at += 4) {
    const programNumber = readU16(section, at);
    // Program 0 is the network's own table.
    if (programNumber !== 0) programs.push({ programNumber, pmtPid: readU16(section, at + 2) & PID_MASK });
  }
  return programs;
}

/**
 * The elementary streams of a program's PMT section that is in force, at most `MAX_STREAM_ENTRIES`; `null` for another
 * table or program.
 *
 * Throws: TS_SECTION_BROKEN. Spec: ISO/IEC 13818-1 section 2.4.4.8.
 */
export function parsePmt(section: Uint8Array, program: ProgramEntry): StreamEntry[] | null {
  const { pmtPid, programNumber } = program;
  if (!isInForce(section, TABLE_ID.pmt, pmtPid)) return null;
  if (readU16(section, 3) !== programNumber) return null;
  const end = section.byteLength - SECTION_CRC_BYTES;
  if (SECTION_HEADER_BYTES + 4 > end) throw broken(pmtPid, "the program map is cut off");
  const streams: StreamEntry[] = [];
  let at = SECTION_HEADER_BYTES + 4 + (readU16(section, 10) & LENGTH_MASK);
  while (at < end && streams.length < MAX_STREAM_ENTRIES) {
    if (at + 5 > end) throw broken(pmtPid, "an entry of the program map is cut off");
    const next = at + 5 + (readU16(section, at + 3) & LENGTH_MASK);
    if (next > end) throw broken(pmtPid, "descriptors go past the end of the program map");
    const pid = readU16(section, at + 1) & PID_MASK;
    streams.push({ pid, streamType: section[at]!, descriptors: section.subarray(at + 5, next) });
    at = next;
  }
  if (at > end) throw broken(pmtPid, "descriptors go past the end of the program map");
  return streams;
}

/** Splits descriptors; a cut-off last one is dropped. Spec: ISO/IEC 13818-1 section 2.6.1. */
export function readDescriptors(bytes: Uint8Array): Descriptor[] {
  const found: Descriptor[] = [];
  for (let at = 0; at + 2 <= bytes.byteLength;) {
    const end = at + 2 + bytes[at + 1]!;
    if (end > bytes.byteLength) break;
    found.push({ tag: bytes[at]!, body: bytes.subarray(at + 2, end) });
    at = end;
  }
  return found;
}

/** Whether it is the table that is looked for, and its time has come. Throws: TS_SECTION_BROKEN. */
function isInForce(section: Uint8Array, tableId: number, pid: number): boolean {
  if (section[0] !== tableId) return false;
  if (section.byteLength < MIN_SECTION_BYTES) throw broken(pid, "a section is cut off");
  if (mpegCrc32(section, 0, section.byteLength) !== 0) throw broken(pid, "the CRC of a section is wrong");
  return (section[5]! & 1) === 1; // current_next_indicator
}

function broken(pid: number, reason: string): Error {
  return tsErrors.error("TS_SECTION_BROKEN", { pid, reason });
}
