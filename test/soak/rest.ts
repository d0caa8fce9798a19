/** Waiting that ends early when the soak does. */

/** Resolves after `delayMs` (`Infinity`: never by itself), or as soon as `signal` is aborted. Never rejects. */
export async function rest(delayMs: number, signal: AbortSignal): Promise<void> {
  await restUntil(null, delayMs, signal);
}

/** Resolves when `event` does, `delayMs` are over, or the signal is aborted; says whether it was the event. */
export function restUntil(
  event: Promise<unknown> | null,
  delayMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | null = null;
    const end = (isEvent: boolean): void => {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isEvent);
    };
    const onAbort = (): void => end(false);
    if (Number.isFinite(delayMs)) timer = setTimeout(onAbort, delayMs);
    signal.addEventListener("abort", onAbort);
    void event?.then(() => end(true));
  });
}
