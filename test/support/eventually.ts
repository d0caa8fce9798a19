/** Waiting for something that another process or a socket does in its own time. */
import { setTimeout as sleep } from "node:timers/promises";

/** How long to wait, and how often to look. */
export type EventuallyOptions = {
  /** 10 s unless given. */
  readonly timeoutMs?: number;
  /** 50 ms unless given. */
  readonly intervalMs?: number;
};

/**
 * Calls `attempt` until it returns (or resolves) without throwing, and gives its value.
 *
 * Throws: the last error, with the time waited in front of its message, when the time is over.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeoutMs = 10_000, intervalMs = 50 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw overdue(error, timeoutMs);
    }
    await sleep(intervalMs);
  }
}

function overdue(error: unknown, timeoutMs: number): unknown {
  if (error instanceof Error) error.message = `not within ${timeoutMs} ms: ${error.message}`;
  return error;
}
