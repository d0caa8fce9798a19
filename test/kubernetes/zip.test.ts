import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readZipFile } from "./support/zip.ts";

/** Two files, "a.txt" stored and "b/c.txt" deflated; made by Python's zipfile, not by us. */
const ARCHIVE = Buffer.from(
  [
    "UEsDBBQAAAAAAAAAIQAL+UNWBgAAAAYAAAAFAAAAYS50eHRzdG9yZWRQSwMEFAAAAAgAAAAhAAfWb5AOAAAAtAAAAAcAAABi",
    "L2MudHh0S0lNy0ksSU1RSBk6DABQSwECFAMUAAAAAAAAACEAC/lDVgYAAAAGAAAABQAAAAAAAAAAAAAAgAEAAAAAYS50eHRQ",
    "SwECFAMUAAAACAAAACEAB9ZvkA4AAAC0AAAABwAAAAAAAAAAAAAAgAEpAAAAYi9jLnR4dFBLBQYAAAAAAgACAGgAAABcAAAA",
    "AAA=",
  ].join(""),
  "base64",
);

describe("a zip archive", () => {
  test("gives files that are stored and files that are deflated", () => {
    assert.equal(readZipFile(ARCHIVE, "a.txt")?.toString(), "stored");
    assert.equal(readZipFile(ARCHIVE, "b/c.txt")?.toString(), "deflated ".repeat(20));
  });

  test("has no file of another name", () => {
    assert.equal(readZipFile(ARCHIVE, "c.txt"), null);
  });

  test("that is none, or is cut off, is refused", () => {
    assert.throws(() => readZipFile(Buffer.alloc(100), "a.txt"), /not a zip archive/);
    assert.throws(() => readZipFile(Buffer.alloc(0), "a.txt"), /not a zip archive/);
    assert.throws(() => readZipFile(ARCHIVE.subarray(0, -30), "a.txt"), /not a zip archive/);
  });
});
