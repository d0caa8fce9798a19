/** Journeys that fail once on a shared machine, and groups that need a cluster. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makePlan } from "./plan.ts";
import type { GroupName, PlannedGroup } from "./plan.ts";
import { Report } from "./report.ts";
import { runPlan } from "./run-plan.ts";
import type { RunOptions } from "./run-plan.ts";

const scratch = mkdtempSync(join(tmpdir(), "weir-again-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

let files = 0;

/** A test file of these tests. */
function fileOf(body: string): string {
  const file = join(scratch, `${files++}.test.ts`);
  const head = `import { test, before, describe } from "node:test";\nimport { existsSync, writeFileSync } from "node:fs";\n`;
  writeFileSync(file, head + body);
  return file;
}

/** Does `first` in the first run of its file, and `then` in every other. */
function firstThen(first: string, then: string): string {
  const seen = join(scratch, `${files}.seen`);
  return `const again = existsSync("${seen}"); writeFileSync("${seen}", "");\nif (again) { ${then} } else { ${first} }`;
}

const PASSES = `test("plays", () => {});`;
const FAILS = `test("plays", () => { throw new Error("a hiccup"); });`;

function group(name: GroupName, ...names: string[]): PlannedGroup {
  return {
    name,
    concurrency: 1,
    files: names.map((file) => ({
      file,
      timeoutMs: 60_000,
      env: {},
      needs: name === "cluster" ? "cluster" : null,
    })),
  };
}

async function run(groups: readonly PlannedGroup[], more: Partial<RunOptions> = {}) {
  const lines: string[] = [];
  const report = new Report({ print: (line) => lines.push(line), verbose: false });
  const cluster = { start: () => Promise.resolve({}), stop: () => Promise.resolve() };
  const abort = new AbortController().signal;
  await runPlan(groups, {
    root: scratch,
    report,
    abort,
    namePattern: null,
    secondChances: 3,
    cluster,
    ...more,
  });
  const code = report.end();
  const out = lines.join("\n");
  return { code, out, last: lines.at(-1), runs: (out.match(/(FAIL|ok {2}) {2}\S+test\.ts/g) ?? []).length };
}

describe("a second chance", () => {
  test("counts a journey as passed that passes alone, and prints its first failure in full", async () => {
    const file = fileOf(
      firstThen(`${FAILS} test("stays", () => {});`, `${PASSES} test("stays", () => {});`),
    );
    const { code, out, last } = await run([group("e2e", file)]);
    assert.deepEqual([code, last], [0, "2 passed, 0 failed"]);
    const unsteady = out.slice(out.indexOf("unsteady:"));
    assert.match(unsteady, /FAIL .*\.test\.ts/);
    assert.match(unsteady, /a hiccup/);
    assert.match(unsteady, /note: 1 file failed, and passed alone on the machine/);
    assert.doesNotMatch(out, /^failed$/m);
  });

  for (const [name, first] of [
    ["a crash", `test("plays", () => { process.kill(process.pid, "SIGKILL"); });`],
    [
      "a hook that fails",
      `describe("s", () => { before(() => { throw new Error("hook"); }); test("x", () => {}); });`,
    ],
  ] as const) {
    test(`is given after ${name}`, async () => {
      const { code, last } = await run([group("soak", fileOf(firstThen(first, PASSES)))]);
      assert.deepEqual([code, last], [0, "1 passed, 0 failed"]);
    });
  }

  test("makes nothing good where the journey fails again: its failure stands, once", async () => {
    const { code, out, last } = await run([group("interop", fileOf(FAILS))]);
    assert.deepEqual([code, last], [1, "0 passed, 1 failed"]);
    assert.doesNotMatch(out, /unsteady:/);
  });

  for (const [name, then] of [
    ["is skipped the second time", `test("plays", { skip: "gone" }, () => {}); test("other", () => {});`],
    ["no longer runs what had passed", PASSES],
  ] as const) {
    test(`makes nothing good where the journey ${name}`, async () => {
      const first = `${FAILS} test("other", () => {});`;
      const { code, last } = await run([group("e2e", fileOf(firstThen(first, then)))]);
      assert.deepEqual([code, last], [1, "1 passed, 1 failed"]);
    });
  }

  test("is for journeys only", async () => {
    const { code, runs } = await run([group("unit", fileOf(firstThen(FAILS, PASSES)))]);
    assert.deepEqual([code, runs], [1, 1]);
  });

  test("is given to three files, and to none where four have failed", async () => {
    const unsteady = (count: number): string[] =>
      Array.from({ length: count }, () => fileOf(firstThen(FAILS, PASSES)));
    const three = await run([group("e2e", ...unsteady(2)), group("soak", ...unsteady(1))]);
    assert.deepEqual([three.code, three.last], [0, "3 passed, 0 failed"]);
    assert.match(three.out, /note: 3 files failed/);
    const four = await run([group("e2e", ...unsteady(4))]);
    assert.deepEqual([four.code, four.last, four.runs], [1, "0 passed, 4 failed", 4]);
  });

  test("is not given outside CI", async () => {
    const file = fileOf(firstThen(FAILS, PASSES));
    const { code, runs } = await run([group("e2e", file)], { secondChances: 0 });
    assert.deepEqual([code, runs], [1, 1]);
  });

  test("is not given when the time is over", async () => {
    const abort = AbortSignal.abort("the run took longer than a minute");
    const { code, out, runs } = await run([group("e2e", fileOf(PASSES))], { abort });
    assert.deepEqual([code, runs], [1, 1]);
    assert.match(out, /not run: the run took longer than a minute/);
  });
});

