import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readCursor, writeCursor } from "./cursor.ts";
import { knownFields } from "./known-fields.ts";
import { finish } from "../../base/steps.ts";
import { itemSteps, listPage, listReply } from "./list-page.ts";
import type { ListPage } from "./list-page.ts";
import { asksFor, readListQuery } from "./list-query.ts";
import type { ListSpec } from "./list-query.ts";
import { rowOf } from "./row.ts";

type Item = { readonly name: string; readonly [field: string]: unknown };

const number = { type: "number" };
const string = { type: "string" };
const SPEC: ListSpec = {
  key: "name",
  defaultSort: "position,name",
  searched: ["name", "title"],
  others: ["format"],
  fields: knownFields({
    type: "object",
    properties: {
      name: string,
      title: { anyOf: [string, { type: "null" }] },
      position: number,
      disabled: { type: "boolean" },
      labels: { type: "object", additionalProperties: string },
      inputs: { type: "array", items: { type: "object", properties: { url: string } } },
      stats: { type: "object", properties: { status: string, bitrate: number } },
    },
  }),
};

const ITEMS: readonly Item[] = [
  { name: "a", position: 3, title: "One", stats: { status: "running", bitrate: 100 } },
  { name: "b", position: 1, disabled: true, stats: { status: "waiting", bitrate: 0 } },
  { name: "c", position: 2, labels: { city: "Oslo" }, stats: { status: "running", bitrate: 50 } },
  { name: "d", position: 2, inputs: [{ url: "publish://" }, { url: "file://x" }], stats: {} },
  { name: "e", title: "One, two" },
];

function page(query: string, items: readonly Item[] = ITEMS, spec = SPEC): ListPage {
  const read = readListQuery(new URLSearchParams(query), spec);
  return listPage(
    items.map((item) => rowOf(item.name, item)),
    read,
    spec,
  );
}

function names(query: string, items?: readonly Item[]): string {
  return page(query, items)
    .rows.map(({ key }) => key)
    .join("");
}

const TABLE: readonly (readonly [query: string, want: string])[] = [
  ["", "bcdae"],
  ["sort=name", "abcde"],
  ["sort=-name", "edcba"],
  ["sort=-stats.bitrate", "acbde"],
  ["sort=stats.bitrate", "bcade"],
  ["sort=stats.status,-name", "cabed"],
  ["sort=", "abcde"],
  ["limit=2", "bc"],
  ["name=a,c", "ca"],
  ["name_ne=a,c", "bde"],
  ["position=2", "cd"],
  ["position_gt=1&position_lte=2", "cd"],
  ["position_gte=2&position_lt=3", "cd"],
  ["stats.status=running", "ca"],
  ["stats.status_ne=running", "bde"],
  ["stats.bitrate_is=null", "de"],
  ["stats.bitrate_is_not=null", "bca"],
  ["stats.bitrate_is=not_null", "bca"],
  ["stats_is_not=null", "bcda"],
  ["stats_is=null", "e"],
  ["inputs_is_not=null", "d"],
  ["labels_is_not=null", "c"],
  ["labels_is=null", "bdae"],
  ["disabled=true", "b"],
  ["labels.city=Oslo", "c"],
  ["labels.city_like=osl", "c"],
  ["inputs.url=file://x", "d"],
  ["inputs.url_like=PUBLISH,file", "d"],
  ["title_like=two", "e"],
  ["q=one", "ae"],
  ["q=zzz", ""],
  ["name_gt=c", "de"],
  ["format=json", "bcdae"],
];
for (const [query, want] of TABLE)
  test(`a list asked for "${query}" is ${want}`, () => assert.equal(names(query), want));

