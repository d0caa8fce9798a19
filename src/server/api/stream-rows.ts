/** Streams as the API lists them: what is planned, and how each is doing. */
import { fieldAt } from "../../api/lists/row.ts";
import type { ListRow, Plain } from "../../api/lists/row.ts";
import { inputJson, liveJson } from "../../api/plan-json.ts";
import type { StreamCrowd } from "../../api/sessions-view.ts";
import { matchTemplate } from "../../config/match.ts";
import { activeInput } from "../../config/plan.ts";
import type { InputPlan, LivePlan, ResolvedConfig } from "../../config/plan.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { Track } from "../../media/track.ts";
import type { PublisherSummary, StreamSummary } from "../../stream/directory.ts";
import type { RecordingStatus } from "../archives/recording-status.ts";
import type { StreamFigures } from "../live/stream-columns.ts";
import { planOf } from "../live/stream-rules.ts";
import type { ConfigOnDisk } from "./objects.ts";

/** All that is known when streams are listed. */
export type StreamsNow = {
  readonly config: ResolvedConfig;
  readonly configOnDisk: ConfigOnDisk;
  readonly figures: ReadonlyMap<string, StreamFigures>;
  readonly crowds: ReadonlyMap<string, StreamCrowd>;
  /** What went out to viewers since somebody looked before, in bits per second; without those that are new. */
  readonly outputs: ReadonlyMap<string, number>;
  /** UTC in milliseconds. */
  readonly nowMs: number;
  /** Tracks and publishers of those streams that will be told whole; filled once they are chosen. */
  readonly details: Map<string, StreamSummary>;
  /** What is recorded of those that are asked for one by one. */
  readonly recorded: Map<string, RecordingStatus>;
};

/** Who sends nothing for longer is not alive. Units: milliseconds. */
const ALIVE_MS = 12_000;

/** One stream. What is asked for often is there without an object of the whole. */
export class StreamRow implements ListRow {
  readonly key: string;
  /** It stands in the configuration by its own name. */
  readonly isConfigured: boolean;
  readonly #plan: LivePlan;
  readonly #now: StreamsNow;
  #planned: object | null = null;

  constructor(name: string, plan: LivePlan, isConfigured: boolean, now: StreamsNow) {
    this.key = name;
    this.#plan = plan;
    this.isConfigured = isConfigured;
    this.#now = now;
  }

  field(path: string): Plain | readonly Plain[] | undefined {
    const found = this.#now.figures.get(this.key);
    // dispatch
    switch (path) {
      case "name":
        return this.key;
      case "named_by":
        return this.#namedBy;
      case "position":
        return this.#plan.position;
      case "title":
        return this.#plan.title;
      case "comment":
        return this.#plan.comment;
      case "disabled":
        return this.#plan.disabled;
      case "stats.status":
        return this.#status(found);
      case "stats.alive":
        return this.#isAlive(found);
      case "stats.bitrate":
      case "stats.input_bitrate":
      case "stats.output_bitrate":
        return kbit(found);
      case "stats.bytes_in":
        return found?.bytesIn ?? 0;
      case "stats.online_clients":
      case "stats.client_count":
        return this.#clients(found);
      default:
        if (path.startsWith("stats.")) return fieldAt({ stats: this.#stats() }, path);
        // What stands in the files is read for each stream that is asked about it.
        if (path === "template" || path.startsWith("config_on_disk")) return fieldAt(this.json(), path);
        this.#planned ??= liveJson(this.#plan);
        return fieldAt(this.#planned, path);
    }
  }

  json(): object {
    const { key: name } = this;
    const template = this.isConfigured ? undefined : this.#plan.name;
    const onDisk = this.isConfigured ? this.#now.configOnDisk("stream", name) : null;
    const written = fieldAt(onDisk ?? {}, "template");
    const from = template ?? (typeof written === "string" ? written : undefined);
    return {
      name,
      named_by: this.#namedBy,
      ...(from === undefined ? {} : { template: from }),
      ...liveJson(this.#plan),
      inputs: this.#inputs(),
      config_on_disk: onDisk,
      stats: this.#stats(),
    };
  }

  get #namedBy(): string {
    return this.isConfigured ? "config" : "user";
  }

  #status(found: StreamFigures | undefined): "running" | "waiting" | "error" {
    if (found?.status === "live") return "running";
    const input = activeInput(this.#plan.inputs);
    const isOwn = input !== undefined && input.kind !== "publish";
    return isOwn && !this.#plan.disabled && this.#plan.isStatic ? "error" : "waiting";
  }

  /** As a client of the reference product expects: no packet for a while, and it is not alive. */
  #isAlive(found: StreamFigures | undefined): boolean {
    if (found?.status !== "live") return false;
    return found.lastAtUs === null || this.#now.nowMs - found.lastAtUs / 1000 < ALIVE_MS;
  }

  /** Those of the plan, each with how it does. */
  #inputs(): object[] {
    const publisher = this.#now.details.get(this.key)?.publisher ?? null;
    const active = runningInput(this.#plan, publisher);
    return this.#plan.inputs.map((input) => ({
      ...inputJson(input),
      stats:
        publisher === null || input !== active
          ? { active: false }
          : {
              active: true,
              ...sourceOf(publisher),
              connected_at: Math.floor(publisher.openedUs / 1000),
              bytes: publisher.bytesIn,
            },
    }));
  }

  #clients(found: StreamFigures | undefined): number {
    return this.#now.crowds.get(this.key)?.clients ?? found?.subscribers ?? 0;
  }

  #stats(): object {
    const { figures, details, crowds, nowMs, recorded } = this.#now;
    const outputBps = this.#now.outputs.get(this.key);
    const recording = recorded.get(this.key);
    const found = figures.get(this.key);
    const crowd = crowds.get(this.key);
    const clients = this.#clients(found);
    const { tracks = null, publisher = null } = details.get(this.key) ?? {};
    const { dvr } = this.#plan;
    return {
      ...lifeOf(this.key, found, nowMs),
      status: this.#status(found),
      alive: this.#isAlive(found),
      retry_count: found?.returns ?? 0,
      bitrate: kbit(found),
      input_bitrate: kbit(found),
      // Nothing is coded anew: it goes out as it came in.
      output_bitrate: kbit(found),
      ...(outputBps === undefined ? {} : { out_bandwidth: Math.round(outputBps / 1000) }),
      ...lastOf(found),
      bytes_in: found?.bytesIn ?? 0,
      ...(crowd === undefined ? {} : { bytes_out: crowd.bytesOut }),
      online_clients: clients,
      client_count: clients,
      ...(crowd?.lastAccessAtMs === undefined ? {} : { last_access_at: crowd.lastAccessAtMs }),
      ...(tracks === null ? {} : { media_info: { tracks: tracks.tracks.map(trackJson) } }),
      dvr_enabled: dvr !== undefined && dvr !== null && !dvr.isOffline,
      ...(recording === undefined ? {} : { dvr_info: recording }),
      ...(publisher === null ? {} : { source: sourceOf(publisher) }),
    };
  }
}

