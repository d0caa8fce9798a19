import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaText } from "./schema-text.js";

const ROOT = { names: { Id: { type: "string" } } };
const TABLE: readonly (readonly [schema: object | undefined, text: string])[] = [
  [undefined, "nothing"],
  [{}, "anything"],
  [{ type: "integer", minimum: 1, maximum: 10 }, "integer 1..10"],
  [{ type: "array", items: { $ref: "#/names/Id" } }, "string[]"],
  [{ anyOf: [{ const: "a" }, { enum: [1, 2] }] }, '"a" | 1 | 2'],
  [{ type: "object" }, "{ ... }"],
  [{ $ref: "#/nowhere" }, "anything"],
  [
    {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "object", properties: { c: {} } } },
      required: ["a"],
    },
    "{\n  a: string\n  b?: {\n    c?: anything\n  }\n}",
  ],
];
for (const [schema, text] of TABLE)
  test(`${JSON.stringify(schema)} is shown as ${text.replaceAll("\n", " ")}`, () =>
    assert.equal(schemaText(schema, ROOT), text));
