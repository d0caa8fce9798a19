import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import { parseTsResource } from "./ts-path.ts";

/** Paths below streams and files: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "hls-ts-path",
  seeds: ["/demo/index.ts.m3u8", "/a/b/video.m3u8", "/x/tracks-v1a12/seg-1767225600000.ts"],
  dictionary: ["tracks-", "/seg-", ".ts", "mono.ts.m3u8", "v1", "a1", "/.."],
  run(path) {
    const parsed = parseTsResource(path);
    if (parsed === null) return;
    const { name, resource } = parsed;
    assert.ok(path.startsWith(`/${name}/`) && name !== "");
    if ("selection" in resource)
      assert.ok(path.includes(`/tracks-${formatTrackSelection(resource.selection)}/`));
  },
};
