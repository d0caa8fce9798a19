import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { describe, test } from "node:test";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

const CI_RUN = resolve(import.meta.dirname, "../../.ci/run");

type Ci = { readonly folder: string; readonly calls: string; readonly env: NodeJS.ProcessEnv };

/** What .ci/run needs to run with an `npm` that does what `script` says and notes how it was called. */
function ciWith(t: TestContext, script: string, more: NodeJS.ProcessEnv = {}): Ci {
  const folder = mkdtempSync(join(tmpdir(), "weir-ci-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const calls = join(folder, "calls");
  const npm = `#!/bin/sh\necho "$PWD CI=$CI $*" >> ${calls}\n${script}\n`;
  writeFileSync(join(folder, "npm"), npm, { mode: 0o755 });
  const { WEIR_TEST_CLUSTER: _cluster, ...inherited } = process.env;
  const env = {
    ...inherited,
    TMPDIR: folder,
    PATH: `${folder}${delimiter}${process.env["PATH"]}`,
    ...more,
  };
  return { folder, calls, env };
}

async function runCi(t: TestContext, script: string, more: NodeJS.ProcessEnv = {}) {
  const { calls, env } = ciWith(t, script, more);
  const child = spawn(CI_RUN, [], { cwd: tmpdir(), env, stdio: ["pipe", "pipe", "inherit"] });
  const [code, out] = await Promise.all([
    new Promise<number | null>((end) => child.once("close", end)),
    text(child.stdout),
  ]);
  return { code, out, calls: readFileSync(calls, "utf8").trimEnd().split("\n") };
}

/** A folder with a `down` that notes that it was called. */
function folderWithDown(t: TestContext): { folder: string; isDown: () => boolean } {
  const folder = mkdtempSync(join(tmpdir(), "weir-down-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const script = `#!/bin/sh\necho "taking it down"\ntouch ${folder}/is-down\n`;
  writeFileSync(join(folder, "down"), script, { mode: 0o755 });
  return { folder, isDown: () => existsSync(join(folder, "is-down")) };
}

/** Also one that nobody has waited for is not running. */
function isRunning(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
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

  test("lets the runner look for the cluster beside the checkout, or where it is told", async (t) => {
    const script = `case "$*" in *test) echo "cluster=$WEIR_TEST_CLUSTER";; esac`;
    assert.equal((await runCi(t, script)).out, "cluster=../shared/cluster\n");
    assert.equal((await runCi(t, script, { WEIR_TEST_CLUSTER: "/other" })).out, "cluster=/other\n");
    assert.equal((await runCi(t, script, { WEIR_TEST_CLUSTER: "" })).out, "cluster=\n");
  });

  test("takes down the cluster of a runner that was killed, and ends with the totals all the same", async (t) => {
    const { folder, isDown } = folderWithDown(t);
    const script = `case "$*" in *test) echo ${folder} > $WEIR_TEST_CLUSTER_MARK; echo "1 passed, 1 failed"; exit 9;; esac`;
    const { code, out } = await runCi(t, script);
    assert.deepEqual([code, out, isDown()], [9, "1 passed, 1 failed\n", true]);
  });

  test("takes nothing down where no cluster is up", async (t) => {
    const { folder, isDown } = folderWithDown(t);
    const { code } = await runCi(t, `true`, { WEIR_TEST_CLUSTER: folder });
    assert.deepEqual([code, isDown()], [0, false]);
  });

  test("ended by a signal, ends the tests and takes the cluster down", async (t) => {
    const { folder, isDown } = folderWithDown(t);
    const script = `case "$*" in *test) echo ${folder} > $WEIR_TEST_CLUSTER_MARK; sleep 600 & echo $!; wait;; esac`;
    const { env } = ciWith(t, script);
    const child = spawn(CI_RUN, [], { cwd: tmpdir(), env, stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise<number | null>((end) => child.once("close", end));
    let below = "";
    child.stdout.setEncoding("utf8").once("data", (pid: string) => {
      below = pid.trim();
      child.kill("SIGTERM");
    });
    assert.deepEqual([await ended, isDown()], [143, true]);
    assert.match(below, /^[0-9]+$/);
    assert.equal(isRunning(below), false, "what the tests had started is still there");
  });
});
