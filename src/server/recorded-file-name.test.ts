import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveTarget } from "../protocols/rtmp/names.ts";
import { recordedFileName } from "./recorded-file-name.ts";

const ROWS: readonly (readonly [asked: string, file: string])[] = [
  ["film", "films/film"],
  ["film.mp4", "films/film.mp4"],
  ["mp4:film", "films/film.mp4"],
  ["mp4:film.mp4", "films/film.mp4"],
  ["mp4:film.MP4", "films/film.MP4"],
  ["mp4:film.mov", "films/film.mov"],
  ["mp4:film.v2", "films/film.v2.mp4"],
  ["m4v:film", "films/film.m4v"],
];

for (const [asked, file] of ROWS) {
  test(`${asked} is the file ${file}`, () => {
    const { name, container } = resolveTarget("films", asked)!;
    assert.equal(recordedFileName(name, container), file);
  });
}
