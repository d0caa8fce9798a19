import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatTrackSelection } from "../../packaging/presentation.ts";
import { formatTimeSpan } from "../../packaging/time-span.ts";
import { parseDashPath } from "./path.ts";

/** Paths below streams and files: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "dash-path",
  seeds: [
    "/demo/index.mpd",
    "/a/b/Manifest.mpd",
    "/x/index.ll.mpd",
    "/x/utc",
    "/x/tracks-v1/seg-1767225600000.m4s",
    "/x/tracks-a1/init-0123456789ab.mp4",
    "/x/tracks-t1/subtitles.vtt",
    "/x/archive-1767225600-3600.mpd",
    "/x/timeshift_rel-60.mpd",
    "/x/index-1767225600-now.ll.mpd",
  ],
  dictionary: [
    "tracks-",
    "/seg-",
    ".m4s",
    "init-",
    "index.mpd",
    ".ll",
    "/utc",
    "subtitles.vtt",
    "t1",
    "v1",
    "a1",
    "/..",
    "archive-",
    "rewind-",
    "-now",
  ],
  run(path) {
    const parsed = parseDashPath(path);
    if (parsed === null) return;
    const { name, resource } = parsed;
    assert.ok(path.startsWith(`/${name}/`) && name !== "");
    if (resource.kind === "mpd" && resource.span !== undefined) {
      const stem = formatTimeSpan(resource.span);
      assert.deepEqual(parseDashPath(path.replace(/[^/.]*(?=\.[^/]*$)/, stem)), parsed);
    }
    if (resource.kind === "subtitles") assert.equal(path, `/${name}/tracks-${resource.id}/subtitles.vtt`);
    if (resource.kind !== "init" && resource.kind !== "segment") return;
    const file = resource.kind === "init" ? `init-${resource.name}.mp4` : `seg-${resource.name}.m4s`;
    assert.equal(path, `/${name}/tracks-${formatTrackSelection(resource.selection)}/${file}`);
  },
};
