import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsResource } from "./ts-path.ts";

const good = [
  ["/demo/index.ts.m3u8", "demo", { kind: "ts-multivariant" }],
  ["/a/b/video.m3u8", "a/b", { kind: "ts-single" }],
  ["/f.mp4/tracks-v1a1/mono.ts.m3u8", "f.mp4", { kind: "ts-media", selection: ["v1", "a1"] }],
  [
    "/demo/tracks-a2/seg-1767225600000.ts",
    "demo",
    { kind: "ts-segment", selection: ["a2"], name: "1767225600000" },
  ],
  ["/a/rewind-60.ts.m3u8", "a", { kind: "ts-multivariant", span: { kind: "rewind", agoS: 60 } }],
  [
    "/a/index-1700000000-now.ts.m3u8",
    "a",
    { kind: "ts-multivariant", span: { kind: "archive", fromS: 1_700_000_000, durationS: null } },
  ],
  [
    "/a/b/video-1700000000-60.m3u8",
    "a/b",
    { kind: "ts-single", span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 } },
  ],
  [
    "/a/video-timeshift_abs-1700000000.m3u8",
    "a",
    { kind: "ts-single", span: { kind: "timeshift_abs", fromS: 1_700_000_000 } },
  ],
  ["/a/video-rewind-60.m3u8", "a", { kind: "ts-single", span: { kind: "rewind", agoS: 60 } }],
  [
    "/a/tracks-v1/archive-1700000000-60.ts.m3u8",
    "a",
    {
      kind: "ts-media",
      selection: ["v1"],
      span: { kind: "archive", fromS: 1_700_000_000, durationS: 60 },
    },
  ],
] as const;
for (const [path, name, resource] of good) {
  test(`${path} is ${resource.kind} of ${name}`, () =>
    assert.deepEqual(parseTsResource(path), { name, resource }));
}

const bad = [
  "/",
  "/index.ts.m3u8",
  "/video.m3u8",
  "//video.m3u8",
  "video.m3u8",
  "demo/video.m3u8",
  "/demo/index.m3u8",
  "/demo/mono.ts.m3u8",
  "/tracks-v1/mono.ts.m3u8",
  "/demo/tracks-v1/seg-1.m4s",
  "/demo/tracks-v1/seg-.ts",
  "/demo/tracks-v1/seg-12345678901234567.ts",
  "/demo/tracks-v1v1/seg-1.ts",
  "/demo/seg-1.ts",
  "/video-1700000000-60.m3u8",
  "/demo/video-.m3u8",
  "/demo/video-1700000000.m3u8",
  "/demo/video-1700000000-60.ts.m3u8",
  "/demo/videos-1700000000-60.m3u8",
  "/demo/archive-1700000000-60.m3u8",
  "/demo/mono-1700000000-60.ts.m3u8",
  "/demo/rewind-0.ts.m3u8",
  "/demo/archive-1700000000-60.ts",
  "/rewind-60.ts.m3u8",
];
for (const path of bad) {
  test(`${path} is nothing of HLS in transport streams`, () => assert.equal(parseTsResource(path), null));
}
