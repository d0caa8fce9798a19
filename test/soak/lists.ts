/** What the API costs beside media when very many streams are configured and very many sessions are open. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { makeClip } from "../support/ffmpeg.ts";
import type { TestEnd } from "../support/program.ts";
import { startWeir } from "../support/weir.ts";
import type { Weir } from "../support/weir.ts";
import { eventually } from "../support/eventually.ts";
import { SlowBackend } from "./access-backend.ts";
import { median, percentile } from "./access-clock.ts";
import { Meter } from "./access-meter.ts";
import type { MeterFigures } from "./access-meter.ts";

/** What is run. */
export type ListsPlan = {
  readonly streams: number;
  readonly sessions: number;
  readonly puts: number;
  /** How long media are watched alone. */
  readonly quietMs: number;
  readonly onProgress: (line: string) => void;
};

const AUTHORIZATION = `Basic ${Buffer.from("root:secret").toString("base64")}`;
const CONFIG_FILES = 10;
const AT_ONCE = 32;

type Run = {
  readonly weir: Weir;
  readonly media: Meter;
  readonly control: Meter;
  readonly plan: ListsPlan;
  readonly beside: Beside[];
};

/** What was measured. Units: milliseconds, by the clock; KiB. */
export type ListsReport = {
  /** Pages in the order in which they were asked for, the first of a server that nobody has asked anything yet. */
  readonly pagesMs: readonly number[];
  readonly names: number;
  readonly putsMs: readonly number[];
  readonly sessionKib: number;
  /** What others saw meanwhile, by what went on. */
  readonly beside: readonly Beside[];
};

/** Answers that others got while something went on. */
export type Beside = {
  readonly what: string;
  readonly segments: MeterFigures;
  /** Of the control thread: the longest is its longest block, but for the network. */
  readonly control: MeterFigures;
};

/** Measures one thing after the other, and tells each as a line. */
export async function measureLists(end: TestEnd, plan: ListsPlan): Promise<ListsReport> {
  const backend = new SlowBackend({ replyMs: 0, slowStream: "", slowMs: 0 });
  end.after(() => backend.close());
  const config = await configOf(plan, await backend.listen());
  const weir = await startWeir(end, { config, readyTimeoutMs: 60_000 });
  await eventually(async () => {
    assert.equal((await fetch(weir.url("/clip/index.m3u8"))).status, 200);
  });
  const meterOf = (path: string): Meter => {
    const meter = new Meter({ url: weir.url(""), paths: [path], perSecond: 50 });
    end.after(() => meter.close());
    return meter;
  };
  const beside: Beside[] = [];
  const run = { weir, plan, beside, media: meterOf("/clip/index.m3u8"), control: meterOf("/-/about") };
  await during(run, "alone", () => sleep(plan.quietMs));
  const { pagesMs, names } = await during(run, "while pages are walked", () => walkPages(run));
  const putsMs = await during(run, `while ${plan.puts} streams are changed`, () => putStreams(run));
  const opened = `while ${plan.sessions} sessions begin`;
  const sessionKib = await during(run, opened, () => openSessions(run));
  await during(run, "while pages are walked beside these sessions", () => walkPages(run));
  return { pagesMs, names, putsMs, sessionKib, beside };
}

