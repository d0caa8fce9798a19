/** Runs the groups of a plan one after the other, and the files of a group so many at a time. */
import { JOURNEYS } from "./plan.ts";
import type { PlannedFile, PlannedGroup } from "./plan.ts";
import type { Report } from "./report.ts";
import { runTestFile } from "./run-file.ts";
import type { FileOutcome } from "./run-file.ts";

/** How the plan is run. */
export type RunOptions = {
  readonly root: string;
  readonly report: Report;
  /** Ends what runs and starts nothing more; every file left counts as failed. */
  readonly abort: AbortSignal;
  /** Only tests whose names match; all of them when it is `null`. */
  readonly namePattern: string | null;
  /** So many files with journeys that failed are run once more; when more have failed, none is. */
  readonly secondChances: number;
  readonly cluster: ClusterOfPlan;
};

/** What the group "cluster" runs on. `start` gives the environment of its files. Neither rejects. */
export type ClusterOfPlan = {
  start(): Promise<Readonly<Record<string, string>>>;
  stop(): Promise<void>;
};

/** A file that failed, with the environment that it ran in. */
type Failed = { readonly planned: PlannedFile; readonly needsCluster: boolean };

/** Runs everything; the outcome is in the report. */
export async function runPlan(groups: readonly PlannedGroup[], options: RunOptions): Promise<void> {
  const failed: Failed[] = [];
  for (const group of groups) {
    options.report.group(group.name);
    if (group.name === "cluster") await runOnCluster(group, failed, options);
    else await runGroup(group, failed, options);
  }
  await runAgain(failed, (file) => !file.needsCluster, options);
}

/** The cluster is up for this group alone, and for the second chances of its own files: the others run without. */
async function runOnCluster(group: PlannedGroup, failed: Failed[], options: RunOptions): Promise<void> {
  try {
    const env = options.abort.aborted ? {} : await options.cluster.start();
    const files = group.files.map((file) => ({ ...file, env: { ...file.env, ...env } }));
    await runGroup({ ...group, files }, failed, options);
    await runAgain(failed, (file) => file.needsCluster, options);
  } finally {
    await options.cluster.stop();
  }
}

async function runGroup(group: PlannedGroup, failed: Failed[], options: RunOptions): Promise<void> {
  const waiting = [...group.files];
  const taken = new Set<PlannedFile["needs"]>();
  const take = (): PlannedFile | undefined => {
    const index = waiting.findIndex(({ needs }) => needs === null || !taken.has(needs));
    return index < 0 ? undefined : waiting.splice(index, 1)[0];
  };
  const lane = async (): Promise<void> => {
    for (let next = take(); next !== undefined; next = take()) {
      taken.add(next.needs);
      const outcome = await runOne(next, options);
      taken.delete(next.needs);
      options.report.file(outcome);
      if (JOURNEYS.has(group.name) && hasFailed(outcome))
        failed.push({ planned: next, needsCluster: next.needs === "cluster" });
    }
  };
  await Promise.all(Array.from({ length: group.concurrency }, lane));
}

/** One after the other, so that each is alone on the machine. */
async function runAgain(
  failed: readonly Failed[],
  isMeant: (file: Failed) => boolean,
  options: RunOptions,
): Promise<void> {
  const meant = failed.filter(isMeant);
  if (failed.length > options.secondChances || meant.length === 0 || options.abort.aborted) return;
  options.report.group("once more, alone");
  for (const { planned } of meant) {
    // What was cut off by the end of the run says nothing about the file: its first failure stands.
    if (!options.abort.aborted) options.report.again(await runOne(planned, options));
  }
}

function hasFailed(outcome: FileOutcome): boolean {
  return outcome.tests.some(({ status }) => status === "failed");
}

function runOne(planned: PlannedFile, options: RunOptions): Promise<FileOutcome> | FileOutcome {
  const { file, timeoutMs, env } = planned;
  if (options.abort.aborted) return notRun(file, String(options.abort.reason));
  const { root, abort, namePattern } = options;
  return runTestFile(file, { root, timeoutMs, env, abort, namePattern });
}

/** A file that could not be run is one failure. */
function notRun(file: string, reason: string): FileOutcome {
  const detail = `not run: ${reason}`;
  const name = "(the file as a whole)";
  const tests = [{ name, status: "failed", durationMs: 0, place: "", detail }] as const;
  return { file, durationMs: 0, tests, notes: [], output: "" };
}
