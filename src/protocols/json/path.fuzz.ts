import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseJsonPath } from "./path.ts";

/** Paths below streams and files: whatever is recognised begins with the name that was found. */
export const fuzz: TextFuzzTarget = {
  name: "json-path",
  seeds: ["/demo/index.json", "/a/b/media_info.json", "/x/info.json"],
  dictionary: ["index.json", "media_info.json", "info.json", "/", "/.."],
  run(path) {
    const parsed = parseJsonPath(path);
    if (parsed !== null) assert.ok(path.startsWith(`/${parsed.name}/`) && parsed.name !== "");
  },
};
