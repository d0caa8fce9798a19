import { Worker } from "node:worker_threads";
import { Channel } from "../../base/channel.ts";
import type { CallHandlers } from "../../base/channel.ts";
import { messageOf } from "../../base/errors.ts";
import type { ControlCalls, MediaThreadCalls, ThreadStart } from "./messages.ts";
import { portWire } from "./port-wire.ts";

/** Why a thread is gone. */
export type ThreadEnd = { readonly reason: string; readonly stack?: string | undefined };

/**
 * Memory for short-lived objects. Media lies outside of it; a larger one is filled with garbage before it is looked at,
 * which costs tens of megabytes and no time.
 */
const YOUNG_GENERATION_MB = 12;

const ENTRY = new URL("./worker.js", import.meta.url);

/** One media thread as the control thread sees it: a worker, and the channel to it. */
export class MediaThread {
  readonly index: number;
  readonly channel: Channel<MediaThreadCalls, ControlCalls>;
  readonly #worker: Worker;
  readonly #onGone: (end: ThreadEnd) => void;
  #end: ThreadEnd | null = null;
  #isGone = false;

  /** `onGone` is called once, when the thread has ended, however that came. */
  constructor(options: {
    start: ThreadStart;
    answers: CallHandlers<ControlCalls>;
    onGone: (end: ThreadEnd) => void;
  }) {
    this.index = options.start.index;
    this.#onGone = options.onGone;
    this.#worker = new Worker(ENTRY, {
      workerData: options.start,
      name: `media-${this.index}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.channel = new Channel(portWire(this.#worker), options.answers);
    this.#worker.on("error", (error: unknown) => {
      this.#end ??= { reason: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
    });
    this.#worker.on("exit", (code) => this.#gone({ reason: `it ended with code ${code}` }));
  }

  /** Ends the thread wherever it stands, also in an endless loop. */
  async terminate(reason: string): Promise<void> {
    this.#end ??= { reason };
    await this.#worker.terminate();
  }

  #gone(end: ThreadEnd): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.channel.close();
    this.#onGone(this.#end ?? end);
  }
}
