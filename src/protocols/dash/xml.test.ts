import assert from "node:assert/strict";
import { test } from "node:test";
import { writeXmlDocument, xmlElement, xmlText } from "./xml.ts";

test("a document is one element a line, with what has no value left out", () => {
  const root = xmlElement("A", { x: 1, y: null, z: "text" }, [
    xmlElement("B", {}),
    xmlElement("C", {}, [xmlElement("D", { d: 0 })]),
  ]);
  assert.equal(
    writeXmlDocument(root),
    `<?xml version="1.0" encoding="UTF-8"?>
<A x="1" z="text">
  <B/>
  <C>
    <D d="0"/>
  </C>
</A>
`,
  );
});

test("an element of text has it between its tags, and nothing in it is markup", () => {
  assert.ok(writeXmlDocument(xmlText("L", "a <b> & c")).endsWith("\n<L>a &#60;b&#62; &#38; c</L>\n"));
});

const values = [
  ["a&b", "a&#38;b"],
  ['<">', "&#60;&#34;&#62;"],
  ["it's\n\t\r", "it&#39;s&#10;&#9;&#13;"],
  ["plain ?token=%26", "plain ?token=%26"],
] as const;
for (const [value, written] of values) {
  test(`the value ${JSON.stringify(value)} stays one`, () =>
    assert.ok(writeXmlDocument(xmlElement("A", { v: value })).includes(`<A v="${written}"/>`)));
}
