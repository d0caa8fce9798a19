import { randomBytes } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import { listenerKeys } from "../../config/plan.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamSummary } from "../../stream/directory.ts";
import type { SessionAuthority } from "../access/session-authority.ts";
import type { Crowd, DrainStep } from "../drain.ts";
import { serverErrors } from "../errors.ts";
import type { ThreadEvent } from "../events/thread-events.ts";
import type { StreamColumns } from "../live/stream-columns.ts";
import type { ListenerPlan, PortsByKey } from "../listeners/listener-set.ts";
import { Turns } from "../turns.ts";
import { BeatWatch, STUCK_MS } from "./beat-watch.ts";
import { Heart } from "./heart.ts";
import { StreamHomes } from "./homes.ts";
import { MediaThread } from "./media-thread.ts";
import type { ThreadEnd } from "./media-thread.ts";
import type { ControlCalls, MediaThreadCalls, OpenPorts, ThreadShares, ThreadStats } from "./messages.ts";
import { channelErrors } from "../../base/channel.ts";
import type { AnswerLimit, CallHandlers, Channel } from "../../base/channel.ts";
import type { ArchiveCalls } from "./archive-calls.ts";
import { unpackRequest } from "./packed-http.ts";
import { requireOpenable } from "./port-probes.ts";
import { MediaFirst } from "./priorities.ts";
import { sessionAnswers } from "./session-answers.ts";
import { forgetAddresses } from "./shared-address-counter.ts";
import { controlBeat, makeShares } from "./shares.ts";
import { GivenBodies } from "./streamed-bodies.ts";

/** What the control thread has media threads for. */
export type MediaThreadsOptions = {
  readonly config: ResolvedConfig;
  readonly count: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the server started. Units: milliseconds since 1970. */
  readonly startedAtMs: number;
  /** The one truth of all threads' sessions. */
  readonly sessions: SessionAuthority;
  /** Why the server is not ready; `null` when it is. */
  notReadyReason(): string | null;
  /** Answers a request that is not for media. */
  answer(request: HttpRequest, hasApi: boolean): Promise<HttpReply>;
  /** Something happened in a media thread, or to one. */
  onEvent(event: ThreadEvent): void;
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
/** What a volume may take: the archive of a year is deleted in a few seconds. */
const KEEPER_LIMIT_MS = 30_000;
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
  /** Called when the thread is silent; whoever waits for an answer of it may not want to wait for its end. */
  readonly onSilent: Set<() => void>;
};

type Listeners = ResolvedConfig["listeners"];

/** Ports in the order of the configuration's listeners; 0 for one that is not open and may have any. */
export type Ports = { readonly http: readonly number[]; readonly rtmp: readonly number[] };