async function during<Result>(
  { media, control, plan, beside }: Run,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  for (const meter of [media, control]) meter.begin();
  const result = await work();
  const [segments, pages] = [await media.end(), await control.end()];
  beside.push({ what, segments, control: pages });
  const say = ({ p50, p99, most }: typeof segments): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(0)} ms`;
  plan.onProgress(`  ${what}: segments ${say(segments)}; answers of the control thread ${say(pages)}`);
  return result;
}

async function walkPages({ weir, plan }: Run): Promise<{ pagesMs: readonly number[]; names: number }> {
  const took: number[] = [];
  const agent = new Agent({ keepAlive: true });
  let [cursor, names] = ["", 0];
  do {
    const beganMs = performance.now();
    const url = new URL(weir.url(`/streamer/api/v3/streams?limit=100${cursor}`));
    const { status, body } = await getWith(agent, url, "lists", { authorization: AUTHORIZATION });
    took.push(performance.now() - beganMs);
    assert.equal(status, 200, body.toString());
    const page = JSON.parse(body.toString()) as { streams: unknown[]; next: string | null };
    names += page.streams.length;
    cursor = page.next === null ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  agent.destroy();
  assert.ok(names >= plan.streams, `${names} streams were listed`);
  const [first, ...rest] = took;
  const figures = `median ${median(rest).toFixed(1)} ms, p99 ${percentile(rest, 0.99).toFixed(1)} ms`;
  plan.onProgress(`pages of 100 of ${names} streams: first ${first!.toFixed(0)} ms, others ${figures}`);
  return { pagesMs: took, names };
}

async function putStreams({ weir, plan }: Run): Promise<readonly number[]> {
  const took: number[] = [];
  const before = await cpuS(weir);
  for (let i = 0; i < plan.puts; i++) {
    const beganMs = performance.now();
    const path = `/streamer/api/v3/streams/${nameOf(Math.floor(((i + 0.5) * plan.streams) / plan.puts))}`;
    const reply = await fetch(weir.url(path), {
      method: "PUT",
      headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
      body: JSON.stringify({ title: `changed ${i}` }),
    });
    assert.equal(reply.status, 200, await reply.text());
    took.push(performance.now() - beganMs);
  }
  const cpu = (((await cpuS(weir)) - before) * 1000) / plan.puts;
  const figures = `median ${median(took).toFixed(0)} ms, most ${Math.max(...took).toFixed(0)} ms`;
  plan.onProgress(`PUT of one of ${plan.streams} streams: ${figures}, ${cpu.toFixed(0)} ms of CPU each`);
  return took;
}

async function openSessions({ weir, plan }: Run): Promise<number> {
  const before = { kib: await residentKib(weir), cpu: await cpuS(weir) };
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < plan.sessions) {
      const i = next++;
      const url = new URL(weir.url("/guarded/index.m3u8"));
      assert.equal((await getWith(agent, url, `viewer ${i}`)).status, 200);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  agent.destroy();
  const kib = ((await residentKib(weir)) - before.kib) / plan.sessions;
  const cpu = (((await cpuS(weir)) - before.cpu) * 1e6) / plan.sessions;
  plan.onProgress(
    `${plan.sessions} sessions, each asked about: ${kib.toFixed(1)} KiB and ${cpu.toFixed(0)} us of CPU each`,
  );
  return kib;
}

async function residentKib({ program }: Weir): Promise<number> {
  const text = await readFile(`/proc/${program.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]);
}

/** CPU time of the server, user and system. */
export async function cpuS({ program }: Weir): Promise<number> {
  const text = await readFile(`/proc/${program.pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** USER_HZ of Linux. */
const TICKS_A_SECOND = 100;

function nameOf(i: number): string {
  return `s${String(i).padStart(5, "0")}`;
}

/** A file of a configuration is 1 MiB at most. */
async function configOf({ streams }: ListsPlan, backend: string): Promise<Record<string, string>> {
  const clip = await makeClip({ durationS: 8, width: 640, height: 360, gopPictures: 25 });
  const input = `input file://${clip}; segment_duration 1;`;
  const files: Record<string, string> = {
    "flussonic.conf":
      `edit_auth root secret;\nmax_connections_per_address 20000;\nstream clip { ${input} }\n` +
      `stream guarded { ${input} on_play ${backend}; }\n`,
  };
  for (let i = 0; i < streams; i++) {
    const name = `flussonic.conf.d/part${i % CONFIG_FILES}.conf`;
    const line = `stream ${nameOf(i)} { input publish://; title "Stream ${i}"; on_play ${backend}; }\n`;
    files[name] = `${files[name] ?? ""}${line}`;
  }
  return files;
}

/** GET over an agent's connection; rejects after 60 s. */
function getWith(
  agent: Agent,
  url: URL,
  userAgent: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { agent, headers: { "user-agent": userAgent, ...headers }, timeout: 60_000 };
    const asked = request(url, options, (reply) => {
      const pieces: Buffer[] = [];
      reply.on("data", (piece: Buffer) => pieces.push(piece));
      reply.once("end", () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(pieces) }));
      reply.once("error", reject);
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer within 60 s")));
    asked.once("error", reject);
    asked.end();
  });
}
