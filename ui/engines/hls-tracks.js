// @ts-check
/**
 * Whether a live stream has other tracks than an engine began with. hls.js reads the multivariant playlist once, and
 * makes its buffers once: after the stream broke off, this reads it again.
 */

/** When the playlist is read again, in milliseconds: with parts, its new tracks are known some seconds later. */
const READ_MS = [0, 1000, 2500, 4500];
/** Of a playlist that is read, at most. */
const MAX_CHARACTERS = 200_000;
const MAX_VARIANTS = 200;
/** How long one reading may take. */
const TIMEOUT_MS = 5000;

/**
 * What the variants and the sound of a multivariant playlist are: addresses without their query, and families of codecs.
 * The same text for the same tracks; `null` for what is not such a playlist.
 *
 * Spec: RFC 8216 sections 4.3.4.1 (EXT-X-MEDIA), 4.3.4.2 (EXT-X-STREAM-INF).
 * @param {string} text
 */
export function shapeOf(text) {
  const variants = [];
  let codecs = "";
  for (const line of text.slice(0, MAX_CHARACTERS).split(/\r?\n/)) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) codecs = familiesOf(line);
    else if (line.startsWith("#EXT-X-MEDIA:")) {
      const address = /[:,]URI="([^"]*)"/.exec(line)?.[1] ?? "";
      if (line.includes("TYPE=AUDIO") && address !== "") variants.push(withoutQuery(address));
    } else if (line.trim() !== "" && !line.startsWith("#"))
      variants.push(`${withoutQuery(line)} ${codecs}`);
  }
  const isPlaylist = text.startsWith("#EXTM3U") && text.includes("#EXT-X-STREAM-INF:");
  return isPlaylist ? variants.slice(0, MAX_VARIANTS).toSorted().join("\n") : null;
}

/** @param {string} line */
function familiesOf(line) {
  const list = /[:,]CODECS="([^"]*)"/.exec(line)?.[1] ?? "";
  return list
    .split(",")
    .map((codec) => codec.trim().split(".")[0])
    .join();
}

/** @param {string} address */
function withoutQuery(address) {
  return address.trim().split(/[?#]/)[0] ?? "";
}

/** Reads the multivariant playlist of one engine again where there is a reason to. */
export class HlsTracks {
  #fetch;
  #onRead;
  /** @type {string | null} */
  #shape = null;
  #hasChanged = false;
  /** Readings of the present row that are still to come. */
  #left = 0;
  #over = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => void} onRead a row of readings has come to its end
   * @param {typeof fetch} [fetcher]
   */
  constructor(onRead, fetcher = (...request) => fetch(...request)) {
    this.#onRead = onRead;
    this.#fetch = fetcher;
  }

  /** The stream has other tracks now. */
  get hasChanged() {
    return this.#hasChanged;
  }

  /** It is being found out. */
  get isReading() {
    return this.#left > 0;
  }

  /** @param {string} text the multivariant playlist that the engine began with */
  begin(text) {
    this.#shape = shapeOf(text);
  }

  /** Reads the playlist, some times until it is another one. @param {string} url */
  read(url) {
    if (this.#shape === null || this.#hasChanged || this.#over.signal.aborted) return;
    this.#left = READ_MS.length;
    clearTimeout(this.#timer);
    this.#plan(url);
  }

  close() {
    this.#over.abort();
    this.#left = 0;
    clearTimeout(this.#timer);
  }

  /** @param {string} url */
  #plan(url) {
    const at = READ_MS.length - this.#left;
    const pauseMs = (READ_MS[at] ?? 0) - (READ_MS[at - 1] ?? 0);
    this.#timer = setTimeout(() => void this.#look(url), pauseMs);
  }

  /** @param {string} url */
  async #look(url) {
    const shape = await this.#ask(url);
    if (this.#over.signal.aborted) return;
    this.#hasChanged ||= shape !== null && shape !== this.#shape;
    this.#left = this.#hasChanged ? 0 : this.#left - 1;
    if (this.#left > 0) this.#plan(url);
    else this.#onRead();
  }

  /**
   * @param {string} url
   * @returns {Promise<string | null>} never rejects: a playlist that cannot be had tells nothing
   */
  async #ask(url) {
    try {
      const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const response = await this.#fetch(url, { signal, cache: "no-store" });
      return response.ok ? shapeOf(await response.text()) : null;
    } catch {
      return null;
    }
  }
}
