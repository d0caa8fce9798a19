import { createServer } from "node:net";
import { MessageChannel } from "node:worker_threads";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import type { HttpListenerPlan, ResolvedConfig, RtmpListenerPlan } from "../../config/plan.ts";
import type { StreamSummary } from "../../stream/directory.ts";
import type { Crowd, DrainStep } from "../drain.ts";
import { BeatWatch, STUCK_MS } from "./beat-watch.ts";
import { Heart } from "./heart.ts";
import { listenFailure } from "../listen-failure.ts";
import { StreamHomes } from "./homes.ts";
import { MediaThread } from "./media-thread.ts";
import type { ThreadEnd } from "./media-thread.ts";
import type { ControlCalls, MediaThreadCalls, Ports, ThreadShares, ThreadStats } from "./messages.ts";
import type { CallHandlers, Channel } from "../../base/channel.ts";
import { packReply, unpackRequest } from "./packed-http.ts";
import { forgetAddresses } from "./shared-address-counter.ts";
import { controlBeat, makeShares } from "./shares.ts";

/** What the control thread has media threads for. */
export type MediaThreadsOptions = {
  readonly config: ResolvedConfig;
  readonly count: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the server started. Units: milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Why the server is not ready; `null` when it is. */
  notReadyReason(): string | null;
  /** Answers a request that is not for media. */
  answer(request: HttpRequest, hasApi: boolean): Promise<HttpReply>;
};

/** A media thread and what became of it. */
export type ThreadState = {
  readonly index: number;
  readonly status: "running" | "starting";
  readonly restarts: number;
  /** `null` when it did not answer in time. */
  readonly stats: ThreadStats | null;
};

const ANSWER_LIMIT_MS = 2000;
/** From a thread's launch, or a new configuration, to its answer. */
const OPEN_LIMIT_MS = 30_000;
/** Above what a thread needs at most: replies under way get 3 s, last words over RTMP 2 s. */
const STOP_LIMIT_MS = 4500;
/** A thread that ends again soon after its start waits longer each time before it is started anew. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;
const STEADY_US = 60_000_000;

type Seat = {
  readonly index: number;
  thread: MediaThread | null;
  isOpen: boolean;
  restarts: number;
  delayMs: number;
  startedUs: number;
  /** What the thread was last told. */
  config: ResolvedConfig | null;
};

/**
 * The media threads of the process: started, watched, and replaced when one throws or stops answering. What that thread
 * had, its streams and its viewers, is lost and said so in the log; the others go on, and so do the ports, since each
 * thread listens on all of them.
 */
