import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_AMF_DEPTH, MAX_AMF_VALUES, amfField, amfObject } from "./amf-value.ts";
import type { AmfValue } from "./amf-value.ts";
import { readAmf0, writeAmf0 } from "./amf0.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const typed = { kind: "object", className: "ab", fields: new Map([["x", true]]) } as const;

/** Bytes and value; `written` false where the writer has another form for it. */
const cases: { name: string; bytes: Uint8Array; value: AmfValue[]; written?: false }[] = [
  { name: "a number", bytes: hex("00 3ff0000000000000"), value: [1] },
  { name: "truth values", bytes: hex("01 01 01 00"), value: [true, false] },
  { name: "a string in UTF-8", bytes: hex("02 0003 61 c3a9"), value: ["a\u00e9"] },
  { name: "null and undefined", bytes: hex("05 06"), value: [null, undefined] },
  { name: "unsupported", bytes: hex("0d"), value: [undefined], written: false },
  { name: "an object", bytes: hex("03 0001 61 05 000009"), value: [amfObject({ a: null })] },
  {
    name: "an associative array whose count says nothing",
    bytes: hex("08 00000063 0001 61 05 000009"),
    value: [amfObject({ a: null }, "ecma-array")],
    written: false,
  },
  {
    name: "an associative array",
    bytes: hex("08 00000001 0001 61 05 000009"),
    value: [amfObject({ a: null }, "ecma-array")],
  },
  { name: "a strict array", bytes: hex("0a 00000002 05 06"), value: [[null, undefined]] },
  { name: "a date", bytes: hex("0b 3ff0000000000000 0000"), value: [{ kind: "date", ms: 1 }] },
  { name: "a long string", bytes: hex("0c 00000002 6162"), value: ["ab"], written: false },
  { name: "an XML document", bytes: hex("0f 00000003 3c612f"), value: [{ kind: "xml", text: "<a/" }] },
  {
    name: "a typed object",
    bytes: hex("10 0002 6162 0001 78 0101 000009"),
    value: [typed],
    written: false,
  },
  {
    name: "a reference to an object",
    bytes: hex("03 0001 61 05 000009 07 0000"),
    value: [amfObject({ a: null }), amfObject({ a: null })],
    written: false,
  },
  { name: "a switch to AMF3", bytes: hex("11 06 05 6162 05"), value: ["ab", null], written: false },
  { name: "a field with an empty name", bytes: hex("03 0000 05 000009"), value: [amfObject({ "": null })] },
  {
    name: "field names that mean something to JavaScript",
    bytes: hex("03 0009 5f5f70726f746f5f5f 05 000009"),
    value: [{ kind: "object", className: null, fields: new Map([["__proto__", null]]) }],
  },
];

for (const { name, bytes, value, written } of cases) {
  test(`reads ${name}`, () => {
    assert.deepEqual(readAmf0(bytes), value);
  });
  if (written !== false) {
    test(`writes ${name}`, () => {
      assert.deepEqual(writeAmf0(value), bytes);
    });
  }
  test(`refuses ${name} cut at every byte, or reads what was whole`, () => {
    for (let cut = 0; cut < bytes.byteLength; cut++) {
      try {
        assert.ok(readAmf0(bytes.subarray(0, cut)).length <= value.length, `cut at ${cut}`);
      } catch (caught) {
        assert.match(
          String((caught as { code?: string }).code),
          /^RTMP_AMF_(?:TRUNCATED|TYPE)$/,
          `cut at ${cut}`,
        );
      }
    }
  });
}

test("a cyclic object is read and refers to itself", () => {
  const [value] = readAmf0(hex("03 0001 61 07 0000 000009"));
  assert.equal(amfField(value, "a"), value);
});

test("long strings are written in the long form", () => {
  const text = "x".repeat(70_000);
  const bytes = writeAmf0([text]);
  assert.equal(bytes[0], 0x0c);
  assert.deepEqual(readAmf0(bytes), [text]);
});

const refused = [
  { name: "a movie clip", bytes: hex("04"), code: "RTMP_AMF_TYPE" },
  { name: "a record set", bytes: hex("0e"), code: "RTMP_AMF_TYPE" },
  { name: "an unknown marker", bytes: hex("7f"), code: "RTMP_AMF_TYPE" },
  { name: "an object end without an object", bytes: hex("09"), code: "RTMP_AMF_TYPE" },
  { name: "a reference to nothing", bytes: hex("07 0000"), code: "RTMP_AMF_REFERENCE" },
  { name: "a string longer than the message", bytes: hex("02 ffff 61"), code: "RTMP_AMF_TRUNCATED" },
  { name: "an array longer than the message", bytes: hex("0a ffffffff 05"), code: "RTMP_AMF_TRUNCATED" },
  { name: "an object without end", bytes: hex("03 0001 61 05"), code: "RTMP_AMF_TRUNCATED" },
  {
    name: "objects nested too deep",
    bytes: hex(`${"030001 61".repeat(MAX_AMF_DEPTH + 1)}05`),
    code: "RTMP_AMF_LIMIT",
  },
  { name: "too many values", bytes: new Uint8Array(MAX_AMF_VALUES + 1).fill(5), code: "RTMP_AMF_LIMIT" },
] as const;

for (const { name, bytes, code } of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => readAmf0(bytes), { code });
  });
}

test("refuses to write values nested too deep", () => {
  let value: AmfValue = null;
  for (let i = 0; i <= MAX_AMF_DEPTH; i++) value = [value];
  assert.throws(() => writeAmf0([value]), { code: "RTMP_AMF_LIMIT" });
});

test("what is written is read back", () => {
  const { value: anyValue } = fc.letrec<{ value: AmfValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc
        .dictionary(fc.string({ minLength: 1 }), tie("value"), { maxKeys: 4 })
        .map((fields) => amfObject(fields)),
    ),
  }));
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
      assert.deepEqual(readAmf0(writeAmf0(values)), values);
    }),
    { numRuns: 200, seed: 2 },
  );
});
