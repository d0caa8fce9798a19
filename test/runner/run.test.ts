import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";

const scratch = mkdtempSync(join(tmpdir(), "weir-runner-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder with test files of these bodies; each may use `test`, `describe`, `before` and `spawn`. */
function folder(name: string, files: Record<string, string>): string {
  for (const [file, body] of Object.entries(files)) {
    const path = join(scratch, name, file);
    mkdirSync(dirname(path), { recursive: true });
    const head = `import { test, describe, before, after } from "node:test";\nimport { spawn } from "node:child_process";\n`;
    writeFileSync(path, head + body);
  }
  return join(scratch, name);
}

type Ran = { code: number | null; out: string; lastLine: string };

function runTests(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "run.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, out, lastLine: out.trimEnd().split("\n").at(-1) ?? "" }));
  });
}

describe("the test runner", () => {
  test("counts a pass, a failure, a skip, a crash and a hang", async () => {
    const path = folder("mixed", {
      "pass.test.ts": `test("passes", () => {});`,
      "fail.test.ts": `test("fails", () => { throw new Error("broken on purpose"); });`,
      "skip.test.ts": `test("skips", { skip: "no such tool" }, () => {});`,
      "crash.test.ts": `test("ok before", () => {}); process.kill(process.pid, "SIGKILL");`,
      "hang.test.ts": `test("never ends", async () => { setInterval(() => {}, 1000); await new Promise(() => {}); });`,
    });
    const { code, out, lastLine } = await runTests("--timeout", "3", path);
    assert.equal(lastLine, "1 passed, 3 failed, 1 skipped");
    assert.equal(code, 1);
    assert.match(out, /broken on purpose/);
    assert.match(out, /crashed: its process ended \(signal SIGKILL\)/);
    assert.match(out, /took longer than 3 s; not done: never ends/);
    assert.match(out, /skipped because\n {2}no such tool/);
  });

  test("ends with code 0 and no word of skipping when everything passes", async () => {
    const path = folder("good", {
      "a.test.ts": `test("one", async (t) => { await t.test("within", () => {}); });`,
      "deeper/b.test.ts": `describe("of", () => { test("two", () => {}); });`,
    });
    const { code, lastLine } = await runTests(path);
    assert.equal(lastLine, "3 passed, 0 failed");
    assert.equal(code, 0);
  });

  test("runs only tests of a name, and does not ask every file to have one", async () => {
    const body = `test("reads a header", () => {}); test("writes one", () => { throw new Error("not asked for"); });`;
    const path = folder("named", { "a.test.ts": body, "b.test.ts": `test("other", () => {});` });
    const { code, out, lastLine } = await runTests("--name", "reads .* header", path);
    assert.equal(lastLine, "1 passed, 0 failed", out);
    assert.equal(code, 0);
  });

  test("fails when nothing has run", async () => {
    const path = folder("nothing", { "readme.ts": "" });
    const { code, lastLine } = await runTests(path);
    assert.equal(lastLine, "0 passed, 0 failed");
    assert.equal(code, 1);
  });

  test("fails a file without tests, and one that leaves by exit code 0 in the middle", async () => {
    const path = folder("hollow", {
      "empty.test.ts": ``,
      "leaves.test.ts": `test("leaves", async () => { await null; process.exit(0); });\ntest("never run", () => {});`,
    });
    const { code, out, lastLine } = await runTests(path);
    assert.equal(lastLine, "0 passed, 2 failed");
    assert.equal(code, 1);
    assert.equal(out.match(/has no tests, or its process ended with exit code 0/g)?.length, 2);
  });

  test("fails a suite whose hooks fail and a file that throws after its tests", async () => {
    const path = folder("hooks", {
      "hook.test.ts": `describe("s", () => { after(() => { throw new Error("in the hook"); }); test("ok", () => {}); });`,
      "root.test.ts": `after(() => { throw new Error("in the root hook"); }); test("ok", () => {});`,
      "late.test.ts": `test("ok", () => { setTimeout(() => { throw new Error("too late"); }, 20); });`,
    });
    const { code, out, lastLine } = await runTests(path);
    assert.equal(lastLine, "3 passed, 3 failed");
    assert.equal(code, 1);
    for (const word of ["in the hook", "in the root hook", "too late"]) assert.match(out, new RegExp(word));
  });

  test("says what keeps a file alive whose tests are done", async () => {
    const path = folder("leak", {
      "leak.test.ts": `test("leaks", () => { setInterval(() => {}, 1000); });`,
    });
    const { out, lastLine } = await runTests("--timeout", "2", path);
    assert.equal(lastLine, "1 passed, 1 failed");
    assert.match(out, /its tests are done, but an open socket, timer or child process keeps it alive/);
  });

  test("ends processes that a file leaves behind, also in a session of their own", async () => {
    const pidFile = join(scratch, "left.pid");
    const path = folder("leftover", {
      "left.test.ts": `
        import { writeFileSync } from "node:fs";
        test("leaves a process", () => {
          const child = spawn("sleep", ["600"], { detached: true, stdio: "inherit" });
          writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
          child.unref();
        });`,
    });
    const { code, out, lastLine } = await runTests(path);
    assert.equal(lastLine, "1 passed, 0 failed");
    assert.equal(code, 0);
    assert.match(out, /note: was still running and got ended: [0-9]+ sleep 600/);
    const pid = readFileSync(pidFile, "utf8");
    await eventually(() => assert.ok(!existsSync(`/proc/${pid}`)), { timeoutMs: 2000 });
  });

  test("prints its totals when the time for everything is over", async () => {
    const body = `test("slow", async () => { await new Promise((resolve) => setTimeout(resolve, 60_000)); });`;
    const path = folder("overdue", { "a.test.ts": body, "b.test.ts": body, "c.test.ts": body });
    const { code, out, lastLine } = await runTests("--deadline", "0.05", path);
    assert.equal(lastLine, "0 passed, 3 failed");
    assert.equal(code, 1);
    assert.match(out, /not run: the run took longer than 0.05 minutes|was ended before it was done/);
  });

  test("refuses a path that is not there", async () => {
    const { code, out } = await runTests(join(scratch, "nowhere"));
    assert.equal(code, 2);
    assert.match(out, /there is no .*nowhere\nusage: npm test/);
  });
});
