/** Files on demand: segments made and sent beside nginx that sends them ready-made; memory while many seek. */
import { basename, dirname, join } from "node:path";
import { makeLongMovie } from "../../test/support/long-movie.ts";
import type { Case, Contestant, Outcome } from "../measured.ts";
import { fetchMany, judgeViewed, outcomeOf, view } from "../load.ts";
import { residentKib } from "../process-facts.ts";
import { nginxStatic } from "../servers/nginx.ts";
import { makeFolder, removeFolder } from "../servers/server.ts";
import type { Server, StartServer } from "../servers/server.ts";
import { withServer } from "../servers/using.ts";
import { weir } from "../servers/weir.ts";
import type { Plan } from "./plan.ts";

const SEEKERS = 200;
/** Between the segment that has come and the next seek. Units: seconds. */
const SEEK_PAUSE_SECONDS = 1;
const SAMPLE_MS = 100;
const LONG_MOVIE = { hours: 2, sizeBytes: 1.4e9, moovFirst: true };

/** Segments by path, with their bytes. */
type Segments = ReadonlyMap<string, Uint8Array>;

/** The cases; that of segments needs wrk. */
export function vodCases(plan: Plan): Case[] {
  const memory = { unit: "MiB", digits: 0 };
  const seek: Case = {
    id: "vod-seek",
    group: "vod",
    contestants: [{ name: "weir", measure: () => measureSeekers(plan) }],
    rows: [
      {
        what: `${SEEKERS} viewers who seek in a file of 1.4 GB: greatest resident memory`,
        figure: "peakMib",
        ...memory,
        aim: "<= 300 MB",
      },
      { what: "The same: growth", figure: "grownMib", ...memory },
    ],
  };
  if (plan.installed.wrk === null) return [seek];
  const kinds = plan.scale.isWhole ? SEGMENTS : SEGMENTS.slice(0, 1);
  return [...kinds.map((kind) => segmentCase(plan, kind)), seek];
}

/** Which film, and so where the server has its media when they are asked for. */
const SEGMENTS = [
  { id: "vod-segment-made", what: "VOD segment, read and made each time", film: "longMovie" },
  { id: "vod-segment-kept", what: "VOD segment, made from what is kept", film: "movie" },
] as const;

function segmentCase(plan: Plan, { id, what, film }: (typeof SEGMENTS)[number]): Case {
  const row = { what: `${what} (nginx: sends it ready-made)`, figure: "gbPerCpuSecond", unit: "GB/CPU-s" };
  return {
    id,
    group: "vod",
    contestants: segmentContestants(plan, plan.kit[film]),
    rows: [{ ...row, digits: 2, aim: ">= 0.7 x nginx" }],
  };
}

function segmentContestants(plan: Plan, movie: string): Contestant[] {
  let latest: Segments | null = null;
  const read = (server: Server): Promise<Segments> => readSegments(server, playlistOf(movie));
  const ours = (): Promise<Outcome> =>
    withServer(weirWith(movie), async (server) => {
      latest = await read(server);
      return measureSegments(plan, server, latest);
    });
  const { nginx } = plan.installed;
  if (nginx === null) return [{ name: "weir", measure: ours }];
  const theirs = async (): Promise<Outcome> => {
    const segments = latest ?? (await withServer(weirWith(movie), read));
    const bodies = [...segments.values()].map((body, index) => [`segment-${index}.m4s`, body] as const);
    const files = new Map(bodies.map(([name, body]) => [`/${name}`, body]));
    return withServer(nginxStatic(nginx, Object.fromEntries(bodies)), (server) =>
      measureSegments(plan, server, files),
    );
  };
  return [
    { name: "weir", measure: ours },
    { name: "nginx", measure: theirs },
  ];
}

/** All segments in turn: one alone would be sent from wherever it was left by the request before. */
async function measureSegments(plan: Plan, server: Server, segments: Segments): Promise<Outcome> {
  const options = { paths: [...segments.keys()], headers: [], seconds: plan.scale.fetchSeconds };
  const { requests, bytes, refused, broken, cpuS } = await fetchMany(
    plan.installed.wrk ?? "wrk",
    server,
    options,
  );
  const least = Math.min(...[...segments.values()].map((body) => body.byteLength));
  let reason: string | null = null;
  if (requests === 0) reason = "nothing was answered";
  else if (refused + broken > 0) reason = `${refused} refused, ${broken} broken of ${requests}`;
  else if (bytes / requests < least) reason = "the answers were too short";
  const figures = { gbPerCpuSecond: bytes / 1e9 / cpuS, requests, bodyBytes: bytes / requests };
  return outcomeOf(figures, reason);
}

/** A film of two hours; its media are a hole in the file, so that the disk takes no part in it. */
async function measureSeekers(plan: Plan): Promise<Outcome> {
  const { folder } = makeFolder("film");
  try {
    const file = join(folder, "long.mp4");
    await makeLongMovie(file, LONG_MOVIE);
    return await withServer(weirWith(file), (server) => seekIn(plan, server, playlistOf(file)));
  } finally {
    removeFolder(folder);
  }
}

async function seekIn(plan: Plan, server: Server, path: string): Promise<Outcome> {
  const before = residentKib(server.pids);
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, residentKib(server.pids))), SAMPLE_MS);
  try {
    const viewed = await view(plan.kit, server, {
      how: "seek",
      path,
      viewers: SEEKERS,
      seconds: plan.scale.playSeconds,
      // Memory is looked at from the first seek on.
      settleSeconds: 0,
      intervalSeconds: SEEK_PAUSE_SECONDS,
    });
    const seeks = viewed.media;
    const figures = { peakMib: peak / 1024, grownMib: (peak - before) / 1024, seeks };
    // Nothing is made while a film plays: a viewer has to have got what it asked for, and that often.
    const unseen = seeks < SEEKERS ? `only ${seeks} seeks were answered` : null;
    return outcomeOf(figures, judgeViewed(server, { ...viewed, made: seeks / SEEKERS }) ?? unseen);
  } finally {
    clearInterval(timer);
  }
}

/** Our server with the folder of a film; a link to the film would lead out of it. */
function weirWith(movie: string): StartServer {
  return weir({ top: [`vod films { storage "${dirname(movie)}"; }`] });
}

/** The playlist of its two tracks together. */
function playlistOf(movie: string): string {
  return `/films/${basename(movie)}/tracks-v1a1/mono.m3u8`;
}

/** Spec: RFC 8216 section 4.1: a line that is not empty and does not begin with # is a URI. */
async function readSegments(server: Server, path: string): Promise<Segments> {
  const base = new URL(`http://127.0.0.1:${server.httpPort}${path}`);
  const lines = (await get(base)).toString("utf8").split("\n");
  const segments = new Map<string, Uint8Array>();
  for (const line of lines) {
    if (line === "" || line.startsWith("#")) continue;
    const url = new URL(line, base);
    segments.set(url.pathname, await get(url));
  }
  if (segments.size < 2) throw new Error(`${path} has too few segments`);
  return segments;
}

async function get(url: URL): Promise<Buffer> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  if (reply.status !== 200) throw new Error(`${url.pathname}: ${reply.status}`);
  return Buffer.from(await reply.arrayBuffer());
}
