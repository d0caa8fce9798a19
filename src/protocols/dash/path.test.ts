import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDashPath } from "./path.ts";

const good = [
  ["/demo/index.mpd", "demo", { kind: "mpd", isLowLatency: false }],
  ["/a/b/c/Manifest.mpd", "a/b/c", { kind: "mpd", isLowLatency: false }],
  ["/demo/index.ll.mpd", "demo", { kind: "mpd", isLowLatency: true }],
  ["/demo/utc", "demo", { kind: "utc" }],
  ["/d/tracks-v1/init-0123456789ab.mp4", "d", { kind: "init", selection: ["v1"], name: "0123456789ab" }],
  ["/vod/f.mp4/tracks-a2/seg-4000.m4s", "vod/f.mp4", { kind: "segment", selection: ["a2"], name: "4000" }],
  ["/vod/f.mp4/tracks-t1/subtitles.vtt", "vod/f.mp4", { kind: "subtitles", id: "t1" }],
  ["/tracks-v1/index.mpd", "tracks-v1", { kind: "mpd", isLowLatency: false }],
  [
    "/a/b/archive-1700000000-60.mpd",
    "a/b",
    { kind: "mpd", isLowLatency: false, span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 } },
  ],
  ["/a/rewind-60.ll.mpd", "a", { kind: "mpd", isLowLatency: true, span: { kind: "rewind", agoS: 60 } }],
  [
    "/a/timeshift_rel-60.mpd",
    "a",
    { kind: "mpd", isLowLatency: false, span: { kind: "timeshift_rel", agoS: 60 } },
  ],
] as const;
for (const [path, name, resource] of good) {
  test(`${path} is ${resource.kind} of ${name}`, () =>
    assert.deepEqual(parseDashPath(path), { name, resource }));
}

const bad = [
  "",
  "/",
  "/index.mpd",
  "//index.mpd",
  "index.mpd",
  "demo/index.mpd",
  "/demo/index.mpdx",
  "/demo/manifest.mpd",
  "/demo/index.ll.m3u8",
  "/utc",
  "/demo/utc/",
  "/tracks-v1/seg-1.m4s",
  "/demo/tracks-/seg-1.m4s",
  "/demo/tracks-v1v1/seg-1.m4s",
  "/demo/tracks-v0/seg-1.m4s",
  "/demo/tracks-x1/seg-1.m4s",
  `/demo/tracks-${"v1a1".repeat(50)}/seg-1.m4s`,
  "/demo/tracks-v1/seg-.m4s",
  "/demo/tracks-v1/seg--1.m4s",
  "/demo/tracks-v1/seg-1e3.m4s",
  "/demo/tracks-v1/seg-12345678901234567.m4s",
  "/demo/tracks-v1/init-XYZ.mp4",
  "/demo/tracks-v1/part-1-0.m4s",
  "/demo/tracks-v1/subtitles.vtt",
  "/demo/tracks-t1a1/subtitles.vtt",
  "/demo/tracks-t1/subtitles.srt",
  "/demo/subtitles.vtt",
  "/archive-1700000000-60.mpd",
  "/demo/archive-1700000000.mpd",
  "/demo/archive-1700000000-0.mpd",
  "/demo/rewind-0.mpd",
  "/demo/mono-1700000000-60.mpd",
  "/demo/ll.mpd",
];
for (const path of bad) {
  test(`"${path.slice(0, 40)}" is not a DASH resource`, () => assert.equal(parseDashPath(path), null));
}

test("of a path that is cut off anywhere nothing else is made", () => {
  for (const [path] of good) {
    for (let end = 0; end < path.length; end++) assert.equal(parseDashPath(path.slice(0, end)), null, path);
  }
});
