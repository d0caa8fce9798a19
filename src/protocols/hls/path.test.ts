import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHlsPath } from "./path.ts";

const good = [
  ["/demo/index.m3u8", "demo", { kind: "multivariant", isLowLatency: false }],
  ["/a/b/c/index.m3u8", "a/b/c", { kind: "multivariant", isLowLatency: false }],
  [
    "/vod/f.mp4/tracks-v1a1/mono.m3u8",
    "vod/f.mp4",
    { kind: "media", isLowLatency: false, selection: ["v1", "a1"] },
  ],
  ["/demo/tracks-a12/mono.m3u8", "demo", { kind: "media", isLowLatency: false, selection: ["a12"] }],
  [
    "/demo/tracks-v1/init-0123456789ab.mp4",
    "demo",
    { kind: "init", selection: ["v1"], name: "0123456789ab" },
  ],
  [
    "/demo/tracks-v1/seg-1767225600000.m4s",
    "demo",
    { kind: "segment", selection: ["v1"], name: "1767225600000" },
  ],
  ["/a/b/index.ll.m3u8", "a/b", { kind: "multivariant", isLowLatency: true }],
  ["/a/tracks-a1/mono.ll.m3u8", "a", { kind: "media", isLowLatency: true, selection: ["a1"] }],
  [
    "/a/tracks-v1a1/part-1767225600000-0.m4s",
    "a",
    { kind: "part", selection: ["v1", "a1"], name: "1767225600000", index: 0 },
  ],
  ["/tracks-v1/index.m3u8", "tracks-v1", { kind: "multivariant", isLowLatency: false }],
  [
    "/a/b/archive-1700000000-60.m3u8",
    "a/b",
    {
      kind: "multivariant",
      isLowLatency: false,
      span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 },
    },
  ],
  [
    "/a/archive-1700000000-now.fmp4.m3u8",
    "a",
    {
      kind: "multivariant",
      isLowLatency: false,
      span: { kind: "archive", fromS: 1_700_000_000, durationS: null },
    },
  ],
  [
    "/a/rewind-60.ll.m3u8",
    "a",
    { kind: "multivariant", isLowLatency: true, span: { kind: "rewind", agoS: 60 } },
  ],
  [
    "/a/index-1700000000-60.m3u8",
    "a",
    {
      kind: "multivariant",
      isLowLatency: false,
      span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 },
    },
  ],
  [
    "/a/tracks-v1a1/timeshift_abs-1700000000.m3u8",
    "a",
    {
      kind: "media",
      isLowLatency: false,
      selection: ["v1", "a1"],
      span: { kind: "timeshift_abs", fromS: 1_700_000_000 },
    },
  ],
  [
    "/a/tracks-a2/mono-1700000000-60.ll.m3u8",
    "a",
    {
      kind: "media",
      isLowLatency: true,
      selection: ["a2"],
      span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 },
    },
  ],
  [
    "/a/tracks-v1/index-1700000000-60.m3u8",
    "a",
    {
      kind: "media",
      isLowLatency: false,
      selection: ["v1"],
      span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 },
    },
  ],
  [
    "/tracks-v1/rewind-60.m3u8",
    "tracks-v1",
    { kind: "multivariant", isLowLatency: false, span: { kind: "rewind", agoS: 60 } },
  ],
] as const;
for (const [path, name, resource] of good) {
  test(`${path} is ${resource.kind} of ${name}`, () =>
    assert.deepEqual(parseHlsPath(path), { name, resource }));
}

const bad = [
  "/",
  "/index.m3u8",
  "/tracks-v1/mono.m3u8",
  "/demo/tracks-/mono.m3u8",
  "/demo/tracks-v1v1/mono.m3u8",
  "/demo/tracks-v0/mono.m3u8",
  "/demo/tracks-x1/mono.m3u8",
  `/demo/tracks-${"v1a1".repeat(50)}/mono.m3u8`,
  "/demo/tracks-v1/seg-.m4s",
  "/demo/tracks-v1/seg-1e3.m4s",
  "/demo/tracks-v1/seg-12345678901234567.m4s",
  "/demo/tracks-v1/part-1767225600000.m4s",
  "/demo/tracks-v1/part-1767225600000-01.m4s",
  "/demo/tracks-v1/part-1767225600000--1.m4s",
  "/demo/tracks-v1/part-1767225600000-100000.m4s",
  "/demo/tracks-v1/index.ll.m3u8x",
  "/demo/tracks-v1/init-XYZ.mp4",
  "/demo/mono.m3u8",
  "demo/index.m3u8x",
  "/archive-1700000000-60.m3u8",
  "demo/archive-1700000000-60.m3u8",
  "/demo/archive-1700000000.m3u8",
  "/demo/archive-1700000000-0.m3u8",
  "/demo/archive-1700000000-60.m3u8x",
  "/demo/archive-1700000000-60.ts.m3u8",
  "/demo/archive-1700000000-60.ll.fmp4.m3u8",
  "/demo/ARCHIVE-1700000000-60.m3u8",
  "/demo/rewind-0.m3u8",
  "/demo/mono-1700000000-60.m3u8",
  "/demo/video-1700000000-60.m3u8",
  "/tracks-v1/mono-1700000000-60.m3u8",
  "/demo/tracks-v1v1/mono-1700000000-60.m3u8",
  `/demo/${"archive-1700000000-60".repeat(90)}.m3u8`,
];

test("of a path to a playlist that is cut off anywhere nothing else is made", () => {
  for (const [path] of good) {
    if (!path.endsWith(".m3u8")) continue;
    for (let end = 0; end < path.length; end++) assert.equal(parseHlsPath(path.slice(0, end)), null, path);
  }
});

for (const path of bad) {
  test(`${path.slice(0, 40)} is not an HLS resource`, () => assert.equal(parseHlsPath(path), null));
}
