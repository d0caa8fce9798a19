/** Runs the groups of a plan one after the other, and the files of a group so many at a time. */
import type { PlannedFile, PlannedGroup } from "./plan.ts";
import type { Report } from "./report.ts";
import { runTestFile } from "./run-file.ts";

/** How the plan is run. */
export type RunOptions = {
  readonly root: string;
  readonly report: Report;
  /** Ends what runs and starts nothing more; every file left counts as failed. */
  readonly abort: AbortSignal;
  /** Only tests whose names match; all of them when it is `null`. */
  readonly namePattern: string | null;
};

/** Runs everything; the outcome is in the report. */
export async function runPlan(groups: readonly PlannedGroup[], options: RunOptions): Promise<void> {
  for (const group of groups) {
    options.report.group(group.name);
    const waiting = [...group.files];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await runOne(next, options);
    };
    await Promise.all(Array.from({ length: group.concurrency }, lane));
  }
}

async function runOne(planned: PlannedFile, options: RunOptions): Promise<void> {
  const { file, timeoutMs, env } = planned;
  if (options.abort.aborted) return options.report.notRun(file, String(options.abort.reason));
  const { root, abort, namePattern } = options;
  options.report.file(await runTestFile(file, { root, timeoutMs, env, abort, namePattern }));
}
