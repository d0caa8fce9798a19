/** `/config/stats`: figures of the server. Without schemas: whoever polls them costs no more memory. */
import { availableParallelism, hostname } from "node:os";
import { whoAmI } from "../../api/monitoring.ts";
import type { Clock } from "../../base/clock.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import { memoryLimitBytes } from "../memory.ts";
import { figuresByName } from "../stream-columns.ts";
import type { MediaThreads } from "../threads/supervisor.ts";
import { VERSION } from "../version.ts";

/** `streamer_status` of the statistics. */
export type StreamerStatus = "starting" | "running" | "draining" | "broken_config";

/** What is known of the server as a whole. */
export type ServerState = {
  readonly serverId: string;
  readonly status: StreamerStatus;
  /** Configurations taken since the start. */
  readonly configsTaken: number;
  /** Why the newest configuration is not in force; `null`: it is. */
  readonly configError: string | null;
  /** Why the server cannot take work; `null`: it can. */
  readonly notReadyReason: string | null;
  /** Directives whose password everybody knows. */
  readonly wellKnown: readonly string[];
};

/** What the figures are made of. */
export type ServerStatsOptions = {
  readonly threads: Pick<MediaThreads, "streamColumns" | "states" | "restarts">;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly config: () => ResolvedConfig;
  readonly state: () => ServerState;
};

/** Reads the figures; remembers what the processor had done when it was asked last. */
export class ServerStats {
  readonly #options: ServerStatsOptions;
  #cpu: { readonly us: number; readonly busyUs: number };

  constructor(options: ServerStatsOptions) {
    this.#options = options;
    this.#cpu = { us: options.clock.nowUs(), busyUs: 0 };
  }

  /** All of them, as JSON. */
  async json(): Promise<object> {
    const { threads, clock, startedAtMs, config, state } = this.#options;
    const [columns, states] = await Promise.all([threads.streamColumns(), threads.states()]);
    const figures = figuresByName(columns);
    const names = new Set([...config().streams.map(({ name }) => name), ...figures.keys()]);
    const running = [...figures.values()];
    const { serverId, status, configsTaken, configError, notReadyReason, wellKnown } = state();
    const residentBytes = process.memoryUsage.rss();
    const lost = states.filter((one) => one.status !== "running");
    return {
      ...whoAmI(VERSION, startedAtMs, clock),
      server_id: serverId,
      hostname: config().hostname ?? hostname(),
      streamer_status: status,
      config_version: [Math.floor(startedAtMs / 1000), configsTaken],
      ...(configError === null ? {} : { config_error: configError }),
      uptime: Math.floor(process.uptime()),
      total_streams: names.size,
      online_streams: running.filter((stream) => stream.status === "live").length,
      total_clients: states.reduce((sum, { stats }) => sum + (stats?.subscribers ?? 0), 0),
      input_kbit: Math.round(running.reduce((sum, { inputBps }) => sum + inputBps, 0) / 1000),
      cpu_usage: this.#cpuPercent(),
      memory_usage: Math.round((residentBytes * 100) / memoryLimitBytes()),
      text_alerts: [
        ...(notReadyReason === null ? [] : [notReadyReason]),
        ...(configError === null ? [] : [`the configuration is not in force: ${configError}`]),
        ...wellKnown.map((name) => `the password of ${name} is one that everybody knows`),
        ...lost.map(({ index }) => `media thread ${index} does not serve`),
      ],
      media_thread_restarts: threads.restarts,
      resident_bytes: residentBytes,
      threads: states.map(({ stats, ...one }) => ({ ...one, ...stats })),
    };
  }

  /** Since it was asked last; of all cores that the process may use. */
  #cpuPercent(): number {
    const { user, system } = process.cpuUsage();
    const now = { us: this.#options.clock.nowUs(), busyUs: user + system };
    const spanUs = now.us - this.#cpu.us;
    const share = spanUs <= 0 ? 0 : (now.busyUs - this.#cpu.busyUs) / spanUs / availableParallelism();
    this.#cpu = now;
    return Math.max(0, Math.min(100, Math.round(share * 100)));
  }
}
