import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anchorOfName, nameOfAnchor, nameOfPath, pathOfName, shownName } from "./names.js";

const paths: [path: string, name: string | null][] = [
  ["/demo/embed.html", "demo"],
  ["/pub/camera/embed.html", "pub/camera"],
  ["/vod/caf%C3%A9%20au%20lait.mp4/embed.html", "vod/caf\u00e9 au lait.mp4"],
  ["/broken%zz/embed.html", "broken%zz"],
  ["/embed.html", null],
  ["//embed.html", null],
  ["/demo/index.html", null],
  ["", null],
];

for (const [path, name] of paths) {
  test(`the path ${path} names ${name}`, () => assert.equal(nameOfPath(path), name));
}

test("what belongs to a name is encoded segment by segment", () => {
  assert.equal(pathOfName("pub/a b", "index.m3u8"), "/pub/a%20b/index.m3u8");
  assert.equal(
    pathOfName("vod/100% & <b>?#.mp4", "embed.html"),
    "/vod/100%25%20%26%20%3Cb%3E%3F%23.mp4/embed.html",
  );
});

test("every name comes back from its path and its anchor", () => {
  const names = fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => !name.startsWith("/"));
  fc.assert(
    fc.property(names, (name) => {
      assert.equal(nameOfPath(pathOfName(name, "embed.html")), name);
      assert.equal(nameOfAnchor(new URL(anchorOfName(name), "http://a/").hash), name);
    }),
    { seed: 11 },
  );
});

test("no text, however broken, makes the words about names throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (text, other) => {
      pathOfName(`${text}\ud800`, other);
      anchorOfName(`${text}\udc00`);
      nameOfPath(`/${text}/embed.html`);
      nameOfAnchor(`#${text}`);
      assert.ok(Array.from(shownName(text)).length <= 80);
    }),
    { seed: 12 },
  );
});

test("an anchor that says nothing names nothing", () => {
  for (const hash of ["", "#", "#%zz"]) assert.equal(nameOfAnchor(hash), null);
});

test("a shown name has no characters that are not seen, and an end", () => {
  assert.equal(shownName("a\u202egpj.exe\u0000\n\u2066b"), "agpj.exeb");
  assert.equal(shownName("x".repeat(80)), "x".repeat(80));
  assert.equal(shownName("x".repeat(81)), `${"x".repeat(77)}...`);
});
