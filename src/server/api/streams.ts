/** Addresses of streams. */
import { apiErrors } from "../../api/errors.ts";
import { asksFor } from "../../api/lists/list-query.ts";
import type { ListQuery } from "../../api/lists/list-query.ts";
import { routeOf } from "../../api/operation.ts";
import { streamOperations } from "../../api/operations/streams.ts";
import type { ApiRoute } from "../../api/routes.ts";
import type { SessionsView, StreamCrowd } from "../../api/sessions-view.ts";
import type { Clock } from "../../base/clock.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import { RateMeter } from "../rate-meter.ts";
import { statusOf } from "../archives/recording-status.ts";
import { figuresByName } from "../live/stream-columns.ts";
import type { StreamFigures } from "../live/stream-columns.ts";
import { planOf } from "../live/stream-rules.ts";
import type { MediaThreads } from "../threads/supervisor.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { listRoute } from "./list-route.ts";
import type { ConfigOnDisk } from "./objects.ts";
import { streamRow, streamRows } from "./stream-rows.ts";
import type { StreamsNow } from "./stream-rows.ts";

/** Lets an input of a stream of the configuration run. Returns: whether there is one; rejects with SERVER_STOPPING. */
export type SelectInput = (name: string, index: number) => Promise<boolean>;

/** What these addresses need. */
export type StreamParts = {
  readonly threads: Pick<
    MediaThreads,
    "streams" | "streamColumns" | "streamDetails" | "stopStream" | "askKeeper"
  >;
  readonly clock: Clock;
  readonly config: () => ResolvedConfig;
  readonly configOnDisk: ConfigOnDisk;
  readonly sessions: SessionsView;
  readonly serverId: () => string;
  /** Lets an input of a configured stream run. Resolves when it is chosen; rejects where the server stops. */
  readonly selectInput: SelectInput;
};

/** Whoever goes from page to page, or asks many times a second, does not disturb media threads more often. */
const FRESH_US = 500_000;

/** Fields that only the thread of a stream has at hand. */
const DETAILS = ["stats.media_info", "stats.source", "inputs.stats"];

/** What is recorded is left out where the archive takes longer to say. Units: milliseconds. */
const RECORDED_LIMIT_MS = 1000;

/** Ranges of a recording that are told with a stream; `dvr/ranges` has all. */
const MAX_RANGES = 100;

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
      await Promise.all([fillDetails(streams, [name], parts), fillRecorded(streams, name, parts)]);
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
    ...[streamOperations.selectInput, streamOperations.selectInputByPut].map((operation) =>
      routeOf(operation, async ({ params }) => {
        await selectInput(parts, params["name"]!, params["i"]!, await now());
        return EMPTY_REPLY;
      }),
    ),
  ];
}

async function selectInput(
  { config, selectInput: choose }: StreamParts,
  name: string,
  index: string,
  now: StreamsNow,
): Promise<void> {
  if (streamRow(name, now) === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
  const stream = config().streams.find((one) => one.name === name);
  const refuse = (reason: string): Error =>
    apiErrors.error("API_INPUT_RESTS", { index: shown, name, reason });
  const shown = index.slice(0, 20);
  if (stream === undefined) throw refuse("the stream runs by a template");
  const isNumber = /^\d{1,4}$/.test(index);
  if (!isNumber || stream.inputs[Number(index)] === undefined)
    throw apiErrors.error("INPUT_NOT_FOUND", { index: shown, name });
  if (stream.disabled) throw refuse("the stream is disabled");
  if (!(await choose(name, Number(index))))
    throw apiErrors.error("INPUT_NOT_FOUND", { index: shown, name });
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

/** The newest ranges of what is recorded, where that is known within a moment. */
async function fillRecorded(
  { recorded, config }: StreamsNow,
  text: string,
  { threads, clock }: StreamParts,
): Promise<void> {
  const name = parseStreamName(text);
  const dvr = name === null ? null : planOf(config, name)?.dvr;
  if (name === null || dvr === undefined || dvr === null) return;
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = clock.schedule(RECORDED_LIMIT_MS, () => resolve(null));
  const asked = threads
    .askKeeper("archiveRanges", { root: dvr.root, stream: name, fromUs: 0, toUs: Number.MAX_SAFE_INTEGER })
    .catch(() => null);
  const found = await Promise.race([asked, late]);
  timer.cancel();
  if (found === null) return;
  const { is_cut: _, ranges, ...status } = statusOf(found);
  recorded.set(name, { ...status, ranges: ranges.slice(-MAX_RANGES) });
}

/** Figures are asked for once for all who ask within a moment. */
function streamsNow({
  threads,
  clock,
  config,
  configOnDisk,
  sessions,
}: StreamParts): () => Promise<StreamsNow> {
  const outputs = new RateMeter(clock);
  let asked: { readonly us: number; readonly figures: Promise<ReadonlyMap<string, StreamFigures>> } | null =
    null;
  return async () => {
    const us = clock.nowUs();
    if (asked === null || us - asked.us > FRESH_US) {
      const figures = threads.streamColumns().then(figuresByName);
      asked = { us, figures };
    }
    const figures = await asked.figures;
    const crowds = sessions.crowds?.() ?? new Map<string, StreamCrowd>();
    const sent = new Map([...figures.keys()].map((name) => [name, crowds.get(name)?.bytesOut ?? 0]));
    return {
      config: config(),
      configOnDisk,
      figures,
      crowds,
      outputs: outputs.bps(sent),
      nowMs: Math.floor(clock.wallUs() / 1000),
      details: new Map(),
      recorded: new Map(),
    };
  };
}
