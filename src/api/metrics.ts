import { Counter, Gauge, Registry } from "prom-client";
import type { HttpReply } from "../base/http-message.ts";

/** Figures of one media thread, as they are now. */
export type ThreadFigures = {
  readonly index: number;
  readonly isRunning: boolean;
  readonly publishers: number;
  readonly viewers: number;
  readonly heapBytes: number;
  /** Media in live windows. */
  readonly windowBytes: number;
  /** Parts of other threads' windows. */
  readonly remotePartBytes: number;
  /** Requests for media to come. */
  readonly heldRequests: number;
  /** Lateness of the event loop, 99th percentile of the last minute. */
  readonly eventLoopDelayS: number;
};

/** Figures of the server, as they are now; what is counted is counted since it was started. */
export type ServerFigures = {
  readonly version: string;
  readonly startedAtS: number;
  readonly isReady: boolean;
  readonly streams: number;
  readonly liveStreams: number;
  readonly residentBytes: number;
  readonly cpuS: number;
  readonly threads: readonly ThreadFigures[];
  readonly threadRestarts: number;
  /** Hours of recordings on their way to object storage, and there. */
  readonly copies: {
    readonly waitingHours: number;
    readonly hours: number;
    readonly bytes: number;
    readonly failures: number;
  };
  /** Streams and viewers that went with a media thread. */
  readonly lostStreams: number;
  readonly lostViewers: number;
  readonly reloads: { readonly taken: number; readonly refused: number };
  /** Whether the configuration that was read last is the one in force. */
  readonly isConfigTaken: boolean;
};

/** Sets the figures when somebody asks; nothing is counted for a metric while media flow. */
type Setter = (figures: ServerFigures) => void;

/**
 * The metrics page for Prometheus. Labels are bounded: threads, no names of streams.
 *
 * `handle` reads `figures` once per request.
 */
export class MetricsPage {
  readonly #registry = new Registry();
  readonly #setters: Setter[] = [];

  constructor() {
    this.#gauge("weir_start_time_seconds", "When the server was started.", (now) => now.startedAtS);
    this.#gauge("weir_ready", "1: the server takes work.", (now) => Number(now.isReady));
    this.#gauge("weir_streams", "Streams that are known.", (now) => now.streams);
    this.#gauge("weir_streams_live", "Streams that media come in for.", (now) => now.liveStreams);
    this.#gauge("process_resident_memory_bytes", "Resident memory.", (now) => now.residentBytes);
    this.#counter("process_cpu_seconds_total", "CPU time, user and system.", (now) => now.cpuS);
    this.#threads("weir_thread_up", "1: the media thread serves.", (now) => Number(now.isRunning));
    this.#threads("weir_publishers", "Publishers that are connected.", (now) => now.publishers);
    this.#threads(
      "weir_viewers",
      "Viewers that are connected, over RTMP, HTTP-FLV and the like.",
      (now) => now.viewers,
    );
    this.#threads("weir_thread_heap_bytes", "Heap in use.", (now) => now.heapBytes);
    this.#threads("weir_window_bytes", "Media in live windows.", (now) => now.windowBytes);
    this.#threads(
      "weir_remote_part_bytes",
      "Parts of live windows of other threads, in shared memory.",
      (now) => now.remotePartBytes,
    );
    this.#threads(
      "weir_held_requests",
      "Requests that are held until the media is there.",
      (now) => now.heldRequests,
    );
    this.#threads(
      "weir_event_loop_delay_p99_seconds",
      "How late the event loop was, 99th percentile of the last minute.",
      (now) => now.eventLoopDelayS,
    );
    this.#counter("weir_thread_restarts_total", "Media threads replaced.", (now) => now.threadRestarts);
    this.#counter("weir_lost_streams_total", "Streams lost with a thread.", (now) => now.lostStreams);
    this.#counter("weir_lost_viewers_total", "Viewers lost with a thread.", (now) => now.lostViewers);
    this.#gauge(
      "weir_copy_waiting_hours",
      "Hours of recordings that wait to be copied to object storage.",
      ({ copies }) => copies.waitingHours,
    );
    this.#counter("weir_copied_hours_total", "Hours copied.", ({ copies }) => copies.hours);
    this.#counter("weir_copied_bytes_total", "Bytes sent for them.", ({ copies }) => copies.bytes);
    this.#counter("weir_copy_failures_total", "Copies that failed.", ({ copies }) => copies.failures);
    this.#gauge(
      "weir_config_last_reload_successful",
      "1: the configuration that was read last is in force.",
      (now) => Number(now.isConfigTaken),
    );
    this.#reloads();
    this.#build();
  }

  /** The page, in Prometheus' text format. */
  async render(figures: ServerFigures): Promise<HttpReply> {
    for (const set of this.#setters) set(figures);
    const body = Buffer.from(await this.#registry.metrics());
    return {
      status: 200,
      headers: [
        ["content-type", this.#registry.contentType],
        ["cache-control", "no-store"],
      ],
      body: [body],
    };
  }

  #gauge(name: string, help: string, value: (now: ServerFigures) => number): void {
    const gauge = new Gauge({ name, help, registers: [this.#registry] });
    this.#setters.push((now) => gauge.set(value(now)));
  }

  #counter(name: string, help: string, value: (now: ServerFigures) => number): void {
    const counter = new Counter({ name, help, registers: [this.#registry] });
    this.#setters.push((now) => {
      counter.reset();
      counter.inc(value(now));
    });
  }

  #threads(name: string, help: string, value: (now: ThreadFigures) => number): void {
    const gauge = new Gauge({ name, help, labelNames: ["thread"], registers: [this.#registry] });
    this.#setters.push(({ threads }) => {
      for (const thread of threads) gauge.set({ thread: thread.index }, value(thread));
    });
  }

  #reloads(): void {
    const counter = new Counter({
      name: "weir_config_reloads_total",
      help: "Times that the configuration was read anew.",
      labelNames: ["result"],
      registers: [this.#registry],
    });
    this.#setters.push(({ reloads }) => {
      counter.reset();
      counter.inc({ result: "taken" }, reloads.taken);
      counter.inc({ result: "refused" }, reloads.refused);
    });
  }

  #build(): void {
    const gauge = new Gauge({
      name: "weir_build_info",
      help: "1, with the version as a label.",
      labelNames: ["version"],
      registers: [this.#registry],
    });
    this.#setters.push(({ version }) => gauge.set({ version }, 1));
  }
}
