/** HLS over HTTP: a segment and a playlist from memory, against nginx that sends the same bytes from a file. */
import { gzipSync } from "node:zlib";
import { eventually } from "../../test/support/eventually.ts";
import type { Case, Contestant, Outcome } from "../measured.ts";
import { fetchMany, outcomeOf } from "../load.ts";
import type { Fetched } from "../load.ts";
import { nginxStatic } from "../servers/nginx.ts";
import { APP, STREAM } from "../servers/server.ts";
import type { Server } from "../servers/server.ts";
import { weir } from "../servers/weir.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { GOP_SECONDS } from "../tools.ts";
import type { Plan } from "./plan.ts";

/** What is fetched: paths at a running server, and the bytes behind them. */
type Hls = {
  readonly playlistPath: string;
  readonly playlist: Uint8Array;
  readonly segmentPath: string;
  readonly segment: Uint8Array;
};

type Kind = "segment" | "playlist";

/** What Chromium sends beside the request line and Host. */
const BROWSER_HEADERS = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
  "Accept: */*",
  "Accept-Language: en-US,en;q=0.9",
  "Accept-Encoding: gzip, deflate, br",
  "Origin: http://player.example.com",
  "Referer: http://player.example.com/live",
  "Sec-Fetch-Dest: empty",
  "Sec-Fetch-Mode: cors",
  "Sec-Fetch-Site: cross-site",
  "Cache-Control: no-cache",
];

/** A segment of this GOP length is 0.5 MB; with so many in the window it is still there when the fetching ends. */
const LINES = { segment: 100, playlist: 3 } as const;

/** Both cases; empty when wrk is missing. */
export function hlsCases(plan: Plan): Case[] {
  if (plan.installed.wrk === null) return [];
  const segment = {
    what: "HLS segment of 500 KB",
    figure: "gbPerCpuSecond",
    unit: "GB/CPU-s",
    digits: 2,
    aim: ">= 1.0 x nginx",
  };
  const playlist = {
    what: "HLS playlist, browser headers",
    figure: "requestsPerCpuSecond",
    unit: "requests/CPU-s",
    digits: 0,
    aim: ">= 0.95 x nginx",
  };
  return [
    { id: "hls-segment", group: "hls", contestants: contestants(plan, "segment"), rows: [segment] },
    { id: "hls-playlist", group: "hls", contestants: contestants(plan, "playlist"), rows: [playlist] },
  ];
}

/** Both send the same bytes: those that our server had in its latest run, or has now. */
function contestants(plan: Plan, kind: Kind): Contestant[] {
  let latest: Hls | null = null;
  const ours = (): Promise<Outcome> =>
    withLiveHls(plan, kind, (server, hls) => {
      latest = hls;
      return measureFetch(plan, kind, server, hls);
    });
  const { nginx } = plan.installed;
  if (nginx === null) return [{ name: "weir", measure: ours }];
  const theirs = async (): Promise<Outcome> => {
    const hls = latest ?? (await withLiveHls(plan, kind, (_server, sample) => Promise.resolve(sample)));
    return measureNginx(plan, kind, nginx, hls);
  };
  return [
    { name: "weir", measure: ours },
    { name: "nginx", measure: theirs },
  ];
}

function measureNginx(plan: Plan, kind: Kind, nginx: string, { playlist, segment }: Hls): Promise<Outcome> {
  const files = { "list.m3u8": playlist, "list.m3u8.gz": gzipSync(playlist), "segment.m4s": segment };
  const hls = { playlistPath: "/list.m3u8", playlist, segmentPath: "/segment.m4s", segment };
  return withServer(nginxStatic(nginx, files), (server) => measureFetch(plan, kind, server, hls));
}

async function measureFetch(plan: Plan, kind: Kind, server: Server, hls: Hls): Promise<Outcome> {
  const path = kind === "segment" ? hls.segmentPath : hls.playlistPath;
  const headers = kind === "segment" ? [] : BROWSER_HEADERS;
  const options = { paths: [path], headers, seconds: plan.scale.fetchSeconds };
  const fetched = await fetchMany(plan.installed.wrk ?? "wrk", server, options);
  const figures = {
    gbPerCpuSecond: fetched.bytes / 1e9 / fetched.cpuS,
    requestsPerCpuSecond: fetched.requests / fetched.cpuS,
    bodyBytes: kind === "segment" ? hls.segment.byteLength : hls.playlist.byteLength,
  };
  return outcomeOf(figures, judgeFetched(fetched, kind === "segment" ? hls.segment.byteLength : 0));
}

function judgeFetched(fetched: Fetched, leastBytes: number): string | null {
  const { requests, bytes, refused, broken } = fetched;
  if (refused > 0) return `${refused} of ${requests} answers were not 200`;
  if (broken > 0) return `${broken} connections failed`;
  if (requests === 0) return "nothing was answered";
  return bytes / requests < leastBytes * 0.95 ? "the answers were too short" : null;
}

/** Our server with a stream whose playlist has segments. */
async function withLiveHls<T>(
  plan: Plan,
  kind: Kind,
  use: (server: Server, hls: Hls) => Promise<T>,
): Promise<T> {
  const template = [`segment_duration ${GOP_SECONDS};`, `segment_count ${LINES[kind]};`];
  return withServer(weir({ template }), async (server) => {
    const playing = async (): Promise<T> =>
      use(server, await eventually(() => readHls(server), { timeoutMs: 30_000 }));
    return (await withPublisher(plan.kit, server, {}, playing)).result;
  });
}

async function readHls(server: Server): Promise<Hls> {
  const base = new URL(`http://127.0.0.1:${server.httpPort}/${APP}/${STREAM}/index.m3u8`);
  const media = new URL(uris(await get(base))[0] ?? "", base);
  const playlist = await get(media);
  const segments = uris(playlist);
  if (segments.length < 2) throw new Error("the playlist has too few segments");
  const segment = new URL(segments.at(-1) ?? "", media);
  return {
    playlistPath: media.pathname + media.search,
    playlist,
    segmentPath: segment.pathname + segment.search,
    segment: await get(segment),
  };
}

/** Spec: RFC 8216 section 4.1: a line that is not empty and does not begin with # is a URI. */
function uris(playlist: Uint8Array): string[] {
  const lines = Buffer.from(playlist).toString("utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

async function get(url: URL): Promise<Uint8Array> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  if (reply.status !== 200) throw new Error(`${url.pathname}: ${reply.status}`);
  return new Uint8Array(await reply.arrayBuffer());
}
