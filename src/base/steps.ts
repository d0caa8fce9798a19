/**
 * Long work in small steps: it yields wherever others may have a turn. The same code is done at once where nobody waits, and in
 * slices on a thread that others wait for.
 */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does all steps at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
