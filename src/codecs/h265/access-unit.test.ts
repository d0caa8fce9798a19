import assert from "node:assert/strict";
import { test } from "node:test";
import { findH265ParameterSets, h265NalType, isH265RandomAccess } from "./access-unit.ts";

/** NAL units of the given types, with their 4-byte lengths. */
function accessUnit(...types: number[]): Uint8Array {
  return Uint8Array.from(types.flatMap((type) => [0, 0, 0, 3, type << 1, 1, 0x80]));
}

const table = [
  { name: "an IDR picture", types: [19], isSync: true },
  { name: "an IDR picture after parameter sets and SEI", types: [35, 32, 33, 34, 39, 20], isSync: true },
  { name: "a CRA picture", types: [21, 21], isSync: true },
  { name: "a BLA picture", types: [16], isSync: true },
  { name: "a reserved IRAP type", types: [23], isSync: true },
  { name: "a trailing picture", types: [1], isSync: false },
  { name: "a leading picture", types: [9, 8], isSync: false },
  { name: "a reserved type above IRAP", types: [24], isSync: false },
  { name: "parameter sets alone", types: [32, 33, 34], isSync: false },
  { name: "nothing", types: [], isSync: false },
];
for (const { name, types, isSync } of table) {
  test(`${name} is ${isSync ? "" : "not "}a random access point`, () => {
    assert.equal(isH265RandomAccess(accessUnit(...types)), isSync);
  });
}

test("an access unit cut at every byte never makes trouble", () => {
  const whole = accessUnit(35, 32, 19);
  for (let cut = 0; cut < whole.length; cut++)
    assert.equal(isH265RandomAccess(whole.subarray(0, cut)), false);
});

test("an empty unit is passed over", () => {
  const empty = Uint8Array.of(0, 0, 0, 0, ...accessUnit(32, 19));
  assert.equal(isH265RandomAccess(empty), true);
  assert.equal(findH265ParameterSets(empty).vps.length, 1);
});

test("parameter sets are found in band, up to a broken tail", () => {
  const found = findH265ParameterSets(Uint8Array.of(...accessUnit(32, 33, 34, 34, 19), 0, 0, 1));
  assert.deepEqual([found.vps.length, found.sps.length, found.pps.length], [1, 1, 2]);
  assert.equal(h265NalType(found.sps[0]![0]!), 33);
});
