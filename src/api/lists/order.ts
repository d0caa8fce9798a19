/** In which order the objects of a list stand: by some fields, and at last by their keys, which differ. */
import { apiErrors } from "../errors.ts";
import type { KnownFields } from "./known-fields.ts";
import type { ListRow, Plain } from "./row.ts";

/** A field by which a list is sorted. */
export type SortKey = { readonly path: string; readonly isDescending: boolean };

/** Where a row stands: its values of the sort keys, and its key. */
export type RowPlace = { readonly values: readonly Plain[]; readonly key: string };

const MAX_SORT_KEYS = 8;

/** `-stats.bitrate,name`. Throws: API_BAD_FIELD. */
export function readSort(text: string, fields: KnownFields): SortKey[] {
  const words = text.split(",").filter((word) => word !== "");
  if (words.length > MAX_SORT_KEYS) throw refuse(`it has more than ${MAX_SORT_KEYS} fields`);
  return words.map((word) => {
    const isDescending = word.startsWith("-");
    const path = isDescending ? word.slice(1) : word;
    const kind = fields.kindOf(path);
    if (kind === null) throw refuse(`there is no field ${path.slice(0, 100)}`);
    if (kind === "object") throw refuse(`${path.slice(0, 100)} has fields: name one of them`);
    return { path, isDescending };
  });
}

/** Where a row stands. */
export function placeOf(row: ListRow, sort: readonly SortKey[]): RowPlace {
  return {
    values: sort.map(({ path }) => {
      const value = row.field(path);
      return (Array.isArray(value) ? (value as readonly Plain[])[0] : (value as Plain)) ?? null;
    }),
    key: row.key,
  };
}

/** Which of two places is first. What has no value is last, whichever way the list is sorted. */
export function comparePlaces(a: RowPlace, b: RowPlace, sort: readonly SortKey[]): number {
  for (const [i, { isDescending }] of sort.entries()) {
    const [one, other] = [a.values[i] ?? null, b.values[i] ?? null];
    if (one === other) continue;
    if (one === null) return 1;
    if (other === null) return -1;
    const order = compareValues(one, other);
    if (order !== 0) return isDescending ? -order : order;
  }
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** Numbers by size, texts by code unit; of two kinds, by the kind's name. */
export function compareValues(a: Plain, b: Plain): number {
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function refuse(reason: string): Error {
  return apiErrors.error("API_BAD_FIELD", { field: "sort", parameter: "sort", reason });
}
