/** All that the API answers but for figures: with the schemas of requests, which take memory. */
import { openApiDocument } from "../../api/openapi.ts";
import { routeOf } from "../../api/operation.ts";
import type { ApiOperation } from "../../api/operation.ts";
import { OPERATIONS } from "../../api/operations/all.ts";
import { configOperations } from "../../api/operations/config.ts";
import { ApiRoutes } from "../../api/routes.ts";
import type { ApiRoute } from "../../api/routes.ts";
import { jsonReply } from "../../base/http-message.ts";
import { VERSION } from "../version.ts";
import { archiveRoutes } from "./archive.ts";
import type { ArchiveApiParts } from "./archive.ts";
import { configRoutes } from "./config.ts";
import type { ConfigParts } from "./config.ts";
import { objectRoutes } from "./objects.ts";
import { sessionRoutes } from "./sessions.ts";
import { streamRoutes } from "./streams.ts";
import { vodFileRoutes } from "./vod-files.ts";

/** What the API is made of. */
export type ApiParts = ArchiveApiParts & ConfigParts;

/** More of the API, from elsewhere, with what is documented of it. */
export type MoreRoutes = {
  readonly routes: readonly ApiRoute[];
  readonly operations: readonly ApiOperation[];
};

/** The one table: an address is found in it by its most exact pattern. */
export function apiRoutes(parts: ApiParts, more: readonly MoreRoutes[] = []): ApiRoutes {
  const operations = [...OPERATIONS, ...more.flatMap((one) => one.operations)];
  let document: object | null = null;
  return new ApiRoutes([
    ...streamRoutes(parts),
    ...sessionRoutes(parts.sessions),
    ...objectRoutes(parts),
    ...vodFileRoutes(parts.config),
    ...configRoutes(parts),
    ...archiveRoutes(parts),
    ...more.flatMap(({ routes }) => routes),
    routeOf(configOperations.openapi, () => {
      document ??= openApiDocument(operations, { version: VERSION });
      return jsonReply(200, document);
    }),
  ]);
}
