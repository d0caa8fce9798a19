import { defineErrors } from "../../base/errors.ts";

/** Errors of telling events. */
export const eventErrors = defineErrors({
  EVENTS_TOO_MANY_CLIENTS: {
    disposition: "reject",
    httpStatus: 503,
    message: "{limit} clients follow the events already",
    doc: "So many may follow events live at a time. Close some, or have a server of yours follow them with an `event_sink`.",
  },
  EVENTS_BAD_FILTER: {
    disposition: "reject",
    httpStatus: 400,
    message: "what is asked for is too long: at most {keys} keys with {values} values each",
    doc: "The query of `events` names what an event has to have, as `event=play_*&media=news`. It may have so many keys and values.",
  },
  EVENTS_NO_SINK: {
    disposition: "reject",
    httpStatus: 404,
    message: 'there is no event_sink "{name}"',
    doc: "The configuration in force has no `event_sink` of that name.",
  },
  EVENTS_BAD_SINK: {
    disposition: "reject",
    message: 'nothing can be sent to event_sink "{name}": {reason}',
    doc: "The `url` of an `event_sink` is `http://`, `https://`, `log:///PATH`, `jsonlog:///PATH` or `log://`; a path is absolute. Where `allowed_hosts` is set, the URL's host has to be one of them.",
  },
  EVENTS_SINK_REFUSED: {
    disposition: "retry",
    message: "the server answers with {status}",
    doc: "Who takes an `event_sink`'s events has to answer with a status of 200 to 299. Anything else, redirections too, and the same batch is sent again.",
  },
  EVENTS_SINK_LATE: {
    disposition: "retry",
    message: "the server has not answered within {limitMs} ms",
    doc: "The same batch is sent again: what was taken and not answered comes twice, with the same `event_id`.",
  },
});
