import assert from "node:assert/strict";
import { test } from "node:test";
import { copiedMarker, isCopiedTo, parseCopiedMarker } from "./copied-marker.ts";

const FILES = [
  { name: "08.mp4", bytes: 967_000_000 },
  { name: "08.idx", bytes: 0 },
];
const TEXT = copiedMarker("https://host/bucket/prefix", FILES);

test("a note is read as it was written", () => {
  assert.deepEqual(parseCopiedMarker(TEXT), { location: "https://host/bucket/prefix", files: FILES });
  assert.ok(TEXT.endsWith("}\n"));
});

test("a note that is cut anywhere is none", () => {
  for (let cut = 0; cut < TEXT.length - 1; cut++) assert.equal(parseCopiedMarker(TEXT.slice(0, cut)), null);
});

const ODD = [
  "null",
  "1",
  "[]",
  '"text"',
  '{"version":2,"location":"x","files":[]}',
  '{"version":1,"files":[]}',
  '{"version":1,"location":7,"files":[]}',
  '{"version":1,"location":"x","files":{}}',
  '{"version":1,"location":"x","files":[null]}',
  '{"version":1,"location":"x","files":[{"name":"a"}]}',
  '{"version":1,"location":"x","files":[{"name":"a","bytes":-1}]}',
  '{"version":1,"location":"x","files":[{"name":"a","bytes":1.5}]}',
  '{"version":1,"location":"x","files":[{"name":"a","bytes":1e300}]}',
];

test("JSON that is no note is none", () => {
  for (const text of ODD) assert.equal(parseCopiedMarker(text), null, text);
});

test("a note is about one place, and about files", () => {
  const marker = { location: "https://host/bucket", files: FILES };
  assert.equal(isCopiedTo(marker, "https://host/bucket"), true);
  assert.equal(isCopiedTo(marker, "https://host/other"), false);
  assert.equal(isCopiedTo({ ...marker, files: [] }, "https://host/bucket"), false);
});
