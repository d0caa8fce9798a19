import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseTsPath } from "./path.ts";

/** Paths of MPEG-TS: whatever is recognised is written back the same. */
export const fuzz: TextFuzzTarget = {
  name: "http-ts-path",
  seeds: ["/demo/mpegts", "/a/b/mpegts", "/mpegts"],
  dictionary: ["/mpegts", "/", "//", ".ts"],
  run(path) {
    const name = parseTsPath(path);
    if (name === null) return;
    assert.ok(name !== "" && !name.endsWith("/"));
    assert.equal(`/${name}/mpegts`, path);
  },
};
