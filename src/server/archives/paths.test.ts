import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePicturePath, parseStatusPath } from "./paths.ts";

test("paths of pictures are those of a name, and of a second or now", () => {
  const paths = {
    "/cam/preview.jpg": { name: "cam", atS: null, isSmall: true, isVideo: false },
    "/a/b/1700000000.jpg": { name: "a/b", atS: 1_700_000_000, isSmall: false, isVideo: false },
    "/cam/1700000000-preview.jpg": { name: "cam", atS: 1_700_000_000, isSmall: true, isVideo: false },
    "/cam/0.jpg": { name: "cam", atS: 0, isSmall: false, isVideo: false },
    "/cam/preview.mp4": { name: "cam", atS: null, isSmall: true, isVideo: true },
    "/a/b/1700000000-preview.mp4": { name: "a/b", atS: 1_700_000_000, isSmall: true, isVideo: true },
  };
  for (const [path, meaning] of Object.entries(paths)) assert.deepEqual(parsePicturePath(path), meaning);
  const none = ["/preview.jpg", "/1.jpg", "/cam/x.jpg", "/cam/-1.jpg", "/cam/1.jpg/x", "/cam/1.png", ""];
  const videos = ["/preview.mp4", "/cam/1.mp4", "/cam/x-preview.mp4", "/cam/-preview.mp4"];
  for (const path of [
    ...none,
    ...videos,
    "/cam/123456789012.jpg",
    "/cam/1.5.jpg",
    "/cam/preview-preview.jpg",
  ])
    assert.equal(parsePicturePath(path), null, path);
});

test("the path of what is recorded is that of a name", () => {
  assert.equal(parseStatusPath("/a/b/recording_status.json"), "a/b");
  for (const path of ["/recording_status.json", "/cam/recording_status.jsonx", "/cam/index.json"])
    assert.equal(parseStatusPath(path), null);
});
