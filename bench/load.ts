/** The load: publishers, players, connections that come and go (tools/rtmpload.c), and HTTP clients (wrk). */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../test/support/eventually.ts";
import { runChild, startChild } from "./child.ts";
import type { Child } from "./child.ts";
import type { Outcome } from "./measured.ts";
import { cpuSeconds, openFilesLimit } from "./process-facts.ts";
import { APP, STREAM } from "./servers/server.ts";
import type { Server } from "./servers/server.ts";
import { filmRate, toolPath } from "./tools.ts";
import type { FilmRate, Kit } from "./tools.ts";

/** What a publisher says at its end. */
export type Published = {
  readonly live_at_end: number;
  readonly mbps_per_conn: number;
  readonly sec: number;
};

/** What players say; see tools/rtmpload.c. */
export type Played = {
  readonly n: number;
  readonly playing: number;
  readonly sec: number;
  readonly mbps_per_conn: number;
  readonly stalls: number;
  readonly lat_ms: { readonly p50: number; readonly p99: number; readonly n: number };
  readonly srv_cpu_s_per_GB: number;
  readonly srv_cpu_us_per_player_s: number;
  readonly rss_kb_per_conn: number;
  readonly load_cpu_pct: number;
};

/** What viewers of segments say; see tools/httpload.c. */
export type Viewed = {
  readonly n: number;
  readonly playing: number;
  readonly sec: number;
  readonly bytes: number;
  readonly lists: number;
  readonly media: number;
  /** What of `media` there was for each viewer. */
  readonly made: number;
  readonly errors: number;
  readonly first_error: string;
  readonly lat_ms: { readonly p50: number; readonly p99: number; readonly n: number };
  readonly srv_cpu_us_per_viewer_s: number;
  readonly srv_cpu_s_per_GB: number;
  readonly load_cpu_pct: number;
};

/** How viewers of segments are run. */
export type ViewOptions = {
  /** Low-latency HLS, DASH, low-latency DASH, or segments from anywhere in a film. */
  readonly how: "ll" | "dash" | "lldash" | "seek";
  /** Of the media playlist or MPD. */
  readonly path: string;
  readonly viewers: number;
  readonly seconds: number;
  readonly settleSeconds: number;
  /** Between two MPDs, or two seeks; 1 unless given. */
  readonly intervalSeconds?: number;
};

/** What connections that come and go say. */
export type Churned = {
  readonly made: number;
  readonly played: number;
  readonly errors: number;
  readonly sec: number;
  readonly srv_cpu_us_per_conn: number;
};

/** What wrk says. */
export type Fetched = {
  readonly requests: number;
  readonly bytes: number;
  readonly refused: number;
  readonly broken: number;
  readonly cpuS: number;
};

/** How players are run. */
export type PlayOptions = {
  readonly players: number;
  readonly seconds: number;
  /** Between the last player's first media and the measurement; a GOP, for servers that send video from the next one. */
  readonly settleSeconds: number;
  /** Plays this path over HTTP-FLV instead of RTMP. */
  readonly flvPath?: string;
};

/** Delivered and published rates may be so far outside of the film's; else the run does not count. */
const RATE_TOLERANCE = 0.05;

/** More open files than sockets of players. */
const SPARE_FILES = 200;

/** Video and audio, where they are apart; and the connection for lists. */
const KINDS_OF_MEDIA = 2;
const SOCKETS_OF_VIEWER = 1 + KINDS_OF_MEDIA;

/** A publisher in the background. */
export class Publisher {
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
  }

  /** Ends it; what it says of itself. */
  async stop(): Promise<Published> {
    await this.#child.stop();
    return lastJson(this.#child) as Published;
  }
}

/**
 * Publishes the film as one or many streams and waits until all are accepted.
 *
 * `isStamped`: the send time stands in the pictures, for the latency; the pictures are damaged by it.
 */
