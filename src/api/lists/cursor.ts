/** Where a page begins, as the text that clients give back. */
import { apiErrors } from "../errors.ts";
import type { RowPlace, SortKey } from "./order.ts";
import type { Plain } from "./row.ts";

/** A place in a list between two rows. It stays where it is whatever comes and goes around it. */
export type ListCursor = {
  readonly sort: readonly SortKey[];
  readonly place: RowPlace;
  /** The page ends there. */
  readonly isReversed: boolean;
  /** The row of that very place is of the page. */
  readonly isInclusive: boolean;
};

/** The rank of a row among those with the same values: its key. */
const POSITION = "$position";
const REVERSED = "$reversed";
const MAX_LENGTH = 8192;
const MAX_KEYS = 10;

/** Base64 of a query string over the sort keys: `stats.bitrate_lt=120&$position_gt="news"`, the values as JSON. */
export function writeCursor({ sort, place, isReversed, isInclusive }: ListCursor): string {
  const query = new URLSearchParams();
  for (const [i, { path, isDescending }] of sort.entries())
    query.append(`${path}_${isDescending ? "lt" : "gt"}`, JSON.stringify(place.values[i] ?? null));
  query.append(`${POSITION}_${isInclusive ? "gte" : "gt"}`, JSON.stringify(place.key));
  if (isReversed) query.append(REVERSED, "true");
  return Buffer.from(query.toString()).toString("base64url");
}

/** Reads what `writeCursor` wrote. Throws: API_BAD_CURSOR. */
export function readCursor(text: string): ListCursor {
  if (text.length > MAX_LENGTH || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw refuse("it is no base64");
  const entries = [...new URLSearchParams(Buffer.from(text, "base64").toString("utf8"))];
  if (entries.length > MAX_KEYS) throw refuse("it has too many fields");
  const sort: SortKey[] = [];
  const values: Plain[] = [];
  let key: string | null = null;
  let [isReversed, isInclusive] = [false, false];
  for (const [name, value] of entries) {
    if (name === REVERSED) isReversed = value === "true";
    else if (name === `${POSITION}_gt` || name === `${POSITION}_gte`) {
      const read = readPlain(value);
      if (typeof read !== "string") throw refuse("its position is no text");
      [key, isInclusive] = [read, name.endsWith("e")];
    } else {
      const found = /^(.+)_(lt|gt)$/s.exec(name);
      if (found === null) throw refuse("it has a field that no cursor has");
      sort.push({ path: found[1]!, isDescending: found[2] === "lt" });
      values.push(readPlain(value));
    }
  }
  if (key === null) throw refuse("it has no position");
  return { sort, place: { values, key }, isReversed, isInclusive };
}

function readPlain(text: string): Plain {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("a value of it does not parse");
  }
  if (typeof value === "object" && value !== null) throw refuse("a value of it is no plain one");
  return value as Plain;
}

function refuse(reason: string): Error {
  return apiErrors.error("API_BAD_CURSOR", { reason, parameter: "cursor" });
}
