import type { Clock } from "../../base/clock.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import { AskQueue, ASK_LIMITS } from "./ask-queue.ts";
import type { AskLane, AskLimits, AskStats } from "./ask-queue.ts";
import { buildBackendRequest, readBackendReply } from "./backend-request.ts";
import type { Answer, AskBackend, Question } from "./backend-request.ts";

/** One request takes no longer. Units: milliseconds. */
const REQUEST_TIMEOUT_MS = 3000;
/** Servers whose queues are kept; they come from the configuration, and those of old ones go when they are idle. */
const MAX_SERVERS = 256;

/** What asking needs. `onAnswer`: is told how each request ended and how long it took, for metrics. */
export type BackendsOptions = {
  readonly ask: AskBackend;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: AskLimits;
  readonly onAnswer?: (tookMs: number, kind: Answer["kind"]) => void;
};

/** The servers that are asked who may play and publish, each with a queue of its own. */
export class Backends {
  readonly #options: BackendsOptions;
  readonly #queues = new Map<string, AskQueue>();
  readonly #failures: PerSecondLog;

  constructor(options: BackendsOptions) {
    this.#options = options;
    this.#failures = new PerSecondLog(
      options.log,
      "a server that is asked who may does not answer as it should",
    );
  }

  /** Figures by server: its scheme, host and port. */
  stats(): Map<string, AskStats> {
    return new Map([...this.#queues].map(([origin, queue]) => [origin, queue.stats()]));
  }

  /** Asks a server. Never rejects. */
  async ask(url: string, question: Question, lane: AskLane): Promise<Answer> {
    const request = buildBackendRequest(url, question, REQUEST_TIMEOUT_MS);
    if (request === null) return { kind: "failed", reason: "its address is not one of http or https" };
    const { origin, hostname } = new URL(request.url);
    const queue = this.#queueOf(origin);
    if (queue === null) return { kind: "failed", reason: "too many servers are asked" };
    const trace = question.trace?.asked(hostname);
    const { headers } = request;
    const sent =
      trace === undefined
        ? request
        : { ...request, headers: { ...headers, traceparent: trace.traceparent } };
    const answer = readBackendReply(await queue.ask(question.claim.name, lane, sent));
    trace?.ended(answer.kind);
    if (answer.kind === "failed") {
      this.#failures.add(this.#options.clock.nowUs(), {
        server: origin,
        reason: answer.reason,
        stream: question.claim.name,
      });
    }
    return answer;
  }

  #queueOf(origin: string): AskQueue | null {
    const known = this.#queues.get(origin);
    if (known !== undefined) return known;
    if (this.#queues.size >= MAX_SERVERS) {
      for (const [old, queue] of this.#queues) if (queue.isIdle) this.#queues.delete(old);
    }
    if (this.#queues.size >= MAX_SERVERS) return null;
    const { ask, clock, limits = ASK_LIMITS, onAnswer } = this.#options;
    const queue = new AskQueue({
      ask,
      clock,
      limits,
      onReply: (tookMs, reply) => onAnswer?.(tookMs, readBackendReply(reply).kind),
    });
    this.#queues.set(origin, queue);
    return queue;
  }
}
