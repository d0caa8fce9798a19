import assert from "node:assert/strict";
import type { TextFuzzTarget } from "../../../test/fuzz/target.ts";
import { parseByteRange } from "./byte-range.ts";
import { decodePath } from "./request-path.ts";

/** What the network writes into a request line and a Range header. */
export const fuzz: TextFuzzTarget = {
  name: "request-path",
  seeds: ["/vod/a%20b/index.m3u8", "/a/%2e%2e/b", "/%2f%5c%00", "bytes=0-99", "bytes=-5", "bytes=10-"],
  dictionary: ["%2e", "%2f", "..", "//", "%00", "bytes=", "-", "%c0%af"],
  run(text) {
    const path = decodePath(text);
    if (typeof path === "string") {
      const segments = path.slice(1).split("/");
      assert.ok(
        segments.every((segment) => segment !== ".." && segment !== "." && !segment.includes("\0")),
      );
    }
    const range = parseByteRange(text, 1000);
    if (range !== null && range !== "unsatisfiable") {
      assert.ok(range.start >= 0 && range.start < range.end && range.end <= 1000);
    }
  },
};
