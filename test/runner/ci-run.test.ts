import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { describe, test } from "node:test";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

const CI_RUN = resolve(import.meta.dirname, "../../.ci/run");

/** Runs .ci/run with an `npm` that does what `script` says and notes how it was called. */
async function runCi(t: TestContext, script: string) {
  const folder = mkdtempSync(join(tmpdir(), "weir-ci-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const calls = join(folder, "calls");
  const npm = `#!/bin/sh\necho "$PWD CI=$CI $*" >> ${calls}\n${script}\n`;
  writeFileSync(join(folder, "npm"), npm, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}` };
  const child = spawn(CI_RUN, [], { cwd: tmpdir(), env, stdio: ["pipe", "pipe", "inherit"] });
  const [code, out] = await Promise.all([
    new Promise<number | null>((end) => child.once("close", end)),
    text(child.stdout),
  ]);
  return { code, out, calls: readFileSync(calls, "utf8").trimEnd().split("\n") };
}

const root = resolve(import.meta.dirname, "../..");

describe("the CI script", () => {
  test("installs and tests in the root of the project, without a stdin, and ends with the totals", async (t) => {
    const script = `case "$*" in *test) cat; echo "12 passed, 0 failed";; esac`;
    const { code, out, calls } = await runCi(t, script);
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split("\n").at(-1), "12 passed, 0 failed");
    assert.deepEqual(calls, [`${root} CI=true ci --no-audit --no-fund`, `${root} CI=true --silent test`]);
  });

  test("fails with the tests", async (t) => {
    const { code, out } = await runCi(t, `case "$*" in *test) echo "1 passed, 2 failed"; exit 1;; esac`);
    assert.equal(code, 1);
    assert.equal(out, "1 passed, 2 failed\n");
  });

  test("fails, and tests nothing, when the packages cannot be installed", async (t) => {
    const { code, calls } = await runCi(t, "exit 7");
    assert.equal(code, 7);
    assert.equal(calls.length, 1);
  });
});
