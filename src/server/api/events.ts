/** The addresses of events. */
import { routeOf } from "../../api/operation.ts";
import { eventOperations } from "../../api/operations/events.ts";
import type { ApiRoute } from "../../api/routes.ts";
import type { ServerEvents } from "../events/server-events.ts";

/** The routes. */
export function eventRoutes(events: Pick<ServerEvents, "follow" | "recent">): ApiRoute[] {
  return [
    routeOf(eventOperations.follow, ({ request }) => events.follow(request)),
    routeOf(eventOperations.recent, ({ params }) => events.recent(params["name"]!)),
  ];
}
