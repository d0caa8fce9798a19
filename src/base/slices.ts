import type { Clock } from "./clock.ts";
import type { Steps } from "./steps.ts";

/** How long others wait at most for a turn, but for one step. */
const SLICE_US = 4000;

/** What slices need. `turn` resolves when others have had theirs; the event loop's, if left out. */
export type SliceOptions = { readonly clock: Pick<Clock, "nowUs">; readonly turn?: () => Promise<void> };

/** Does the steps, and gives others a turn every few milliseconds. Rejects with what the steps throw. */
export async function inSlices<Result>(
  steps: Steps<Result>,
  { clock, turn = nextTurn }: SliceOptions,
): Promise<Result> {
  let begunUs = clock.nowUs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.nowUs() - begunUs < SLICE_US) continue;
    await turn();
    begunUs = clock.nowUs();
  }
}

/** Requests that wait in sockets, and timers, come before it. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
