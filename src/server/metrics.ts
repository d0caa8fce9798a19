import type { MetricsPage } from "../api/metrics/page.ts";
import type { AccessTotals, ServerFigures } from "../api/metrics/figures.ts";
import type { Clock } from "../base/clock.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { SessionService } from "./access/server-sessions.ts";
import type { ServerEvents } from "./events/server-events.ts";
import { CpuMeter, serverFigures } from "./figures.ts";
import { listStreams, streamRows } from "./summaries.ts";
import type { MediaThreads } from "./threads/supervisor.ts";
import { VERSION } from "./version.ts";

/** What the control thread itself knows. */
export type ControlFigures = Pick<ServerFigures, "serverId" | "isReady" | "isConfigTaken" | "reloads"> &
  Pick<AccessTotals, "adminFailures">;

/** What the metrics are read from. */
export type MetricsSources = {
  readonly clock: Clock;
  readonly startedAtMs: number;
  readonly threads: MediaThreads;
  readonly sessions: SessionService;
  readonly events: Pick<ServerEvents, "figures">;
  config(): ResolvedConfig;
  control(): ControlFigures;
};

/** The metrics page, made when somebody asks; loaded with the first request. */
export class Metrics {
  readonly #sources: MetricsSources;
  readonly #cpu: CpuMeter;
  #page: MetricsPage | null = null;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#cpu = new CpuMeter(sources.clock);
  }

  /** Answers a request, in the format that its `Accept` asks for. */
  async reply(request: HttpRequest): Promise<HttpReply> {
    const { MetricsPage: Page, metricsFormat } = await import("../api/metrics/page.ts");
    this.#page ??= new Page();
    const asksFor = request.query.get("format") === "openmetrics" ? "openmetrics" : null;
    return this.#page.render(await this.#figures(), asksFor ?? metricsFormat(request.header("accept")));
  }

  async #figures(): Promise<ServerFigures> {
    const { threads, sessions, events, clock, startedAtMs } = this.#sources;
    const [summaries, states] = await Promise.all([threads.streams(), threads.states()]);
    const config = this.#sources.config();
    const { adminFailures, ...control } = this.#sources.control();
    const streams = listStreams(config, summaries);
    return await serverFigures({
      ...{ config, clock, startedAtMs, ...control },
      version: VERSION,
      threads: { states, restarts: threads.restarts, lost: threads.lost },
      streams: {
        all: streams.length,
        live: streams.filter((stream) => stream.status === "live").length,
        rows: config.hasStreamMetrics ? streamRows(summaries, sessions.view().crowds?.()) : [],
      },
      sessions: sessions.rows(),
      access: { ...sessions.totals(), adminFailures },
      sinks: events.figures().map((sink) => ({
        name: sink.name,
        waiting: sink.waitingEvents,
        waitingBytes: sink.waitingBytes,
        sent: sink.sentEvents,
        resent: sink.resentBatches,
        dropped: sink.droppedEvents,
      })),
      cpuPercent: this.#cpu.percent(),
    });
  }
}
