/** One page of a list. */
import { finish } from "../../base/steps.ts";
import type { Steps } from "../../base/steps.ts";
import { writeCursor } from "./cursor.ts";
import type { ListCursor } from "./cursor.ts";
import { hasText, passes } from "./filters.ts";
import type { ListQuery, ListSpec } from "./list-query.ts";
import { comparePlaces, placeOf } from "./order.ts";
import type { RowPlace } from "./order.ts";
import type { ListRow, Plain } from "./row.ts";
import { selected } from "./select.ts";

/** The rows of a page, in their order. */
export type ListPage = {
  readonly rows: readonly ListRow[];
  /** Rows that pass the filters, on all pages. */
  readonly count: number;
  readonly next: string | null;
  readonly prev: string | null;
};

type Placed = { readonly row: ListRow; readonly place: RowPlace };

/**
 * Chooses a page. Rows that are there all the time are met exactly once by who follows `next`, or `prev`, to its end,
 * whatever comes and goes meanwhile, as long as their values of the sort keys stay.
 */
export function listPage(rows: Iterable<ListRow>, query: ListQuery, spec: ListSpec): ListPage {
  return finish(listPageSteps(rows, query, spec));
}

/** Rows of one step: of streams, some 0.05 ms, unless they are looked through whole. */
const ROWS_A_STEP = 32;

/** The same in steps. `rows` may come and go between them. */
export function* listPageSteps(rows: Iterable<ListRow>, query: ListQuery, spec: ListSpec): Steps<ListPage> {
  const { cursor, limit } = query;
  const isReversed = cursor?.isReversed ?? false;
  const sign = isReversed ? -1 : 1;
  const compare = (a: Placed, b: Placed): number => sign * comparePlaces(a.place, b.place, query.sort);
  const page = new Smallest(limit + 1, compare);
  let [seen, count, before] = [0, 0, 0];
  let edge: Placed | null = null;
  for (const row of rows) {
    if (++seen % ROWS_A_STEP === 0) yield;
    if (!isWanted(row, query, spec)) continue;
    count++;
    const placed = { row, place: placeOf(row, query.sort) };
    if (cursor === null || isBehind(placed.place, cursor)) page.add(placed);
    else {
      before++;
      if (edge === null || compare(placed, edge) > 0) edge = placed;
    }
  }
  const found = page.sorted();
  const hasMore = found.length > limit;
  const chosen = found.slice(0, limit);
  const onward = hasMore ? writeAt(query, chosen.at(-1)!.place, { isReversed }) : null;
  // A page of which nothing is left leads back all the same, to the row next to it.
  const back =
    before === 0
      ? null
      : chosen.length > 0
        ? writeAt(query, chosen[0]!.place, { isReversed: !isReversed })
        : writeAt(query, edge!.place, { isReversed: !isReversed, isInclusive: true });
  if (isReversed) chosen.reverse();
  const [next, prev] = isReversed ? [back, onward] : [onward, back];
  return { rows: chosen.map(({ row }) => row), count, next, prev };
}

/** The objects of a page, in steps. */
export function* itemSteps(
  { rows }: ListPage,
  { selection }: Pick<ListQuery, "selection">,
): Steps<unknown[]> {
  const items: unknown[] = [];
  for (const row of rows) {
    items.push(selection === null ? row.json() : selected(row.json(), selection));
    yield;
  }
  return items;
}

/** The reply of a list: `plural` has the objects. `timing`: what the API says of how long it took, in milliseconds. */
export function listReply(
  plural: string,
  { items, page }: { readonly items: readonly unknown[]; readonly page: ListPage },
  timing: Readonly<Record<string, number>> = {},
): object {
  return { [plural]: items, estimated_count: page.count, next: page.next, prev: page.prev, timing };
}

function isWanted(row: ListRow, { filters, text }: ListQuery, { searched }: ListSpec): boolean {
  for (const filter of filters) if (!passes(row, filter)) return false;
  return text === null || searched.some((path) => isFound(row.field(path), text));
}

function isFound(value: ReturnType<ListRow["field"]>, text: string): boolean {
  if (value === undefined || value === null) return false;
  return Array.isArray(value)
    ? (value as readonly Plain[]).some((one) => hasText(one, text))
    : hasText(value as Plain, text);
}

/** Whether a row is of the page that a cursor begins, or ends. */
function isBehind(place: RowPlace, cursor: ListCursor): boolean {
  const order = comparePlaces(place, cursor.place, cursor.sort);
  if (order === 0) return cursor.isInclusive;
  return cursor.isReversed ? order < 0 : order > 0;
}

function writeAt(
  { sort }: ListQuery,
  place: RowPlace,
  { isReversed, isInclusive = false }: { readonly isReversed: boolean; readonly isInclusive?: boolean },
): string {
  return writeCursor({ sort, place, isReversed, isInclusive });
}

/** The first `limit` of those that are added: holds no more than twice as many. */
class Smallest {
  readonly #limit: number;
  readonly #compare: (a: Placed, b: Placed) => number;
  #held: Placed[] = [];
  #last: Placed | null = null;

  constructor(limit: number, compare: (a: Placed, b: Placed) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(placed: Placed): void {
    if (this.#last !== null && this.#compare(placed, this.#last) > 0) return;
    this.#held.push(placed);
    if (this.#held.length < 2 * this.#limit) return;
    this.#held = this.sorted();
    this.#last = this.#held.at(-1)!;
  }

  sorted(): Placed[] {
    return this.#held.sort(this.#compare).slice(0, this.#limit);
  }
}
