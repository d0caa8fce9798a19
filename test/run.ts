/**
 * `npm test [-- [options] [path...]]`: runs the tests of the project, or of the files and folders named.
 * What it does and how to use it is in CONTRIBUTING.md.
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { clusterMachine, TestCluster } from "./runner/cluster.ts";
import { installTools, thisMachine } from "./runner/install-tools.ts";
import { FUZZ_SECONDS_VARIABLE, JOURNEYS, makePlan } from "./runner/plan.ts";
import type { PlannedGroup } from "./runner/plan.ts";
import { Report } from "./runner/report.ts";
import { runPlan } from "./runner/run-plan.ts";

const USAGE = `usage: npm test -- [options] [path...]

  path        a test file or a folder, from the root of the project; everything when there is none
  --name      only tests whose names match this regular expression
  --verbose   every test by its name (also when a path is given), and what passing files wrote
  --timeout   seconds that one file may take (else 120, and 600 in test/interop, test/e2e and test/soak)
  --deadline  minutes that all of it may take (else 39)`;

/** Below the 40 minutes of .ci/run, so that the totals are printed even when every file hangs. */
const DEFAULT_DEADLINE_MINUTES = 39;

/** In CI only: whoever runs a test by hand wants to see it fail. */
const SECOND_CHANCES = process.env["CI"] === "true" ? 3 : 0;

const root = resolve(import.meta.dirname, "..");

async function main(): Promise<number> {
  const options = {
    name: { type: "string" },
    verbose: { type: "boolean" },
    timeout: { type: "string" },
    deadline: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const fuzzSeconds = process.env[FUZZ_SECONDS_VARIABLE];
  const plan = makePlan({
    root,
    paths: positionals,
    parallelism: availableParallelism(),
    fileTimeoutMs: values.timeout === undefined ? null : positive("--timeout", values.timeout) * 1000,
    fuzzSeconds: fuzzSeconds === undefined ? null : positive(FUZZ_SECONDS_VARIABLE, fuzzSeconds),
  });
  const report = new Report({ print: console.log, verbose: values.verbose ?? positionals.length > 0 });
  const cluster = new TestCluster(clusterMachine(root, console.log));
  // Before the clock of the deadline starts: the first time takes minutes.
  if (plan.some(({ name }) => name === "cluster")) await cluster.install();
  const deadlineMinutes = values.deadline === undefined ? null : positive("--deadline", values.deadline);
  const abort = abortAfter(deadlineMinutes ?? DEFAULT_DEADLINE_MINUTES);
  if (positionals.length === 0 || plan.some(needsTools)) await installTools(thisMachine(console.log));
  const namePattern = values.name ?? null;
  await runPlan(plan, { root, report, abort, namePattern, secondChances: SECOND_CHANCES, cluster });
  return report.end();
}

/** Journeys play and publish with other people's programs; the rest does without. */
function needsTools(group: PlannedGroup): boolean {
  return JOURNEYS.has(group.name) || group.name === "cluster";
}

function abortAfter(minutes: number): AbortSignal {
  const controller = new AbortController();
  const overdue = (): void => controller.abort(`the run took longer than ${minutes} minutes`);
  setTimeout(overdue, minutes * 60_000).unref();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => controller.abort(`interrupted by ${name}`));
  }
  return controller.signal;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} takes a number above zero, not "${text}"`);
  return value;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 2;
}
