import assert from "node:assert/strict";
import { test } from "node:test";
import { copiedMarker, isCopiedProven, isCopiedTo, parseCopiedMarker } from "./copied-marker.ts";
import type { CopiedFile } from "./copied-marker.ts";

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

test("a note proves that media is copied when it names all of it, with the same sizes, its index, and the place", () => {
  const files = [
    { name: "08.mp4", bytes: 100 },
    { name: "08.1.mp4", bytes: 50 },
    { name: "08.idx", bytes: 10 },
  ];
  const note = copiedMarker("https://host/bucket", files);
  const [first, second, index] = [files[0]!, files[1]!, files[2]!];
  const proves = (text: string, media: readonly CopiedFile[], location = "https://host/bucket"): boolean =>
    isCopiedProven(text, location, media);
  assert.ok(proves(note, [first, second]));
  assert.ok(proves(note, [second]), "the other one has left already");
  assert.ok(!proves(note, []), "nothing is to be proven");
  assert.ok(!proves(note, [{ ...first, bytes: 101 }]));
  assert.ok(!proves(note, [first, { name: "08.2.mp4", bytes: 1 }]));
  assert.ok(!proves(note, [first], "https://host/other"));
  assert.ok(!proves(copiedMarker("https://host/bucket", [first, second]), [first]), "without its index");
  assert.ok(proves(copiedMarker("https://host/bucket", [first, index]), [first]));
  for (let cut = 0; cut < note.length - 1; cut++) assert.ok(!proves(note.slice(0, cut), [first]), `${cut}`);
});
