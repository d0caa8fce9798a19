import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";

/** What readiness says from the first moment of a drain on. */
export const DRAINING =
  "the server is stopping: it takes no new publishers and serves its viewers to the end";

/** What happens on the way to the end, in this order. */
export type DrainStep =
  /** New publishers are refused, and readiness fails. */
  | "refuse-publishers"
  /** Publishers that can are asked to connect again, which leads them to another server. */
  | "ask-to-reconnect"
  /** Publishers that are still here are told, and closed. */
  | "end-publishers"
  /**
   * No publisher is left: who waits for one over RTMP, FLV, MPEG-TS or MSE-LD is ended, and HTTP connections close behind
   * their next reply, so that viewers look for another server.
   */
  | "send-viewers-on";

/** Who is there. */
export type Crowd = {
  readonly publishers: number;
  /** Viewers that hold a connection: of RTMP, FLV, MPEG-TS and MSE-LD. */
  readonly viewers: number;
  /** Since somebody asked for a playlist or a segment; `Infinity` when nobody ever did. Units: milliseconds. */
  readonly quietMs: number;
};

/** What a drain acts upon. */
export type DrainTarget = {
  drain(step: DrainStep): void;
  /** `null` when not everybody answered, so that somebody may be there. */
  crowd(): Promise<Crowd | null>;
};

/** Why a drain is over. */
export type DrainEnd = "nobody is left" | "the time is over" | "cut short";

/** How often it is looked who is left. */
const LOOK_MS = 100;

/** A viewer of HLS asks again at least once in a segment, and segments are rarely longer. */
const VIEWER_QUIET_MS = 10_000;

/**
 * By then the Service knows that this pod takes nobody: who connects again earlier might come back to it, and who is
 * still sent here meanwhile finds it listening.
 */
const MAX_SERVICE_LAG_MS = 2000;

/** What viewers of HLS have, at most, for the last segments once the publishers are closed. */
const MAX_AFTER_PUBLISHERS_MS = 5000;

/** Of the whole time, the share that each of the two may take. */
const SHARE = 5;

/**
 * The time between the order to stop and the stop. Publishers are sent away, viewers are served; it is over when nobody
 * is left, or when its time is. See `docs/lifecycles.md`.
 */
export class Drain {
  readonly #target: DrainTarget;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #startUs: number;
  /** Nobody is sent away, and the drain does not end, before the Service knows. */
  readonly #serviceLagMs: number;
  readonly #due: { readonly atMs: number; readonly step: DrainStep }[];
  readonly #end = Promise.withResolvers<DrainEnd>();
  #isOver = false;
  #isAsking = false;
  #areViewersSentOn = false;

  constructor(options: { target: DrainTarget; clock: Clock; log: Logger; timeoutMs: number }) {
    const { target, clock, log, timeoutMs } = options;
    this.#target = target;
    this.#clock = clock;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#startUs = clock.nowUs();
    this.#serviceLagMs = Math.min(MAX_SERVICE_LAG_MS, timeoutMs / SHARE);
    this.#due = [
      { atMs: 0, step: "refuse-publishers" },
      { atMs: this.#serviceLagMs, step: "ask-to-reconnect" },
      { atMs: timeoutMs - Math.min(MAX_AFTER_PUBLISHERS_MS, timeoutMs / SHARE), step: "end-publishers" },
    ];
  }

  /** Resolves when the server may stop; never rejects. Call it once. */
  async run(): Promise<DrainEnd> {
    this.#log.info("draining", { timeoutMs: this.#timeoutMs });
    this.#look();
    const reason = await this.#end.promise;
    this.#log.info("drained", { reason, afterMs: Math.round(this.#elapsedMs()) });
    return reason;
  }

  /** Ends it now, whoever is there. */
  cutShort(): void {
    this.#finish("cut short");
  }

  #look(): void {
    if (this.#isOver) return;
    while (this.#due[0] !== undefined && this.#due[0].atMs <= this.#elapsedMs()) {
      this.#target.drain(this.#due.shift()!.step);
    }
    if (this.#elapsedMs() >= this.#timeoutMs) {
      this.#finish("the time is over");
      return;
    }
    if (!this.#isAsking && this.#elapsedMs() >= this.#serviceLagMs) void this.#ask();
    this.#clock.schedule(LOOK_MS, () => this.#look());
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const crowd = await this.#target.crowd().catch(() => null);
    this.#isAsking = false;
    if (crowd === null || crowd.publishers > 0 || this.#isOver) return;
    if (!this.#areViewersSentOn) {
      this.#areViewersSentOn = true;
      this.#target.drain("send-viewers-on");
    }
    if (crowd.viewers === 0 && crowd.quietMs >= VIEWER_QUIET_MS) this.#finish("nobody is left");
  }

  #finish(reason: DrainEnd): void {
    this.#isOver = true;
    this.#end.resolve(reason);
  }

  #elapsedMs(): number {
    return (this.#clock.nowUs() - this.#startUs) / 1000;
  }
}
