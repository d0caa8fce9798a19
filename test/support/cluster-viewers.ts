/** Who watches and who publishes while pods come and go. */
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { publish } from "./ffmpeg.ts";
import { parseMediaPlaylist } from "./hls-recorder.ts";
import type { ParsedPlaylist } from "./hls-recorder.ts";
import type { TestEnd } from "./program.ts";

const POLL_MS = 500;
const REPLY_TIMEOUT_MS = 10_000;
const PUBLISHER_REST_MS = 1000;

/** A segment as a viewer met it for the first time. */
export type MetSegment = { readonly sequence: number; readonly atMs: number };

/** Polls a media playlist as a player does, on one connection for as long as the server keeps it, until the test ends. */
export class PlaylistViewer {
  /** By sequence number, in the order in which they came. */
  readonly met = new Map<number, MetSegment>();
  /** What went wrong for good: a playlist that does not read, or a sequence that went back. */
  readonly faults: string[] = [];
  /** Polls without a playlist, by the reason. */
  readonly misses = new Map<string, number>();
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #isWatching = true;
  #sequence = -1;

  constructor(t: TestEnd, url: string) {
    this.#url = url;
    const watching = this.#watch();
    t.after(async () => {
      this.#isWatching = false;
      this.#agent.destroy();
      await watching;
    });
  }

  /** Longest time between two new segments. */
  longestGapMs(): number {
    const times = [...this.met.values()].map(({ atMs }) => atMs);
    return times.reduce((most, atMs, index) => Math.max(most, atMs - (times[index - 1] ?? atMs)), 0);
  }

  /** When it met the first segment from number `first` on; infinite when it did not. */
  metAtMs(first: number): number {
    const times = [...this.met.values()].filter(({ sequence }) => sequence >= first);
    return Math.min(...times.map(({ atMs }) => atMs));
  }

  /** How many segments from `first` to `last` it has not met. */
  missing(first: number, last: number): number {
    let count = 0;
    for (let sequence = first; sequence <= last; sequence++) if (!this.met.has(sequence)) count++;
    return count;
  }

  async #watch(): Promise<void> {
    while (this.#isWatching) {
      try {
        const { status, body } = await fetchText(this.#url, this.#agent);
        if (status === 200) this.#take(parseMediaPlaylist(body));
        else this.#miss(`status ${status}`);
      } catch (error) {
        if (!(error instanceof Error && "code" in error) || error.name === "AssertionError")
          this.faults.push(String(error));
        else this.#miss(String(error.code));
      }
      await sleep(POLL_MS);
    }
  }

  #take(playlist: ParsedPlaylist): void {
    if (playlist.mediaSequence < this.#sequence)
      this.faults.push(`the media sequence went back from ${this.#sequence} to ${playlist.mediaSequence}`);
    this.#sequence = playlist.mediaSequence;
    const atMs = performance.now();
    for (const { sequence } of playlist.segments)
      if (!this.met.has(sequence)) this.met.set(sequence, { sequence, atMs });
  }

  #miss(reason: string): void {
    if (this.#isWatching) this.misses.set(reason, (this.misses.get(reason) ?? 0) + 1);
  }
}

/** One GET. Rejects with an Error that has a `code`. */
export function fetchText(url: string, agent?: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: REPLY_TIMEOUT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    const overdue = Object.assign(new Error(`${url}: no reply`), { code: "no reply in time" });
    request.once("timeout", () => request.destroy(overdue));
    request.once("error", reject);
  });
}

/**
 * A run of ffmpeg: when it was started, when it said that it sends, and when it ended. Wall clock, milliseconds since 1970;
 * infinite while it does not send, or runs.
 */
export type PublisherRun = { readonly startedAt: number; sendsAt: number; endedAt: number };

/** ffmpeg tells how far it is on its stdout, from its first packets on. */
const TOLD = ["-c", "copy", "-stats_period", "0.1", "-progress", "pipe:1"];

/** ffmpeg in a restart loop, as people run it: a second after it has ended it is there again, until the test ends. */
export class RestartingPublisher {
  /** How often it was started. */
  starts = 0;
  /** When it was started last. */
  startedAtMs = 0;
  /** All its runs, the one that goes on last. */
  readonly runs: PublisherRun[] = [];
  #isWanted = true;
  #end: (() => Promise<void>) | null = null;

  constructor(t: TestEnd, url: string, clip: string) {
    const looping = this.#loop(t, url, clip);
    t.after(async () => {
      this.#isWanted = false;
      await this.#end?.();
      await looping;
    });
  }

  async #loop(t: TestEnd, url: string, clip: string): Promise<void> {
    while (this.#isWanted) {
      this.starts++;
      this.startedAtMs = performance.now();
      const run: PublisherRun = { startedAt: Date.now(), sendsAt: Infinity, endedAt: Infinity };
      this.runs.push(run);
      const onLine = (line: string): void => {
        if (/^frame=[1-9]/.test(line)) run.sendsAt = Math.min(run.sendsAt, Date.now());
      };
      const program = publish(t, url, clip, { loop: true, output: TOLD, onLine });
      this.#end = () => program.kill();
      await program.ended;
      run.endedAt = Date.now();
      if (this.#isWanted) await sleep(PUBLISHER_REST_MS);
    }
  }
}
