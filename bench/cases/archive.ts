/** The archive: what recording costs above live, what it takes on the disk, how soon a week of it answers who seeks. */
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HourIndex } from "../../src/dvr/format/hour-index.ts";
import { runChild } from "../child.ts";
import type { Case, Outcome } from "../measured.ts";
import { judgePublished, outcomeOf } from "../load.ts";
import { cpuSeconds, residentKib } from "../process-facts.ts";
import { makeFolder, removeFolder } from "../servers/server.ts";
import { withPublisher, withServer } from "../servers/using.ts";
import { weir } from "../servers/weir.ts";
import { GOP_SECONDS, filmRate } from "../tools.ts";
import { linkHours, makeWeekArchive } from "../week-archive.ts";
import type { WeekArchive } from "../week-archive.ts";
import type { Plan } from "./plan.ts";

const STREAMS = 100;
const HLS_LINES = [`segment_duration ${GOP_SECONDS};`, "segment_count 3;"];
/** What a stream's GOP is gathered from, and what its index grows by, in the floor. */
const FLOOR = { pieces: 100, recordBytes: 256 };

const SEEKS = 60;
/** What is asked for before anything is measured: the code is loaded then, and half compiled. */
const FIRST_SEEKS = 20;
const SEEK_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const DAYS = 7;
/** Streams with the same week, so that what a process's memory differs by from start to start is little beside it. */
const KNOWN = Array.from({ length: 20 }, (_, place) => `week${place}`);

/** The cases. */
export function archiveCases(plan: Plan): Case[] {
  const ms = { unit: "ms", digits: 1 };
  const kib = { unit: "KiB/stream-day", digits: 0 };
  const record: Case = {
    id: "archive-record",
    group: "archive",
    contestants: [
      { name: "weir", measure: () => measureRecording(plan) },
      { name: "floor", measure: () => measureFloor(plan) },
    ],
    rows: [
      {
        what: `Recording ${STREAMS} streams, above live (floor: appends the same bytes, syncs as often)`,
        figure: "recordingUs",
        ...{ unit: "us CPU/stream-s", digits: 0 },
        aim: "<= 60 us",
      },
      {
        what: "Bytes on disk a byte of media",
        figure: "diskBytes",
        ...{ unit: "", digits: 4 },
        aim: "<= 1.05",
      },
    ],
  };
  const seek: Case = {
    id: "archive-seek",
    group: "archive",
    contestants: [{ name: "weir", measure: () => measureSeeks(plan) }],
    rows: [
      {
        what: "A seek into a week: first playlist, p95",
        figure: "masterMs",
        ...ms,
        aim: "<= 20 ms",
      },
      { what: "The same: media playlist of an hour, p95", figure: "mediaMs", ...ms },
      { what: "The same: first segment of 500 KB, p95", figure: "segmentMs", ...ms, aim: "<= 30 ms" },
      { what: "Playlist of 24 hours, never asked for before", figure: "dayMs", ...ms, aim: "<= 100 ms" },
      {
        what: `Memory a recorded day, of six more, of ${KNOWN.length} streams`,
        figure: "knownKib",
        ...kib,
        aim: "<= 50 KB",
      },
      { what: "The same, when it was sought in (a bounded cache)", figure: "soughtKib", ...kib },
    ],
  };
  return [record, seek];
}

/** Without and with `dvr`, one after the other, so that the difference is of one time. */
async function measureRecording(plan: Plan): Promise<Outcome> {
  const { folder } = makeFolder("archive");
  try {
    const live = await measureLive(plan, HLS_LINES);
    const recording = await measureLive(plan, [...HLS_LINES, `dvr "${folder}" 1d;`]);
    const { files, media } = storedBytes(folder);
    const passedS = plan.scale.ingestSettleSeconds + plan.scale.ingestSeconds;
    const rate = (filmRate(plan.kit.filmBytes, passedS).least * 1e6) / 8;
    // The last GOP of each may be on its way.
    const least = rate * (passedS - 2 * GOP_SECONDS) * STREAMS * 0.95;
    const lost =
      media < least ? `only ${media} of at least ${Math.round(least)} bytes were recorded` : null;
    const figures = {
      recordingUs: recording.usPerStreamSecond - live.usPerStreamSecond,
      diskBytes: files / media,
    };
    return outcomeOf(figures, live.reason ?? recording.reason ?? lost);
  } finally {
    removeFolder(folder);
  }
}

async function measureLive(
  plan: Plan,
  template: readonly string[],
): Promise<{ readonly usPerStreamSecond: number; readonly reason: string | null }> {
  return withServer(weir({ template }), async (server) => {
    const { result, published } = await withPublisher(plan.kit, server, { streams: STREAMS }, async () => {
      await sleep(plan.scale.ingestSettleSeconds * 1000);
      const [cpu, at] = [cpuSeconds(server.pids), performance.now()];
      await sleep(plan.scale.ingestSeconds * 1000);
      const passedS = (performance.now() - at) / 1000;
      return ((cpuSeconds(server.pids) - cpu) * 1e6) / STREAMS / passedS;
    });
    return { usPerStreamSecond: result, reason: judgePublished(plan.kit, published, STREAMS) };
  });
}

/** What is on the disk, and what of it is payload of samples by the indexes. */
function storedBytes(folder: string): { readonly files: number; readonly media: number } {
  let [files, media] = [0, 0];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (!existsSync(path) || !statSync(path).isFile()) continue;
    files += statSync(path).size;
    if (!name.endsWith(".idx")) continue;
    const index = HourIndex.parse(readFileSync(path), { path });
    for (let place = 0; place < index.segmentCount; place++)
      for (const { size, headerBytes } of index.chunks(place)) media += size - headerBytes;
  }
  return { files, media };
}

