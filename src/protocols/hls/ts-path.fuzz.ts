import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import { formatTimeSpan } from "../../packaging/time-span.ts";
import { parseTsResource } from "./ts-path.ts";

/** Paths below streams and files: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "hls-ts-path",
  seeds: [
    "/demo/index.ts.m3u8",
    "/a/b/video.m3u8",
    "/x/tracks-v1a12/seg-1767225600000.ts",
    "/a/archive-1767225600-3600.ts.m3u8",
    "/a/video-1767225600-now.m3u8",
    "/a/tracks-v1/mono-timeshift_abs-1767225600.ts.m3u8",
  ],
  dictionary: [
    "tracks-",
    "/seg-",
    ".ts",
    "mono.ts.m3u8",
    "v1",
    "a1",
    "/..",
    "archive-",
    "video-",
    "rewind-",
    "-now",
  ],
  run(path) {
    const parsed = parseTsResource(path);
    if (parsed === null) return;
    const { name, resource } = parsed;
    assert.ok(path.startsWith(`/${name}/`) && name !== "");
    if ("selection" in resource)
      assert.ok(path.includes(`/tracks-${formatTrackSelection(resource.selection)}/`));
    if (resource.kind === "ts-segment" || resource.span === undefined) return;
    const stem = `${resource.kind === "ts-single" ? "video-" : ""}${formatTimeSpan(resource.span)}`;
    assert.deepEqual(parseTsResource(path.replace(/[^/.]*(?=\.[^/]*$)/, stem)), parsed);
  },
};