/** The streams of the configuration, and those that run by a template. */
export function* streamRows(now: StreamsNow): Generator<StreamRow> {
  const { config, figures } = now;
  const configured = new Set<string>();
  for (const plan of config.streams) {
    configured.add(plan.name);
    yield new StreamRow(plan.name, plan, true, now);
  }
  for (const name of figures.keys()) {
    if (configured.has(name)) continue;
    const row = streamRow(name, now);
    if (row !== null) yield row;
  }
}

/** One stream; `null` where the configuration has none of that name, and none runs. */
export function streamRow(text: string, now: StreamsNow): StreamRow | null {
  const name = parseStreamName(text);
  const plan = name === null ? null : planOf(now.config, name);
  if (name === null || plan === null) return null;
  const isConfigured = matchTemplate(now.config, name)?.kind === "stream";
  return isConfigured || now.figures.has(name) ? new StreamRow(name, plan, isConfigured, now) : null;
}

function lifeOf(name: string, found: StreamFigures | undefined, nowMs: number): object {
  if (found === undefined) return {};
  const openedMs = Math.floor(found.openedUs / 1000);
  const life = { id: `${name}@${openedMs}`, opened_at: openedMs };
  if (found.sinceUs === null) return life;
  const startedMs = Math.floor(found.sinceUs / 1000);
  return { ...life, started_at: startedMs, lifetime: Math.max(0, nowMs - startedMs) };
}

/** The newest packet: its time on the stream's clock, when it came, and how much later that was. In milliseconds. */
function lastOf(found: StreamFigures | undefined): object {
  if (found === undefined || found.lastDtsUs === null || found.lastAtUs === null) return {};
  const [dtsMs, atMs] = [Math.floor(found.lastDtsUs / 1000), Math.floor(found.lastAtUs / 1000)];
  return { last_dts: dtsMs, last_dts_at: atMs, ts_delay: Math.max(0, atMs - dtsMs) };
}

/** Which input a publisher is. */
function runningInput({ inputs }: LivePlan, publisher: PublisherSummary | null): InputPlan | undefined {
  if (publisher === null) return undefined;
  const own = publisher.protocol === "file" || publisher.protocol === "fake";
  return own ? activeInput(inputs) : inputs.find(({ kind }) => kind === "publish");
}

/** A file's address may have secrets in it; where a publisher comes from has none. */
function sourceOf({ protocol, remoteAddress }: PublisherSummary): object {
  const isOwn = protocol === "file" || protocol === "fake";
  return isOwn ? { proto: protocol } : { proto: protocol, ip: remoteAddress };
}

function kbit(found: StreamFigures | undefined): number {
  return Math.round((found?.inputBps ?? 0) / 1000);
}

function trackJson(track: Track): object {
  const { width, height, frameRate, sampleRate, channels } = track;
  return {
    track_id: track.id,
    content: track.kind,
    codec: track.codec,
    lang: track.language,
    ...(width > 0 ? { width, height } : {}),
    ...(frameRate > 0 ? { fps: frameRate } : {}),
    ...(sampleRate > 0 ? { sample_rate: sampleRate, channels } : {}),
  };
}
