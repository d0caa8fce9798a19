/** A thousand viewers of one live stream over HTTP: low-latency HLS, DASH, low-latency DASH. */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../test/support/eventually.ts";
import type { Case, Contestant, Outcome, RowSpec } from "../measured.ts";
import { judgePublished, judgeViewed, outcomeOf, view } from "../load.ts";
import type { ViewOptions } from "../load.ts";
import { nginxDash } from "../servers/nginx.ts";
import { APP, STREAM } from "../servers/server.ts";
import type { StartServer } from "../servers/server.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { hasPath, weir } from "../servers/weir.ts";
import { GOP_SECONDS } from "../tools.ts";
import type { Plan } from "./plan.ts";

const VIEWERS = 1000;
/** What players have behind the live edge; in a quick run they come to the first segment. */
const SEGMENTS_BEFORE = 2;
const BASE = `/${APP}/${STREAM}`;

/** One kind of viewer. */
type Kind = {
  readonly id: string;
  readonly what: string;
  readonly how: ViewOptions["how"];
  readonly path: string;
};

const KINDS = {
  lowLatencyHls: {
    id: "ll-hls-1000",
    what: `LL-HLS, ${VIEWERS} viewers, parts of 200 ms`,
    how: "ll",
    path: `${BASE}/tracks-v1a1/mono.ll.m3u8`,
  },
  dash: {
    id: "dash-1000",
    what: `DASH, ${VIEWERS} viewers, segments of 2 s`,
    how: "dash",
    path: `${BASE}/index.mpd`,
  },
  lowLatencyDash: {
    id: "ll-dash-1000",
    what: `LL-DASH, ${VIEWERS} viewers, chunks of 200 ms`,
    how: "lldash",
    path: `${BASE}/index.ll.mpd`,
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** The cases; of them a quick run has low-latency HLS, for the time they take. */
export function viewerCases(plan: Plan): Case[] {
  const { lowLatencyHls, dash, lowLatencyDash } = KINDS;
  const first = caseOf(lowLatencyHls, [ours(plan, lowLatencyHls)]);
  if (!plan.scale.isWhole) return [first];
  return [
    first,
    caseOf(dash, [ours(plan, dash), ...nginx(plan, dash)]),
    caseOf(lowLatencyDash, [ours(plan, lowLatencyDash)]),
  ];
}

function caseOf({ id, what, how }: Kind, contestants: readonly Contestant[]): Case {
  const late = how === "ll" ? "part" : "segment";
  const rows: RowSpec[] = [
    { what, figure: "viewerUs", unit: "us CPU/viewer-s", digits: 0 },
    { what: `${what}: cost of the bytes`, figure: "cpuPerGb", unit: "CPU-s/GB", digits: 3 },
    { what: `${what}: a ${late} is there after its end, p50`, figure: "p50Ms", unit: "ms", digits: 0 },
    { what: `${what}: a ${late} is there after its end, p99`, figure: "p99Ms", unit: "ms", digits: 0 },
  ];
  return { id, group: "viewers", contestants, rows };
}

function ours(plan: Plan, kind: Kind): Contestant {
  const start = weir({ template: [`segment_duration ${GOP_SECONDS};`] });
  return { name: "weir", measure: () => measure(plan, start, kind, true) };
}

/** Its names count from the publisher's start, so its segments' ends are no times of day. */
function nginx(plan: Plan, kind: Kind): Contestant[] {
  const { nginx: program, nginxRtmpModule: module } = plan.installed;
  if (program === null || module === null) return [];
  const path = `${BASE}.mpd`;
  return [
    { name: "nginx", measure: () => measure(plan, nginxDash(program, module), { ...kind, path }, false) },
  ];
}

async function measure(plan: Plan, start: StartServer, kind: Kind, hasClock: boolean): Promise<Outcome> {
  const { how, path } = kind;
  // Whole segments, so that as many are in each window.
  const seconds = Math.max(1, Math.floor(plan.scale.playSeconds / GOP_SECONDS)) * GOP_SECONDS;
  const settleSeconds = plan.scale.isWhole ? plan.scale.settleSeconds : 1;
  return withServer(start, async (server) => {
    const { result: viewed, published } = await withPublisher(plan.kit, server, {}, async () => {
      if (plan.scale.isWhole) await sleep(SEGMENTS_BEFORE * GOP_SECONDS * 1000);
      const isThere = async (): Promise<void> => {
        if (!(await hasPath(server, path))) throw new Error(`${path} is not there`);
      };
      await eventually(isThere, { timeoutMs: 20_000 });
      return view(plan.kit, server, { how, path, viewers: VIEWERS, seconds, settleSeconds });
    });
    const late = hasClock ? { p50Ms: viewed.lat_ms.p50, p99Ms: viewed.lat_ms.p99 } : {};
    const figures = {
      viewerUs: viewed.srv_cpu_us_per_viewer_s,
      cpuPerGb: viewed.srv_cpu_s_per_GB,
      loadPercent: viewed.load_cpu_pct,
      ...late,
    };
    return outcomeOf(figures, judgeViewed(server, viewed) ?? judgePublished(plan.kit, published, 1));
  });
}
