import assert from "node:assert/strict";
import { test } from "node:test";
import { downloadType } from "./download.ts";

test("media and subtitles may be had, by their names; nothing else", () => {
  const types: [path: string, type: string | null][] = [
    ["film.mp4", "video/mp4"],
    ["a/b.c/FILM.MP4", "video/mp4"],
    ["film.en.vtt", "text/vtt; charset=utf-8"],
    ["film.srt", "application/x-subrip"],
    ["film.mkv", "video/matroska"],
    ["film", null],
    ["film.", null],
    [".mp4", null],
    ["folder/.mp4", null],
    ["folder.mp4/x", null],
    ["notes.txt", null],
    ["film.mp4.key", null],
    ["", null],
  ];
  for (const [path, type] of types) assert.equal(downloadType(path), type, path);
});
