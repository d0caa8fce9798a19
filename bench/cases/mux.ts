/** What it costs to write a stream as MPEG-TS, beside ffmpeg that copies the same film into a transport stream. */
import { resolve } from "node:path";
import { runChild, startChild } from "../child.ts";
import type { Case, Outcome } from "../measured.ts";
import { outcomeOf } from "../load.ts";
import { FILM_SECONDS } from "../tools.ts";
import type { Plan } from "./plan.ts";
import type { Muxed } from "../ts-mux.ts";

const SCRIPT = resolve(import.meta.dirname, "../ts-mux.ts");

/** The film as often as makes an hour. */
const REPEATS = 60;

/** The case. */
export function muxCases({ kit, scale }: Plan): Case[] {
  const cost = { unit: "us CPU/stream-s", digits: 0 };
  return [
    {
      id: "ts-mux",
      group: "mux",
      contestants: [
        { name: "weir", measure: () => measureOurs(kit.movie, scale.fetchSeconds) },
        { name: "ffmpeg", measure: () => measureFfmpeg(kit.movie) },
      ],
      rows: [
        { what: "TS segments of 2 s, muxed", figure: "warmUs", ...cost, aim: "<= 300 us" },
        { what: "The same, the first 60 s of a process", figure: "coldUs", ...cost },
      ],
    },
  ];
}

async function measureOurs(movie: string, seconds: number): Promise<Outcome> {
  const muxed = JSON.parse(await runChild([process.execPath, SCRIPT, movie, String(seconds)])) as Muxed;
  const { warmUs, coldUs } = muxed;
  return outcomeOf({ warmUs, coldUs }, muxed.bytesPerSecond < 100_000 ? "it wrote next to nothing" : null);
}

/** It reads the file and parses the streams, too; its start is not in the figure, being the same in both runs. */
async function measureFfmpeg(movie: string): Promise<Outcome> {
  const [once, often] = [await ffmpegCpuSeconds(movie, 1), await ffmpegCpuSeconds(movie, REPEATS)];
  return outcomeOf({ warmUs: ((often - once) * 1e6) / ((REPEATS - 1) * FILM_SECONDS) }, null);
}

async function ffmpegCpuSeconds(movie: string, times: number): Promise<number> {
  const input = ["-stream_loop", String(times - 1), "-i", movie];
  const output = ["-map", "0", "-c", "copy", "-f", "mpegts", "-y", "/dev/null"];
  const child = startChild([
    "ffmpeg",
    "-hide_banner",
    "-nostdin",
    "-nostats",
    "-benchmark",
    ...input,
    ...output,
  ]);
  const code = await child.ended;
  const said = /utime=([\d.]+)s stime=([\d.]+)s/.exec(child.lastWords);
  if (code !== 0 || said === null) throw new Error(`ffmpeg did not say what it took: ${child.lastWords}`);
  return Number(said[1]) + Number(said[2]);
}
