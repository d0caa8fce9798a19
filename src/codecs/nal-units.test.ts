import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  annexBToLengthPrefixed,
  isLengthPrefixed,
  lengthPrefixedToAnnexB,
  MAX_ACCESS_UNIT_BYTES,
  nalUnitEnd,
  toFourByteLengths,
  unescapeRbsp,
} from "./nal-units.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

const annexBTable = [
  {
    name: "3-byte start codes",
    annexB: "000001 6742 000001 68ce",
    prefixed: "00000002 6742 00000002 68ce",
  },
  {
    name: "4-byte start codes",
    annexB: "00000001 6742 00000001 68ce",
    prefixed: "00000002 6742 00000002 68ce",
  },
  {
    name: "trailing zero bytes",
    annexB: "000001 6742 000000000001 68 0000",
    prefixed: "00000002 6742 00000001 68",
  },
  { name: "bytes before the first start code", annexB: "ff00 000001 65", prefixed: "00000001 65" },
  { name: "an empty unit between two start codes", annexB: "000001 000001 65", prefixed: "00000001 65" },
  {
    name: "ones that are no start codes",
    annexB: "000001 65 01 0001 01",
    prefixed: "00000005 65 01 0001 01",
  },
  {
    name: "an emulation prevention byte",
    annexB: "000001 65 000003 01",
    prefixed: "00000005 65 000003 01",
  },
];

for (const { name, annexB, prefixed } of annexBTable) {
  test(`Annex B with ${name} becomes length-prefixed`, () => {
    assert.deepEqual(annexBToLengthPrefixed(bytes(annexB)), bytes(prefixed));
  });
}

for (const [name, annexB] of [
  ["nothing", ""],
  ["no start code", "65 00 00 02"],
  ["a start code without a unit", "00000001"],
  ["only zeros", "00000000"],
] as const) {
  test(`Annex B of ${name} has no NAL unit`, () =>
    assert.equal(annexBToLengthPrefixed(bytes(annexB)), null));
}

test("length-prefixed units become Annex B of the same size", () => {
  assert.deepEqual(
    lengthPrefixedToAnnexB(bytes("00000002 6742 00000001 68")),
    bytes("00000001 6742 00000001 68"),
  );
});

test("a unit cut at every byte is refused, except at unit borders", () => {
  const whole = bytes("00000002 6742 00000003 68ce3c");
  for (let cut = 0; cut <= whole.length; cut++) {
    const part = whole.subarray(0, cut);
    if (cut === 0 || cut === 6 || cut === whole.length) {
      assert.equal(lengthPrefixedToAnnexB(part).length, cut);
      assert.equal(isLengthPrefixed(part), cut > 0);
    } else {
      assert.throws(() => lengthPrefixedToAnnexB(part), { code: "CODEC_BAD_UNIT" }, `cut at ${cut}`);
      assert.equal(isLengthPrefixed(part), false, `cut at ${cut}`);
    }
  }
});

test("a length of 4 GiB does not wrap around to a small offset", () => {
  assert.equal(nalUnitEnd(bytes("ffffffff 65"), 0), -1);
  assert.equal(nalUnitEnd(bytes("00000000"), 0), 4);
  assert.equal(nalUnitEnd(bytes("000000"), 0), -1);
});

const widths = [
  { size: 1, narrow: "02 6742 01 68", wide: "00000002 6742 00000001 68" },
  { size: 2, narrow: "0002 6742 0001 68", wide: "00000002 6742 00000001 68" },
  { size: 3, narrow: "000002 6742 000001 68", wide: "00000002 6742 00000001 68" },
  { size: 4, narrow: "00000002 6742 00000001 68", wide: "00000002 6742 00000001 68" },
];
for (const { size, narrow, wide } of widths) {
  test(`length fields of ${size} bytes are widened to 4`, () => {
    assert.deepEqual(toFourByteLengths(bytes(narrow), size), bytes(wide));
  });
}

test("widening refuses units that go past the end, cut fields, and field sizes that do not exist", () => {
  assert.throws(() => toFourByteLengths(bytes("0005 67"), 2), { code: "CODEC_BAD_UNIT" });
  assert.throws(() => toFourByteLengths(bytes("0001 67 00"), 2), { code: "CODEC_BAD_UNIT" });
  assert.throws(() => toFourByteLengths(bytes("0001 67 00 00 00 00"), 5), { code: "CODEC_BAD_UNIT" });
});

test("an access unit over the limit is refused before anything is copied", () => {
  const huge = new Uint8Array(MAX_ACCESS_UNIT_BYTES + 1);
  for (const convert of [
    annexBToLengthPrefixed,
    lengthPrefixedToAnnexB,
    (au: Uint8Array) => toFourByteLengths(au, 2),
  ]) {
    assert.throws(() => convert(huge), { code: "CODEC_TOO_BIG" });
  }
});

const escapes = [
  { escaped: "0102 03", rbsp: "0102 03" },
  { escaped: "0000 03 01", rbsp: "0000 01" },
  { escaped: "0000 03", rbsp: "0000" },
  { escaped: "0000 03 0000 03 00", rbsp: "0000 0000 00" },
  { escaped: "000000 03 01", rbsp: "000000 01" },
  { escaped: "", rbsp: "" },
];
for (const { escaped, rbsp } of escapes) {
  test(`unescaping ${escaped || "nothing"} gives ${rbsp || "nothing"}`, () => {
    const input = bytes(escaped);
    assert.deepEqual(
      Buffer.from(unescapeRbsp(input, 0, input.length, 100)).toString("hex"),
      rbsp.replaceAll(" ", ""),
    );
  });
}

test("unescaping stops at its bound", () => {
  assert.equal(unescapeRbsp(new Uint8Array(1000), 0, 1000, 10).length, 10);
  assert.equal(unescapeRbsp(bytes("0000 03 0000 03 0000"), 0, 8, 4).length, 3);
});

/** What an encoder does; only here, to turn around what the room undoes. */
function escape(rbsp: Uint8Array): Uint8Array {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(out);
}

const smallBytes = fc.uint8Array({ max: 4, maxLength: 40 });

test("unescaping undoes escaping for any bytes", () => {
  fc.assert(
    fc.property(smallBytes, (rbsp) => {
      const escaped = escape(rbsp);
      assert.deepEqual([...unescapeRbsp(escaped, 0, escaped.length, 100)], [...rbsp]);
    }),
    { seed: 1 },
  );
});

test("any units survive the way to Annex B and back", () => {
  const unit = smallBytes.map((rbsp) => Uint8Array.from([0x65, ...escape(rbsp), 0x80]));
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 5 }), (units) => {
      const prefixed = Uint8Array.from(units.flatMap((nalu) => [0, 0, 0, nalu.length, ...nalu]));
      assert.deepEqual(annexBToLengthPrefixed(lengthPrefixedToAnnexB(prefixed)), prefixed);
    }),
    { seed: 2 },
  );
});
