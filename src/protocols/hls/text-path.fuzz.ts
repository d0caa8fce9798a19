import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatStem } from "../../packaging/time-span.ts";
import { parseTextResource } from "./text-path.ts";

/** Paths of subtitles: whatever is recognised is written back, and read the same. */
export const fuzz: TextFuzzTarget = {
  name: "hls-text-path",
  seeds: [
    "/f.mp4/tracks-t1/mono.m3u8",
    "/f.mp4/tracks-t12/mono.ts.m3u8",
    "/a/b/tracks-t1/seg-4000.vtt",
    "/a/tracks-t1/seg-1767225600000.ts.vtt",
    "/a/tracks-t1/archive-1767225600-3600.ll.m3u8",
    "/a/tracks-t2/mono-1767225600-now.m3u8",
  ],
  dictionary: ["tracks-t", "/seg-", ".ts", ".ll", ".vtt", "mono", "/..", "archive-", "rewind-", "-now"],
  run(path) {
    const parsed = parseTextResource(path);
    if (parsed === null) return;
    const { name, resource } = parsed;
    const { id, container } = resource;
    const form = container === "ts" ? ".ts" : "";
    assert.ok(path.startsWith(`/${name}/tracks-${id}/`) && name !== "");
    const file =
      resource.kind === "text-media"
        ? `${formatStem(resource, "mono")}${form}.m3u8`
        : `seg-${resource.name}${form}.vtt`;
    assert.deepEqual(parseTextResource(`/${name}/tracks-${id}/${file}`), parsed);
  },
};
