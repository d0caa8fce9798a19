/** Journeys run two at a time, and never two browsers. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { makePlan } from "./plan.ts";
import { Report } from "./report.ts";
import { runPlan } from "./run-plan.ts";

const scratch = mkdtempSync(join(tmpdir(), "weir-lanes-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A journey that writes down when it begins and ends, and waits until another one runs beside it, if any does. */
function journey(name: string, words: string): void {
  const file = join(scratch, "test/e2e", `${name}.test.ts`);
  mkdirSync(dirname(file), { recursive: true });
  const log = JSON.stringify(join(scratch, "log"));
  writeFileSync(
    file,
    `import { test } from "node:test"; // ${words}
    import { appendFileSync } from "node:fs";
    test("waits", async () => {
      appendFileSync(${log}, "+${name} ");
      await new Promise((resolve) => setTimeout(resolve, 300));
      appendFileSync(${log}, "-${name} ");
    });`,
  );
}

test("a browser has one lane, what has none fills the other", async () => {
  for (const name of ["a", "b", "c"]) journey(name, 'needs("chromium")');
  for (const name of ["x", "y"]) journey(name, "no browser");
  const plan = makePlan({
    root: scratch,
    paths: [],
    parallelism: 4,
    fileTimeoutMs: null,
    fuzzSeconds: null,
  });
  assert.deepEqual(
    plan.map(({ name, concurrency }) => [name, concurrency]),
    [["e2e", 2]],
  );
  const report = new Report({ print: () => {}, verbose: false });
  await runPlan(plan, {
    root: scratch,
    report,
    abort: new AbortController().signal,
    namePattern: null,
    secondChances: 0,
    cluster: { start: () => Promise.resolve({}), stop: () => Promise.resolve() },
  });
  assert.equal(report.end(), 0);
  const running = new Set<string>();
  let most = 0;
  const steps = readFileSync(join(scratch, "log"), "utf8").trim().split(" ");
  assert.equal(steps.length, 10, "each began and ended");
  for (const step of steps) {
    if (step.startsWith("+")) running.add(step.slice(1));
    else running.delete(step.slice(1));
    most = Math.max(most, running.size);
    assert.ok(["a", "b", "c"].filter((name) => running.has(name)).length <= 1, steps.join(" "));
  }
  assert.ok(most <= 2, steps.join(" "));
});

test("one core has one lane", () => {
  const plan = makePlan({
    root: scratch,
    paths: [],
    parallelism: 1,
    fileTimeoutMs: null,
    fuzzSeconds: null,
  });
  assert.equal(plan[0]?.concurrency, 1);
});

test("a crowd runs beside the cluster where there is one, and by itself where there is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-lanes-"));
  const options = { root: folder, paths: [], parallelism: 2, fileTimeoutMs: null, fuzzSeconds: null };
  const put = (name: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "");
  };
  const told = (): unknown =>
    makePlan(options).map(({ name, concurrency, files }) => [
      name,
      concurrency,
      ...files.map(({ file, needs }) => `${file} ${needs ?? "nothing"}`),
    ]);
  try {
    put("test/soak/soak.test.ts");
    put("test/soak/guard.test.ts");
    assert.deepEqual(told(), [
      ["soak", 1, "test/soak/guard.test.ts nothing", "test/soak/soak.test.ts nothing"],
    ]);
    put("test/e2e/cluster.test.ts");
    put("test/e2e/cluster-more.test.ts");
    assert.deepEqual(told(), [
      ["soak", 1, "test/soak/guard.test.ts nothing"],
      [
        "cluster",
        2,
        "test/e2e/cluster-more.test.ts cluster",
        "test/e2e/cluster.test.ts cluster",
        "test/soak/soak.test.ts nothing",
      ],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
