import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { knownFields } from "./known-fields.ts";
import { listPage } from "./list-page.ts";
import { MAX_LIMIT, readListQuery } from "./list-query.ts";
import type { ListSpec } from "./list-query.ts";
import { rowOf } from "./row.ts";

const SPEC: ListSpec = {
  key: "name",
  defaultSort: "name",
  searched: ["name"],
  fields: knownFields({
    type: "object",
    properties: {
      name: { type: "string" },
      position: { type: "number" },
      disabled: { type: "boolean" },
      labels: { type: "object", additionalProperties: { type: "string" } },
    },
  }),
};
const ROWS = ["a", "b", "c"].map((name, position) =>
  rowOf(name, { name, position, labels: { one: name } }),
);

/** The query of a list, cursor included. */
export const fuzz: TextFuzzTarget = {
  name: "list-query",
  seeds: [
    "limit=2&sort=-position,name&name_ne=a,b&q=c&select=labels.one",
    "position_gte=1&labels.one_like=b&disabled_is=null",
    `cursor=${Buffer.from('name_gt="a"&$position_gt="a"&$reversed=true').toString("base64url")}`,
    'cursor-text=position_lt=1&name_gt="b"&$position_gte="b"',
  ],
  dictionary: [
    "_is_not=null",
    "_like=",
    "__proto__",
    "constructor",
    "$position_gt",
    "$reversed=true",
    "%00",
  ],
  run(text) {
    const plain = /^cursor-text=(.*)$/s.exec(text)?.[1];
    const query = plain === undefined ? text : `cursor=${Buffer.from(plain).toString("base64url")}`;
    const read = readListQuery(new URLSearchParams(query), SPEC);
    assert.ok(read.limit >= 1 && read.limit <= MAX_LIMIT);
    const page = listPage(ROWS, read, SPEC);
    assert.ok(page.rows.length <= read.limit && page.count <= ROWS.length);
    for (const cursor of [page.next, page.prev])
      if (cursor !== null) readListQuery(new URLSearchParams({ cursor }), SPEC);
  },
};
