import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlvPath } from "./path.ts";

const cases: readonly [path: string, name: string | null][] = [
  ["/cam.flv", "cam"],
  ["/pub/hall/cam-1.flv", "pub/hall/cam-1"],
  ["/a.flv.flv", "a.flv"],
  ["/.flv", null],
  ["/a/.flv", null],
  ["/cam.flv/index.m3u8", null],
  ["/cam.FLV", null],
  ["/camflv", null],
  ["/cam", null],
  ["cam.flv", null],
  ["/", null],
  ["", null],
];
for (const [path, name] of cases) {
  test(`"${path}" asks for ${name ?? "no stream"}`, () => assert.equal(parseFlvPath(path), name));
}