/** A new configuration does not wait for a thread that is silent for so long: it takes it later, or another thread does. */
const SILENT_MS = 3000;

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
  readonly #mediaFirst = new MediaFirst();
  #config: ResolvedConfig;
  /** Of the listeners in force. */
  #ports: OpenPorts = { http: {}, rtmp: {} };
  /** Configurations, and threads that take the place of others, come one after the other. */
  readonly #turns = new Turns();
  readonly #starting = new Set<Timer>();
  #stopping = false;
  /** For threads that start in the middle of a drain. */
  readonly #drained: DrainStep[] = [];
  #heart: Heart | null = null;
  /** An open port keeps the process alive while its only media thread is replaced: timers do not. */
  #alive: MessageChannel | null = null;
  readonly #lost = { streams: 0, viewers: 0 };
  readonly #sessionSalt = randomBytes(16).toString("hex");

  constructor(options: MediaThreadsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#shares = makeShares(options.count);
    this.#watch = new BeatWatch(this.#shares.beats);
    options.sessions.onEnds((ends) => {
      for (const { thread } of this.#seats) thread?.channel.tell("session-ends", ends);
    });
    this.#seats = Array.from({ length: options.count }, (_, index) => ({
      index,
      thread: null,
      isOpen: false,
      restarts: 0,
      delayMs: FIRST_DELAY_MS,
      startedUs: 0,
      config: null,
      onSilent: new Set(),
    }));
  }

  /** Ports that are open, also where 0 was asked for. */
  get ports(): Ports {
    const { http, rtmp } = this.#config.listeners;
    return { http: inOrder(http, this.#ports.http), rtmp: inOrder(rtmp, this.#ports.rtmp) };
  }

  /** Media threads that there are to be. */
  get count(): number {
    return this.#seats.length;
  }

  /** How often a thread was replaced. */
  get restarts(): number {
    return this.#seats.reduce((sum, seat) => sum + seat.restarts, 0);
  }

  /** How late the event loop of this thread, which keeps the others, was: 99th percentile of the last minute. Units: milliseconds. */
  get ownLatenessMs(): number {
    return this.#heart?.latenessMs(0.99) ?? 0;
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
    if (this.#seats.length > 1) await requireOpenable(this.#config.listeners, { http: [], rtmp: [] });
    const [first, ...others] = this.#seats.map((seat) => ({ seat, thread: this.#launch(seat) }));
    await this.#openSeat(first!.seat, first!.thread);
    await Promise.all(others.map(({ seat, thread }) => this.#openSeat(seat, thread)));
    this.#mediaFirst.arrange();
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

  /** Figures of all streams of all threads that answer in time. */
  async streamColumns(): Promise<StreamColumns[]> {
    return this.#askAll((channel, limit) => channel.ask("streamColumns", null, limit));
  }

  /** Those of these streams that live anywhere. */
  async streamDetails(names: readonly string[]): Promise<StreamSummary[]> {
    if (names.length === 0) return [];
    return (await this.#askAll((channel, limit) => channel.ask("streamDetails", names, limit))).flat();
  }

  /** See `MediaNode.stopStream`; whichever thread has the stream. */
  async stopStream(name: StreamName): Promise<boolean> {
    const found = await this.#askAll((channel, limit) => channel.ask("stopStream", name, limit));
    return found.includes(true);
  }

  /** Names of files, as the threads that answer in time see them: all see the same. */
  async files(limit: number): Promise<readonly string[]> {
    const lists = await this.#askAll((channel, wait) => channel.ask("files", limit, wait));
    return lists[0] ?? [];
  }

  /** Asks the thread that keeps archives. Rejects with its error, CHANNEL_*. */
  async askKeeper<What extends keyof ArchiveCalls>(
    what: What,
    argument: ArchiveCalls[What]["argument"],
  ): Promise<ArchiveCalls[What]["answer"]> {
    const [seat] = this.#seats;
    if (seat?.isOpen !== true || seat.thread === null) throw channelErrors.error("CHANNEL_CLOSED");
    const limit = { clock: this.#options.clock, ms: KEEPER_LIMIT_MS };
    const { channel } = seat.thread;
    return await channel.ask(what, argument, limit);
  }

  /** Tells all threads that an archive is not as it was. Resolves when those that answer in time know it. */
  async askAllToForget(folder: string): Promise<void> {
    await this.#askAll((channel, limit) => channel.ask("archiveForget", folder, limit));
  }

  /** Resolves when the threads that answer in time show new connections the certificates that there are now. */
  async askAllForCertificates(): Promise<void> {
    await this.#askAll((channel, limit) => channel.ask("certificates", null, limit));
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
   * Brings a new configuration to every thread. Rejects with the system's error when one of its ports cannot be opened,
   * and with SERVER_STOPPING: the configuration before stays in force.
   */
  configure(config: ResolvedConfig): Promise<void> {
    return this.#turns.run(async () => {
      this.#refuseToStop();
      const ports = await this.#moveListeners(config);
      this.#config = config;
      this.#ports = ports;
      await this.#configureAll();
    });
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

  #launch(seat: Seat): MediaThread {
    const { index } = seat;
    const bodies: GivenBodies = new GivenBodies(this.#options.clock, (piece) =>
      thread.channel.tell("bodyPiece", piece),
    );
    const thread: MediaThread = new MediaThread({
      start: {
        index,
        count: this.#seats.length,
        config: this.#config,
        shares: this.#shares,
        startedAtMs: this.#options.startedAtMs,
        sessionSalt: this.#sessionSalt,
      },
      answers: this.#answersTo(index, bodies),
      onGone: (end) => {
        bodies.close();
        this.#gone(seat, end);
      },
    });
    seat.thread = thread;
    seat.config = this.#config;
    seat.startedUs = this.#options.clock.nowUs();
    for (const step of this.#drained) thread.channel.tell("drain", step);
    for (const other of this.#seats) {
      if (other === seat || other.thread === null) continue;
      introduce(thread, other.thread);
    }
    return thread;
  }

  /** Opens the listeners that are new, in all threads or in none. Returns: the ports of all. */
  async #moveListeners({ listeners }: ResolvedConfig): Promise<OpenPorts> {
    let ports = this.#ports;
    if (!areAllOpen(listeners, ports)) {
      await requireOpenable(listeners, this.#config.listeners);
      try {
        for (const seat of this.#open()) {
          if (seat.thread === null) continue;
          ports = (await this.#answerOf(seat, this.#listen(seat.thread, listeners, ports))) ?? ports;
          this.#refuseToStop();
        }
      } catch (caught) {
        // What had to make way comes back, what was opened is closed.
        if (!this.#stopping) await this.#configureAll();
        throw caught;
      }
    }
    return { http: onlyOf(listeners.http, ports.http), rtmp: onlyOf(listeners.rtmp, ports.rtmp) };
  }

  #listen(thread: MediaThread, listeners: Listeners, ports: OpenPorts): Promise<OpenPorts> {
    return thread.channel.ask("listen", { listeners, ports }, this.#openLimit());
  }

  #openLimit(): AnswerLimit {
    return { clock: this.#options.clock, ms: OPEN_LIMIT_MS };
  }

  #refuseToStop(): void {
    if (this.#stopping) throw serverErrors.error("SERVER_STOPPING");
  }

  /** What the thread of a seat answers; `null` when it goes or is silent meanwhile: it is told anew, or the next one is. */
  async #answerOf<Answer>(seat: Seat, answer: Promise<Answer>): Promise<Answer | null> {
    const { thread } = seat;
    const silence = Promise.withResolvers<null>();
    const onSilent = (): void => silence.resolve(null);
    seat.onSilent.add(onSilent);
    try {
      return await Promise.race([answer, silence.promise]);
    } catch (caught) {
      if (seat.thread !== thread) return null;
      throw caught;
    } finally {
      seat.onSilent.delete(onSilent);
    }
  }

  async #openSeat(seat: Seat, thread: MediaThread): Promise<void> {
    this.#ports = await this.#listen(thread, this.#config.listeners, this.#ports);
    // It began with a configuration that is not in force any more.
    if (seat.config !== this.#config) await this.#configureSeat(seat);
    await thread.channel.ask("start", null, this.#openLimit());
    if (seat.thread !== thread) return;
    this.#watch.forgive(seat.index);
    seat.isOpen = true;
  }

  async #configureAll(): Promise<void> {
    await Promise.all(this.#open().map((seat) => this.#answerOf(seat, this.#configureSeat(seat))));
  }

  /** Brings the configuration in force to one thread. One that cannot take it goes: what comes in its place has it. */
  async #configureSeat(seat: Seat): Promise<void> {
    const config = this.#config;
    const { thread } = seat;
    if (thread === null) return;
    seat.config = config;
    try {
      await this.#listen(thread, config.listeners, this.#ports);
      // A thread that was silent may have been told of a newer one, whose listeners this one would close.
      if (seat.config === config) await thread.configure(config, this.#openLimit());
    } catch (caught) {
      if (seat.thread !== thread || this.#stopping) return;
      await thread.terminate(`it did not take the configuration: ${messageOf(caught)}`);
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
    this.#options.sessions.threadLost(seat.index);
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
    this.#options.onEvent({
      name: "thread_lost",
      fields: {
        thread: seat.index,
        reason,
        streams: lost.slice(0, 20),
        streams_lost: lost.length,
        viewers_lost: viewersLost,
      },
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
    const thread = this.#launch(seat);
    try {
      // Nobody waits for a thread that is only beginning.
      await thread.channel.ask("crowd", null, this.#openLimit());
      this.#mediaFirst.arrange();
      await this.#turns.run(() => this.#openSeat(seat, thread));
      this.#options.log.info("the media thread is back", { thread: seat.index });
    } catch (caught) {
      await thread.terminate(`it could not open its ports: ${messageOf(caught)}`);
    }
  }

  /** Ends the threads that serve and have hung; one that starts has its own limit. A suspended process costs one beat. */
  #checkBeats(): void {
    this.#watch.observe();
    for (const { index, isOpen, thread, onSilent } of this.#seats) {
      if (this.#watch.silentMs(index) >= SILENT_MS) for (const tell of onSilent) tell();
      if (!isOpen || this.#watch.silentMs(index) < STUCK_MS) continue;
      this.#watch.forgive(index);
      void thread?.terminate(`it has not answered for ${STUCK_MS / 1000} s`);
    }
  }

  #answersTo(thread: number, bodies: GivenBodies): CallHandlers<ControlCalls> {
    const homes = this.#homes;
    return {
      log: ({ level, message, fields }) => {
        this.#options.log[level](message, fields);
        return null;
      },
      http: async ({ request, hasApi }) =>
        bodies.pack(await this.#options.answer(unpackRequest(request), hasApi)),
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
      event: (event) => {
        this.#options.onEvent(event);
        return null;
      },
      body: (wish) => {
        bodies.take(wish);
        return null;
      },
      ...sessionAnswers(this.#options.sessions, thread),
    };
  }
}

function inOrder(plans: readonly ListenerPlan[], ports: PortsByKey): number[] {
  return listenerKeys(plans).map((key, i) => ports[key] ?? plans[i]!.port);
}

function onlyOf(plans: readonly ListenerPlan[], ports: PortsByKey): PortsByKey {
  const open = listenerKeys(plans).filter((key) => ports[key] !== undefined);
  return Object.fromEntries(open.map((key) => [key, ports[key]!]));
}

/** Where that is so a configuration only closes listeners, and needs nobody's consent. */
function areAllOpen({ http, rtmp }: Listeners, ports: OpenPorts): boolean {
  return hasAll(http, ports.http) && hasAll(rtmp, ports.rtmp);
}

function hasAll(plans: readonly ListenerPlan[], ports: PortsByKey): boolean {
  return listenerKeys(plans).every((key) => ports[key] !== undefined);
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
