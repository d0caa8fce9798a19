import { writeU16, writeU32 } from "../../base/bytes.ts";
import type { TsCarriage } from "./carriage.ts";
import { mpegCrc32 } from "./crc32.ts";

/** What a program map table says. */
export type ProgramMap = {
  readonly programNumber: number;
  /** 0 to 31; steps when anything else changes. */
  readonly version: number;
  readonly pcrPid: number;
  readonly streams: readonly Pick<TsCarriage, "pid" | "streamType" | "descriptors">[];
};

/** table_id. Spec: ISO/IEC 13818-1 table 2-31. */
export const TABLE_ID = { pat: 0x00, pmt: 0x02 } as const;

/** Bytes of a section in front of what the table itself has: up to and with last_section_number. */
export const SECTION_HEADER_BYTES = 8;

/** Bytes of the CRC at the end of a section. */
export const SECTION_CRC_BYTES = 4;

const TRANSPORT_STREAM_ID = 1;

/** Builds a PAT with one program. Returns: a section. Spec: ISO/IEC 13818-1 section 2.4.4.3. */
export function buildPat(programNumber: number, pmtPid: number): Uint8Array {
  const section = new Uint8Array(SECTION_HEADER_BYTES + 4 + SECTION_CRC_BYTES);
  writeHeader(section, TABLE_ID.pat, TRANSPORT_STREAM_ID, 0);
  writeU16(section, 8, programNumber);
  writeU16(section, 10, 0xe000 | pmtPid);
  return withCrc(section);
}

/** Builds a PMT. Returns: a section of at most 1024 bytes. Spec: ISO/IEC 13818-1 section 2.4.4.8. */
export function buildPmt(map: ProgramMap): Uint8Array {
  let lengthBytes = SECTION_HEADER_BYTES + 4 + SECTION_CRC_BYTES;
  for (const { descriptors } of map.streams) lengthBytes += 5 + descriptors.byteLength;
  if (lengthBytes > 1024) throw new RangeError("a program map with too many streams");
  const section = new Uint8Array(lengthBytes);
  writeHeader(section, TABLE_ID.pmt, map.programNumber, map.version);
  writeU16(section, 8, 0xe000 | map.pcrPid);
  writeU16(section, 10, 0xf000); // program_info_length 0
  let at = 12;
  for (const { pid, streamType, descriptors } of map.streams) {
    section[at] = streamType;
    writeU16(section, at + 1, 0xe000 | pid);
    writeU16(section, at + 3, 0xf000 | descriptors.byteLength);
    section.set(descriptors, at + 5);
    at += 5 + descriptors.byteLength;
  }
  return withCrc(section);
}

function writeHeader(section: Uint8Array, tableId: number, extension: number, version: number): void {
  section[0] = tableId;
  writeU16(section, 1, 0xb000 | (section.byteLength - 3)); // section_syntax_indicator, section_length
  writeU16(section, 3, extension);
  section[5] = 0xc1 | (version << 1); // current_next_indicator
  section[6] = 0; // section_number
  section[7] = 0; // last_section_number
}

function withCrc(section: Uint8Array): Uint8Array {
  const end = section.byteLength - SECTION_CRC_BYTES;
  writeU32(section, end, mpegCrc32(section, 0, end));
  return section;
}
