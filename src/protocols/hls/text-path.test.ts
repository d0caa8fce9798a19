import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTextResource } from "./text-path.ts";

const good = [
  ["/f.mp4/tracks-t1/mono.m3u8", { kind: "text-media", id: "t1", container: "cmaf" }],
  ["/f.mp4/tracks-t12/mono.ts.m3u8", { kind: "text-media", id: "t12", container: "ts" }],
  ["/f.mp4/tracks-t1/mono.ll.m3u8", { kind: "text-media", id: "t1", container: "cmaf" }],
  ["/f.mp4/tracks-t1/seg-0.vtt", { kind: "text-segment", id: "t1", container: "cmaf", name: "0" }],
  ["/f.mp4/tracks-t1/seg-4000.ts.vtt", { kind: "text-segment", id: "t1", container: "ts", name: "4000" }],
  [
    "/f.mp4/tracks-t1/rewind-60.ts.m3u8",
    { kind: "text-media", id: "t1", container: "ts", span: { kind: "rewind", agoS: 60 } },
  ],
  [
    "/f.mp4/tracks-t2/archive-1700000000-now.ll.m3u8",
    {
      kind: "text-media",
      id: "t2",
      container: "cmaf",
      span: { kind: "archive", fromS: 1_700_000_000, durationS: null },
    },
  ],
] as const;
for (const [path, resource] of good) {
  test(`${path} is ${resource.kind}`, () =>
    assert.deepEqual(parseTextResource(path), { name: "f.mp4", resource }));
}

const bad = [
  "/f.mp4/tracks-v1/mono.m3u8",
  "/f.mp4/tracks-v1t1/mono.m3u8",
  "/f.mp4/tracks-t1t2/mono.m3u8",
  "/f.mp4/tracks-t1/seg-0.m4s",
  "/f.mp4/tracks-t1/seg-.vtt",
  "/f.mp4/tracks-t1/seg-12345678901234567.vtt",
  "/f.mp4/tracks-t0/mono.m3u8",
  "/tracks-t1/mono.m3u8",
  "/f.mp4/t1/mono.m3u8",
  "/f.mp4/tracks-t1/rewind-0.m3u8",
  "/f.mp4/tracks-t1/archive-1700000000.m3u8",
  "/f.mp4/tracks-v1/rewind-60.m3u8",
  "/f.mp4/tracks-t1/index.m3u8",
];
for (const path of bad) {
  test(`${path} is nothing of subtitles`, () => assert.equal(parseTextResource(path), null));
}
