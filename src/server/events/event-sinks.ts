import { join } from "node:path";
import type { EventBus } from "../../api/events/event-bus.ts";
import type { WrittenEvent } from "../../api/events/event.ts";
import { eventFilter } from "../../api/events/filter.ts";
import type { EventFilter } from "../../api/events/filter.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { EventSinkPlan, ResolvedConfig } from "../../config/plan.ts";
import { DiskQueue } from "./disk-queue.ts";
import { MemoryQueue } from "./event-queue.ts";
import type { EventQueue, QueueFigures } from "./event-queue.ts";
import { openTransport } from "./open-transport.ts";
import { SinkDelivery } from "./sink-delivery.ts";
import type { DeliveryFigures } from "./sink-delivery.ts";

/** Figures of one sink. */
export type SinkFigures = QueueFigures & DeliveryFigures & { readonly name: string };

/** What sinks need. */
export type EventSinksOptions = { readonly bus: EventBus; readonly clock: Clock; readonly log: Logger };

type SinkConfig = Pick<ResolvedConfig, "eventSinks" | "eventQueue" | "allowedHosts">;

type OpenSink = {
  readonly name: string;
  /** What it was made of. */
  readonly key: string;
  readonly filter: EventFilter;
  readonly queue: EventQueue;
  readonly delivery: SinkDelivery;
  readonly unsubscribe: () => void;
};

/** Events that are kept for a sink while its queue is opened. */
const MAX_MISSED = 1000;

/** All `event_sink` blocks of the configuration: each has its queue and its delivery. */
export class EventSinks {
  readonly #options: EventSinksOptions;
  readonly #sinks = new Map<string, OpenSink>();

  constructor(options: EventSinksOptions) {
    this.#options = options;
  }

  /**
   * Opens the sinks of a configuration that are new or other than before, closes those that it does not have. A sink that
   * cannot be is told of in the log. Never rejects. Calls come one after the other.
   */
  async configure(config: SinkConfig): Promise<void> {
    const keys = new Map(config.eventSinks.map((plan) => [plan.name, keyOf(plan, config)]));
    for (const sink of [...this.#sinks.values()]) {
      if (!keys.has(sink.name)) await this.#close(sink);
    }
    for (const plan of config.eventSinks) {
      if (this.#sinks.get(plan.name)?.key !== keys.get(plan.name)) await this.#open(plan, config);
    }
  }

  /** What a sink's filter lets through; `null`: there is no such sink. */
  filterOf(name: string): EventFilter | null {
    return this.#sinks.get(name)?.filter ?? null;
  }

  /** Figures of all. */
  figures(): SinkFigures[] {
    return [...this.#sinks.values()].map(({ name, queue, delivery }) => {
      const [queued, delivered] = [queue.figures(), delivery.figures()];
      return {
        name,
        ...queued,
        ...delivered,
        droppedEvents: queued.droppedEvents + delivered.droppedEvents,
      };
    });
  }

  /** Resolves when all events so far are where the death of the process does not reach them, as far as there is such a place. */
  async written(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map(({ queue }) => queue.written()));
  }

  /** Gives sinks so long to take what waits, then ends. Never rejects. */
  async stop(graceMs: number): Promise<void> {
    const sinks = [...this.#sinks.values()];
    await Promise.all(sinks.map(({ delivery }) => delivery.drain(graceMs)));
    await Promise.all(sinks.map((sink) => this.#close(sink)));
  }

  async #open(plan: EventSinkPlan, config: SinkConfig): Promise<void> {
    const { bus, clock } = this.#options;
    const log = this.#options.log.child({ sink: plan.name });
    const filter = eventFilter(plan.only, plan.except);
    const missed: WrittenEvent[] = [];
    const stopMissing = bus.subscribe(filter, (written) => {
      if (missed.length < MAX_MISSED) missed.push(written);
    });
    try {
      const present = this.#sinks.get(plan.name);
      if (present !== undefined) await this.#close(present);
      const { transport, isRemote } = openTransport(plan, {
        clock,
        log,
        allowedHosts: config.allowedHosts,
      });
      const queue = await this.#openQueue(plan, isRemote ? config.eventQueue : undefined, log);
      const delivery = new SinkDelivery({ ...plan, queue, transport, clock, log });
      const take = ({ event, json }: WrittenEvent): void =>
        queue.push({ id: event.event_id, utcMs: event.utc_ms, json });
      missed.forEach(take);
      const unsubscribe = bus.subscribe(filter, take);
      const key = keyOf(plan, config);
      this.#sinks.set(plan.name, { name: plan.name, key, filter, queue, delivery, unsubscribe });
      delivery.start();
    } catch (caught) {
      log.error("an event sink cannot be used", { reason: messageOf(caught) });
    } finally {
      stopMissing();
    }
  }

  /** On disk for who may be away for long, where there is a place for it. */
  async #openQueue(plan: EventSinkPlan, root: string | undefined, log: Logger): Promise<EventQueue> {
    const { bus, clock } = this.#options;
    const bounds = { maxSizeBytes: plan.maxSizeBytes, maxDepthMs: plan.maxDepthMs, clock };
    if (root === undefined) return new MemoryQueue(bounds);
    try {
      const folder = join(root, `sink-${encodeURIComponent(plan.name)}`);
      const queue = await DiskQueue.open({ ...bounds, folder, log });
      bus.startBehind(queue.lastId);
      return queue;
    } catch (caught) {
      log.error("the event queue on disk cannot be opened, events wait in memory", {
        reason: messageOf(caught),
      });
      return new MemoryQueue(bounds);
    }
  }

  async #close({ name, queue, delivery, unsubscribe }: OpenSink): Promise<void> {
    this.#sinks.delete(name);
    unsubscribe();
    await delivery.stop();
    await queue
      .close()
      .catch((caught: unknown) =>
        this.#options.log.warn("a queue of events was not closed in order", { reason: messageOf(caught) }),
      );
  }
}

/** Where it stands in the configuration does not matter. */
function keyOf({ place: _, ...plan }: EventSinkPlan, { eventQueue, allowedHosts }: SinkConfig): string {
  return JSON.stringify([plan, eventQueue, allowedHosts]);
}
