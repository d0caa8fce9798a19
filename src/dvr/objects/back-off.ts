import type { Clock } from "../../base/clock.ts";

/** How long pauses between attempts are. */
export type BackOffLimits = { readonly firstMs: number; readonly longestMs: number };

/**
 * The pause after so many failures in a row: it doubles each time, up to the longest, and chance takes up to a half of
 * it away, so that those who failed together do not come back together.
 *
 * `failures`: at least one. `random`: of 0 up to, not including, 1.
 */
export function backOffMs(failures: number, limits: BackOffLimits, random: number): number {
  const { firstMs, longestMs } = limits;
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 52));
  return Math.max(Math.min(firstMs, longestMs), Math.round(full * (1 - random / 2)));
}

/** Waits, or until the signal is given; never rejects. */
export async function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.schedule(delayMs, resolve);
  const onAbort = (): void => resolve();
  signal?.addEventListener("abort", onAbort, { once: true });
  await promise;
  signal?.removeEventListener("abort", onAbort);
  timer.cancel();
}
