// @ts-check
/** Asks the server for its lists, again and again while the page is seen. */

/** How long one question may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** @typedef {{ value: unknown, trouble: null } | { value: null, trouble: string }} Answer */

/**
 * A JSON reply, or words for why there is none. Never rejects.
 *
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export async function ask(path) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(path, { cache: "no-store", signal: limit.signal });
    if (response.ok) return { value: await response.json(), trouble: null };
    await response.body?.cancel();
    const isRefused = response.status === 401 || response.status === 403;
    return {
      value: null,
      trouble: isRefused ? "The server does not show its list." : troubleOf(response.status),
    };
  } catch {
    return { value: null, trouble: "The server does not answer. Trying again." };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Calls `work` now and then every `periodMs`, each time after the last one is done; not while the page is hidden, and
 * at once when it is seen again.
 *
 * @param {() => Promise<void>} work never rejects
 * @param {number} periodMs
 */
export function repeatWhileSeen(work, periodMs) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isWorking = false;
  const turn = async () => {
    clearTimeout(timer);
    if (isWorking || document.hidden) return;
    isWorking = true;
    await work();
    isWorking = false;
    timer = setTimeout(() => void turn(), periodMs);
  };
  document.addEventListener("visibilitychange", () => void turn());
  void turn();
}

/** @param {number} status */
function troubleOf(status) {
  return `The server answers with HTTP ${status}. Trying again.`;
}
