// @ts-check
/** One source buffer of Media Source Extensions, and the fragments that wait while it is busy. */

/** What lies behind the playing position is kept this long, in seconds. */
const BACK_BUFFER_SECONDS = 10;
/** Fragments that wait for a source buffer; more than a GOP of them means that it takes none. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** One source buffer and what waits for it. */
export class TrackBuffer {
  kind;
  #hooks;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  /** @type {(ArrayBuffer | Uint8Array<ArrayBuffer>)[]} */
  #waiting = [];
  #waitingBytes = 0;
  #mime = "";

  /**
   * @param {"video" | "audio"} kind
   * @param {{ playedSeconds: () => number, onAppended: () => void, onFailure: (detail: string) => void }} hooks
   */
  constructor(kind, hooks) {
    this.kind = kind;
    this.#hooks = hooks;
  }

  get startSeconds() {
    const ranges = this.#buffer?.buffered;
    return ranges === undefined || ranges.length === 0 ? null : ranges.start(ranges.length - 1);
  }

  get endSeconds() {
    const ranges = this.#buffer?.buffered;
    return ranges === undefined || ranges.length === 0 ? null : ranges.end(ranges.length - 1);
  }

  /** @param {SourceBuffer} buffer */
  attach(buffer) {
    this.#buffer = buffer;
    buffer.addEventListener("updateend", () => {
      this.#next();
      this.#hooks.onAppended();
    });
    buffer.addEventListener("error", () =>
      this.#hooks.onFailure(`media: the ${this.kind} cannot be decoded`),
    );
    this.#next();
  }

  /**
   * An init segment: what follows is of its kind.
   * @param {string} mime
   * @param {Uint8Array<ArrayBuffer>} init
   */
  begin(mime, init) {
    if (this.#buffer !== null && this.#mime !== mime) this.#buffer.changeType(mime);
    this.#mime = mime;
    this.append(init);
  }

  /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} bytes */
  append(bytes) {
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#hooks.onFailure(`media: the ${this.kind} is not taken`);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    this.#next();
  }

  /** Forgets what waits, and the frame that is half read. */
  clear() {
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      this.#buffer?.abort();
    } catch {
      // Of a media source that is gone already.
    }
  }

  close() {
    this.clear();
    this.#buffer = null;
  }

  /** All that waits goes in at once: each append costs a turn of the browser's loop. */
  #next() {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating) return;
    try {
      if (this.#waiting.length > 0) {
        const bytes =
          this.#waiting.length === 1 ? this.#waiting[0] : joined(this.#waiting, this.#waitingBytes);
        this.#waiting = [];
        this.#waitingBytes = 0;
        buffer.appendBuffer(/** @type {ArrayBuffer} */ (bytes));
        return;
      }
      const keepFrom = this.#hooks.playedSeconds() - BACK_BUFFER_SECONDS;
      if (buffer.buffered.length > 0 && buffer.buffered.start(0) < keepFrom - BACK_BUFFER_SECONDS)
        buffer.remove(0, keepFrom);
    } catch (error) {
      this.#hooks.onFailure(`media: ${String(error)}`);
    }
  }
}

/**
 * @param {readonly (ArrayBuffer | Uint8Array<ArrayBuffer>)[]} chunks
 * @param {number} lengthBytes
 */
function joined(chunks, lengthBytes) {
  const all = new Uint8Array(lengthBytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(new Uint8Array(chunk), at);
    at += chunk.byteLength;
  }
  return all;
}
