import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { Channel } from "../../base/channel.ts";
import type { AnswerLimit, CallHandlers } from "../../base/channel.ts";
import { messageOf } from "../../base/errors.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { memoryLimitBytes } from "../memory.ts";
import { configDifference } from "./config-difference.ts";
import type { ControlCalls, MediaThreadCalls, ThreadStart } from "./messages.ts";
import { portWire } from "./port-wire.ts";

/** Why a thread is gone. */
export type ThreadEnd = { readonly reason: string; readonly stack?: string | undefined };

/**
 * Memory for short-lived objects. Media lies outside of it; a larger one is filled with garbage before it is looked at,
 * which costs tens of megabytes and no time.
 */
const YOUNG_GENERATION_MB = 12;

const MAX_INITIAL_HEAP_MB = 32;

const ENTRY = new URL("./worker.js", import.meta.url);

/** One media thread as the control thread sees it: a worker, and the channel to it. */
export class MediaThread {
  readonly index: number;
  readonly channel: Channel<MediaThreadCalls, ControlCalls>;
  readonly #worker: Worker;
  readonly #onGone: (end: ThreadEnd) => void;
  #end: ThreadEnd | null = null;
  #isGone = false;
  /** The configuration that it was told of last. */
  #told: ResolvedConfig;

  /** `onGone` is called once, when the thread has ended, however that came. */
  constructor(options: {
    start: ThreadStart;
    answers: CallHandlers<ControlCalls>;
    onGone: (end: ThreadEnd) => void;
  }) {
    this.index = options.start.index;
    this.#onGone = options.onGone;
    this.#told = options.start.config;
    for (const flag of heapFlags(memoryLimitBytes())) setFlagsFromString(flag);
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

  /** Tells it of another configuration. Rejects with CHANNEL_*, and where it cannot take it: it has to be ended then. */
  async configure(config: ResolvedConfig, limit: AnswerLimit): Promise<void> {
    const difference = configDifference(this.#told, config);
    // What is told is heard in this order, so the next one may begin from it.
    this.#told = config;
    await this.channel.ask("configure", difference, limit);
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

/**
 * What V8 does by itself to keep a heap small costs a media thread with thousands of connections or packets tens of
 * milliseconds each time and finds little: media lies outside of the heap. So the heap may grow to some size before it is
 * looked at as a whole, a sixteenth of the memory that the process may use and at most 32 MB, and an idle thread, which gives
 * back at its start what that took, is left alone. Applies to threads that are started later.
 */
function heapFlags(limitBytes: number): string[] {
  const initialMb = Math.min(MAX_INITIAL_HEAP_MB, Math.floor(limitBytes / 16 / 1024 / 1024));
  return ["--no-memory-reducer", `--initial-old-space-size=${initialMb}`];
}
