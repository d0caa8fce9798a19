// @ts-check
/** Saves a file from the server: with progress where it fits into memory, and by the browser's own means where not. */

/** More than this is left to the browser: what comes with progress is held in memory until it is whole. Units: bytes. */
const MAX_HELD_BYTES = 512 * 1024 * 1024;

/**
 * How it ended. `handed-over`: the browser saves it by itself.
 * @typedef {{ end: "saved" | "cancelled" | "handed-over" } | { end: "failed", reason: string }} SaveEnd
 */

/**
 * @typedef {object} SaveOptions
 * @property {string} url
 * @property {AbortSignal} signal
 * @property {(bytes: number, wholeBytes: number | null) => void} onProgress
 * @property {(url: string) => void} offer has the browser save what is at an address
 * @property {(blob: Blob) => string} [makeUrl]
 * @property {typeof fetch} [fetcher]
 * @property {number} [maxHeldBytes]
 */

/**
 * Never rejects.
 *
 * @param {SaveOptions} options
 * @returns {Promise<SaveEnd>}
 */
export async function save(options) {
  const { url, signal, onProgress, offer, maxHeldBytes = MAX_HELD_BYTES } = options;
  const { makeUrl = (blob) => URL.createObjectURL(blob), fetcher = (...request) => fetch(...request) } =
    options;
  try {
    const reply = await fetcher(url, { signal });
    if (!reply.ok || reply.body === null)
      return { end: "failed", reason: (await reply.text()).trim() || `HTTP ${reply.status}` };
    const length = Number(reply.headers.get("content-length") ?? NaN);
    const wholeBytes = Number.isFinite(length) ? length : null;
    if (wholeBytes === null || wholeBytes > maxHeldBytes) {
      await reply.body.cancel();
      offer(url);
      return { end: "handed-over" };
    }
    const pieces = await readAll(reply.body, (bytes) => onProgress(bytes, wholeBytes));
    const blob = new Blob(pieces, { type: reply.headers.get("content-type") ?? "" });
    if (blob.size !== wholeBytes) return { end: "failed", reason: "the server broke off" };
    offer(makeUrl(blob));
    return { end: "saved" };
  } catch (error) {
    if (signal.aborted) return { end: "cancelled" };
    return { end: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {(bytes: number) => void} onProgress
 */
async function readAll(body, onProgress) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  let bytes = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
    bytes += value.byteLength;
    onProgress(bytes);
  }
}
