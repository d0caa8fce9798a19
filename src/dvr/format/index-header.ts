/** The first 64 bytes of the index of an hour; docs/archive-format.md is the specification. */
import { dvrErrors } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { isHour } from "./hour.ts";
import { INDEX_RECORD_BYTES, recordView } from "./index-record.ts";

/** What the header takes in front of the records. */
export const INDEX_HEADER_BYTES = 64;

/** The version of the format. */
export const INDEX_VERSION = 1;

/** What the header tells. */
export type IndexHeader = {
  /** In hours since 1970. */
  readonly hour: number;
};

const MAGIC = "WEIRIDX1";
const HOUR_S = 3600;
const ZEROS_START = 24;
const CRC_START = 60;

/** Builds the header of an hour's index. Throws: RangeError when there is no such hour. */
export function buildIndexHeader(hour: number): Uint8Array {
  if (!isHour(hour)) throw new RangeError(`there is no hour ${hour}`);
  const bytes = new Uint8Array(INDEX_HEADER_BYTES);
  const view = recordView(bytes);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, INDEX_VERSION, true);
  view.setUint32(12, INDEX_RECORD_BYTES, true);
  view.setBigInt64(16, BigInt(hour * HOUR_S), true);
  view.setUint32(CRC_START, crc32(view, 0, CRC_START), true);
  return bytes;
}

/**
 * Reads the header at the beginning of an index. `path`: for messages.
 *
 * Returns: `null` when the bytes end within it, as those of an hour that is just begun may.
 * Throws: DVR_BAD_INDEX, DVR_INDEX_VERSION. Spec: docs/archive-format.md, "Header".
 */
export function readIndexHeader(bytes: Uint8Array, path: string): IndexHeader | null {
  if (bytes.byteLength < INDEX_HEADER_BYTES) return null;
  const view = recordView(bytes);
  const bad = (reason: string): Error => dvrErrors.error("DVR_BAD_INDEX", { path, reason });
  for (let i = 0; i < MAGIC.length; i++)
    if (bytes[i] !== MAGIC.charCodeAt(i)) throw bad(`it does not begin with "${MAGIC}"`);
  if (view.getUint32(CRC_START, true) !== crc32(view, 0, CRC_START))
    throw bad("the checksum of its header is wrong");
  const version = view.getUint32(8, true);
  if (version !== INDEX_VERSION)
    throw dvrErrors.error("DVR_INDEX_VERSION", { path, version, known: INDEX_VERSION });
  const recordBytes = view.getUint32(12, true);
  if (recordBytes !== INDEX_RECORD_BYTES)
    throw bad(`its records have ${recordBytes} bytes instead of ${INDEX_RECORD_BYTES}`);
  const hour = Number(view.getBigInt64(16, true)) / HOUR_S;
  if (!isHour(hour)) throw bad(`it begins ${hour * HOUR_S} s after 1970, where no hour does`);
  if (bytes.subarray(ZEROS_START, CRC_START).some((byte) => byte !== 0))
    throw bad("its header has bytes that this version of the format does not know");
  return { hour };
}
