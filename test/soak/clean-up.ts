/** Cleaning up behind what runs from the command line. */
import type { TestEnd } from "../support/program.ts";

/** Runs with what tests have: a list of things to clean up, whatever happens. */
export async function withCleanUp(work: (end: TestEnd) => Promise<number>): Promise<number> {
  const cleaners: (() => void | Promise<void>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const clean of cleaners.splice(0).toReversed()) await clean();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => void cleanUp().finally(() => process.exit(1)));
  }
  try {
    return await work({ after: (clean) => void cleaners.push(clean) });
  } finally {
    await cleanUp();
  }
}