export class MediaThreads {
  readonly #options: MediaThreadsOptions;
  readonly #shares: ThreadShares;
  readonly #homes = new StreamHomes((thread, name, home) =>
    this.#seats[thread]?.thread?.channel.tell("home", { name, home }),
  );
  readonly #seats: Seat[];
  readonly #watch: BeatWatch;
  #config: ResolvedConfig;
  #ports: Ports;
  readonly #starting = new Set<Timer>();
  #stopping = false;
  /** For threads that start in the middle of a drain. */
  readonly #drained: DrainStep[] = [];
  #heart: Heart | null = null;
  /** An open port keeps the process alive while its only media thread is replaced: timers do not. */
  #alive: MessageChannel | null = null;
  readonly #lost = { streams: 0, viewers: 0 };

  constructor(options: MediaThreadsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#shares = makeShares(options.count);
    this.#watch = new BeatWatch(this.#shares.beats);
    this.#ports = configuredPorts(options.config.listeners);
    this.#seats = Array.from({ length: options.count }, (_, index) => ({
      index,
      thread: null,
      isOpen: false,
      restarts: 0,
      delayMs: FIRST_DELAY_MS,
      startedUs: 0,
      config: null,
    }));
  }

  /** Ports that are open, also where 0 was asked for. */
  get ports(): Ports {
    return this.#ports;
  }

  /** How often a thread was replaced. */
  get restarts(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.restarts, 0);
  }

  /** What went with the threads that were replaced. */
  get lost(): { readonly streams: number; readonly viewers: number } {
    return this.#lost;
  }

  /** Threads that serve. */
  get running(): number {
    return this.#open().length;
  }

  /** Starts all threads. Rejects when a port cannot be opened. */
  async start(): Promise<void> {
    const beat = controlBeat(this.#shares);
    this.#heart = new Heart(() => {
      Atomics.add(this.#shares.beats, beat, 1);
      this.#checkBeats();
    });
    this.#alive = new MessageChannel();
    this.#alive.port1.ref();
    if (this.#seats.length > 1) await requireFreePorts(allOf(this.#config.listeners));
    const [first, ...others] = this.#seats;
    for (const seat of this.#seats) this.#launch(seat);
    await this.#openSeat(first!);
    await Promise.all(others.map((seat) => this.#openSeat(seat)));
  }

  /** One step of the way to the end. With the first, readiness fails at once, in all threads. */
  drain(step: DrainStep): void {
    Atomics.store(this.#shares.draining, 0, 1);
    this.#drained.push(step);
    for (const { thread } of this.#seats) thread?.channel.tell("drain", step);
  }

  /** Who is there, in all threads that serve; `null` when not all of them answer in time. */
  async crowd(): Promise<Crowd | null> {
    const asked = this.#open().length;
    const crowds = await this.#askAll((channel, limit) => channel.ask("crowd", null, limit));
    if (crowds.length < asked) return null;
    return {
      publishers: crowds.reduce((sum, { publishers }) => sum + publishers, 0),
      viewers: crowds.reduce((sum, { viewers }) => sum + viewers, 0),
      quietMs: Math.min(...crowds.map(({ quietMs }) => quietMs)),
    };
  }

  /** Ends all threads in order; what takes longer than a few seconds is cut off. */
  async stop(): Promise<void> {
    this.#stopping = true;
    Atomics.store(this.#shares.draining, 0, 1);
    for (const timer of this.#starting) timer.cancel();
    const limit = { clock: this.#options.clock, ms: STOP_LIMIT_MS };
    await Promise.all(
      this.#seats.map(async ({ thread }) => {
        await thread?.channel.ask("stop", null, limit).catch(() => null);
        await thread?.terminate("the server stops");
      }),
    );
    this.#heart?.stop();
    this.#alive?.port1.close();
  }

  /** All streams of all threads that answer in time. */
  async streams(): Promise<StreamSummary[]> {
    const lists = await this.#askAll((channel, limit) => channel.ask("streams", null, limit));
    return lists.flat();
  }

  /** Names of files, as the threads that answer in time see them: all see the same. */
  async files(limit: number): Promise<readonly string[]> {
    const lists = await this.#askAll((channel, wait) => channel.ask("files", limit, wait));
    return lists[0] ?? [];
  }

  /** Each thread's state and figures. */
  async states(): Promise<ThreadState[]> {
    const limit = { clock: this.#options.clock, ms: ANSWER_LIMIT_MS };
    return Promise.all(
      this.#seats.map(async ({ index, thread, isOpen, restarts }) => {
        const stats = (await thread?.channel.ask("stats", null, limit).catch(() => null)) ?? null;
        return { index, status: isOpen ? ("running" as const) : ("starting" as const), restarts, stats };
      }),
    );
  }

  /**
   * Brings a new configuration to every thread. Rejects with the system's error when one of its ports cannot be opened:
   * the configuration before stays in force.
   */
  async configure(config: ResolvedConfig): Promise<void> {
    const ports = await this.#moveListeners(config);
    this.#config = config;
    this.#ports = ports;
    await Promise.all(this.#open().map((seat) => this.#configureSeat(seat)));
  }

  /** Lets the last thread throw or hang; for tests of faults. */
  injectFault(fault: "throw" | "hang"): void {
    this.#open().at(-1)?.thread?.channel.tell("fault", fault);
  }

  #open(): Seat[] {
    return this.#seats.filter((seat) => seat.isOpen);
  }

  async #askAll<Answer>(
    ask: (
      channel: Channel<MediaThreadCalls, ControlCalls>,
      limit: { clock: Clock; ms: number },
    ) => Promise<Answer>,
  ): Promise<Answer[]> {
    const limit = { clock: this.#options.clock, ms: ANSWER_LIMIT_MS };
    const asked = this.#open().map(({ thread }) => ask(thread!.channel, limit));
    const answers = await Promise.allSettled(asked);
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  }

  #launch(seat: Seat): void {
    const { index } = seat;
    const thread = new MediaThread({
      start: {
        index,
        count: this.#seats.length,
        config: this.#config,
        shares: this.#shares,
        startedAtMs: this.#options.startedAtMs,
      },
      answers: this.#answersTo(index),
      onGone: (end) => this.#gone(seat, end),
    });
    seat.thread = thread;
    seat.config = this.#config;
    seat.startedUs = this.#options.clock.nowUs();
    for (const step of this.#drained) thread.channel.tell("drain", step);
    for (const other of this.#seats) {
      if (other === seat || other.thread === null) continue;
      introduce(thread, other.thread);
    }
  }

  /** Opens the listeners that are new, in all threads or in none. Returns: the ports of all. */
  async #moveListeners({ listeners }: ResolvedConfig): Promise<Ports> {
    const own = allOf(this.#config.listeners).map(({ port }) => port);
    if (this.#seats.length > 1) {
      await requireFreePorts(allOf(listeners).filter(({ port }) => !own.includes(port)));
    }
    let ports = configuredPorts(listeners);
    try {
      for (const seat of this.#open()) ports = await this.#listen(seat, listeners, ports);
      return ports;
    } catch (caught) {
      // What had to make way comes back, what was opened is closed.
      await Promise.all(this.#open().map((seat) => this.#configureSeat(seat)));
      throw caught;
    }
  }

  #listen(seat: Seat, listeners: ResolvedConfig["listeners"], ports: Ports): Promise<Ports> {
    const limit = { clock: this.#options.clock, ms: OPEN_LIMIT_MS };
    return seat.thread!.channel.ask("listen", { listeners, ports }, limit);
  }

  async #openSeat(seat: Seat): Promise<void> {
    const limit = { clock: this.#options.clock, ms: OPEN_LIMIT_MS };
    this.#ports = await this.#listen(seat, this.#config.listeners, this.#ports);
    await seat.thread!.channel.ask("start", null, limit);
    this.#watch.forgive(seat.index);
    seat.isOpen = true;
    // A configuration that came while the thread started went to the others only.
    if (seat.config !== this.#config) await this.#configureSeat(seat);
  }

  async #configureSeat(seat: Seat): Promise<void> {
    const config = this.#config;
    seat.config = config;
    const limit = { clock: this.#options.clock, ms: OPEN_LIMIT_MS };
    try {
      await this.#listen(seat, config.listeners, this.#ports);
      await seat.thread?.channel.ask("configure", config, limit);
    } catch (caught) {
      const reason = messageOf(caught);
      this.#options.log.error("a media thread did not take the configuration", {
        thread: seat.index,
        reason,
      });
    }
  }

  #gone(seat: Seat, { reason, stack }: ThreadEnd): void {
    seat.thread = null;
    seat.isOpen = false;
    if (this.#stopping) return;
    const shares = this.#shares;
    forgetAddresses(shares.rtmpAddresses, seat.index);
    forgetAddresses(shares.httpAddresses, seat.index);
    Atomics.store(shares.beats, seat.index, 0);
    Atomics.store(shares.heldKib, seat.index, 0);
    const viewersLost = Atomics.exchange(shares.viewers, seat.index, 0);
    const lost = this.#homes.forget(seat.index);
    this.#lost.streams += lost.length;
    this.#lost.viewers += viewersLost;
    for (const { thread } of this.#seats) {
      thread?.channel.tell("sibling", { index: seat.index, ports: null });
    }
    seat.restarts++;
    this.#options.log.error("a media thread is gone, its streams and viewers are lost: it is replaced", {
      thread: seat.index,
      reason,
      stack,
      streams: lost.slice(0, 20),
      streamsLost: lost.length,
      viewersLost,
    });
    this.#replaceSoon(seat);
  }

  #replaceSoon(seat: Seat): void {
    const wasSteady = this.#options.clock.nowUs() - seat.startedUs > STEADY_US;
    seat.delayMs = wasSteady ? FIRST_DELAY_MS : Math.min(MAX_DELAY_MS, seat.delayMs * 2);
    const timer = this.#options.clock.schedule(seat.delayMs, () => {
      this.#starting.delete(timer);
      void this.#replace(seat);
    });
    this.#starting.add(timer);
  }

  async #replace(seat: Seat): Promise<void> {
    let thread: MediaThread | null = null;
    try {
      this.#launch(seat);
      thread = seat.thread;
      await this.#openSeat(seat);
      this.#options.log.info("the media thread is back", { thread: seat.index });
    } catch (caught) {
      await thread?.terminate(`it could not open its ports: ${messageOf(caught)}`);
    }
  }

  /** Ends the threads that serve and have hung; one that starts has its own limit. A suspended process costs one beat. */
  #checkBeats(): void {
    this.#watch.observe();
    for (const { index, isOpen, thread } of this.#seats) {
      if (!isOpen || this.#watch.silentMs(index) < STUCK_MS) continue;
      this.#watch.forgive(index);
      void thread?.terminate(`it has not answered for ${STUCK_MS / 1000} s`);
    }
  }

  #answersTo(thread: number): CallHandlers<ControlCalls> {
    const homes = this.#homes;
    return {
      log: ({ level, message, fields }) => {
        this.#options.log[level](message, fields);
        return null;
      },
      http: async ({ request, hasApi }) =>
        packReply(await this.#options.answer(unpackRequest(request), hasApi)),
      readiness: () => this.#options.notReadyReason(),
      claim: (name) => homes.claim(thread, name),
      release: (name) => {
        homes.release(thread, name);
        return null;
      },
      watch: (name) => homes.watch(thread, name),
      unwatch: (name) => {
        homes.unwatch(thread, name);
        return null;
      },
    };
  }
}

