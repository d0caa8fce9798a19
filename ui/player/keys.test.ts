import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, KEYS } from "./keys.js";

const press = (key: string, more: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});

test("every key of the list does what the list says, also as a capital", () => {
  for (const { action, keys } of KEYS) {
    for (const key of keys) assert.equal(actionOf(press(key), "none"), action);
    assert.equal(actionOf(press(keys[0]!.toUpperCase()), "none"), action);
  }
});

test("no key stands twice", () => {
  const keys = KEYS.flatMap((entry) => entry.keys);
  assert.equal(new Set(keys).size, keys.length);
});

const own: [key: string, more: object, focused: "select" | "control" | "none"][] = [
  ["m", { ctrlKey: true }, "none"],
  ["f", { metaKey: true }, "none"],
  ["ArrowLeft", { altKey: true }, "none"],
  [" ", {}, "control"],
  ["ArrowUp", {}, "control"],
  ["m", {}, "select"],
  ["x", {}, "none"],
  ["Tab", {}, "none"],
];
for (const [key, more, focused] of own) {
  test(`"${key}" ${JSON.stringify(more)} is left alone where the focus is on: ${focused}`, () =>
    assert.equal(actionOf(press(key, more), focused), null));
}

test("letters work on a button as well", () => assert.equal(actionOf(press("m"), "control"), "mute"));
