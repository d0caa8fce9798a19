/** docs/events.md: every event with what it says, made from the catalogue. */
import { EVENT_FIELDS, EVENTS } from "./catalogue.ts";
import type { EventSpec } from "./catalogue.ts";

const HEAD = `# Events

<!-- Made by \`npm run docs\` from src/api/events/catalogue.ts: change it there. -->

What happens in the server is told as events: to the sinks of \`event_sink\` blocks, and to clients that follow
\`GET /streamer/api/v3/events\`. Each is a JSON object:

| field | what it is |
| --- | --- |
| \`event\` | One of the names below. |
| \`event_id\` | A number that is greater than that of every event before, over restarts too: about microseconds since 1970. What comes twice has the same. |
| \`utc_ms\` | When it happened. Milliseconds since 1970. |
| \`server\` | The server's host name, or its \`hostname\` in the configuration. |
| \`is_cut\` | \`true\` where the event was longer than 16 KiB, or no JSON, and lost its fields but for \`media\`. |
| \`media\` and others | As the event's row says. A field that is not known is left out. |

## Sinks

- \`http://\` and \`https://\`: batches are sent with POST as JSON arrays, \`content-type: application/json\`, of at most
  100 events and 256 KiB. The next one is sent when the one before was answered with a status of 200 to 299, so events come
  in order. Anything else, redirections and 10 s of silence too, and the same batch is sent again: after 100 ms, and later
  each time, up to \`resend_timeout\`; above \`resend_limit\` it is dropped and counted. \`throttle_delay\` keeps batches
  apart, but for 100 events that wait. With \`sign_key\`, \`X-Weir-Signature: sha256=HEX\` is the HMAC-SHA-256 of the body.
- \`jsonlog:///PATH\` and \`log:///PATH\`: lines of JSON, or of text, at the end of a file that is made with mode 0640.
  Above 64 MiB it becomes \`PATH.1\`, of which five are kept. A file that was moved away is begun anew. Links are not
  followed.
- \`log://\`: the server's log, at \`level\`.

An event reaches a server **at least once**. Where \`event_queue DIR\` is set, what waits for servers is in files there and
outlives the process; a second after it was told it outlives the machine too. What comes twice was sent twice because its
answer was lost. One server has one folder. Without \`event_queue\` events wait in memory. Above \`max_size\`, or
\`max_depth\` of age, the oldest are dropped, and the log says once a minute how many.

\`only\` and \`except\` are lines of \`key=value,value\`: a line fits an event when each key has one of its values, and \`*\`
stands for any characters. An event is sent when a line of \`only\` fits it, or there is none, and no line of \`except\` does.

## Following

\`GET /streamer/api/v3/events?event=play_*&media=news\` are server-sent events without an end; the query filters as a line of
\`only\` does. With \`Last-Event-ID\`, or \`last_event_id\` in the query, it begins behind that event, as far as the last
1000 events reach. A comment comes every 15 s. At most 100 clients follow; one that has not taken 256 KiB is closed, and may
come back. The typed client (\`ui/api/client.ts\`) gives them to a loop: \`for await (const event of await api("eventsFollow",
{}))\`. \`GET /streamer/api/v3/event_sinks/NAME/events\` has those of the last 1000 events that a sink's filter lets
through.

## Names
`;

/** The page as text. */
export function renderEventsPage(): string {
  const events = Object.entries<EventSpec>(EVENTS).map(
    ([name, { doc, fields }]) =>
      `| \`${name}\` | ${doc} | ${fields.map((field) => `\`${field}\``).join(" ")} |`,
  );
  const fields = Object.entries(EVENT_FIELDS).map(([name, doc]) => `| \`${name}\` | ${doc} |`);
  return [
    HEAD,
    "| event | when | fields |",
    "| --- | --- | --- |",
    ...events,
    "",
    "There are no `push_*` events: the server does not push. Publishers that are let in are told of by `source_*`.",
    "Tokens, passwords and queries of viewers are in no event.",
    "",
    "## Fields",
    "",
    "| field | what it is |",
    "| --- | --- |",
    ...fields,
    "",
  ].join("\n");
}
