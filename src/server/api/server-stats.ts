/** `/config/stats`: figures of the server. Without schemas: whoever polls them costs no more memory. */
import { availableParallelism, hostname } from "node:os";
import { whoAmI } from "../../api/monitoring.ts";
import type { Clock } from "../../base/clock.ts";
import type { ResolvedConfig } from "../../config/plan.ts";
import type { SessionService } from "../access/server-sessions.ts";
import type { ServerEvents } from "../events/server-events.ts";
import { loopPercent, openFiles, partitionsOf } from "../figures.ts";
import { memoryLimitBytes } from "../memory.ts";
import { RateMeter } from "../rate-meter.ts";
import { figuresByName } from "../live/stream-columns.ts";
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
  readonly sessions: Pick<SessionService, "rows">;
  readonly events: Pick<ServerEvents, "figures">;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly config: () => ResolvedConfig;
  readonly state: () => ServerState;
};

const MIB = 1024 * 1024;

/** Reads the figures; remembers what the processor had done, and what viewers had been sent, when it was asked last. */
export class ServerStats {
  readonly #options: ServerStatsOptions;
  readonly #output: RateMeter;
  #cpu: { readonly us: number; readonly busyUs: number };

  constructor(options: ServerStatsOptions) {
    this.#options = options;
    this.#output = new RateMeter(options.clock, new Map([["", 0]]));
    this.#cpu = { us: options.clock.nowUs(), busyUs: 0 };
  }

  /** All of them, as JSON. */
  async json(): Promise<object> {
    const { threads, clock, startedAtMs, config, state } = this.#options;
    const [columns, states, partitions, files] = await Promise.all([
      threads.streamColumns(),
      threads.states(),
      partitionsOf(config(), clock),
      openFiles(),
    ]);
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
      input_kbit: Math.round(running.reduce((sum, { inputBps }) => sum + inputBps, 0) / 1000),
      ...this.#viewers(),
      cpu_usage: this.#cpuPercent(),
      scheduler_load: loopPercent(states),
      memory_usage: Math.round((residentBytes * 100) / memoryLimitBytes()),
      ...(files === null ? {} : { opened_files: files }),
      partitions: partitions.map(({ path, totalBytes, freeBytes }) => ({
        path,
        total_mb: Math.round(totalBytes / MIB),
        usage: totalBytes === 0 ? 0 : Math.round((100 * (totalBytes - freeBytes)) / totalBytes),
      })),
      events: this.#events(),
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

  /** Who plays, and what they are sent. */
  #viewers(): object {
    const playing = this.#options.sessions.rows().filter(({ kind }) => kind === "play");
    const bytes = playing.reduce((sum, row) => sum + row.bytes, 0);
    const outputBps = this.#output.bps(new Map([["", bytes]])).get("");
    const { totalBandwidthBps } = this.#options.config();
    const told = outputBps === undefined ? {} : { output_kbit: Math.round(outputBps / 1000) };
    const usage =
      outputBps === undefined || totalBandwidthBps === undefined
        ? {}
        : { bandwidth_usage: Math.round((100 * outputBps) / totalBandwidthBps) };
    return { total_clients: playing.reduce((sum, { count }) => sum + count, 0), ...told, ...usage };
  }

  /** Of all sinks that there are. */
  #events(): object {
    const sinks = this.#options.events.figures();
    return {
      resent: sinks.reduce((sum, { resentBatches }) => sum + resentBatches, 0),
      dropped: sinks.reduce((sum, { droppedEvents }) => sum + droppedEvents, 0),
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
