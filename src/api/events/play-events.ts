/** Sessions told as events. */
import type { EventBus } from "./event-bus.ts";
import type { EventFields } from "./event.ts";

/** What became of a session. `session`: as the API shows it. */
export type SessionChange = {
  readonly what: "opened" | "started" | "updated" | "closed" | "denied";
  readonly session: Readonly<Record<string, unknown>>;
};

/** Who may see a viewer's token may be that viewer; events go to logs. A query may have one in it. */
const SECRETS = ["token", "password", "query_string", "qs"];

/** Said by other names. */
const RENAMED = ["name", "media", "close_reason", "reason"];

const NOT_TOLD: ReadonlySet<string> = new Set([...SECRETS, ...RENAMED]);

/**
 * Makes of changes of sessions `play_*`, and `publish_refused`. Publishers that are let in are told of by `source_*` and
 * `stream_*`, and so are inputs; recordings by `recording_*`. Tokens, passwords and queries are left out; `name` becomes `media` where that is missing,
 * and `close_reason` is the `reason` that all events have.
 */
export function playEvents(bus: Pick<EventBus, "emit">): (change: SessionChange) => void {
  return ({ what, session }) => {
    const { type } = session;
    if (what === "denied")
      bus.emit(type === "publish" ? "publish_refused" : "play_refused", fieldsOf(session));
    else if (type === "play") bus.emit(`play_${what}`, fieldsOf(session));
  };
}

/** Told in the hundreds a second when a crowd comes, so it is copied once. */
function fieldsOf(session: SessionChange["session"]): EventFields {
  const { name, media = name, close_reason, reason = close_reason } = session;
  const fields: Record<string, unknown> = { media };
  for (const key in session)
    if (!NOT_TOLD.has(key) && session[key] !== undefined) fields[key] = session[key];
  if (reason !== undefined) fields["reason"] = reason;
  return fields;
}
