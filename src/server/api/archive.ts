/** The API's addresses of archives: from requests to what the thread that keeps archives is asked, and back. */
import { errorReply } from "../../api/error-reply.ts";
import { apiErrors } from "../../api/errors.ts";
import { readBodyFields, readQueryFields } from "../../api/read-fields.ts";
import { episodePost, episodePut, episodeQuery, episodesQuery } from "../../api/archive-schemas.ts";
import { rangesQuery, spanBody } from "../../api/archive-schemas.ts";
import { routeOf } from "../../api/operation.ts";
import { archiveOperations } from "../../api/operations/archive.ts";
import type { ApiCall, ApiRoute } from "../../api/routes.ts";
import type { Clock } from "../../base/clock.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpReply } from "../../base/http-message.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { ArchivePlace, DeletedRange, EpisodeWrite } from "../../dvr/archive-changes.ts";
import type { Episode } from "../../dvr/keep/episode-log.ts";
import { keepErrors } from "../../dvr/keep/errors.ts";
import type { MsSpan } from "../../dvr/keep/time-spans.ts";
import { parseStreamName } from "../../media/ids.ts";
import { streamErrors } from "../../stream/errors.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import { exportRoutes } from "./exports.ts";
import type { ExportApiParts } from "./exports.ts";
import { planOf } from "../live/stream-rules.ts";
import type { MediaThreads } from "../threads/supervisor.ts";

/** What the addresses need. */
export type ArchiveApiParts = {
  readonly threads: Pick<MediaThreads, "askKeeper" | "askAllToForget">;
  readonly clock: Clock;
  readonly config: () => ResolvedConfig;
};

/** The last time that an archive can tell, in the year 2255. Units: microseconds since 1970. */
const END_US = Number.MAX_SAFE_INTEGER;

/** The routes of archives. */
export function archiveRoutes(parts: ArchiveApiParts): ApiRoute[] {
  const { threads, clock, config } = parts;
  const recorded: ExportApiParts["recorded"] = (text) => recordedStream(config(), text);
  return [
    ...rangeRoutes(parts),
    ...lockRoutes(parts),
    ...episodeRoutes(parts),
    ...exportRoutes({ threads, clock, recorded }, listOf),
  ];
}

function rangeRoutes(parts: ArchiveApiParts): ApiRoute[] {
  return [
    routeOf(archiveOperations.ranges, (call) => listRanges(parts, call)),
    routeOf(archiveOperations.deleteRange, (call) => deleteRange(parts, call)),
  ];
}

