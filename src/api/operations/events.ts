/** Events: what happens, as it happens, and what happened lately. */
import { z } from "zod";
import type { ApiOperation } from "../operation.ts";

/** One event; docs/events.md has its fields. */
export const eventItem: z.ZodObject = z.looseObject({
  event: z.string(),
  event_id: z.int(),
  utc_ms: z.int(),
  server: z.string(),
  media: z.string().optional(),
});

/** Operations on events. */
export const eventOperations = {
  follow: {
    method: "GET",
    path: "/events",
    id: "eventsFollow",
    tag: "events",
    summary: "Events as they happen, as server-sent events; any field is a filter, as event=play_*",
    scope: "config",
    query: z.object({
      event: z.string().optional(),
      media: z.string().optional(),
      last_event_id: z.int().min(0).optional(),
    }),
    reply: { status: 200, schema: z.string(), type: "text/event-stream" },
  },
  recent: {
    method: "GET",
    path: "/event_sinks/{name}/events",
    id: "eventSinkEvents",
    tag: "event_sinks",
    summary: "The last events that the sink's filter lets through",
    scope: "config",
    reply: { status: 200, schema: z.object({ events: z.array(eventItem) }) },
  },
} as const satisfies Record<string, ApiOperation>;
