/** The API's addresses of exports that run as jobs. */
import { exportQuery } from "../../api/archive-schemas.ts";
import { apiErrors } from "../../api/errors.ts";
import { routeOf } from "../../api/operation.ts";
import { archiveOperations } from "../../api/operations/archive.ts";
import { readQueryFields } from "../../api/read-fields.ts";
import type { ApiCall, ApiRoute } from "../../api/routes.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpReply } from "../../base/http-message.ts";
import type { Clock } from "../../base/clock.ts";
import { readBucketUrl, showBucketUrl } from "../../config/bucket-url.ts";
import type { LivePlan } from "../../config/plan.ts";
import { exportPath } from "../../dvr/export-jobs/export-path.ts";
import type { ExportJob, ExportPlace } from "../../dvr/export-jobs/export-jobs.ts";
import type { StreamName } from "../../media/ids.ts";
import { EMPTY_REPLY } from "./empty-reply.ts";
import type { MediaThreads } from "../threads/supervisor.ts";

/** What the addresses need. */
export type ExportApiParts = {
  readonly threads: Pick<MediaThreads, "askKeeper">;
  readonly clock: Clock;
  /** The stream of that name, which is recorded below `root`. Throws: STREAM_*. */
  recorded(name: string): { readonly name: StreamName; readonly plan: LivePlan; readonly root: string };
};

/** Below a root, where exports go to: see `exportsFolder` of the archives, which this thread does not load. */
const EXPORTS_FOLDER = ".exports";

/** The routes of exports. `list`: how the API writes lists. */
export function exportRoutes(
  parts: ExportApiParts,
  list: (plural: string, items: readonly object[]) => object,
): ApiRoute[] {
  const { threads } = parts;
  return [
    routeOf(archiveOperations.beginExport, (call) => begin(parts, call)),
    routeOf(archiveOperations.jobs, async () =>
      jsonReply(200, list("dvr_export_jobs", (await threads.askKeeper("archiveExports", null)).map(shown))),
    ),
    routeOf(archiveOperations.job, async ({ params }) =>
      jsonReply(200, shown(await threads.askKeeper("archiveExportFind", params["id"]!))),
    ),
    routeOf(archiveOperations.deleteJob, async ({ params }) => {
      await threads.askKeeper("archiveExportRemove", params["id"]!);
      return EMPTY_REPLY;
    }),
  ];
}

async function begin(parts: ExportApiParts, call: ApiCall): Promise<HttpReply> {
  const asked = readQueryFields(exportQuery, call.request.query);
  const { name, plan, root } = parts.recorded(call.params["name"]!);
  const { segmentDurationMs, segmentCount } = plan.options;
  const span = { kind: "archive", fromS: asked.from, durationS: asked.duration } as const;
  const request = {
    span,
    name,
    nowUs: parts.clock.wallUs(),
    segmentDurationUs: segmentDurationMs * 1000,
    segmentCount,
  };
  const job = await parts.threads.askKeeper("archiveExport", {
    stream: name,
    fromS: asked.from,
    durationS: asked.duration,
    place: placeOf(asked.path, `${root}/${EXPORTS_FOLDER}`),
    meta: asked.meta ?? null,
    overwrites: asked.overwrite,
    source: { folder: `${root}/${name}`, request },
  });
  return jsonReply(202, shown(job));
}

/** Where an export is to go to. Throws: API_BAD_FIELD, without the text, for there may be a secret in it; DVR_EXPORT_BAD_PATH. */
function placeOf(text: string, folder: string): ExportPlace {
  if (!/^s3s?:\/\//i.test(text)) return { folder, path: exportPath(text) };
  const read = readBucketUrl(text);
  if ("fault" in read) {
    const reason = read.hint === undefined ? read.fault : `${read.fault}; ${read.hint}`;
    throw apiErrors.error("API_BAD_FIELD", { field: "path", parameter: "path", reason });
  }
  const { prefix: key, ...place } = read.bucket;
  if (key === "") {
    const reason = "it names a bucket and no key in it";
    throw apiErrors.error("API_BAD_FIELD", { field: "path", parameter: "path", reason });
  }
  const path = showBucketUrl(read.bucket, { secrets: false });
  return { folder, path, bucket: { place: { ...place, prefix: "" }, key } };
}

function shown(job: ExportJob): object {
  const { error } = job;
  return {
    id: job.id,
    name: job.stream,
    from: job.fromS,
    duration: job.durationS,
    path: job.path,
    meta: job.meta,
    status: job.status,
    bytes: job.bytes,
    total_bytes: job.totalBytes,
    percent: job.percent,
    error: error === null ? null : { code: error.code.toLowerCase(), title: error.message },
    created_at: job.createdAtMs,
    started_at: job.startedAtMs,
    finished_at: job.finishedAtMs,
  };
}