const REFUSED: readonly (readonly [query: string, code: string])[] = [
  ["nothing=1", "API_BAD_FIELD"],
  ["name_regex=1", "API_BAD_FIELD"],
  ["position_gt=many", "API_BAD_FIELD"],
  ["position=1,x", "API_BAD_FIELD"],
  ["position=1e999", "API_BAD_FIELD"],
  ["disabled=yes", "API_BAD_FIELD"],
  ["title_is=nothing", "API_BAD_FIELD"],
  ["stats=1", "API_BAD_FIELD"],
  ["__proto__=1", "API_BAD_FIELD"],
  ["constructor.name=1", "API_BAD_FIELD"],
  ["limit=0", "API_BAD_FIELD"],
  ["limit=10001", "API_BAD_FIELD"],
  ["limit=-1", "API_BAD_FIELD"],
  ["limit=ten", "API_BAD_FIELD"],
  ["sort=nothing", "API_BAD_FIELD"],
  ["sort=stats", "API_BAD_FIELD"],
  [`sort=${"name,".repeat(9)}`, "API_BAD_FIELD"],
  ["select=nothing", "API_BAD_FIELD"],
  [`select=${"name,".repeat(201)}`, "API_BAD_FIELD"],
  [Array.from({ length: 51 }, () => "name=a").join("&"), "API_BAD_FIELD"],
  [`name=${"a,".repeat(1001)}`, "API_BAD_FIELD"],
  ["cursor=!", "API_BAD_CURSOR"],
  ["cursor=e30", "API_BAD_CURSOR"],
  [`cursor=${"a".repeat(8193)}`, "API_BAD_CURSOR"],
  [`cursor=${Buffer.from("name_gt=x&$position_gt=1").toString("base64")}`, "API_BAD_CURSOR"],
  [`cursor=${Buffer.from("name_gt={}&$position_gt=%221%22").toString("base64")}`, "API_BAD_CURSOR"],
  [`cursor=${Buffer.from("nothing_gt=1&$position_gt=%221%22").toString("base64")}`, "API_BAD_FIELD"],
  [`cursor=${Buffer.from("$reversed=true&".repeat(11)).toString("base64")}`, "API_BAD_CURSOR"],
];
for (const [query, code] of REFUSED)
  test(`a list asked for "${query.slice(0, 40)}" is refused`, () =>
    assert.throws(() => page(query), { code }));

test("a cursor of another order is refused", () => {
  const { next } = page("limit=2&sort=name");
  assert.throws(() => page(`sort=-name&cursor=${next}`), { code: "API_BAD_CURSOR" });
});

test("a cursor alone goes on in its own order", () => {
  const { next } = page("limit=2&sort=-name");
  assert.equal(names(`cursor=${next}&limit=9`), "cba");
});

test("a cursor reads as it was written, and is a query string over the sort keys in base64", () => {
  const cursor = {
    sort: [{ path: "stats.bitrate", isDescending: true }],
    place: { values: [12], key: "news" },
    isReversed: true,
    isInclusive: false,
  };
  const text = writeCursor(cursor);
  assert.deepEqual(readCursor(text), cursor);
  const query = new URLSearchParams(Buffer.from(text, "base64").toString());
  assert.deepEqual(Object.fromEntries(query), {
    "stats.bitrate_lt": "12",
    $position_gt: '"news"',
    $reversed: "true",
  });
});

test("a selection tells the key and what was asked for, also inside lists", () => {
  const query = readListQuery(new URLSearchParams("select=stats.bitrate,inputs.url&name=a,d"), SPEC);
  const chosen = listPage(
    ITEMS.map((item) => rowOf(item.name, item)),
    query,
    SPEC,
  );
  const reply = listReply("items", { items: finish(itemSteps(chosen, query)), page: chosen });
  assert.deepEqual(reply, {
    items: [
      { name: "d", inputs: [{ url: "publish://" }, { url: "file://x" }], stats: {} },
      { name: "a", stats: { bitrate: 100 } },
    ],
    estimated_count: 2,
    next: null,
    prev: null,
    timing: {},
  });
});

test("only fields that a query needs are asked for", () => {
  const query = readListQuery(new URLSearchParams("sort=-stats.bitrate&name=a"), SPEC);
  assert.equal(asksFor(query, "stats"), true);
  assert.equal(asksFor(query, "stats.status"), false);
});

