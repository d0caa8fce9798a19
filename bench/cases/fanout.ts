/** One stream to many players, over RTMP and HTTP-FLV. */
import type { Case, Contestant, Name, Outcome, RowSpec } from "../measured.ts";
import { judgePlayed, outcomeOf, play } from "../load.ts";
import { floor } from "../servers/floor.ts";
import { nginxRtmp } from "../servers/nginx.ts";
import { nodeMediaServer } from "../servers/node-media-server.ts";
import { APP, STREAM } from "../servers/server.ts";
import type { Server, StartServer } from "../servers/server.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { hasPath, weir } from "../servers/weir.ts";
import type { Kit } from "../tools.ts";
import type { Plan, Scale } from "./plan.ts";

type Audience = {
  readonly players: number;
  readonly windowMs: number | null;
  /** So many seconds of play pass before it is measured, instead of the scale's. */
  readonly warmSeconds?: number;
};

/** Until the compilers of servers that are not written in C have done with what one stream needs. */
const WARM_SECONDS = 15;

const FLV_PATH = `/${APP}/${STREAM}.flv`;
const NO_WINDOW: Outcome = { kind: "not available", reason: "the server has no send_window" };
const NO_FLV: Outcome = { kind: "not available", reason: "the server plays no HTTP-FLV" };

/** Cases that take too long for a quick run. */
const WHOLE_ONLY = ["rtmp-3000-350", "rtmp-50-warm"];

/** The cases of RTMP. */
export function fanoutCases(plan: Plan): Case[] {
  const cases = [
    fanoutCase(plan, { players: 1000, windowMs: 350 }, ["weir", "floor", "nginx", "nms"]),
    fanoutCase(plan, { players: 1000, windowMs: 100 }, ["weir", "floor"]),
    fanoutCase(plan, { players: 3000, windowMs: 350 }, ["weir", "floor"]),
    fanoutCase(plan, { players: 50, windowMs: null }, ["weir", "floor", "nginx"]),
    fanoutCase(plan, { players: 50, windowMs: null, warmSeconds: WARM_SECONDS }, [
      "weir",
      "floor",
      "nginx",
    ]),
  ];
  return plan.scale.isWhole ? cases : cases.filter(({ id }) => !WHOLE_ONLY.includes(id));
}

/** The case of HTTP-FLV. Its floor is the same program over RTMP: the same writes of the same media. */
export function flvCases(plan: Plan): Case[] {
  const audience = { players: 1000, windowMs: 350 };
  const names = plan.scale.isWhole ? (["weir", "floor", "nms"] as const) : (["weir", "floor"] as const);
  const contestants = names.flatMap((name) => {
    const start = starter(plan, name, audience.windowMs);
    const path = name === "floor" ? undefined : FLV_PATH;
    return contestant(name, start, (server) => measurePlayers(plan, server, audience, path));
  });
  const what = "HTTP-FLV, 1000 players, 350 ms window";
  const rows = [costRow(what, "<= 1.6 x floor"), ...latencyRows(what), viewerRow(what)];
  return [{ id: "flv-1000-350", group: "flv", contestants, rows }];
}

/** What of a plan an audience needs. */
export type AudiencePlan = {
  readonly kit: Kit;
  readonly scale: Pick<Scale, "playSeconds" | "settleSeconds">;
};

/** Starts a server, plays it to its audience, and stops it. */
export async function measurePlayers(
  plan: AudiencePlan,
  start: StartServer,
  audience: { readonly players: number; readonly warmSeconds?: number },
  flvPath?: string,
): Promise<Outcome> {
  return withServer(start, async (server) => {
    const use = (): Promise<Outcome> => measureAudience(plan, server, audience, flvPath);
    return (await withPublisher(plan.kit, server, { isStamped: true }, use)).result;
  });
}

async function measureAudience(
  plan: AudiencePlan,
  server: Server,
  audience: { readonly players: number; readonly warmSeconds?: number },
  flvPath?: string,
): Promise<Outcome> {
  const { kit, scale } = plan;
  if (flvPath !== undefined && !(await hasPath(server, flvPath))) return NO_FLV;
  const options = {
    players: audience.players,
    seconds: scale.playSeconds,
    settleSeconds: audience.warmSeconds ?? scale.settleSeconds,
  };
  const played = await play(kit, server, flvPath === undefined ? options : { ...options, flvPath });
  const figures = {
    cpuSecondsPerGb: played.srv_cpu_s_per_GB,
    cpuUsPerPlayerSecond: played.srv_cpu_us_per_player_s,
    latencyP50Ms: played.lat_ms.p50,
    latencyP99Ms: played.lat_ms.p99,
    viewerKib: played.rss_kb_per_conn,
    mbpsPerPlayer: played.mbps_per_conn,
    loadCpuPercent: played.load_cpu_pct,
  };
  return outcomeOf(figures, judgePlayed(kit, server, played));
}