describe("the group that needs a cluster", () => {
  /** What the cluster and the files did, in order. */
  async function runWithCluster(cluster: PlannedGroup, others: readonly PlannedGroup[]) {
    const events: string[] = [];
    const start = (): Promise<Record<string, string>> => {
      events.push("up");
      return Promise.resolve({ KUBECONFIG: "/k" });
    };
    const stop = (): Promise<void> => {
      events.push("down");
      return Promise.resolve();
    };
    const report = new Report({ print: () => {}, verbose: false });
    const file = report.file.bind(report);
    const again = report.again.bind(report);
    const name = (path: string): string =>
      cluster.files.some((one) => one.file === path) ? "on it" : "other";
    report.file = (outcome): void => {
      events.push(name(outcome.file));
      file(outcome);
    };
    report.again = (outcome): void => {
      events.push(`${name(outcome.file)} again`);
      again(outcome);
    };
    const abort = new AbortController().signal;
    const options = { root: scratch, report, abort, namePattern: null, secondChances: 3 };
    await runPlan([...others, cluster], { ...options, cluster: { start, stop } });
    return { events, code: report.end() };
  }

  const NEEDS = `test("needs it", () => { if (process.env.KUBECONFIG !== "/k") throw new Error("no cluster"); });`;

  test("has it to itself, also for its second chance; the other files have theirs without", async () => {
    const unsteady = fileOf(firstThen(FAILS, PASSES));
    const journey = fileOf(firstThen(FAILS, NEEDS));
    const { events, code } = await runWithCluster(group("cluster", journey), [group("e2e", unsteady)]);
    assert.equal(code, 0);
    assert.deepEqual(events, ["other", "up", "on it", "on it again", "down", "other again"]);
  });

  test("is what the files of journeys on a cluster are in, behind all others", () => {
    const root = join(import.meta.dirname, "../..");
    const plan = makePlan({ root, paths: [], parallelism: 2, fileTimeoutMs: null, fuzzSeconds: null });
    const last = plan.at(-1)!;
    assert.equal(last.name, "cluster");
    assert.ok(last.files.some(({ file }) => file === "test/e2e/cluster.test.ts"));
    for (const { name, files: members } of plan)
      assert.equal(
        members.some(({ file }) => file.startsWith("test/e2e/cluster")),
        name === "cluster",
      );
  });
});
