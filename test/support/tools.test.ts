import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { findProgram, installLine, needs } from "./tools.ts";

describe("the tools that tests need", () => {
  test("are found on the PATH in the order of their names, when they may be executed", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "weir-tools-"));
    const path = process.env["PATH"];
    t.after(() => {
      process.env["PATH"] = path;
      rmSync(folder, { recursive: true });
    });
    process.env["PATH"] = `${folder}${delimiter}${path}`;
    writeFileSync(join(folder, "weir-no-program"), "");
    writeFileSync(join(folder, "weir-program"), "#!/bin/sh\n");
    chmodSync(join(folder, "weir-program"), 0o755);
    assert.equal(findProgram("weir-program"), join(folder, "weir-program"));
    assert.equal(findProgram("weir-no-program", "weir-program"), join(folder, "weir-program"));
    assert.equal(findProgram("weir-no-program"), null);
  });

  test("are nothing to skip for when there are none", () => {
    assert.equal(needs(), false);
  });

  test("come with one line that installs them on Debian", () => {
    assert.equal(installLine(["ffmpeg", "rtmpdump"]), "apt-get install ffmpeg rtmpdump");
    assert.match(installLine(["gstreamer"]), /^apt-get install gstreamer1\.0-tools .*gstreamer1\.0-libav$/);
  });
});