async function measureFloor(plan: Plan): Promise<Outcome> {
  const { folder } = makeFolder("floor");
  try {
    const bytesPerSecond = Math.round((filmRate(plan.kit.filmBytes, 1).mean * 1e6) / 8);
    const { pieces, recordBytes } = FLOOR;
    const numbers = [
      ...[STREAMS, plan.scale.ingestSettleSeconds + plan.scale.ingestSeconds, GOP_SECONDS],
      ...[bytesPerSecond, pieces, recordBytes],
    ];
    const said = await runChild([plan.kit.appendfloor, folder, ...numbers.map(String)]);
    const { us_per_stream_s: recordingUs } = JSON.parse(said) as { us_per_stream_s: number };
    return outcomeOf({ recordingUs }, null);
  } finally {
    removeFolder(folder);
  }
}

async function measureSeeks(plan: Plan): Promise<Outcome> {
  const { folder } = makeFolder("week");
  try {
    const week = await makeWeekArchive(join(folder, "week"), plan.kit.movie);
    const [most, least] = [DAYS * 24, 24].map((hours) => {
      const root = join(folder, `of-${hours}`);
      for (const name of KNOWN) linkHours(week, join(folder, "week"), join(root, name), hours);
      return root;
    });
    // Of the six days more: what a process takes at once for any archive is no day's.
    const knownKib =
      (await residentWith(KNOWN.map((name) => recordedTo(name, most!)))) -
      (await residentWith(KNOWN.map((name) => recordedTo(name, least!))));
    const top = [recordedTo("week", folder)];
    return await withServer(weir({ top }), async (server) => {
      await sleep(2000);
      const unaskedKib = residentKib(server.pids);
      const asker = new Asker(server.httpPort!);
      try {
        const seeks: Seek[] = [];
        for (let i = 0; i < FIRST_SEEKS + SEEKS; i++) seeks.push(await asker.seek(week));
        const counted = seeks.slice(FIRST_SEEKS);
        const day = await asker.get(`/week/tracks-v1a1/archive-${week.fromS + 1}-${DAY_SECONDS}.m3u8`);
        const soughtKib = residentKib(server.pids) - unaskedKib;
        const segments = day.text.split("\n").filter((line) => line.startsWith("#EXTINF")).length;
        const expected = DAY_SECONDS / GOP_SECONDS;
        const short =
          Math.abs(segments - expected) > 2 ? `the day's playlist has ${segments} segments` : null;
        const figures = {
          masterMs: p95(counted.map((seek) => seek.masterMs)),
          mediaMs: p95(counted.map((seek) => seek.mediaMs)),
          segmentMs: p95(counted.map((seek) => seek.segmentMs)),
          dayMs: day.ms,
          knownKib: knownKib / (DAYS - 1) / KNOWN.length,
          soughtKib: soughtKib / DAYS,
        };
        return outcomeOf(figures, short);
      } finally {
        asker.close();
      }
    });
  } finally {
    removeFolder(folder);
  }
}

function recordedTo(name: string, folder: string): string {
  return `stream ${name} { input publish://; dvr "${folder}" 30d; }`;
}

/** What a server with these streams takes, asked for nothing. Units: KiB. */
function residentWith(streams: readonly string[]): Promise<number> {
  return withServer(weir({ top: streams }), async (server) => {
    await sleep(2000);
    return residentKib(server.pids);
  });
}

type Seek = { readonly masterMs: number; readonly mediaMs: number; readonly segmentMs: number };
type Answer = { readonly ms: number; readonly text: string };

/** Somebody who goes from place to place, over one connection. */
class Asker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  #turns = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens an hour from somewhere on: the playlists, and the first segment. */
  async seek({ fromS, toS }: WeekArchive): Promise<Seek> {
    // Evenly over the week, in an order that comes to no place twice.
    const part = (this.#turns++ * 0.618_034) % 1;
    const atS = fromS + Math.floor(part * (toS - fromS - SEEK_SECONDS));
    const span = `archive-${atS}-${SEEK_SECONDS}.m3u8`;
    const master = await this.get(`/week/${span}`);
    const media = await this.get(`/week/tracks-v1a1/${span}`);
    const uri = media.text.split("\n").find((line) => line !== "" && !line.startsWith("#"));
    if (uri === undefined) throw new Error(`${span} lists no segment`);
    const segment = await this.get(`/week/tracks-v1a1/${uri}`);
    if (segment.text.length < 300_000) throw new Error(`${uri} has ${segment.text.length} bytes`);
    return { masterMs: master.ms, mediaMs: media.ms, segmentMs: segment.ms };
  }

  /** A body, one character a byte, and how long it took until its last byte was there. */
  get(path: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const startedMs = performance.now();
    const request = get({ host: "127.0.0.1", port: this.#port, path, agent: this.#agent }, (reply) => {
      const pieces: Buffer[] = [];
      reply.on("data", (piece: Buffer) => pieces.push(piece));
      reply.on("error", reject);
      reply.on("end", () => {
        const ms = performance.now() - startedMs;
        if (reply.statusCode !== 200) reject(new Error(`${path}: ${reply.statusCode}`));
        else resolve({ ms, text: Buffer.concat(pieces).toString("latin1") });
      });
    });
    request.on("error", reject);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1]!;
}
