/** A player of HLS: playlist, new segments, playlist again, on one kept connection. */
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { rest } from "./rest.ts";

const REQUEST_TIMEOUT_MS = 15_000;
/** Requests in a row without success after which it gives up. */
const MAX_FAILURES = 5;

/** What it does between looks at the playlist. Units: milliseconds. */
export type HlsPace = { readonly lookMs: number; readonly retryMs: number };

const DEFAULT_PACE: HlsPace = { lookMs: 1000, retryMs: 1500 };

type Reply = { readonly status: number; readonly body: Buffer };

/** Plays `base` (such as `/live/s1`) until it is left, the stream is gone, or nothing answers any more. */
export class HlsViewer {
  /** Resolves when it plays no more. */
  readonly ended: Promise<void>;
  readonly #port: number;
  readonly #base: string;
  readonly #pace: HlsPace;
  readonly #onSegment: () => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #leaving = new AbortController();
  #playlist: string | null = null;
  #lastSegment = "";
  #isPaused = false;
  /** The segment that is being received. */
  #segment: IncomingMessage | null = null;
  #wake: () => void = () => {};

  constructor(port: number, base: string, onSegment: () => void, pace: HlsPace = DEFAULT_PACE) {
    this.#port = port;
    this.#base = base;
    this.#pace = pace;
    this.#onSegment = onSegment;
    this.ended = this.#play();
  }

  /** Stops reading in the middle of a segment: of the one that is under way, or of the next. */
  pause(): void {
    this.#isPaused = true;
    this.#segment?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#segment?.resume();
    this.#wake();
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#agent.destroy();
    this.resume();
    await this.ended;
  }

  async #play(): Promise<void> {
    let failures = 0;
    while (!this.#leaving.signal.aborted && failures < MAX_FAILURES) {
      const isGood = await this.#look().catch(() => false);
      failures = isGood ? 0 : failures + 1;
      await this.#whileUnpaused();
      await rest(isGood ? this.#pace.lookMs : this.#pace.retryMs, this.#leaving.signal);
    }
    this.#agent.destroy();
  }

  /** One round: the playlist, and the segments in it that are new. Returns: whether the stream was there. */
  async #look(): Promise<boolean> {
    this.#playlist ??= await this.#findPlaylist();
    if (this.#playlist === null) return false;
    const playlist = await this.#get(`${this.#base}/${this.#playlist}`);
    if (playlist.status !== 200) {
      this.#playlist = null;
      return false;
    }
    const folder = this.#playlist.replace(/[^/]*$/, "");
    const names = linesOf(playlist.body);
    const known = names.indexOf(this.#lastSegment);
    // Who comes in begins at the live edge.
    const fresh = known < 0 ? names.slice(-1) : names.slice(known + 1);
    for (const name of fresh) {
      const segment = await this.#get(`${this.#base}/${folder}${name}`, true);
      if (segment.status !== 200) return false;
      this.#lastSegment = name;
      this.#onSegment();
    }
    return true;
  }

  async #findPlaylist(): Promise<string | null> {
    const reply = await this.#get(`${this.#base}/index.m3u8`);
    return reply.status === 200 ? (linesOf(reply.body)[0] ?? null) : null;
  }

  #get(path: string, isSegment = false): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const options = { host: "127.0.0.1", port: this.#port, path, agent: this.#agent };
    const request = get(
      { ...options, signal: this.#leaving.signal, timeout: REQUEST_TIMEOUT_MS },
      (response) => {
        if (isSegment) this.#segment = response;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
        );
        response.on("error", reject);
        response.on("close", () => reject(new Error("closed before its end")));
        if (this.#isPaused && isSegment) response.pause();
      },
    );
    request.on("error", reject);
    request.on("timeout", () => {
      if (!this.#isPaused) request.destroy(new Error("no answer"));
    });
    return promise.finally(() => {
      this.#segment = null;
    });
  }

  async #whileUnpaused(): Promise<void> {
    if (!this.#isPaused || this.#leaving.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

function linesOf(playlist: Buffer): string[] {
  return playlist
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}