type Address = HttpListenerPlan | RtmpListenerPlan;

function allOf({ http, rtmp }: ResolvedConfig["listeners"]): Address[] {
  return [...http, ...rtmp];
}

function configuredPorts({ http, rtmp }: ResolvedConfig["listeners"]): Ports {
  return { http: http.map(({ port }) => port), rtmp: rtmp.map(({ port }) => port) };
}

/**
 * Threads share ports, so that the system would let another process of the same user share them as well, and neither would
 * know. Rejects with what `listenFailure` says when somebody listens already.
 */
async function requireFreePorts(addresses: readonly Address[]): Promise<void> {
  for (const { port, host, place } of addresses) {
    if (port === 0) continue;
    await requireFree(port, host).catch((caught: unknown) => {
      throw listenFailure(caught, place);
    });
  }
}

function requireFree(port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => server.close(() => resolve()));
  });
}

/** Gives two threads the ways to each other. */
function introduce(one: MediaThread, other: MediaThread): void {
  const streams = new MessageChannel();
  const windows = new MessageChannel();
  const forOne = { streams: streams.port1, windows: windows.port1 };
  const forOther = { streams: streams.port2, windows: windows.port2 };
  one.channel.tell("sibling", { index: other.index, ports: forOne }, Object.values(forOne));
  other.channel.tell("sibling", { index: one.index, ports: forOther }, Object.values(forOther));
}
