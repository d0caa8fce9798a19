/** All that the API answers but for figures: with the schemas of requests, which take memory. */
import { openApiDocument } from "../../api/openapi.ts";
import { routeOf } from "../../api/operation.ts";
import { OPERATIONS } from "../../api/operations/all.ts";
import { configOperations } from "../../api/operations/config.ts";
import { ApiRoutes } from "../../api/routes.ts";
import { configRoutes as changeRoutes } from "../../api/config-routes.ts";
import type { ConfigEditor } from "../../api/config-routes.ts";
import { jsonReply } from "../../base/http-message.ts";
import { VERSION } from "../version.ts";
import { archiveRoutes } from "./archive.ts";
import type { ArchiveApiParts } from "./archive.ts";
import { configRoutes } from "./config.ts";
import type { ConfigParts } from "./config.ts";
import { eventRoutes } from "./events.ts";
import type { ServerEvents } from "../events/server-events.ts";
import { objectRoutes } from "./objects.ts";
import { sessionRoutes } from "./sessions.ts";
import { streamRoutes } from "./streams.ts";
import { vodFileRoutes } from "./vod-files.ts";

/** What the API is made of. */
export type ApiParts = ArchiveApiParts &
  ConfigParts & {
    readonly events: Pick<ServerEvents, "follow" | "recent">;
    /** Who keeps changes; `null`: the configuration is in no file. */
    readonly editor: ConfigEditor | null;
    /** Resolves when `configOnDisk` knows the files of the configuration in force. */
    readonly filesRead: () => Promise<void>;
  };

/** The one table: an address is found in it by its most exact pattern. */
export function apiRoutes(parts: ApiParts): ApiRoutes {
  let document: object | null = null;
  const looks = [
    ...streamRoutes(parts),
    ...sessionRoutes(parts.sessions),
    ...objectRoutes(parts),
    ...vodFileRoutes(parts.config),
    ...configRoutes(parts),
    ...eventRoutes(parts.events),
    ...archiveRoutes(parts),
    routeOf(configOperations.openapi, () => {
      document ??= openApiDocument(OPERATIONS, { version: VERSION });
      return jsonReply(200, document);
    }),
  ];
  const lookedUp = shownIn(new ApiRoutes(looks));
  const shown = async (path: string): Promise<object | null> => {
    // Behind a change the files are others than when the request came.
    await parts.filesRead();
    return lookedUp(path);
  };
  return new ApiRoutes([...looks, ...changeRoutes({ ...parts, shown })]);
}

/** What a table shows at an address, for those who may edit. */
function shownIn(routes: ApiRoutes): (path: string) => Promise<object | null> {
  return async (address) => {
    // Names have no question marks in them.
    const [path = "", query] = address.split("?");
    const request = {
      method: "GET",
      path,
      query: new URLSearchParams(query),
      header: () => undefined,
      remoteAddress: "",
    };
    const reply = await routes.answer(request, path, "edit");
    if (reply?.status !== 200 || reply.body === undefined) return null;
    return JSON.parse(Buffer.concat([...reply.body]).toString()) as object;
  };
}
