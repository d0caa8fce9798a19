import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsPath } from "./path.ts";

const CASES: readonly [path: string, name: string | null][] = [
  ["/cam/mpegts", "cam"],
  ["/pub/hall/cam-1/mpegts", "pub/hall/cam-1"],
  ["/mpegts/mpegts", "mpegts"],
  ["/mpegts", null],
  ["//mpegts", null],
  ["/a//mpegts", null],
  ["/cam/mpegts/", null],
  ["/cam/mpegts.ts", null],
  ["/cam/MPEGTS", null],
  ["/cammpegts", null],
  ["cam/mpegts", null],
  ["", null],
];
for (const [path, name] of CASES) {
  test(`"${path}" asks for ${name ?? "no stream"}`, () => assert.equal(parseTsPath(path), name));
}
