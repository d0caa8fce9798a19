import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseFlvPath } from "./path.ts";

/** Paths of live streams: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "flv-path",
  seeds: ["/demo.flv", "/a/b/c.flv", "/x/.flv", "/x.flv/y"],
  dictionary: [".flv", "/", "//", ".FLV", "%2f", "/.."],
  run(path) {
    const name = parseFlvPath(path);
    if (name === null) return;
    assert.ok(name !== "" && !name.endsWith("/"));
    assert.equal(`/${name}.flv`, path);
  },
};