test("whoever comes back from a page that is empty by now misses nothing", () => {
  const { next } = page("limit=4&sort=name");
  const left = ITEMS.slice(0, 4);
  const empty = page(`limit=4&sort=name&cursor=${next}`, left);
  assert.deepEqual([empty.rows.length, empty.next], [0, null]);
  assert.equal(names(`limit=9&cursor=${empty.prev}`, left), "abcd");
});

describe("walking through a list that changes", () => {
  const letters = fc.constantFrom("a", "b", "c", "x", "y", "z", "-");
  const item = fc.record({
    name: fc.string({ unit: letters, minLength: 1, maxLength: 2 }),
    position: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  });
  const list = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 25 });
  const sort = fc.constantFrom("name", "-name", "position", "-position,name", "-position,-name", "");

  test("meets what stays once, in order, forwards and back", () => {
    fc.assert(
      fc.property(list, list, sort, fc.integer({ min: 1, max: 5 }), (stays, comes, order, limit) => {
        const names_ = new Set(stays.map(({ name }) => name));
        const others = comes.filter(({ name }) => !names_.has(name));
        const whole = names(`limit=1000&sort=${order}`, stays);
        let steps = 0;
        const walk = (way: "next" | "prev", from: string | null): string => {
          const met: string[] = [];
          let cursor = from;
          for (let first = true; first || cursor !== null; first = false) {
            // At each step others are there, or are not.
            const now = steps++ % 2 === 0 ? stays : [...stays, ...others];
            const rest = cursor === null ? "" : `&cursor=${cursor}`;
            const found = page(`limit=${limit}&sort=${order}${rest}`, now);
            const kept = found.rows.map(({ key }) => key).filter((key) => names_.has(key));
            if (way === "next") met.push(...kept);
            else met.unshift(...kept);
            cursor = found[way];
            assert.ok(steps < 500, "it goes on for ever");
          }
          return met.join("");
        };
        assert.equal(walk("next", null), whole);
        const last = stays.at(-1);
        if (last === undefined) return;
        const end = {
          sort: readListQuery(new URLSearchParams({ sort: order }), SPEC).sort,
          place: { values: [null, null], key: "\uFFFF" },
          isReversed: true,
          isInclusive: false,
        };
        if (order.includes("position") && !order.includes("name"))
          assert.equal(walk("prev", writeCursor(end)), whole);
      }),
      { numRuns: 300 },
    );
  });

  test("each page leads back to the one before it", () => {
    fc.assert(
      fc.property(list, sort, fc.integer({ min: 1, max: 5 }), (items, order, limit) => {
        let before: ListPage | null = null;
        let found = page(`limit=${limit}&sort=${order}`, items);
        while (found.next !== null) {
          before = found;
          found = page(`limit=${limit}&sort=${order}&cursor=${found.next}`, items);
          const back = page(`limit=${limit}&sort=${order}&cursor=${found.prev}`, items);
          assert.deepEqual(
            back.rows.map(({ key }) => key),
            before.rows.map(({ key }) => key),
          );
        }
        if (before === null) assert.equal(found.prev, null);
      }),
      { numRuns: 200 },
    );
  });
});

test("a page of ten thousand objects costs little", () => {
  const items = Array.from({ length: 10_000 }, (_, i) => ({
    name: `stream-${(i * 7919) % 10_000}`,
    position: i % 10,
    stats: { status: i % 2 === 0 ? "running" : "waiting", bitrate: (i * 31) % 997 },
  }));
  let written = 0;
  const rows = items.map((item) => {
    const row = rowOf(item.name, item);
    return { ...row, json: () => (written++, row.json()) };
  });
  const query = readListQuery(
    new URLSearchParams("sort=-stats.bitrate,name&stats.status=running&limit=100"),
    SPEC,
  );
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    const chosen = listPage(rows, query, SPEC);
    const reply = listReply("items", { items: finish(itemSteps(chosen, query)), page: chosen });
    const { estimated_count } = reply as { estimated_count: number };
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
    assert.equal(estimated_count, 5000);
  }
  assert.equal(written, 500, "only the objects of the page are made whole");
  // Measured: 8 ms. The bound is for machines that others use too.
  assert.ok(Math.min(...times) < 60, `${times.join(", ")} ms`);
});
