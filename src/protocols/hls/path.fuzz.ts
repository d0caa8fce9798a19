import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import { formatStem } from "../../packaging/time-span.ts";
import { parseHlsPath } from "./path.ts";

/** Paths below streams and files: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "hls-path",
  seeds: [
    "/demo/index.m3u8",
    "/a/b/tracks-v1a1/mono.m3u8",
    "/x/tracks-v1a12/seg-1767225600000.m4s",
    "/x/tracks-a1/init-0123456789ab.mp4",
    "/demo/index.ll.m3u8",
    "/a/tracks-v1a1/mono.ll.m3u8",
    "/a/tracks-v1/part-1767225600000-12.m4s",
    "/a/archive-1767225600-3600.m3u8",
    "/a/tracks-v1a1/rewind-7200.m3u8",
    "/a/tracks-v1/mono-1767225600-now.ll.m3u8",
  ],
  dictionary: [
    "archive-",
    "-now",
    "rewind-",
    "timeshift_abs-",
    ".fmp4",
    "tracks-",
    "/seg-",
    "/part-",
    "-0",
    ".ll",
    ".m4s",
    "init-",
    "mono.m3u8",
    "v1",
    "a1",
    "/..",
  ],
  run(path) {
    const parsed = parseHlsPath(path);
    if (parsed === null) return;
    const { name, resource } = parsed;
    assert.ok(path.startsWith(`/${name}/`) && name !== "");
    if (resource.kind !== "multivariant") {
      assert.ok(path.includes(`/tracks-${formatTrackSelection(resource.selection)}/`));
    }
    if (resource.kind === "multivariant" || resource.kind === "media") {
      const stem = formatStem(resource, resource.kind === "media" ? "mono" : "index");
      assert.deepEqual(parseHlsPath(path.replace(/[^/.]*(?=\.[^/]*$)/, stem)), parsed);
    }
  },
};
