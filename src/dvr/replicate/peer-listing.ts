/** The lists by which one server tells another what it has recorded; docs/archive-format.md, "Copying". */
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import { isHour } from "../format/hour.ts";

/** What a peer has of an hour. Units: bytes; 0 where there is no such index. */
export type OfferedHour = {
  /** In hours since 1970. */
  readonly hour: number;
  readonly indexBytes: number;
  /** Of the index of what it copied itself. */
  readonly fillBytes: number;
};

/** Hours of one list: over two years. */
export const MAX_LISTED_HOURS = 20_000;
/** Streams of one list. */
export const MAX_LISTED_STREAMS = 20_000;
/** What a list of either kind has at most. Units: bytes. */
export const MAX_LISTING_BYTES = 8 * 1024 * 1024;

const VERSION = 1;

/** Builds the list of hours, in order. */
export function buildHourListing(hours: readonly OfferedHour[]): unknown {
  return { version: VERSION, hours: hours.map((one) => [one.hour, one.indexBytes, one.fillBytes]) };
}

/** Reads a list of hours. Returns: `null` when it is none, or its hours are not in order. */
export function parseHourListing(bytes: Uint8Array): OfferedHour[] | null {
  const rows = rowsOf(bytes, "hours", MAX_LISTED_HOURS);
  if (rows === null) return null;
  const hours: OfferedHour[] = [];
  for (const row of rows) {
    if (!Array.isArray(row) || row.length !== 3) return null;
    const [hour, indexBytes, fillBytes] = row as unknown[];
    if (!isCount(hour) || !isCount(indexBytes) || !isCount(fillBytes)) return null;
    if (!isHour(hour) || hour <= (hours.at(-1)?.hour ?? -1)) return null;
    hours.push({ hour, indexBytes, fillBytes });
  }
  return hours;
}

/** Builds the list of streams. */
export function buildStreamListing(streams: readonly string[]): unknown {
  return { version: VERSION, streams: streams.slice(0, MAX_LISTED_STREAMS) };
}

/** Reads a list of streams; names that cannot be are passed over. Returns: `null` when it is none. */
export function parseStreamListing(bytes: Uint8Array): StreamName[] | null {
  const rows = rowsOf(bytes, "streams", MAX_LISTED_STREAMS);
  if (rows === null) return null;
  const names = rows.map((row) => (typeof row === "string" ? parseStreamName(row) : null));
  return [...new Set(names.filter((name) => name !== null))];
}

function rowsOf(bytes: Uint8Array, field: "hours" | "streams", most: number): readonly unknown[] | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { version, [field]: rows } = value as { readonly [name: string]: unknown };
  return version === VERSION && Array.isArray(rows) && rows.length <= most ? (rows as unknown[]) : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
