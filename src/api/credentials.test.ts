import assert from "node:assert/strict";
import { test } from "node:test";
import { accessOf } from "./credentials.ts";

const edit = { login: "root", password: "pass:word" };
const view = { login: "reader", password: "only" };
const encode = (text: string): string => Buffer.from(text).toString("base64");

const table: [header: string | undefined, want: string][] = [
  [`Basic ${encode("root:pass:word")}`, "edit"],
  [`Bearer ${encode("root:pass:word")}`, "edit"],
  [`basic ${encode("reader:only")}`, "view"],
  [`Bearer ${encode("root:pass:word\n")}`, "edit"],
  [`Bearer ${encode("reader:only\r\n")}`, "view"],
  [`Bearer ${encode("\nreader:only")}`, "none"],
  [`Bearer ${encode("reader:only ")}`, "none"],
  [`Bearer ${encode("\n")}`, "none"],
  [`Bearer ${encode("reader:other")}`, "none"],
  [`Bearer ${encode("")}`, "none"],
  ["Bearer root:pass:word", "none"],
  [`Digest ${encode("root:pass:word")}`, "none"],
  ["", "none"],
  [undefined, "none"],
];
for (const [header, want] of table) {
  test(`authorization "${header?.slice(0, 12)}" may ${want}`, () =>
    assert.equal(accessOf(header, edit, view), want));
}

test("where nobody is configured nobody gets in, not even with empty credentials", () => {
  for (const text of ["", ":", "root:", "\n"])
    assert.equal(accessOf(`Basic ${encode(text)}`, undefined, undefined), "none");
});
