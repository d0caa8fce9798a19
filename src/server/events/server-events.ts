import { hostname } from "node:os";
import { EventBus } from "../../api/events/event-bus.ts";
import { eventErrors } from "../../api/events/errors.ts";
import { LiveEvents } from "../../api/events/live-events.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { Logger } from "../../base/log.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { Turns } from "../turns.ts";
import { VERSION } from "../version.ts";
import type { EventSinks, SinkFigures } from "./event-sinks.ts";

/** What events of a server need. */
export type ServerEventsOptions = {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Sinks have so long to take the last events when the server stops. Units: milliseconds. */
const STOP_GRACE_MS = 1500;
const STOP_LIMIT_MS = 2500;
const CONFIGURE_LIMIT_MS = 3000;
const DROP_LOG_MS = 60_000;

/** Events of the server: the bus, who takes them, and what the API says of them. In the control thread. */
export class ServerEvents {
  readonly bus: EventBus;
  readonly #options: ServerEventsOptions;
  /** `null` before the first configuration with a sink: queues and clients are loaded then. */
  #sinks: EventSinks | null = null;
  readonly #live: LiveEvents;
  readonly #turns = new Turns();
  #toldDrops = new Map<string, number>();
  #config: ResolvedConfig;
  #timer: Timer | null = null;
  #threads = 0;
  #isStopTold = false;
  #isStopping = false;

  constructor(options: ServerEventsOptions) {
    const { clock } = options;
    this.#options = options;
    this.#config = options.config;
    const host = hostname();
    this.bus = new EventBus({ clock, server: () => this.#config.hostname ?? host });
    this.#live = new LiveEvents({ bus: this.bus, clock });
  }

  /** Opens the sinks, and tells that the server starts. To be waited for before any other event. Never rejects. */
  async start(threads: number): Promise<void> {
    await this.configure(this.#config);
    this.#logDrops();
    this.#threads = threads;
    this.bus.emit("server_starting", { version: VERSION, threads });
  }

  /** Tells that the ports are open. */
  started(ports: { readonly http: readonly number[]; readonly rtmp: readonly number[] }): void {
    const { http: http_ports, rtmp: rtmp_ports } = ports;
    this.bus.emit("server_started", { version: VERSION, threads: this.#threads, http_ports, rtmp_ports });
  }

  /** Tells, once, that the server was told to stop. */
  stopping(): void {
    if (!this.#isStopTold) this.bus.emit("server_stopping");
    this.#isStopTold = true;
  }

  /** A configuration is in force. Resolves when the sinks are open, or soon: a disk may hang. Never rejects. */
  configure(config: ResolvedConfig): Promise<void> {
    this.#config = config;
    const configured = this.#turns.run(async () => {
      if (!this.#isStopping) await this.#configureSinks(config);
    });
    return this.#within(CONFIGURE_LIMIT_MS, configured);
  }

  /** Clients that follow events live. */
  get clients(): number {
    return this.#live.clients;
  }

  /** Figures of all sinks. */
  figures(): SinkFigures[] {
    return this.#sinks?.figures() ?? [];
  }

  /** Answers `GET events`: without an end. Throws EVENTS_*. */
  follow(request: HttpRequest): HttpReply {
    return this.#live.reply(request);
  }

  /** Answers `GET event_sinks/{name}/events`: the last events that the sink's filter lets through. Throws EVENTS_NO_SINK. */
  recent(name: string): HttpReply {
    const filter = this.#sinks?.filterOf(name) ?? null;
    if (filter === null) throw eventErrors.error("EVENTS_NO_SINK", { name });
    return jsonReply(200, { events: this.bus.recent(filter).map(({ event }) => event) });
  }

  /** Ends the replies to those who follow events. */
  endClients(): void {
    this.#live.close();
  }

  /** Resolves when all events so far are on disk, where there is a queue there. */
  async written(): Promise<void> {
    await this.#sinks?.written();
  }

  /** Ends; sinks have a moment to take what waits. Idempotent. Never rejects. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#timer?.cancel();
    this.#live.close();
    await this.#within(
      STOP_LIMIT_MS,
      this.#turns.run(async () => await this.#sinks?.stop(STOP_GRACE_MS)),
    );
  }

  async #configureSinks(config: ResolvedConfig): Promise<void> {
    if (this.#sinks === null && config.eventSinks.length === 0) return;
    const { clock, log } = this.#options;
    try {
      const sinks = (this.#sinks ??= new (await import("./event-sinks.ts")).EventSinks({
        ...{ bus: this.bus, clock, log },
      }));
      await sinks.configure(config);
    } catch (caught) {
      log.error("event sinks cannot be loaded", { reason: messageOf(caught) });
    }
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(ms, late.resolve);
    await Promise.race([work, late.promise]);
    timer.cancel();
  }

  /** Once a minute, what was dropped since. */
  #logDrops(): void {
    const figures = this.figures();
    const told = this.#toldDrops;
    this.#toldDrops = new Map(figures.map(({ name, droppedEvents }) => [name, droppedEvents]));
    for (const { name, droppedEvents, waitingEvents, waitingBytes } of figures) {
      const dropped = droppedEvents - (told.get(name) ?? 0);
      if (dropped <= 0) continue;
      const fields = { sink: name, dropped, waitingEvents, waitingBytes };
      this.#options.log.warn("events were dropped: the sink took too little", fields);
    }
    this.#timer = this.#options.clock.schedule(DROP_LOG_MS, () => this.#logDrops());
  }
}
