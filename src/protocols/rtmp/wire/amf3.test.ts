import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_AMF_DEPTH, MAX_AMF_VALUES, amfObject } from "./amf-value.ts";
import type { AmfValue } from "./amf-value.ts";
import { readAmf3 } from "./amf3.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const named = (className: string | null, fields: Record<string, AmfValue>): AmfValue => ({
  kind: "object",
  className,
  fields: new Map(Object.entries(fields)),
});

const cases: { name: string; bytes: Uint8Array; value: AmfValue[] }[] = [
  { name: "the simple markers", bytes: hex("00 01 02 03"), value: [undefined, null, false, true] },
  {
    name: "integers of one to four bytes, signed over 29 bits",
    bytes: hex("04 00 04 7f 04 8100 04 ff7f 04 818000 04 80c08000 04 bfffffff 04 c0808000 04 ffffffff"),
    value: [0, 127, 128, 16_383, 16_384, 2_097_152, 268_435_455, -268_435_456, -1],
  },
  { name: "a double", bytes: hex("05 3ff8000000000000"), value: [1.5] },
  {
    name: "strings, and a reference to the first",
    bytes: hex("06 05 6162 06 03 63 06 00"),
    value: ["ab", "c", "ab"],
  },
  {
    name: "the empty string, which is never referred to",
    bytes: hex("06 01 06 05 6162 06 00"),
    value: ["", "ab", "ab"],
  },
  {
    name: "XML of both kinds",
    bytes: hex("07 03 78 0b 03 79"),
    value: [
      { kind: "xml", text: "x" },
      { kind: "xml", text: "y" },
    ],
  },
  {
    name: "a date and a reference to it",
    bytes: hex("08 01 3ff0000000000000 08 00"),
    value: [
      { kind: "date", ms: 1 },
      { kind: "date", ms: 1 },
    ],
  },
  { name: "a dense array", bytes: hex("09 05 01 01 03"), value: [[null, true]] },
  {
    name: "an array with named values",
    bytes: hex("09 03 03 61 03 01 02"),
    value: [amfObject({ a: true, 0: false }, "ecma-array")],
  },
  { name: "a dynamic object", bytes: hex("0a 0b 01 03 61 03 01"), value: [named(null, { a: true })] },
  {
    name: "objects of one class, the second by its traits",
    bytes: hex("0a 13 05 4142 03 61 03 0a 01 02"),
    value: [named("AB", { a: true }), named("AB", { a: false })],
  },
  { name: "a byte array", bytes: hex("0c 05 0102"), value: [Uint8Array.of(1, 2)] },
  {
    name: "vectors of numbers",
    bytes: hex("0d 03 00 ffffffff 0e 03 01 ffffffff 0f 03 00 3ff0000000000000"),
    value: [[-1], [0xffffffff], [1]],
  },
  { name: "a vector of objects", bytes: hex("10 05 00 01 01 03"), value: [[null, true]] },
  {
    name: "a dictionary",
    bytes: hex("11 03 00 06 03 61 03"),
    value: [{ kind: "dictionary", entries: [["a", true]] }],
  },
  {
    name: "an ArrayCollection, as the array in it",
    bytes: Uint8Array.from([
      0x0a,
      0x07,
      0x43,
      ...Buffer.from("flex.messaging.io.ArrayCollection"),
      0x09,
      0x03,
      0x01,
      0x03,
    ]),
    value: [[true]],
  },
];

for (const { name, bytes, value } of cases) {
  test(`reads ${name}`, () => {
    assert.deepEqual(readAmf3(bytes), value);
  });
  test(`refuses ${name} cut at every byte, or reads what was whole`, () => {
    for (let cut = 0; cut < bytes.byteLength; cut++) {
      try {
        assert.ok(readAmf3(bytes.subarray(0, cut)).length <= value.length, `cut at ${cut}`);
      } catch (caught) {
        assert.equal((caught as { code?: string }).code, "RTMP_AMF_TRUNCATED", `cut at ${cut}`);
      }
    }
  });
}

test("an object may hold itself", () => {
  const [value] = readAmf3(hex("0a 0b 01 03 61 0a 00 01"));
  assert.ok(typeof value === "object" && value !== null && "fields" in value);
  assert.equal(value.fields.get("a"), value);
});

const refused = [
  { name: "an unknown marker", bytes: hex("12"), code: "RTMP_AMF_TYPE" },
  { name: "a reference to no string", bytes: hex("06 00"), code: "RTMP_AMF_REFERENCE" },
  { name: "a reference to no object", bytes: hex("0a 00"), code: "RTMP_AMF_REFERENCE" },
  { name: "a reference to no traits", bytes: hex("0a 01"), code: "RTMP_AMF_REFERENCE" },
  { name: "a class with bytes of its own", bytes: hex("0a 07 03 41"), code: "RTMP_AMF_EXTERNALIZABLE" },
  {
    name: "an array that claims more than there is",
    bytes: hex("09 ffffffff 01"),
    code: "RTMP_AMF_TRUNCATED",
  },
  {
    name: "a vector that claims more than there is",
    bytes: hex("0f ffffffff 00"),
    code: "RTMP_AMF_TRUNCATED",
  },
  {
    name: "a class with more names than there are bytes",
    bytes: hex("0a ffffff f3 01"),
    code: "RTMP_AMF_TRUNCATED",
  },
  {
    name: "arrays nested too deep",
    bytes: hex("09 03 01".repeat(MAX_AMF_DEPTH + 1)),
    code: "RTMP_AMF_LIMIT",
  },
  { name: "too many values", bytes: new Uint8Array(MAX_AMF_VALUES + 1).fill(1), code: "RTMP_AMF_LIMIT" },
] as const;

for (const { name, bytes, code } of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => readAmf3(bytes), { code });
  });
}
