/** The programs in C, built from `tools/`, and the film that all servers are given. */
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { runChild } from "./child.ts";

/** Where the benchmark keeps what it builds and installs; safe to delete. */
export const CACHE_FOLDER = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "weir-bench");

/** Length of the film; it is published in a loop. */
export const FILM_SECONDS = 60;

/** A key frame every so often. */
export const GOP_SECONDS = 2;

/** 10 minutes and 160 MB: the server keeps 64 MiB of what it has read of files. */
const LONG_MOVIE_FILMS = 10;

/** Programs and input of a run. */
export type Kit = {
  readonly rtmpload: string;
  readonly rtmpfloor: string;
  readonly httpload: string;
  readonly appendfloor: string;
  readonly film: string;
  /** The same film as an MP4 file. */
  readonly movie: string;
  /** The film so often after itself that no cache of segments holds it. */
  readonly longMovie: string;
  /** Media bytes of each second of the film. */
  readonly filmBytes: readonly number[];
};

/** See `filmRate`. */
export type FilmRate = { readonly mean: number; readonly least: number; readonly greatest: number };

const SOURCES = resolve(import.meta.dirname, "tools");
const QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error", "-y"];
const FILM_COMMAND =
  "-f lavfi -i testsrc2=size=1280x720:rate=25 -f lavfi -i sine -t 60 -c:v libx264 -preset veryfast " +
  "-tune zerolatency -b:v 2000k -maxrate 2000k -bufsize 2000k -g 50 -pix_fmt yuv420p -c:a aac -b:a 128k";

/** Builds the tools and makes the film unless an earlier run left them. Needs gcc and ffmpeg. */
export async function prepareKit(): Promise<Kit> {
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const film = await makeFilm();
  return {
    rtmpload: await buildTool("rtmpload"),
    rtmpfloor: await buildTool("rtmpfloor"),
    httpload: await buildTool("httpload"),
    appendfloor: await buildTool("appendfloor"),
    film,
    movie: await makeMovie(film, 1),
    longMovie: await makeMovie(film, LONG_MOVIE_FILMS),
    filmBytes: mediaBytesBySecond(readFileSync(film)).slice(0, FILM_SECONDS),
  };
}

/** Path of a file beside the C tools. */
export function toolPath(name: string): string {
  return join(SOURCES, name);
}

/**
 * How many media bytes each second of an FLV file has, by the times in it and without any framing.
 *
 * Spec: Adobe Flash Video File Format 10.1, annex E.3 and E.4.1.
 */
export function mediaBytesBySecond(flv: Buffer): number[] {
  const bytes: number[] = [];
  for (let at = 13; at + 15 <= flv.length;) {
    const size = flv.readUIntBE(at + 1, 3);
    const timeMs = flv.readUIntBE(at + 4, 3) + flv.readUInt8(at + 7) * 2 ** 24;
    const type = flv.readUInt8(at) & 31;
    const second = Math.floor(timeMs / 1000);
    if (type === 8 || type === 9) bytes[second] = (bytes[second] ?? 0) + size;
    at += size + 15;
  }
  return Array.from(bytes, (value) => value ?? 0);
}

/**
 * The film's rate, and the least and greatest rate of any stretch of so many seconds of it, played in a loop: how much
 * a player gets depends on when it looks, the more the shorter it looks.
 *
 * Units: Mbit/s.
 */
export function filmRate(bytesBySecond: readonly number[], seconds: number): FilmRate {
  const length = Math.max(1, Math.round(seconds));
  const stretches = bytesBySecond.map((_, start) => {
    let bytes = 0;
    for (let i = 0; i < length; i++) bytes += bytesBySecond[(start + i) % bytesBySecond.length]!;
    return (bytes * 8) / length / 1e6;
  });
  const all = bytesBySecond.reduce((sum, bytes) => sum + bytes, 0);
  return {
    mean: (all * 8) / bytesBySecond.length / 1e6,
    least: Math.min(...stretches),
    greatest: Math.max(...stretches),
  };
}

/**
 * Builds a program of `tools/` unless it is there. Returns: its path.
 *
 * The name has the source's hash in it: a changed tool is built anew, and two at once do not disturb each other.
 */
export async function buildTool(
  name: "rtmpload" | "rtmpfloor" | "httpload" | "appendfloor",
): Promise<string> {
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const source = join(SOURCES, `${name}.c`);
  const hash = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12);
  const program = join(CACHE_FOLDER, `${name}-${hash}`);
  let building = builds.get(program);
  if (building === undefined) builds.set(program, (building = build(source, program)));
  await building;
  return program;
}

/** Of this process: what several ask for at once is built once. */
const builds = new Map<string, Promise<void>>();

async function build(source: string, program: string): Promise<void> {
  if (existsSync(program)) return;
  const unfinished = `${program}.${process.pid}`;
  await runChild(["gcc", "-O2", "-Wall", "-o", unfinished, source]);
  renameSync(unfinished, program);
}

async function makeFilm(): Promise<string> {
  const hash = createHash("sha256").update(FILM_COMMAND).digest("hex").slice(0, 12);
  const film = join(CACHE_FOLDER, `film-${hash}.flv`);
  if (!existsSync(film)) {
    const unfinished = `${film}.${process.pid}.flv`;
    await runChild(["ffmpeg", ...QUIET, ...FILM_COMMAND.split(" "), unfinished]);
    renameSync(unfinished, film);
  }
  return film;
}

async function makeMovie(film: string, times: number): Promise<string> {
  const movie = film.replace(/\.flv$/, `-${times}.mp4`);
  if (!existsSync(movie)) {
    const unfinished = `${movie}.${process.pid}.mp4`;
    const input = ["-stream_loop", String(times - 1), "-i", film];
    await runChild(["ffmpeg", ...QUIET, ...input, "-c", "copy", "-movflags", "+faststart", unfinished]);
    renameSync(unfinished, movie);
  }
  return movie;
}
