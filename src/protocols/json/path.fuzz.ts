import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { formatTimeSpan } from "../../packaging/time-span.ts";
import { parseJsonPath } from "./path.ts";

/** Paths below streams and files: whatever is recognised begins with the name that was found. */
export const fuzz: TextFuzzTarget = {
  name: "json-path",
  seeds: ["/demo/index.json", "/a/b/media_info.json", "/x/info.json", "/x/archive-1767225600-3600.json"],
  dictionary: ["index.json", "media_info.json", "info.json", "/", "/..", "archive-", "rewind-", "-now"],
  run(path) {
    const parsed = parseJsonPath(path);
    if (parsed === null) return;
    assert.ok(path.startsWith(`/${parsed.name}/`) && parsed.name !== "");
    if (parsed.span === undefined) return;
    assert.equal(parsed.resource, "manifest");
    assert.deepEqual(parseJsonPath(`/${parsed.name}/${formatTimeSpan(parsed.span)}.json`), parsed);
  },
};
