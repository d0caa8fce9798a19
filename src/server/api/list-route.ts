/** Lists of the API: what all of them do. Long ones are looked through in slices: others have turns meanwhile. */
import { z } from "zod";
import { knownFields } from "../../api/lists/known-fields.ts";
import type { FieldSchema } from "../../api/lists/known-fields.ts";
import { itemSteps, listPageSteps, listReply } from "../../api/lists/list-page.ts";
import { readListQuery } from "../../api/lists/list-query.ts";
import type { ListQuery, ListSpec } from "../../api/lists/list-query.ts";
import type { ListRow } from "../../api/lists/row.ts";
import { routeOf } from "../../api/operation.ts";
import type { ApiOperation } from "../../api/operation.ts";
import type { ApiCall, ApiRoute } from "../../api/routes.ts";
import { systemClock } from "../../base/clock.ts";
import { inSlices } from "../../base/slices.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpReply } from "../../base/http-message.ts";

/** The rows of one request. */
export type ListSource = {
  readonly rows: Iterable<ListRow>;
  /** Called with the keys of the page before any of it is written out. */
  fill?(keys: readonly string[]): Promise<void>;
};

/** A list and where its rows come from. */
export type ListOptions = {
  /** The property of the reply that has the objects. */
  readonly plural: string;
  readonly key: string;
  /** As in `sort`; the key, where it is left out. */
  readonly defaultSort?: string;
  readonly searched?: readonly string[];
  readonly others?: readonly string[];
  /** May reject with a `MediaError`. */
  source(call: ApiCall, query: ListQuery): Promise<ListSource> | ListSource;
  /** More fields of the reply. */
  more?(): object;
};

/** The route of a list. */
export function listRoute(
  operation: ApiOperation & Required<Pick<ApiOperation, "list">>,
  options: ListOptions,
): ApiRoute {
  const spec: ListSpec = {
    key: options.key,
    defaultSort: options.defaultSort ?? options.key,
    searched: options.searched ?? [options.key, "title", "comment"],
    others: options.others ?? [],
    fields: knownFields(z.toJSONSchema(operation.list.item, { reused: "inline" }) as FieldSchema),
  };
  const answer = async (call: ApiCall): Promise<HttpReply> => {
    const begunMs = performance.now();
    const query = readListQuery(call.request.query, spec);
    const source = await options.source(call, query);
    const loadedMs = performance.now();
    const page = await inSlices(listPageSteps(source.rows, query, spec), { clock: systemClock });
    await source.fill?.(page.rows.map(({ key }) => key));
    const items = await inSlices(itemSteps(page, query), { clock: systemClock });
    const timing = {
      load: Math.round((loadedMs - begunMs) * 1000) / 1000,
      page: Math.round((performance.now() - loadedMs) * 1000) / 1000,
    };
    return jsonReply(200, { ...listReply(options.plural, { items, page }, timing), ...options.more?.() });
  };
  return routeOf(operation, answer);
}
