import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { AskBackend, BackendReply, BackendRequest } from "./backend-request.ts";

/** Bounds of what is asked of one backend server. */
export type AskLimits = {
  /** Requests that run at once. */
  readonly atOnce: number;
  /** Of them, those for one stream. */
  readonly atOncePerStream: number;
  /** Requests that wait for their turn. */
  readonly waiting: number;
  /** From being put in to the answer; a request that waits for longer has failed. */
  readonly wholeMs: number;
  /** So many time-outs in a row, and the server counts as dead. */
  readonly timeoutsToOpen: number;
  /** So long a dead server is left alone; then one request finds out. */
  readonly openMs: number;
};

/**
 * What is chosen where nobody says otherwise: one stream can have half of all places and no more, so a crowd at one stream
 * leaves places for the others, and 1000 viewers of one stream are asked about in two rounds.
 */
export const ASK_LIMITS: AskLimits = {
  atOnce: 1024,
  atOncePerStream: 512,
  waiting: 10_000,
  wholeMs: 5000,
  timeoutsToOpen: 5,
  openMs: 2000,
};

/** What a request is for: somebody waits for "new"; "update" runs only where nothing new waits. */
export type AskLane = "new" | "update";

/** Figures of one queue. Counts are since the start. */
export type AskStats = {
  readonly running: number;
  readonly waiting: number;
  readonly asked: number;
  readonly failed: number;
  readonly timeouts: number;
  /** Requests that were not sent, because the server counted as dead or too many waited. */
  readonly refused: number;
  readonly isOpen: boolean;
};

/** Is told how long a reply took, from sending to its end. */
export type OnReply = (tookMs: number, reply: BackendReply) => void;

/** What a queue needs. */
export type AskQueueOptions = {
  readonly ask: AskBackend;
  readonly clock: Clock;
  readonly limits: AskLimits;
  readonly onReply?: OnReply;
};

type Waiting = {
  readonly stream: string;
  readonly lane: AskLane;
  readonly request: BackendRequest;
  readonly untilUs: number;
  readonly resolve: (reply: BackendReply) => void;
};

/**
 * Requests to one server, in turn by streams: a stream with a thousand viewers waits for itself, not the others for it.
 *
 * A server that does not answer gets no more requests than one in `openMs`, so that nobody waits for what is known not to come.
 */
export class AskQueue {
  readonly #options: AskQueueOptions;
  readonly #lanes: Readonly<Record<AskLane, Turns>> = { new: new Turns(), update: new Turns() };
  /** All that wait, in the order in which their time runs out: it is the same for all. */
  readonly #order = new Set<Waiting>();
  /** How many wait, by stream. */
  readonly #crowds = new Map<string, number>();
  /** The stream of which most waited when it was last put to; room is made at its cost. */
  #longest = "";
  readonly #running = new Map<string, number>();
  #runningCount = 0;
  #timer: Timer | null = null;
  #timeoutsInARow = 0;
  /** Of the clock of ages; until then the server counts as dead. */
  #openUntilUs = -Infinity;
  #isOpen = false;
  #isProbing = false;
  #asked = 0;
  #failed = 0;
  #timeouts = 0;
  #refused = 0;

  constructor(options: AskQueueOptions) {
    this.#options = options;
  }

  stats(): AskStats {
    return {
      running: this.#runningCount,
      waiting: this.#order.size,
      asked: this.#asked,
      failed: this.#failed,
      timeouts: this.#timeouts,
      refused: this.#refused,
      isOpen: this.#isOpen,
    };
  }

  /** Whether nothing runs, waits or is known of it: it can be forgotten. */
  get isIdle(): boolean {
    return this.#runningCount === 0 && this.#order.size === 0 && !this.#isOpen;
  }

