/** What a client asks of a list. */
import { apiErrors } from "../errors.ts";
import { readCursor } from "./cursor.ts";
import type { ListCursor } from "./cursor.ts";
import { readFilter } from "./filters.ts";
import type { FieldFilter } from "./filters.ts";
import type { KnownFields } from "./known-fields.ts";
import { readSort } from "./order.ts";
import type { SortKey } from "./order.ts";
import { readSelect } from "./select.ts";
import type { Selection } from "./select.ts";

/** Objects of a page where the client does not say. */
export const DEFAULT_LIMIT = 100;
/** Objects of a page at most. */
export const MAX_LIMIT = 10_000;

/** What a list is like. */
export type ListSpec = {
  /** The field that tells the objects apart: it is always told. */
  readonly key: string;
  /** As in `sort`. */
  readonly defaultSort: string;
  readonly fields: KnownFields;
  /** Where `q` looks. */
  readonly searched: readonly string[];
  /** Parameters of the address's own, which are no filters. */
  readonly others?: readonly string[];
};

/** A query as it was read. */
export type ListQuery = {
  readonly limit: number;
  readonly sort: readonly SortKey[];
  readonly selection: Selection | null;
  /** What `q` asks for. */
  readonly text: string | null;
  readonly filters: readonly FieldFilter[];
  readonly cursor: ListCursor | null;
};

const WORDS: readonly string[] = ["limit", "cursor", "sort", "select", "q"];
const MAX_FILTERS = 50;

/** Reads a query. A cursor without `sort` goes on in its own order. Throws: API_BAD_FIELD, API_BAD_CURSOR. */
export function readListQuery(query: URLSearchParams, spec: ListSpec): ListQuery {
  const known = new Set([...WORDS, ...(spec.others ?? [])]);
  const asked = [...query].filter(([name]) => !known.has(name));
  if (asked.length > MAX_FILTERS) throw refuse("the query", `it has more than ${MAX_FILTERS} filters`);
  const cursorText = query.get("cursor");
  const cursor = cursorText === null || cursorText === "" ? null : readCursor(cursorText);
  const sortText = query.get("sort");
  const wanted = sortText ?? (cursor === null ? spec.defaultSort : writeSort(cursor.sort));
  const sort = readSort(wanted, spec.fields);
  if (cursor !== null && writeSort(sort) !== writeSort(cursor.sort)) {
    const reason = "it belongs to a list that was sorted another way";
    throw apiErrors.error("API_BAD_CURSOR", { reason, parameter: "cursor" });
  }
  const select = query.get("select");
  return {
    limit: readLimit(query.get("limit")),
    sort,
    selection: select === null || select === "" ? null : readSelect(select, spec.fields, [spec.key]),
    text: query.get("q") === "" ? null : query.get("q"),
    filters: asked.map(([name, text]) => readFilter(name, text, spec.fields)),
    cursor,
  };
}

/** Whether the order, a filter or a search needs a field at or below `path`. */
export function asksFor({ sort, filters }: ListQuery, path: string): boolean {
  return [...sort, ...filters].some((one) => one.path === path || one.path.startsWith(`${path}.`));
}

function writeSort(sort: readonly SortKey[]): string {
  return sort.map(({ path, isDescending }) => (isDescending ? `-${path}` : path)).join(",");
}

function readLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw refuse("limit", `it is a whole number from 1 to ${MAX_LIMIT}`, "limit");
  return limit;
}

function refuse(field: string, reason: string, parameter?: string): Error {
  return apiErrors.error("API_BAD_FIELD", { field, reason, parameter });
}