export async function publish(
  kit: Kit,
  server: Server,
  options: { readonly streams?: number; readonly isStamped?: boolean } = {},
): Promise<Publisher> {
  const { streams = 1, isStamped = false } = options;
  const stamp = isStamped ? ["-S"] : [];
  const args = [
    "pub",
    ...address(server),
    "-n",
    String(streams),
    "-r",
    "100",
    "-f",
    kit.film,
    "-d",
    "3600",
  ];
  const child = startChild([kit.rtmpload, ...args, ...stamp]);
  try {
    await eventually(() => assertPublishing(child), { timeoutMs: 20_000 });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return new Publisher(child);
}

/** Runs players to their end. */
export async function play(kit: Kit, server: Server, options: PlayOptions): Promise<Played> {
  const { players, seconds, settleSeconds, flvPath } = options;
  const what =
    flvPath === undefined
      ? ["play", ...address(server)]
      : ["flv", "-p", String(server.httpPort), "-u", flvPath];
  const times = ["-d", String(seconds), "-w", String(settleSeconds), "-r", "1000"];
  const pids = ["-P", server.pids.join(",")];
  return JSON.parse(
    await runChild([kit.rtmpload, ...what, "-n", String(players), ...times, ...pids]),
  ) as Played;
}

/** Starts players that stop reading once they have got media; they stay until they are stopped. */
export async function playFrozen(kit: Kit, server: Server, players: number): Promise<Child> {
  const args = ["play", ...address(server), "-n", String(players), "-d", "3600", "-r", "500", "-Z"];
  const child = startChild([kit.rtmpload, ...args]);
  await sleep((players / 500) * 1000 + 3000);
  return child;
}

/** Makes and drops connections. */
export async function churn(kit: Kit, server: Server, connections: number): Promise<Churned> {
  const args = ["churn", ...address(server), "-n", String(connections), "-P", server.pids.join(",")];
  return JSON.parse(await runChild([kit.rtmpload, ...args])) as Churned;
}

/** Runs viewers of segments to their end. */
export async function view(kit: Kit, server: Server, options: ViewOptions): Promise<Viewed> {
  const { how, path, viewers, seconds, settleSeconds, intervalSeconds = 1 } = options;
  const what = [how, "-p", String(server.httpPort), "-u", path, "-n", String(viewers)];
  const times = ["-d", String(seconds), "-w", String(settleSeconds), "-i", String(intervalSeconds)];
  const output = await runChild([kit.httpload, ...what, ...times, "-P", server.pids.join(",")]);
  return JSON.parse(output) as Viewed;
}

/** Whether all viewers got all that there was; otherwise why the run does not count. */
export function judgeViewed(server: Server, viewed: Viewed): string | null {
  const { n, playing, errors, first_error: first, media, made } = viewed;
  const limit = Math.min(...server.pids.map(openFilesLimit));
  if (limit < n * SOCKETS_OF_VIEWER + SPARE_FILES) return `the server may open only ${limit} files here`;
  if (playing !== n) return `${playing} of ${n} viewers got media`;
  if (errors > 0) return `${errors} errors: ${first}`;
  // What was under way when the window began or ended may be in it or not.
  const least = (made - KINDS_OF_MEDIA) * n * (1 - RATE_TOLERANCE);
  const greatest = (made + KINDS_OF_MEDIA) * n * (1 + RATE_TOLERANCE);
  if (media >= least && media <= greatest) return null;
  return `${n} viewers got ${media} pieces of media; there were ${made} for each`;
}

/** Fetches URLs in turn, again and again, over 50 connections; the first second is not measured. */
export async function fetchMany(
  wrk: string,
  server: Server,
  options: {
    readonly paths: readonly string[];
    readonly seconds: number;
    readonly headers: readonly string[];
  },
): Promise<Fetched> {
  const { paths, seconds, headers } = options;
  const url = `http://127.0.0.1:${server.httpPort}${paths[0]}`;
  // Its script reads them there; with one path it does not have to choose.
  const env = { WRK_PATHS: paths.length > 1 ? paths.join(" ") : undefined };
  const script = ["-s", toolPath("wrk-report.lua")];
  const command = [wrk, "-t1", "-c50", ...script, ...headers.flatMap((line) => ["-H", line])];
  await runChild([...command, "-d1s", url], { env });
  const before = cpuSeconds(server.pids);
  const output = await runChild([...command, `-d${seconds}s`, url], { env });
  const cpuS = cpuSeconds(server.pids) - before;
  const line = output.trim().split("\n").at(-1) ?? "";
  return { ...(JSON.parse(line) as Omit<Fetched, "cpuS">), cpuS };
}

/** Whether what players got is what was published; otherwise why the run does not count. */
export function judgePlayed(kit: Kit, server: Server, played: Played): string | null {
  const limit = Math.min(...server.pids.map(openFilesLimit));
  if (limit < played.n + SPARE_FILES) return `the server may open only ${limit} files here`;
  if (played.playing !== played.n) return `${played.playing} of ${played.n} players got media`;
  return judgeRate("players got", played.mbps_per_conn, filmRate(kit.filmBytes, played.sec));
}

/** Whether publishers kept up with the film's clock; otherwise why the run does not count. */
export function judgePublished(kit: Kit, published: Published, streams: number): string | null {
  if (published.live_at_end !== streams)
    return `${published.live_at_end} of ${streams} publishers were left`;
  return judgeRate("publishers sent", published.mbps_per_conn, filmRate(kit.filmBytes, published.sec));
}

/** An outcome that counts unless there is a reason against it. */
export function outcomeOf(figures: Readonly<Record<string, number>>, reason: string | null): Outcome {
  return reason === null ? { kind: "measured", figures } : { kind: "not counted", reason, figures };
}

function judgeRate(who: string, mbps: number, film: FilmRate): string | null {
  const least = film.least * (1 - RATE_TOLERANCE);
  const greatest = film.greatest * (1 + RATE_TOLERANCE);
  if (mbps >= least && mbps <= greatest) return null;
  return `${who} ${mbps.toFixed(2)} Mbit/s, not ${least.toFixed(2)} to ${greatest.toFixed(2)}`;
}

function address(server: Server): string[] {
  return ["-p", String(server.rtmpPort), "-a", APP, "-s", STREAM];
}

function assertPublishing(child: Child): void {
  if (!child.stdout.includes('"publishing"')) throw new Error(`not publishing: ${child.lastWords}`);
}

function lastJson(child: Child): unknown {
  const line = child.stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`the load said nothing: ${child.lastWords}`);
  return JSON.parse(line) as unknown;
}
