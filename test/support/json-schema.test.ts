import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaFaults } from "./json-schema.ts";

const ROOT = { names: { Id: { type: "string", pattern: "^[a-z]+$" } } };
const OBJECT = {
  type: "object",
  properties: { id: { $ref: "#/names/Id" }, n: { type: "integer", minimum: 0 } },
  required: ["id"],
  additionalProperties: false,
};

const TABLE: readonly (readonly [value: unknown, schema: unknown, faults: number])[] = [
  [{ id: "a", n: 1 }, OBJECT, 0],
  [{ n: -1, x: 1 }, OBJECT, 3],
  [{ id: "1" }, OBJECT, 1],
  [[1, "a"], { type: "array", prefixItems: [{ type: "integer" }, { type: "string" }] }, 0],
  [["a", 1], { type: "array", items: { type: "string" } }, 1],
  [null, { anyOf: [{ type: "string" }, { type: "null" }] }, 0],
  [1.5, { type: "integer" }, 1],
  ["b", { enum: ["a"] }, 1],
  ["a", { const: "a" }, 0],
  [{ any: "x" }, { type: "object", additionalProperties: { type: "string" } }, 0],
  [{ any: 1 }, { type: "object", additionalProperties: { type: "string" } }, 1],
];
for (const [value, schema, faults] of TABLE)
  test(`${JSON.stringify(value)} has ${faults} faults by ${JSON.stringify(schema).slice(0, 60)}`, () =>
    assert.equal(schemaFaults(value, schema, ROOT).length, faults));