  /** Sends a request when it is its turn. Never rejects. */
  ask(stream: string, lane: AskLane, request: BackendRequest): Promise<BackendReply> {
    const nowUs = this.#options.clock.nowUs();
    const { limits } = this.#options;
    if (this.#isOpen && (this.#isProbing || nowUs < this.#openUntilUs))
      return this.#refuse("it has not answered for some time");
    if (this.#order.size >= limits.waiting && !this.#makeRoom(stream))
      return this.#refuse("too many requests wait for it");
    const { promise, resolve } = Promise.withResolvers<BackendReply>();
    const waiting = { stream, lane, request, untilUs: nowUs + limits.wholeMs * 1000, resolve };
    this.#order.add(waiting);
    this.#lanes[lane].put(waiting);
    this.#crowd(stream, 1);
    this.#fill();
    this.#watch();
    return promise;
  }

  #crowd(stream: string, change: 1 | -1): void {
    const count = (this.#crowds.get(stream) ?? 0) + change;
    if (count === 0) this.#crowds.delete(stream);
    else this.#crowds.set(stream, count);
    if (count > (this.#crowds.get(this.#longest) ?? 0)) this.#longest = stream;
  }

  /** A crowd at one stream fills no other's places: what has waited longest of the crowd goes. Returns: whether there is room. */
  #makeRoom(stream: string): boolean {
    const longest = this.#longest;
    if ((this.#crowds.get(longest) ?? 0) <= (this.#crowds.get(stream) ?? 0) + 1) return false;
    // What is asked about a session that there is can fail: it goes on.
    const oldest = this.#lanes.update.first(longest) ?? this.#lanes.new.first(longest);
    if (oldest === undefined) return false;
    this.#lanes[oldest.lane].remove(oldest);
    this.#giveUp(oldest, "too many requests about its stream wait", false);
    return true;
  }

  #refuse(reason: string): Promise<BackendReply> {
    this.#refused++;
    return Promise.resolve({ kind: "failed", reason, isTimeout: false });
  }

  #fill(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) void this.#send(next);
  }

  #next(): Waiting | undefined {
    const { atOnce, atOncePerStream } = this.#options.limits;
    // A probe is one request; the rest stays where it is until it is back.
    if (this.#runningCount >= atOnce || (this.#isOpen && this.#isProbing)) return undefined;
    const isFree = (stream: string): boolean => (this.#running.get(stream) ?? 0) < atOncePerStream;
    return this.#lanes.new.take(isFree) ?? this.#lanes.update.take(isFree);
  }

  async #send(waiting: Waiting): Promise<void> {
    const { clock, ask, onReply } = this.#options;
    const { stream, request } = waiting;
    this.#order.delete(waiting);
    this.#crowd(stream, -1);
    this.#running.set(stream, (this.#running.get(stream) ?? 0) + 1);
    this.#runningCount++;
    this.#asked++;
    if (this.#isOpen) this.#isProbing = true;
    const startUs = clock.nowUs();
    const leftMs = Math.ceil((waiting.untilUs - startUs) / 1000);
    const timeoutMs = Math.max(1, Math.min(request.timeoutMs, leftMs));
    const reply = await ask({ ...request, timeoutMs }).catch((caught: unknown): BackendReply => ({
      kind: "failed",
      reason: messageOf(caught),
      isTimeout: false,
    }));
    this.#leave(stream);
    this.#judgeServer(reply);
    waiting.resolve(reply);
    onReply?.((clock.nowUs() - startUs) / 1000, reply);
    this.#fill();
    this.#watch();
  }

  #leave(stream: string): void {
    this.#runningCount--;
    const left = (this.#running.get(stream) ?? 0) - 1;
    if (left > 0) this.#running.set(stream, left);
    else this.#running.delete(stream);
    for (const lane of Object.values(this.#lanes)) lane.wake(stream);
  }

  #judgeServer(reply: BackendReply): void {
    if (reply.kind === "failed") this.#failed++;
    if (reply.kind === "replied" || !reply.isTimeout) {
      this.#timeoutsInARow = 0;
      this.#isOpen = false;
      this.#isProbing = false;
      return;
    }
    this.#timeouts++;
    this.#timeoutsInARow++;
    if (!this.#isOpen && this.#timeoutsInARow < this.#options.limits.timeoutsToOpen) return;
    this.#isOpen = true;
    this.#isProbing = false;
    this.#openUntilUs = this.#options.clock.nowUs() + this.#options.limits.openMs * 1000;
    this.#giveUpAll("it does not answer");
  }

  #giveUpAll(reason: string): void {
    for (const waiting of this.#order) this.#giveUp(waiting, reason, false);
    for (const lane of Object.values(this.#lanes)) lane.clear();
  }

  #giveUp(waiting: Waiting, reason: string, isTimeout: boolean): void {
    this.#order.delete(waiting);
    this.#crowd(waiting.stream, -1);
    this.#refused++;
    waiting.resolve({ kind: "failed", reason, isTimeout });
  }

  /** One timer for all that wait: the first is the first whose time runs out. */
  #watch(): void {
    const first = this.#order.values().next().value;
    if (first === undefined) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    if (this.#timer !== null) return;
    const { clock } = this.#options;
    const delayMs = (first.untilUs - clock.nowUs()) / 1000;
    this.#timer = clock.schedule(delayMs, () => {
      this.#timer = null;
      this.#expire(clock.nowUs());
      this.#watch();
    });
  }

  #expire(nowUs: number): void {
    for (const waiting of this.#order) {
      if (waiting.untilUs > nowUs) return;
      this.#lanes[waiting.lane].remove(waiting);
      this.#giveUp(waiting, "it was not its turn in time", false);
    }
  }
}

/** What waits, by stream. `take` goes round the streams; one that may not now steps aside until `wake`. */
class Turns {
  readonly #round = new Map<string, Set<Waiting>>();
  readonly #aside = new Map<string, Set<Waiting>>();

  put(waiting: Waiting): void {
    const { stream } = waiting;
    const own = this.#round.get(stream) ?? this.#aside.get(stream);
    if (own === undefined) this.#round.set(stream, new Set([waiting]));
    else own.add(waiting);
  }

  remove(waiting: Waiting): void {
    for (const side of [this.#round, this.#aside]) {
      const own = side.get(waiting.stream);
      if (own?.delete(waiting) === true && own.size === 0) side.delete(waiting.stream);
    }
  }

  /** What has waited longest of a stream. */
  first(stream: string): Waiting | undefined {
    return (this.#round.get(stream) ?? this.#aside.get(stream))?.values().next().value;
  }

  take(isFree: (stream: string) => boolean): Waiting | undefined {
    for (const [stream, own] of this.#round) {
      this.#round.delete(stream);
      if (!isFree(stream)) {
        this.#aside.set(stream, own);
        continue;
      }
      const first = own.values().next().value;
      if (first === undefined) continue;
      own.delete(first);
      if (own.size > 0) this.#round.set(stream, own);
      return first;
    }
    return undefined;
  }

  /** A stream may again. */
  wake(stream: string): void {
    const own = this.#aside.get(stream);
    if (own === undefined) return;
    this.#aside.delete(stream);
    this.#round.set(stream, own);
  }

  clear(): void {
    this.#round.clear();
    this.#aside.clear();
  }
}