function fanoutCase(plan: Plan, audience: Audience, names: readonly Name[]): Case {
  const { players, windowMs, warmSeconds } = audience;
  const contestants = names.flatMap((name) => {
    if (!plan.scale.isWhole && isLeftOutOfQuick(name, audience)) return [];
    const start = starter(plan, name, windowMs);
    return contestant(name, start, (server) => measurePlayers(plan, server, audience));
  });
  const isWarm = warmSeconds !== undefined;
  const id = `rtmp-${players}-${isWarm ? "warm" : (windowMs ?? "adaptive")}`;
  const window = windowMs === null ? "adaptive" : `${windowMs} ms`;
  const what = `RTMP, ${players} players, ${window} window${isWarm ? `, after ${warmSeconds} s` : ""}`;
  return { id, group: "fanout", contestants, rows: fanoutRows(id, what) };
}

/** The slow peer, and a floor that no aim is about. */
function isLeftOutOfQuick(name: Name, { windowMs }: Audience): boolean {
  return name === "nms" || (name === "floor" && windowMs === null);
}

const COST_AIMS: Readonly<Record<string, string>> = {
  "rtmp-1000-350": "<= 1.6 x floor, <= 0.2 x nginx, <= 0.2 x nms",
  "rtmp-1000-100": "<= 1.6 x floor",
  "rtmp-3000-350": "<= 1.5 x floor",
  "rtmp-50-adaptive": "<= 1.5 x nginx",
  "rtmp-50-warm": "<= 1.5 x nginx",
};

function fanoutRows(id: string, what: string): RowSpec[] {
  const [p50, p99] = latencyRows(what, LATENCY_AIMS[id]);
  const rows = [costRow(what, COST_AIMS[id] ?? ""), p50!, p99!];
  return id === "rtmp-1000-350" ? [...rows, viewerRow(what)] : rows;
}

const LATENCY_AIMS: Readonly<Record<string, readonly [string, string]>> = {
  "rtmp-1000-100": ["<= 60 ms", "<= 130 ms"],
  "rtmp-50-adaptive": ["<= 5 ms", "<= 40 ms"],
  "rtmp-50-warm": ["<= 5 ms", "<= 40 ms"],
};

function costRow(what: string, aim: string): RowSpec {
  return { what, figure: "cpuSecondsPerGb", unit: "CPU-s/GB", digits: 3, aim, isInChart: true };
}

function latencyRows(what: string, aims?: readonly [string, string]): RowSpec[] {
  const one = (name: string, figure: string, aim?: string): RowSpec => {
    const row = { what: `${what}: added latency ${name}`, figure, unit: "ms", digits: 0 };
    return aim === undefined ? row : { ...row, aim };
  };
  return [one("p50", "latencyP50Ms", aims?.[0]), one("p99", "latencyP99Ms", aims?.[1])];
}

function viewerRow(what: string): RowSpec {
  return { what: `${what}: memory a viewer`, figure: "viewerKib", unit: "KiB", digits: 1, aim: "<= 40 KB" };
}

/** `null`: the program is not installed. An outcome: it cannot do it, and why. */
function starter(plan: Plan, name: Name, windowMs: number | null): StartServer | Outcome | null {
  const { kit, installed, features } = plan;
  const { nginx, nginxRtmpModule, nodeMediaServer: script } = installed;
  switch (name) {
    case "weir":
      if (windowMs === null) return weir();
      return features.sendWindow === null ? NO_WINDOW : weir({ template: [features.sendWindow(windowMs)] });
    case "floor":
      return floor(kit.rtmpfloor, windowMs ?? 0);
    case "nginx":
      return nginx === null || nginxRtmpModule === null ? null : nginxRtmp(nginx, nginxRtmpModule);
    case "nms":
      return script === null ? null : nodeMediaServer(script);
    case "ffmpeg":
      // Serves nobody.
      return null;
  }
}

function contestant(
  name: Name,
  start: StartServer | Outcome | null,
  measure: (start: StartServer) => Promise<Outcome>,
): Contestant[] {
  if (start === null) return [];
  return [
    { name, measure: typeof start === "function" ? () => measure(start) : () => Promise.resolve(start) },
  ];
}
