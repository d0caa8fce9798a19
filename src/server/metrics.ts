import type { MetricsPart } from "../api/metrics/families.ts";
import type { MetricsPage } from "../api/metrics/page.ts";
import type { AccessTotals, ServerFigures, StreamRow } from "../api/metrics/figures.ts";
import type { Clock } from "../base/clock.ts";
import type { HttpReply, HttpRequest } from "../base/http-message.ts";
import type { ResolvedConfig } from "../config/plan.ts";
import type { SessionService } from "./access/server-sessions.ts";
import type { ServerEvents } from "./events/server-events.ts";
import { CpuMeter, serverFigures } from "./figures.ts";
import { RateMeter } from "./rate-meter.ts";
import type { StreamSummary } from "../stream/directory.ts";
import { listStreams, streamRows } from "./live/summaries.ts";
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
  readonly #output: RateMeter;
  readonly #outputs: RateMeter;
  #page: MetricsPage | null = null;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#cpu = new CpuMeter(sources.clock);
    this.#output = new RateMeter(sources.clock, new Map([["", 0]]));
    this.#outputs = new RateMeter(sources.clock);
  }

  /**
   * Answers a request, in the format that its `Accept` asks for. Who asks for the streams gets a row for each, or for those
   * of `name`.
   */
  async reply(request: HttpRequest, part: MetricsPart = "all"): Promise<HttpReply> {
    const { MetricsPage: Page } = await import("../api/metrics/page.ts");
    this.#page ??= new Page();
    const format = asksForOpenMetrics(request) ? "openmetrics" : "prometheus";
    const names = new Set(request.query.get("name")?.split(","));
    return this.#page.render(await this.#figures(part === "streams", names), format, part);
  }

  async #figures(hasStreams: boolean, names: ReadonlySet<string>): Promise<ServerFigures> {
    const { threads, sessions, events, clock, startedAtMs } = this.#sources;
    const [summaries, states] = await Promise.all([threads.streams(), threads.states()]);
    const config = this.#sources.config();
    const { adminFailures, ...control } = this.#sources.control();
    const streams = listStreams(config, summaries);
    const rows = sessions.rows();
    const bytesOut = rows.reduce((sum, { kind, bytes }) => sum + (kind === "play" ? bytes : 0), 0);
    return await serverFigures({
      ...{ config, clock, startedAtMs, ...control },
      version: VERSION,
      threads: {
        states,
        restarts: threads.restarts,
        lost: threads.lost,
        ownLatenessMs: threads.ownLatenessMs,
      },
      streams: {
        all: streams.length,
        live: streams.filter((stream) => stream.status === "live").length,
        inputBps: summaries.reduce((sum, { inputBps }) => sum + inputBps, 0),
        outputBps: this.#output.bps(new Map([["", bytesOut]])).get("") ?? 0,
        rows: hasStreams || config.hasStreamMetrics ? this.#streamRows(config, summaries, names) : [],
      },
      sessions: rows,
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

  /** Of all streams, or of those that are named. */
  #streamRows(
    config: ResolvedConfig,
    summaries: readonly StreamSummary[],
    names: ReadonlySet<string>,
  ): StreamRow[] {
    const crowds = this.#sources.sessions.view().crowds?.();
    const sent = new Map(summaries.map(({ name }) => [name, crowds?.get(name)?.bytesOut ?? 0]));
    const rates = this.#outputs.bps(sent);
    const rows = streamRows(config, summaries, crowds);
    const chosen = names.size === 0 ? rows : rows.filter(({ name }) => names.has(name));
    return chosen.map((row) => ({
      ...row,
      outputBps: rates.get(row.name) ?? 0,
    }));
  }
}

/** Whether somebody wants OpenMetrics: by `format=openmetrics`, or by `Accept` as Prometheus does. */
export function asksForOpenMetrics(request: Pick<HttpRequest, "query" | "header">): boolean {
  const format = request.query.get("format");
  if (format !== null) return format === "openmetrics";
  return /application\/openmetrics-text/i.test(request.header("accept") ?? "");
}