async function listRanges({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const { from = 0, to } = readQueryFields(rangesQuery, call.request.query);
  const place = placeOf(config(), call.params["name"]!);
  const span = { fromUs: usOf(from), toUs: to === undefined ? END_US : usOf(to) };
  const found = await threads.askKeeper("archiveRanges", { ...place, ...span });
  const ranges = found.ranges.map(({ fromUs, toUs }) => {
    const fromS = Math.floor(fromUs / 1e6);
    return { from: fromS, duration: Math.ceil(toUs / 1e6) - fromS };
  });
  return jsonReply(200, { ...listOf("ranges", ranges), bytes: found.mediaBytes, truncated: found.isCut });
}

async function deleteRange({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const { from, duration } = readBodyFields(spanBody, call.body);
  const place = placeOf(config(), call.params["name"]!);
  const span = { fromUs: usOf(from), toUs: usOf(from + duration) };
  try {
    const deleted = await threads.askKeeper("archiveDelete", { ...place, ...span });
    if (deleted.kind === "protected") return protectedReply(deleted);
  } finally {
    // A part may be deleted where an error came in between.
    await threads.askAllToForget(`${place.root}/${place.stream}`);
  }
  return EMPTY_REPLY;
}

function protectedReply({ episodes, locks }: DeletedRange & { readonly kind: "protected" }): HttpReply {
  const what = `${episodes.length} episodes and ${locks.length} locks`;
  const meta = { episodes, locks: locks.map(secondsOf) };
  return errorReply(apiErrors.error("API_PROTECTED", { what }), { meta });
}

function lockRoutes({ threads, config }: ArchiveApiParts): ApiRoute[] {
  const list = async ({ params }: ApiCall): Promise<HttpReply> => {
    const locks = await threads.askKeeper("archiveLocks", placeOf(config(), params["name"]!));
    return jsonReply(200, listOf("locks", locks.map(secondsOf)));
  };
  const change =
    (op: "lock" | "unlock") =>
    async ({ params, body }: ApiCall): Promise<HttpReply> => {
      const { from, duration } = readBodyFields(spanBody, body);
      const span = { fromMs: Math.floor(from * 1000), toMs: Math.ceil((from + duration) * 1000) };
      await threads.askKeeper("archiveLock", { ...placeOf(config(), params["name"]!), op, span });
      return EMPTY_REPLY;
    };
  return [
    routeOf(archiveOperations.locks, list),
    routeOf(archiveOperations.lock, change("lock")),
    routeOf(archiveOperations.unlock, change("unlock")),
  ];
}

function episodeRoutes(parts: ArchiveApiParts): ApiRoute[] {
  return [
    routeOf(archiveOperations.episodes, (call) => listEpisodes(parts, call)),
    routeOf(archiveOperations.makeEpisode, (call) => makeEpisode(parts, call)),
    routeOf(archiveOperations.episode, (call) => showEpisode(parts, call)),
    routeOf(archiveOperations.putEpisode, (call) => putEpisode(parts, call)),
    routeOf(archiveOperations.deleteEpisode, (call) => deleteEpisode(parts, call)),
  ];
}

async function listEpisodes({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const asked = readQueryFields(episodesQuery, call.request.query);
  const filter = { openedBeforeMs: asked.opened_at_lt, closedAfterMs: asked.closed_at_gt };
  const found: object[] = [];
  for (const name of asked.name) {
    const place = placeOf(config(), name);
    const episodes = await threads.askKeeper("archiveEpisodes", { ...place, filter });
    found.push(...episodes.map((episode) => shown(name, episode)));
  }
  const reply = listOf("episodes", found.slice(0, asked.limit));
  return jsonReply(200, { ...reply, estimated_count: found.length });
}

async function makeEpisode({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const fields = readBodyFields(episodePost, call.body);
  const place = placeOf(config(), fields.name);
  const episode = await threads.askKeeper("archiveEpisodeMake", { ...place, write: writeOf(fields) });
  return jsonReply(201, shown(fields.name, episode));
}

async function showEpisode({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const { name } = readQueryFields(episodeQuery, call.request.query);
  const episodes = await threads.askKeeper("archiveEpisodes", { ...placeOf(config(), name), filter: {} });
  const found = episodes.find(({ episodeId }) => episodeId === call.params["id"]);
  if (found === undefined) throw keepErrors.error("DVR_EPISODE_UNKNOWN", { episodeId: call.params["id"]! });
  return jsonReply(200, shown(name, found));
}

async function putEpisode({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const id = call.params["id"]!;
  const fields = readBodyFields(episodePut, call.body);
  if (fields.episode_id !== undefined && fields.episode_id !== id) {
    const place = { field: "episode_id", pointer: "/episode_id" };
    throw apiErrors.error("API_BAD_FIELD", { ...place, reason: "it is another one than in the address" });
  }
  const write = { ...writeOf(fields), episodeId: id };
  const place = placeOf(config(), fields.name);
  const { episode, isNew } = await threads.askKeeper("archiveEpisodePut", { ...place, write });
  return jsonReply(isNew ? 201 : 200, shown(fields.name, episode));
}

async function deleteEpisode({ threads, config }: ArchiveApiParts, call: ApiCall): Promise<HttpReply> {
  const { name } = readQueryFields(episodeQuery, call.request.query);
  const place = placeOf(config(), name);
  await threads.askKeeper("archiveEpisodeDelete", { ...place, episodeId: call.params["id"]! });
  return EMPTY_REPLY;
}

type EpisodeFields = {
  readonly episode_id?: string | undefined;
  readonly opened_at?: number | undefined;
  readonly closed_at?: number | null | undefined;
  readonly expires_at?: number | null | undefined;
  readonly title?: string | undefined;
};

function writeOf({ episode_id, opened_at, closed_at, expires_at, title }: EpisodeFields): EpisodeWrite {
  return {
    episodeId: episode_id,
    openedAtMs: opened_at,
    closedAtMs: closed_at,
    expiresAtMs: expires_at,
    title,
  };
}

function shown(name: string, episode: Episode): object {
  return {
    episode_id: episode.episodeId,
    name,
    opened_at: episode.openedAtMs,
    closed_at: episode.closedAtMs,
    updated_at: episode.updatedAtMs,
    title: episode.title,
    expires_at: episode.expiresAtMs,
  };
}

function placeOf(config: ResolvedConfig, text: string): ArchivePlace {
  const { root, name } = recordedStream(config, text);
  return { root, stream: name };
}

/** The stream of that name. Throws: STREAM_BAD_NAME, STREAM_NOT_FOUND, STREAM_NOT_RECORDED. */
function recordedStream(config: ResolvedConfig, text: string): ReturnType<ExportApiParts["recorded"]> {
  const name = parseStreamName(text);
  if (name === null) {
    const reason = "it has characters or a form that names cannot have";
    throw streamErrors.error("STREAM_BAD_NAME", { reason });
  }
  const plan = planOf(config, name);
  if (plan === null) throw streamErrors.error("STREAM_NOT_FOUND", { name });
  const root = plan.dvr?.root;
  if (root === undefined) throw streamErrors.error("STREAM_NOT_RECORDED", { name });
  return { name, plan, root };
}

function listOf(plural: string, items: readonly object[]): object {
  return { [plural]: items, estimated_count: items.length, next: null, prev: null, timing: {} };
}

function secondsOf({ fromMs, toMs }: MsSpan): { readonly from: number; readonly duration: number } {
  return { from: fromMs / 1000, duration: (toMs - fromMs) / 1000 };
}

function usOf(seconds: number): number {
  return Math.min(END_US, Math.round(seconds * 1e6));
}
