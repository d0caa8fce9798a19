/** Time is injected: nothing outside this file reads the machine's clocks or sets its timers. */

/** A pending call that can be taken back; cancelling twice, or after it ran, does nothing. */
export type Timer = { cancel(): void };

/** What the code sees of time. Tests give a clock that moves by hand. */
export type Clock = {
  /** Monotonic microseconds from an arbitrary start: for ages and deadlines. */
  nowUs(): number;
  /** Microseconds since 1970 UTC: for what people and archives see. May step. */
  wallUs(): number;
  /** Calls `run` once after `delayMs`; never keeps the process alive by itself. */
  schedule(delayMs: number, run: () => void): Timer;
};

/** The machine's clocks and timers. */
export const systemClock: Clock = {
  nowUs: () => Math.floor(performance.now() * 1000),
  wallUs: () => Date.now() * 1000,
  schedule(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** The longest that a timer of the machine takes. Units: milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Keeps the process alive until it is cancelled. A clock's timers do not: an end that waits for one, when nothing else is left,
 * would be the end of the process in the middle of it.
 */
export function holdProcess(): Timer {
  const handle = setInterval(() => {}, LONGEST_MS);
  return { cancel: () => clearInterval(handle) };
}
