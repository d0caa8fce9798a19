import assert from "node:assert/strict";
import { test } from "node:test";
import { packLanguage, threeLetterCode } from "./language-code.ts";

const table = [
  { tag: "en", code: "eng" },
  { tag: "pt-BR", code: "por" },
  { tag: "ENG", code: "eng" },
  { tag: "zh-Hant-TW", code: "zho" },
  { tag: "gsw", code: "gsw" },
  { tag: "und", code: "und" },
  { tag: "xx", code: "und" },
  { tag: "", code: "und" },
  { tag: "sl-rozaj", code: "slv" },
  { tag: "constructor", code: "und" },
];
for (const { tag, code } of table) {
  test(`"${tag}" is ${code} in three letters`, () => assert.equal(threeLetterCode(tag), code));
}

test("three letters are packed into 15 bits", () => {
  assert.equal(packLanguage("und"), 0x55c4);
  assert.equal(packLanguage("eng"), 0x15c7);
});
