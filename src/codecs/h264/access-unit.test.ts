import assert from "node:assert/strict";
import { test } from "node:test";
import { findH264ParameterSets, isH264RandomAccess } from "./access-unit.ts";

/** Joins NAL units, given in hexadecimal, with their 4-byte lengths. */
function accessUnit(...units: string[]): Uint8Array {
  const parts = units.map((unit) => Buffer.from(unit.replaceAll(" ", ""), "hex"));
  return Uint8Array.from(parts.flatMap((part) => [0, 0, 0, part.length, ...part]));
}

const DELIMITER = "09 f0";
const IDR = "65 88 84";
// Bits of a slice header: first_mb_in_slice ue(0) = 1, slice_type ue(7) = 0001000, ...
const I_SLICE = "41 88 80";
const SI_SLICE = "41 8a 80"; // slice_type 9
const P_SLICE = "41 9a 80"; // slice_type 5 = 00110
const RECOVERY_NOW = "06 06 01 c4 80"; // recovery_frame_cnt ue(0)
const RECOVERY_LATER = "06 06 01 5c 80"; // recovery_frame_cnt ue(1)
const USER_DATA = `06 05 ff 10 ${"00".repeat(0x10f)} 80`;

const table: readonly { name: string; units: string[]; isSync: boolean }[] = [
  { name: "an IDR picture", units: [IDR], isSync: true },
  { name: "parameter sets and an IDR picture", units: [DELIMITER, "67 42", "68 ce", IDR], isSync: true },
  { name: "an I picture with a recovery point", units: [RECOVERY_NOW, I_SLICE], isSync: true },
  { name: "an SI picture with a recovery point", units: [RECOVERY_NOW, SI_SLICE], isSync: true },
  {
    name: "an I field and a P field with a recovery point",
    units: [RECOVERY_NOW, I_SLICE, P_SLICE],
    isSync: true,
  },
  {
    name: "a recovery point behind another SEI message",
    units: ["06 01 01 00 06 01 c4 80", I_SLICE],
    isSync: true,
  },
  {
    name: "an I picture with a recovery point in the future",
    units: [RECOVERY_LATER, I_SLICE],
    isSync: false,
  },
  {
    name: "a P picture with a recovery point (intra refresh)",
    units: [RECOVERY_NOW, P_SLICE],
    isSync: false,
  },
  { name: "an I picture alone", units: [DELIMITER, I_SLICE], isSync: false },
  { name: "a P picture", units: [P_SLICE], isSync: false },
  { name: "parameter sets alone", units: ["67 42", "68 ce"], isSync: false },
  { name: "an SEI message without end", units: ["06 ff ff ff", I_SLICE], isSync: false },
  { name: "an empty unit", units: ["", IDR], isSync: true },
  { name: "nothing", units: [], isSync: false },
];

for (const { name, units, isSync } of table) {
  test(`${name} is ${isSync ? "" : "not "}a random access point`, () => {
    assert.equal(isH264RandomAccess(accessUnit(...units)), isSync);
  });
}

test("SEI messages of 255 bytes and more are passed over", () => {
  const long = Buffer.from(USER_DATA.replaceAll(" ", ""), "hex");
  const head = [0, 0, long.length >> 8, long.length & 0xff];
  const both = Uint8Array.from([...head, ...long, ...accessUnit(RECOVERY_NOW, I_SLICE)]);
  assert.equal(isH264RandomAccess(both), true);
});

test("an access unit cut at every byte never makes trouble", () => {
  const whole = accessUnit(DELIMITER, "67 42", RECOVERY_NOW, I_SLICE);
  for (let cut = 0; cut < whole.length; cut++)
    assert.equal(isH264RandomAccess(whole.subarray(0, cut)), false);
});

test("parameter sets are found in band", () => {
  const found = findH264ParameterSets(accessUnit(DELIMITER, "67 42 c0", "68 ce", "", IDR));
  assert.deepEqual(
    found.sps.map((set) => [...set]),
    [[0x67, 0x42, 0xc0]],
  );
  assert.deepEqual(
    found.pps.map((set) => [...set]),
    [[0x68, 0xce]],
  );
  assert.deepEqual(findH264ParameterSets(Uint8Array.of(0, 0, 0, 9, 0x67)), { sps: [], pps: [] });
});
