import type { ApiGrant } from "../../api/access.ts";
import { apiErrors } from "../../api/errors.ts";
import { ApiRoutes } from "../../api/routes.ts";
import type { MetricsPart } from "../../api/metrics/families.ts";
import { late } from "../../base/late/late.ts";
import type { Late } from "../../base/late/late.ts";
import { jsonReply } from "../../base/http-message.ts";
import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { inSlices } from "../../base/slices.ts";
import type { ObjectsOnDisk } from "../../config/edit/objects-on-disk.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { Clock } from "../../base/clock.ts";
import type { SessionService } from "../access/server-sessions.ts";
import type { ConfigEdits } from "../config/edits.ts";
import type { ServerEvents } from "../events/server-events.ts";
import { asksForOpenMetrics } from "../metrics.ts";
import type { SelectInput } from "./streams.ts";
import type { MediaThreads } from "../threads/supervisor.ts";

/** What the API's table is made of. */
export type ApiTableParts = {
  readonly threads: MediaThreads;
  readonly clock: Clock;
  readonly sessions: SessionService;
  readonly events: ServerEvents;
  readonly edits: Pick<ConfigEdits, "edit" | "check" | "files"> | null;
  readonly reload: (() => Promise<void>) | null;
  readonly config: () => ResolvedConfig;
  readonly serverId: () => string;
  readonly selectInput: SelectInput;
  /** The statistics of `/config/stats`. */
  stats(): Promise<object>;
  metrics(request: HttpRequest, part: MetricsPart): Promise<HttpReply>;
};

/**
 * All that the API answers. Figures come at once; the rest has the schemas of its requests, which take some 20 MB: it is loaded
 * when somebody who may asks for it.
 */
export class ApiTable {
  readonly #parts: ApiTableParts;
  readonly #figures: ApiRoutes;
  /** What stands at addresses of the rest for who asks for OpenMetrics. */
  readonly #openMetrics: ApiRoutes;
  readonly #rest: Late<ApiRoutes>;
  /** What stands in the files of the configuration in force. */
  #onDisk: ObjectsOnDisk | null = null;
  #reading: { readonly config: ResolvedConfig; readonly done: Promise<void> } | null = null;

  constructor(parts: ApiTableParts) {
    this.#parts = parts;
    this.#figures = new ApiRoutes([
      {
        method: "GET",
        path: "/config/stats",
        scope: "metrics",
        handle: async () => jsonReply(200, await parts.stats()),
      },
      {
        method: "GET",
        path: "/monitoring/metrics",
        scope: "metrics",
        handle: ({ request }) => {
          const { query } = request;
          const format = query.get("format");
          if (format !== null && !METRICS_FORMATS.includes(format)) refuse("format", METRICS_FORMATS);
          return parts.metrics(request, partOf(query.get("request")));
        },
      },
    ]);
    this.#openMetrics = new ApiRoutes(
      (["streams", "config"] as const).map((path) => ({
        method: "GET",
        path: `/${path}`,
        scope: "metrics",
        handle: ({ request }) => parts.metrics(request, path === "config" ? "server" : "streams"),
      })),
    );
    this.#rest = late("the API", () => this.#load());
  }

  /** Loads what answers, so that the first who asks does not wait for it. Rejects when it cannot be loaded. */
  async prepare(): Promise<void> {
    await Promise.all([this.#readFiles(), this.#rest(() => {})]);
  }

  /** Answers a request behind the base path of somebody who was let in; `null` where there is nothing. */
  async answer(request: HttpRequest, path: string, grant: ApiGrant): Promise<HttpReply | null> {
    const figures = await this.#figures.answer(request, path, grant);
    if (figures !== null) return figures;
    if (request.method === "GET" && asksForOpenMetrics(request)) {
      const metrics = await this.#openMetrics.answer(request, path, grant);
      if (metrics !== null) return metrics;
    }
    await this.#readFiles();
    return await this.#rest((routes) => routes.answer(request, path, grant));
  }

  async #load(): Promise<ApiRoutes> {
    const { threads, clock, config, serverId, selectInput, sessions, events, edits, reload } = this.#parts;
    const { apiRoutes } = await import("./routes.ts");
    return apiRoutes({
      ...{ threads, clock, config, serverId, selectInput, reload, events, editor: edits },
      sessions: sessions.view(),
      settingsOnDisk: () => this.#onDisk?.settings() ?? null,
      configOnDisk: (kind, name) => this.#onDisk?.get(kind, name) ?? null,
      filesRead: () => this.#readFiles(),
    });
  }

  /** Anew for each configuration, once for all who ask about it. */
  async #readFiles(): Promise<void> {
    const config = this.#parts.config();
    if (this.#reading?.config !== config)
      this.#reading = { config, done: this.#readNow(this.#reading?.done) };
    const { done } = this.#reading;
    try {
      await done;
    } catch (caught) {
      if (this.#reading.done === done) this.#reading = null;
      throw caught;
    }
  }

  async #readNow(earlier: Promise<void> | undefined): Promise<void> {
    const { edits, clock } = this.#parts;
    if (edits === null) return;
    await earlier?.catch(() => {});
    const { ObjectsOnDisk } = await import("../../config/edit/objects-on-disk.ts");
    this.#onDisk = await inSlices(ObjectsOnDisk.steps(await edits.files(), this.#onDisk), { clock });
  }
}

/** What the parameters of the metrics may say, without the schemas: most who ask for them ask for nothing else. */
const METRICS_FORMATS: readonly string[] = ["openmetrics", "prometheus"];

const METRICS_PARTS: ReadonlyMap<string, MetricsPart> = new Map([
  ["server", "server"],
  ["streams", "streams"],
  ["pusher", "none"],
  ["tp", "none"],
]);

function partOf(word: string | null): MetricsPart {
  return word === null ? "all" : (METRICS_PARTS.get(word) ?? refuse("request", [...METRICS_PARTS.keys()]));
}

function refuse(parameter: string, words: readonly string[]): never {
  const reason = `it is one of ${words.join(", ")}`;
  throw apiErrors.error("API_BAD_FIELD", { field: parameter, parameter, reason });
}
