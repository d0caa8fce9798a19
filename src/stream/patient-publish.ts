import type { Clock } from "../base/clock.ts";
import { asMediaError } from "../base/errors.ts";
import type { PublishRequest, Publisher, StreamDirectory } from "./directory.ts";

/** How long a busy name is asked for again, and how often. Units: milliseconds; above the longest rest of a reader. */
const PATIENCE_MS = 500;
const AGAIN_MS = 50;

/**
 * `directory.publish`, which a publisher that comes back at once does not lose to its own last connection: that one is
 * closed, but whoever reads it may rest (`Publisher.patienceMs`), or sit in another thread. At once where the name is
 * free. Throws, or rejects with, what `publish` does; STREAM_BUSY only after half a second.
 */
export function publishPatiently(
  directory: Pick<StreamDirectory, "publish">,
  request: PublishRequest,
  clock: Clock,
): Publisher | Promise<Publisher> {
  try {
    const claim = directory.publish(request);
    return claim instanceof Promise
      ? claim.catch((caught: unknown) => askAgain(directory, request, clock, caught))
      : claim;
  } catch (caught) {
    return askAgain(directory, request, clock, caught);
  }
}

async function askAgain(
  directory: Pick<StreamDirectory, "publish">,
  request: PublishRequest,
  clock: Clock,
  refusal: unknown,
): Promise<Publisher> {
  const untilUs = clock.nowUs() + PATIENCE_MS * 1000;
  for (let last = refusal; ;) {
    if (asMediaError(last)?.code !== "STREAM_BUSY" || clock.nowUs() >= untilUs) throw last;
    await new Promise<void>((resolve) => void clock.schedule(AGAIN_MS, resolve));
    try {
      return await directory.publish(request);
    } catch (caught) {
      last = caught;
    }
  }
}
