/** A hundred publishers and nobody who watches: CPU and memory a stream, and what segmenting adds. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Contestant, Figures, Outcome } from "../measured.ts";
import { judgePublished, outcomeOf } from "../load.ts";
import { cpuSeconds, residentKib } from "../process-facts.ts";
import { nginxRtmp } from "../servers/nginx.ts";
import { nodeMediaServer } from "../servers/node-media-server.ts";
import type { StartServer } from "../servers/server.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { weir } from "../servers/weir.ts";
import { filmRate, GOP_SECONDS } from "../tools.ts";
import type { Plan } from "./plan.ts";

const STREAMS = 100;

/** A short window, so that it is full when memory is read; the server keeps twice as many segments as it lists. */
const SEGMENT_COUNT = 3;
const KEPT_SECONDS = 2 * SEGMENT_COUNT * GOP_SECONDS;
const HLS_LINES = [`segment_duration ${GOP_SECONDS};`, `segment_count ${SEGMENT_COUNT};`];

/** One run of one server. */
type Ingest = {
  readonly usPerStreamSecond: number;
  readonly kibPerStream: number;
  readonly reason: string | null;
};

/** The case. */
export function ingestCases(plan: Plan): Case[] {
  const { nginx, nginxRtmpModule: module, nodeMediaServer: script } = plan.installed;
  const contestants: Contestant[] = [{ name: "weir", measure: () => measureOurs(plan) }];
  const peer = (name: "nginx" | "nms", start: StartServer): void => {
    contestants.push({ name, measure: () => measurePeer(plan, start) });
  };
  if (nginx !== null && module !== null) peer("nginx", nginxRtmp(nginx, module));
  if (script !== null && plan.scale.isWhole) peer("nms", nodeMediaServer(script));
  const cost = { unit: "us CPU/stream-s", digits: 0 };
  const memory = { unit: "KiB", digits: 0 };
  const rows = [
    { what: "Ingest of 100 streams", figure: "ingestUs", ...cost, aim: "<= 2 x nginx, <= 0.36 x nms" },
    { what: "Segmenting, above ingest", figure: "segmentingUs", ...cost, aim: "<= 100 us" },
    {
      what: "Memory a live stream without HLS (floor: its GOP)",
      figure: "streamKib",
      floorFigure: "gopKib",
      ...memory,
    },
    {
      what: "Memory a live stream with HLS (floor: its GOP and window)",
      figure: "hlsStreamKib",
      floorFigure: "mediaKib",
      ...memory,
    },
    { what: "The same, above the media it keeps", figure: "overheadKib", ...memory, aim: "<= 300 KB" },
  ];
  return [{ id: "ingest-100", group: "ingest", contestants, rows }];
}

async function measurePeer(plan: Plan, start: StartServer): Promise<Outcome> {
  const { usPerStreamSecond, kibPerStream, reason } = await measureIngest(plan, start);
  return outcomeOf({ ingestUs: usPerStreamSecond, streamKib: kibPerStream }, reason);
}

/** Without and with HLS, one after the other, so that the difference is of one time. */
async function measureOurs(plan: Plan): Promise<Outcome> {
  const bare = await measureIngest(plan, weir({ template: ["protocols rtmp;", ...HLS_LINES] }));
  const whole = await measureIngest(plan, weir({ template: HLS_LINES }));
  const kibPerSecond = (filmRate(plan.kit.filmBytes, 1).mean * 1e6) / 8 / 1024;
  const passedSeconds = plan.scale.ingestSettleSeconds + plan.scale.ingestSeconds;
  const gopKib = kibPerSecond * GOP_SECONDS;
  const mediaKib = gopKib + kibPerSecond * Math.min(passedSeconds, KEPT_SECONDS);
  const figures: Figures = {
    ingestUs: bare.usPerStreamSecond,
    segmentingUs: whole.usPerStreamSecond - bare.usPerStreamSecond,
    streamKib: bare.kibPerStream,
    hlsStreamKib: whole.kibPerStream,
    gopKib,
    mediaKib,
    overheadKib: whole.kibPerStream - mediaKib,
  };
  return outcomeOf(figures, bare.reason ?? whole.reason);
}

async function measureIngest(plan: Plan, start: StartServer): Promise<Ingest> {
  const seconds = plan.scale.ingestSeconds;
  return withServer(start, async (server) => {
    await sleep(1000);
    const idleKib = residentKib(server.pids);
    const { result, published } = await withPublisher(plan.kit, server, { streams: STREAMS }, async () => {
      await sleep(plan.scale.ingestSettleSeconds * 1000);
      const [cpu, at] = [cpuSeconds(server.pids), performance.now()];
      await sleep(seconds * 1000);
      const cpuS = cpuSeconds(server.pids) - cpu;
      const passedS = (performance.now() - at) / 1000;
      return { us: (cpuS * 1e6) / STREAMS / passedS, kib: (residentKib(server.pids) - idleKib) / STREAMS };
    });
    const reason = judgePublished(plan.kit, published, STREAMS);
    return { usPerStreamSecond: result.us, kibPerStream: result.kib, reason };
  });
}
