/** Events as server-sent events, live. Spec: WHATWG HTML section 9.2 (server-sent events). */
import type { Clock, Timer } from "../../base/clock.ts";
import type { HttpBodySink, HttpBodySource, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { eventErrors } from "./errors.ts";
import type { EventBus } from "./event-bus.ts";
import type { WrittenEvent } from "./event.ts";
import { eventFilter, queryFilter } from "./filter.ts";
import type { EventFilter } from "./filter.ts";

/** What following events needs. */
export type LiveEventsOptions = {
  readonly bus: EventBus;
  readonly clock: Clock;
  /** 100 unless given. */
  readonly maxClients?: number;
};

const MAX_CLIENTS = 100;
/** A client that has not taken so much is closed; it may come back with `Last-Event-ID`. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** Of what happened before a client came, the newest; a client's bound is above it. */
const MAX_PAST_BYTES = 4 * 1024 * 1024;
/** What is between has to see that the connection lives. Units: milliseconds. */
const HEARTBEAT_MS = 15_000;
/** Keys of the query that are no fields of events. */
const OTHER_KEYS = ["last_event_id"];

const encoder = new TextEncoder();
const BEGINNING = encoder.encode("retry: 2000\n\n");
const HEARTBEAT = encoder.encode(":\n\n");

/** Clients that follow events. */
export class LiveEvents {
  readonly #options: LiveEventsOptions;
  readonly #clients = new Set<Follower>();

  constructor(options: LiveEventsOptions) {
    this.#options = options;
  }

  /** Clients that follow now. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * The endless reply to `GET events`, filtered by its query; with `Last-Event-ID` it begins behind that event, as far as
   * the last events are kept. Throws EVENTS_BAD_FILTER; its body throws EVENTS_TOO_MANY_CLIENTS.
   */
  reply(request: HttpRequest): HttpReply {
    const filter = eventFilter([queryFilter(request.query, OTHER_KEYS)]);
    const told = request.header("last-event-id") ?? request.query.get("last_event_id") ?? "";
    const afterId = /^\d{1,16}$/.test(told) ? Number(told) : null;
    this.#requireRoom();
    return {
      status: 200,
      headers: [
        ["content-type", "text/event-stream; charset=utf-8"],
        ["cache-control", "no-store"],
        ["x-accel-buffering", "no"],
      ],
      body: [],
      stream: (sink) => this.#follow(sink, filter, afterId),
    };
  }

  /** Ends all. */
  close(): void {
    for (const client of this.#clients) client.end();
  }

  #follow(sink: HttpBodySink, filter: EventFilter, afterId: number | null): HttpBodySource {
    this.#requireRoom();
    const { bus, clock } = this.#options;
    const past = afterId === null ? [] : bus.recent(filter, afterId);
    const client = new Follower(sink, clock, () => this.#clients.delete(client));
    this.#clients.add(client);
    client.begin(past, (take) => bus.subscribe(filter, take));
    return client;
  }

  #requireRoom(): void {
    const limit = this.#options.maxClients ?? MAX_CLIENTS;
    if (this.#clients.size >= limit) throw eventErrors.error("EVENTS_TOO_MANY_CLIENTS", { limit });
  }
}

/** One client. */
class Follower implements HttpBodySource {
  readonly #sink: HttpBodySink;
  readonly #clock: Clock;
  readonly #onGone: () => void;
  #unsubscribe: (() => void) | null = null;
  #timer: Timer | null = null;
  #isOver = false;
  #maxUnsentBytes = MAX_UNSENT_BYTES;

  constructor(sink: HttpBodySink, clock: Clock, onGone: () => void) {
    this.#sink = sink;
    this.#clock = clock;
    this.#onGone = onGone;
  }

  begin(
    past: readonly WrittenEvent[],
    subscribe: (take: (event: WrittenEvent) => void) => () => void,
  ): void {
    const pieces: Uint8Array[] = [];
    let pastBytes = 0;
    for (const written of past.toReversed()) {
      const bytes = encoder.encode(textOf(written));
      pastBytes += bytes.byteLength;
      if (pastBytes > MAX_PAST_BYTES) break;
      pieces.push(bytes);
    }
    this.#maxUnsentBytes += Math.min(pastBytes, MAX_PAST_BYTES);
    this.#sink.write(Buffer.concat([BEGINNING, ...pieces.toReversed()]));
    if (this.#isOver) return;
    this.#unsubscribe = subscribe((written) => this.#write(encoder.encode(textOf(written))));
    this.#beat();
  }

  /** The server ends it. */
  end(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#sink.end();
  }

  /** The client left. */
  close(): void {
    this.#leave();
  }

  #write(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#sink.queuedBytes() > this.#maxUnsentBytes) {
      this.#leave();
      this.#sink.abort();
      return;
    }
    this.#sink.write(bytes);
  }

  #beat(): void {
    this.#timer = this.#clock.schedule(HEARTBEAT_MS, () => {
      this.#write(HEARTBEAT);
      if (!this.#isOver) this.#beat();
    });
  }

  #leave(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#unsubscribe?.();
    this.#onGone();
  }
}

/** JSON has no line feeds in it. */
function textOf({ event, json }: WrittenEvent): string {
  return `id: ${event.event_id}\nevent: ${event.event}\ndata: ${json}\n\n`;
}
