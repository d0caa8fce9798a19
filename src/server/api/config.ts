/** Addresses of the configuration as a whole: what is in force, and the order to read it anew. */
import { routeOf } from "../../api/operation.ts";
import { configOperations } from "../../api/operations/config.ts";
import { configJson } from "../../api/plan-json.ts";
import { readQueryFields } from "../../api/read-fields.ts";
import type { ApiRoute } from "../../api/routes.ts";
import { jsonReply } from "../../base/http-message.ts";
import { serverErrors } from "../errors.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { objectsJson } from "./objects.ts";
import { configuredStreams } from "./streams.ts";
import type { StreamParts } from "./streams.ts";

/** What these addresses need. */
export type ConfigParts = StreamParts & {
  /** Reads the configuration anew; resolves when that is done. `null`: it does not come from files. */
  readonly reload: (() => Promise<void>) | null;
  /** What stands in the files of the server's settings, without secrets; `null`: nothing does. */
  readonly settingsOnDisk: () => object | null;
};

/** The routes. */
export function configRoutes(parts: ConfigParts): ApiRoute[] {
  const { config, reload, settingsOnDisk } = parts;
  const doReload = async (): Promise<typeof EMPTY_REPLY> => {
    if (reload === null) throw serverErrors.error("SERVER_NO_RELOAD");
    await reload();
    return EMPTY_REPLY;
  };
  return [
    routeOf(configOperations.get, async ({ request }) => {
      const { full } = readQueryFields(configOperations.get.query, request.query);
      const settings = { ...configJson(config()), config_on_disk: settingsOnDisk() };
      if (full === undefined || full === "false" || full === "0") return jsonReply(200, settings);
      const streams = await configuredStreams(parts);
      return jsonReply(200, { ...settings, streams, ...objectsJson(parts) });
    }),
    routeOf(configOperations.reload, doReload),
    // Older clients ask with GET.
    routeOf(configOperations.reloadByGet, doReload),
  ];
}
