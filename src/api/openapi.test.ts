import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openApiFaults } from "../../test/support/openapi-rules.ts";
import { openApiDocument } from "./openapi.ts";
import { OPERATIONS } from "./operations/all.ts";

const DOCUMENT = openApiDocument(OPERATIONS, { version: "1.0.0" });

/** Each replaces one text of the description by another. */
const SLIPS: readonly (readonly [what: string, from: string, to: string, fault: RegExp])[] = [
  ["another version", '"3.1.0"', '"3.0.3"', /no 3\.1/],
  ["no title", '"title":"Weir"', '"x-title":"Weir"', /title is missing/],
  ["a field that is none", '"tags":["streams"]', '"tags":["streams"],"tag":1', /tag is no field/],
  ["an id twice", '"operationId":"streamGet"', '"operationId":"streamsList"', /also GET \/streams/],
  [
    "an id that is no name",
    '"operationId":"streamGet"',
    '"operationId":"stream-get"',
    /no name of a function/,
  ],
  [
    "a parameter that the path has not",
    '"/streams/{name}/stop"',
    '"/streams/{nam}/stop"',
    /nam is not declared/,
  ],
  [
    "a parameter that the path does not name",
    '"/streams/{name}/stop"',
    '"/streams/stop"',
    /name is not in the path/,
  ],
  ["the same path twice", '"/vods/{prefix}":', '"/streams/{prefix}":', /is the same as/],
  ["a path without a slash", '"/streams":', '"streams":', /begin with a slash/],
  ["a method that is none", '"/streams":{"get"', '"/streams":{"fetch"', /no such method/],
  [
    "a parameter that may be left out of a path",
    '"in":"path","required":true',
    '"in":"path","required":false',
    /has to be required/,
  ],
  ["a parameter that is nowhere", '"in":"query"', '"in":"body"', /is nowhere/],
  ["a parameter twice", '"name":"cursor"', '"name":"limit"', /there twice/],
  ["a type that is none", '"text/event-stream"', '"events"', /no media type/],
  ["a status that is none", '"404":', '"4xx":', /no status/],
  [
    "a 204 with a body",
    '"204":{"description":"It is done"',
    '"204":{"description":"It is done","content":{}',
    /204 has no body/,
  ],
  [
    "an answer without a description",
    '"description":"It is done"',
    '"x-description":"It is done"',
    /description is missing/,
  ],
  [
    "a reference that leads nowhere",
    '"#/components/schemas/Error"',
    '"#/components/schemas/Eror"',
    /leads nowhere/,
  ],
  ["a reference to elsewhere", '"#/components/schemas/Error"', '"error.json"', /leads elsewhere/],
  ["a keyword that is none", '"propertyNames"', '"propertyName"', /no keyword/],
  ["a type of JSON that is none", '"type":"boolean"', '"type":"bool"', /no type/],
  ["a word twice", '"enum":["config","user"]', '"enum":["config","config"]', /there twice/],
  ["bounds the wrong way round", '"minimum":1,"maximum":10000', '"minimum":10001,"maximum":10000', /above/],
  ["security that nobody knows", '"security":[{"basic"', '"security":[{"oauth"', /no security scheme/],
  [
    "a required property that is none",
    '"required":["errors"]',
    '"required":["error"]',
    /required and no property/,
  ],
  ["an array of nobody knows what", '"type":"array","items"', '"type":"array","x-items"', /nobody says/],
];

describe("the description of the API", () => {
  test("keeps the rules of OpenAPI", () => assert.deepEqual(openApiFaults(DOCUMENT), []));

  for (const [what, from, to, fault] of SLIPS)
    test(`would not have ${what}`, () => {
      const text = JSON.stringify(DOCUMENT);
      assert.ok(text.includes(from), `${from} is in it`);
      const faults = openApiFaults(JSON.parse(text.replace(from, to)));
      assert.ok(
        faults.some((one) => fault.test(one)),
        faults.join("\n"),
      );
    });

  test("says of integers that are more than 32 bits that they are", () => {
    const { Stream } = DOCUMENT.components.schemas;
    const { stats } = (Stream as { properties: { stats: { properties: Record<string, object> } } })
      .properties;
    assert.deepEqual(stats.properties["opened_at"], { type: "integer", minimum: 0, format: "int64" });
    const [limit] = DOCUMENT.paths["/streams"]!["get"]!.parameters;
    assert.deepEqual(limit!.schema, { type: "integer", minimum: 1, maximum: 10_000 });
  });
});
