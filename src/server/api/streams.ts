/** Addresses of streams. */
import { asksFor } from "../../api/lists/list-query.ts";
import type { ListQuery } from "../../api/lists/list-query.ts";
import { routeOf } from "../../api/operation.ts";
import { streamOperations } from "../../api/operations/streams.ts";
import type { ApiRoute } from "../../api/routes.ts";
import type { SessionsView } from "../../api/sessions-view.ts";
import type { Clock } from "../../base/clock.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import { figuresByName } from "../stream-columns.ts";
import type { StreamFigures } from "../stream-columns.ts";
import type { MediaThreads } from "../threads/supervisor.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { listRoute } from "./list-route.ts";
import type { ConfigOnDisk } from "./objects.ts";
import { streamRow, streamRows } from "./stream-rows.ts";
import type { StreamsNow } from "./stream-rows.ts";

/** What these addresses need. */
export type StreamParts = {
  readonly threads: Pick<MediaThreads, "streams" | "streamColumns" | "streamDetails" | "stopStream">;
  readonly clock: Clock;
  readonly config: () => ResolvedConfig;
  readonly configOnDisk: ConfigOnDisk;
  readonly sessions: SessionsView;
  readonly serverId: () => string;
};

/** Whoever goes from page to page, or asks many times a second, does not disturb media threads more often. */
const FRESH_US = 500_000;

/** Fields that only the thread of a stream has at hand. */
const DETAILS = ["stats.media_info", "stats.source"];

/** The routes. */
export function streamRoutes(parts: StreamParts): ApiRoute[] {
  const { threads, serverId } = parts;
  const now = streamsNow(parts);
  const fillAll = async (streams: StreamsNow, query: ListQuery): Promise<void> => {
    if (!DETAILS.some((path) => asksFor(query, path))) return;
    for (const summary of await threads.streams()) streams.details.set(summary.name, summary);
  };
  return [
    listRoute(streamOperations.list, {
      plural: "streams",
      key: "name",
      defaultSort: "named_by,position,name",
      source: async (_, query) => {
        const streams = await now();
        await fillAll(streams, query);
        return { rows: streamRows(streams), fill: (names) => fillDetails(streams, names, parts) };
      },
      more: () => ({ server_id: serverId() }),
    }),
    routeOf(streamOperations.get, async ({ params }) => {
      const name = params["name"]!;
      const streams = await now();
      const row = streamRow(name, streams);
      if (row === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
      await fillDetails(streams, [name], parts);
      return jsonReply(200, row.json());
    }),
    routeOf(streamOperations.stop, async ({ params }) => {
      const text = params["name"]!;
      const name = parseStreamName(text);
      const row = name === null ? null : streamRow(name, await now());
      if (name === null || row === null) throw streamErrors.error("STREAM_NOT_FOUND", { name: text });
      await threads.stopStream(name);
      return EMPTY_REPLY;
    }),
  ];
}

/** The streams of the configuration, whole. */
export async function configuredStreams(parts: StreamParts): Promise<readonly object[]> {
  const now = await streamsNow(parts)();
  await fillDetails(now, [...now.figures.keys()], parts);
  return [...streamRows(now)].filter(({ isConfigured }) => isConfigured).map((row) => row.json());
}

async function fillDetails(
  { details, figures }: StreamsNow,
  names: readonly string[],
  { threads }: StreamParts,
): Promise<void> {
  const missing = names.filter((name) => figures.has(name) && !details.has(name));
  for (const summary of await threads.streamDetails(missing)) details.set(summary.name, summary);
}

/** Figures are asked for once for all who ask within a moment. */
function streamsNow({
  threads,
  clock,
  config,
  configOnDisk,
  sessions,
}: StreamParts): () => Promise<StreamsNow> {
  let asked: { readonly us: number; readonly figures: Promise<ReadonlyMap<string, StreamFigures>> } | null =
    null;
  return async () => {
    const us = clock.nowUs();
    if (asked === null || us - asked.us > FRESH_US) {
      const figures = threads.streamColumns().then(figuresByName);
      asked = { us, figures };
    }
    return {
      config: config(),
      configOnDisk,
      figures: await asked.figures,
      crowds: sessions.crowds?.() ?? new Map(),
      nowMs: Math.floor(clock.wallUs() / 1000),
      details: new Map(),
    };
  };
}
