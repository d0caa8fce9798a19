/** Viewers that stop reading, and connections that come and go. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Contestant, Outcome } from "../measured.ts";
import { churn, judgePlayed, outcomeOf, play, playFrozen } from "../load.ts";
import { openFiles, residentKib } from "../process-facts.ts";
import { nginxRtmp } from "../servers/nginx.ts";
import type { Server, StartServer } from "../servers/server.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { weir } from "../servers/weir.ts";
import type { Plan } from "./plan.ts";

const FROZEN = 1000;
const WATCHING = 100;
const SAMPLE_MS = 250;
const STALL_WINDOW_MS = 100;

/** A share of the connections made and dropped before memory is first read: code is compiled, pools are filled. */
const WARM_UP = 0.1;

/** A thousand viewers that stop reading beside a hundred that watch. */
export function stallCases(plan: Plan): Case[] {
  if (plan.scale.stallSeconds === 0) return [];
  const what = `${FROZEN} viewers that stop reading`;
  const rows = [
    { what: `${what}: greatest growth of memory, each`, figure: "frozenKib", unit: "KiB", digits: 0 },
    {
      what: `${what}: p99 of ${WATCHING} others, times that before`,
      figure: "p99Times",
      unit: "x",
      digits: 2,
      aim: "<= 1.2",
    },
    { what: `${what}: connections left`, figure: "connectionsLeft", unit: "", digits: 0 },
  ];
  // A fixed window, since one that adapts would grow with the viewers that do not read and not for what they do.
  const window = plan.features.sendWindow === null ? [] : [plan.features.sendWindow(STALL_WINDOW_MS)];
  const ours = weir({ template: window });
  const measure = (server: Server): Promise<Outcome> => measureFrozen(plan, server);
  const contestants = liveServers(plan, ours, measure, { isStamped: true });
  return [{ id: "stall-1000", group: "stall", contestants, rows }];
}

/** Connections that are dropped in every state of theirs. */
export function churnCases(plan: Plan): Case[] {
  const what = `${plan.scale.churnConnections.toLocaleString("en")} connections made and dropped`;
  const rows = [
    {
      what: `${what}: memory after, times that before`,
      figure: "memoryTimes",
      unit: "x",
      digits: 2,
      aim: "<= 1.1",
    },
    {
      what: `${what}: open files after, above those before`,
      figure: "filesLeft",
      unit: "",
      digits: 0,
      aim: "0",
    },
    { what: `${what}: cost of one`, figure: "cpuUsPerConnection", unit: "us CPU", digits: 0 },
  ];
  const contestants = liveServers(plan, weir(), (server) => measureChurn(plan, server), {});
  return [{ id: "churn", group: "churn", contestants, rows }];
}

function liveServers(
  plan: Plan,
  ours: StartServer,
  measure: (server: Server) => Promise<Outcome>,
  publishing: { readonly isStamped?: boolean },
): Contestant[] {
  const one = (name: Contestant["name"], start: StartServer): Contestant => ({
    name,
    measure: () =>
      withServer(start, async (server) => {
        const { result } = await withPublisher(plan.kit, server, publishing, () => measure(server));
        return result;
      }),
  });
  const { nginx, nginxRtmpModule: module } = plan.installed;
  const peers = nginx === null || module === null ? [] : [one("nginx", nginxRtmp(nginx, module))];
  return [one("weir", ours), ...peers];
}

async function measureFrozen(plan: Plan, server: Server): Promise<Outcome> {
  const { kit, scale } = plan;
  const watching = { players: WATCHING, seconds: scale.playSeconds, settleSeconds: scale.settleSeconds };
  const before = await play(kit, server, watching);
  const [kib, files] = [residentKib(server.pids), openFiles(server.pids)];
  const until = performance.now() + scale.stallSeconds * 1000;
  const frozen = await playFrozen(kit, server, FROZEN);
  const peak = samplePeakKib(server);
  try {
    const during = await play(kit, server, watching);
    await sleep(Math.max(0, until - performance.now()));
    const figures = {
      frozenKib: (peak.stop() - kib) / FROZEN,
      p99Times: Math.max(1, during.lat_ms.p99) / Math.max(1, before.lat_ms.p99),
      p99BeforeMs: before.lat_ms.p99,
      p99DuringMs: during.lat_ms.p99,
      connectionsLeft: Math.max(0, openFiles(server.pids) - files),
    };
    return outcomeOf(figures, judgePlayed(kit, server, before) ?? judgePlayed(kit, server, during));
  } finally {
    peak.stop();
    await frozen.stop();
  }
}

/** Reads the memory of a server until it is told to stop, which gives the greatest. Units: KiB. */
function samplePeakKib(server: Server): { readonly stop: () => number } {
  let greatest = residentKib(server.pids);
  const timer = setInterval(() => {
    greatest = Math.max(greatest, residentKib(server.pids));
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return greatest;
    },
  };
}

async function measureChurn(plan: Plan, server: Server): Promise<Outcome> {
  const { kit, scale } = plan;
  await churn(kit, server, Math.round(scale.churnConnections * WARM_UP));
  await sleep(3000);
  const [kib, files] = [residentKib(server.pids), openFiles(server.pids)];
  const churned = await churn(kit, server, scale.churnConnections);
  await sleep(3000);
  const figures = {
    memoryTimes: residentKib(server.pids) / kib,
    filesLeft: openFiles(server.pids) - files,
    cpuUsPerConnection: churned.srv_cpu_us_per_conn,
    connectionsPerSecond: churned.made / churned.sec,
  };
  const { errors, made } = churned;
  return outcomeOf(figures, errors > made / 1000 ? `${errors} of ${made} connections failed` : null);
}
