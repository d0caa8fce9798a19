// @ts-check
/** One source buffer of Media Source Extensions, and the fragments that wait while it is busy. */

/** What lies behind the playing position is kept this long, in seconds. */
const BACK_BUFFER_SECONDS = 10;
/** Where the browser has no more room, this is kept of what was played, in seconds, and nothing older. */
const LEAST_BACK_SECONDS = 1;
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
  /** Room is being made: what was refused is offered again behind that. */
  #isEvicting = false;
  /** The half-read frame is to be forgotten as soon as the buffer is free. */
  #abortsLater = false;
  /** All media is to be removed as soon as the buffer is free, in front of what waits. */
  #forgetsLater = false;
  /** To be changed to as soon as the buffer is free. @type {string | null} */
  #nextMime = null;

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

  /** All that came is in the buffer. */
  get isIdle() {
    return this.#buffer !== null && !this.#buffer.updating && this.#waiting.length === 0;
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
    if (this.#buffer !== null && this.#mime !== mime) {
      this.#nextMime = mime;
      this.#reset();
    }
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
    this.#isEvicting = false;
    this.#abortsLater = true;
    this.#reset();
  }

  /** Forgets that, and all media that is there: what follows is of another place. */
  forget() {
    this.clear();
    this.#forgetsLater = this.#buffer !== null;
    this.#next();
  }

  /** While a buffer removes, `abort` throws, and while it does anything, `changeType`: then both come behind that. */
  #reset() {
    const buffer = this.#buffer;
    if (buffer === null) return;
    try {
      if (this.#abortsLater) buffer.abort();
      this.#abortsLater = false;
      if (buffer.updating) return;
      if (this.#nextMime !== null) buffer.changeType(this.#nextMime);
      this.#nextMime = null;
    } catch {
      // It removes, or is of a media source that is gone already.
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
    this.#reset();
    try {
      if (this.#forgetsLater) {
        this.#forgetsLater = false;
        if (buffer.buffered.length > 0) {
          buffer.remove(0, Infinity);
          return;
        }
      }
      if (this.#waiting.length > 0) {
        const bytes =
          this.#waiting.length === 1 ? this.#waiting[0] : joined(this.#waiting, this.#waitingBytes);
        buffer.appendBuffer(/** @type {ArrayBuffer} */ (bytes));
        this.#waiting = [];
        this.#waitingBytes = 0;
        this.#isEvicting = false;
        return;
      }
      const keepFrom = this.#hooks.playedSeconds() - BACK_BUFFER_SECONDS;
      if (buffer.buffered.length > 0 && buffer.buffered.start(0) < keepFrom - BACK_BUFFER_SECONDS)
        buffer.remove(0, keepFrom);
    } catch (error) {
      if (!this.#evict(error, buffer)) this.#hooks.onFailure(`media: ${String(error)}`);
    }
  }

  /**
   * Makes room where the browser has no more; what was refused waits for that. Once: refused again, it is a failure.
   * @param {unknown} error
   * @param {SourceBuffer} buffer
   */
  #evict(error, buffer) {
    const isFull = error instanceof Error && error.name === "QuotaExceededError";
    const keepFrom = this.#hooks.playedSeconds() - LEAST_BACK_SECONDS;
    if (!isFull || this.#isEvicting || buffer.buffered.length === 0) return false;
    if (buffer.buffered.start(0) >= keepFrom) return false;
    this.#isEvicting = true;
    buffer.remove(0, keepFrom);
    return true;
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
