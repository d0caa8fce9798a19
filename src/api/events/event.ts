/** What the server tells of itself, one thing that happened at a time. */
import type { EventName } from "./catalogue.ts";

/** What an event says beside what all have. */
export type EventFields = Readonly<Record<string, unknown>>;

/** An event as it is sent. */
export type ServerEvent = EventFields & {
  readonly event: EventName;
  /** Greater than that of every event before, over restarts too. About microseconds since 1970. */
  readonly event_id: number;
  /** Milliseconds since 1970. */
  readonly utc_ms: number;
  /** The server's host name. */
  readonly server: string;
  /** Of a stream or a file, where it is about one. */
  readonly media?: string;
};

/** An event that is longer as JSON is told without its fields. Units: characters. */
export const MAX_EVENT_LENGTH = 16_384;

/**
 * An event and its JSON, which is made once for all who take it, and not at all where nobody does: most servers have no sink,
 * and a crowd of viewers is thousands of events.
 *
 * Ownership: the fields are the event's; nobody changes them.
 */
export class WrittenEvent {
  readonly #whole: ServerEvent;
  #written: { readonly event: ServerEvent; readonly json: string } | null = null;

  constructor(event: ServerEvent) {
    this.#whole = event;
  }

  get id(): number {
    return this.#whole.event_id;
  }

  /** As it is told: one that is too long, or that is no JSON, keeps `media` alone of its fields and says `is_cut`. */
  get event(): ServerEvent {
    return this.#write().event;
  }

  /** One line. */
  get json(): string {
    return this.#write().json;
  }

  /** Whether a filter lets it through; the JSON is not needed for that. */
  fits(filter: (event: ServerEvent) => boolean): boolean {
    return filter(this.#whole);
  }

  #write(): { readonly event: ServerEvent; readonly json: string } {
    return (this.#written ??= writeEvent(this.#whole));
  }
}

function writeEvent(event: ServerEvent): { readonly event: ServerEvent; readonly json: string } {
  const json = jsonOf(event);
  if (json !== null && json.length <= MAX_EVENT_LENGTH) return { event, json };
  const { event: name, event_id, utc_ms, server, media } = event;
  const whole = { event: name, event_id, utc_ms, server: server.slice(0, 256) };
  const named = typeof media === "string" ? { media: media.slice(0, 1024) } : {};
  const cut: ServerEvent = { ...whole, ...named, is_cut: true };
  return { event: cut, json: JSON.stringify(cut) };
}

function jsonOf(event: ServerEvent): string | null {
  try {
    return JSON.stringify(event);
  } catch {
    return null;
  }
}
