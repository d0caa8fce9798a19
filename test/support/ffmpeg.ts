/** ffmpeg and ffprobe as publishers, players and judges. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "./program.ts";
import type { Program, TestEnd } from "./program.ts";

/** What a run of a program gave. */
export type Output = { readonly stdout: string; readonly stderr: string };

/** How long ffmpeg or ffprobe may take unless a call says otherwise. */
const DEFAULT_TIMEOUT_MS = 60_000;
const STDERR_TAIL_LINES = 20;

/** Runs ffmpeg to its end. Rejects with the last lines of its stderr when it fails or takes longer than `timeoutMs`. */
export function ffmpeg(args: readonly string[], timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Output> {
  return runTool("ffmpeg", ["-hide_banner", "-nostdin", "-y", ...args], timeoutMs);
}

/** Runs any of the tools to its end, in the way of `ffmpeg`. */
export function runTool(program: string, args: readonly string[], timeoutMs: number): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr
      .setEncoding("utf8")
      .on("data", (chunk: string) => (stderr = (stderr + chunk).slice(-1_000_000)));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve({ stdout, stderr });
      const end =
        signal === null ? `ended with code ${code}` : `was ended by ${signal} (limit ${timeoutMs} ms)`;
      const tail = stderr.trimEnd().split("\n").slice(-STDERR_TAIL_LINES).join("\n");
      reject(new Error(`${program} ${args.join(" ")}\n${end}:\n${tail}`));
    });
  });
}

/** What a clip is made of. Every picture shows its number and time, every second of audio is the same tone. */
export type ClipOptions = {
  readonly durationS: number;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** Pictures from one random access point to the next; twice the frame rate unless given. */
  readonly gopPictures?: number;
  readonly bFrames?: number;
  /** An encoder's name; `null` for no video. `libx264` unless given. */
  readonly video?: "libx264" | "libx265" | null;
  /** An encoder's name; `null` for no audio. `aac` unless given. */
  readonly audio?: "aac" | "libmp3lame" | "libopus" | "ac3" | null;
  readonly audioTracks?: number;
  /** The container by its file extension; `mp4` unless given. */
  readonly extension?: "mp4" | "flv" | "mkv" | "ts";
  /** More of ffmpeg's output options, e.g. `-movflags +faststart`. */
  readonly extra?: readonly string[];
};

/** Makes a clip, or finds the one that was made by the same options before. Returns its path; do not write to it. */
export async function makeClip(options: ClipOptions): Promise<string> {
  const args = clipArguments(options);
  const hash = createHash("sha256").update(args.join("\0")).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), "weir-clips");
  const path = join(folder, `${hash}.${options.extension ?? "mp4"}`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const unfinished = join(
    folder,
    `${hash}-${process.pid}-${process.hrtime.bigint()}.${options.extension ?? "mp4"}`,
  );
  await ffmpeg([...args, unfinished], 300_000);
  await rename(unfinished, path);
  return path;
}

function clipArguments(options: ClipOptions): string[] {
  const {
    durationS,
    width = 320,
    height = 180,
    frameRate = 25,
    video = "libx264",
    audio = "aac",
  } = options;
  const picture = `testsrc2=size=${width}x${height}:rate=${frameRate}:duration=${durationS}`;
  const tone = `sine=frequency=440:sample_rate=48000:duration=${durationS}`;
  const audioTracks = audio === null ? 0 : (options.audioTracks ?? 1);
  const inputs = [...(video === null ? [] : [picture]), ...Array.from({ length: audioTracks }, () => tone)];
  const gop = options.gopPictures ?? frameRate * 2;
  const videoOutput =
    video === null
      ? []
      : [
          "-c:v",
          video,
          "-preset",
          "veryfast",
          "-pix_fmt",
          "yuv420p",
          "-g",
          `${gop}`,
          "-bf",
          `${options.bFrames ?? 2}`,
        ];
  // Cuts at scene changes would put random access points where the options do not say.
  const keyFrames = video === "libx264" ? ["-sc_threshold", "0"] : [];
  const quietX265 =
    video === "libx265" ? ["-x265-params", "log-level=error:scenecut=0", "-tag:v", "hvc1"] : [];
  const audioOutput = audio === null ? [] : ["-c:a", audio, "-b:a", "96k", "-ac", "2"];
  const maps = inputs.flatMap((_, index) => ["-map", `${index}`]);
  const sources = inputs.flatMap((input) => ["-f", "lavfi", "-i", input]);
  const bitExact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"];
  const outputs = [...videoOutput, ...keyFrames, ...quietX265, ...audioOutput, ...bitExact];
  return ["-v", "error", ...sources, ...maps, ...outputs, ...(options.extra ?? [])];
}

/** How a file is published. */
export type PublishOptions = {
  /** At the speed of the clip (`-re`); yes unless told. */
  readonly realtime?: boolean;
  /** Again and again, with growing timestamps. */
  readonly loop?: boolean;
  /** More of ffmpeg's output options; `-c copy` unless given. */
  readonly output?: readonly string[];
  /** Called with every line of its stdout, where an output option such as `-progress pipe:1` writes there. */
  readonly onLine?: (line: string) => void;
};

/** Publishes a file over RTMP. The program ends by itself, by `stop()`, or with the test. */
export function publish(t: TestEnd, rtmpUrl: string, file: string, options: PublishOptions = {}): Program {
  const { realtime = true, loop = false, output = ["-c", "copy"], onLine } = options;
  const pace = realtime ? ["-re"] : [];
  const repeat = loop ? ["-stream_loop", "-1"] : [];
  const head = ["-hide_banner", "-nostdin", "-v", "warning", ...pace, ...repeat];
  const args = [...head, "-i", file, ...output, "-f", "flv", rtmpUrl];
  return startProgram(t, "ffmpeg", args, onLine === undefined ? {} : { onLine });
}

/** A stream as ffprobe describes it; numbers that ffprobe writes as text are left as text. */
export type ProbedStream = {
  readonly index: number;
  readonly codec_type: "video" | "audio" | "subtitle" | "data";
  readonly codec_name: string;
  readonly profile?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly avg_frame_rate: string;
  readonly r_frame_rate: string;
  readonly time_base: string;
  readonly start_time?: string;
  readonly duration?: string;
  readonly nb_read_packets?: string;
  readonly nb_read_frames?: string;
  readonly tags?: Readonly<Record<string, string>>;
};

/** A packet as ffprobe gives it; times in seconds as text, absent when unknown. */
export type ProbedPacket = {
  readonly codec_type: "video" | "audio";
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly dts_time?: string;
  readonly duration_time?: string;
  readonly size: string;
  /** `K` first for a random access point. */
  readonly flags: string;
};

/** A decoded frame as ffprobe gives it. */
export type ProbedFrame = {
  readonly media_type: "video" | "audio";
  readonly stream_index: number;
  readonly key_frame: 0 | 1;
  readonly pts_time?: string;
  readonly pict_type?: string;
};

/** What ffprobe says of a whole file. */
export type ProbedFormat = {
  readonly format_name: string;
  readonly start_time?: string;
  readonly duration?: string;
  readonly nb_streams: number;
};

/** How ffprobe reads. */
export type ProbeOptions = {
  /** `v:0`, `a`, ...; all unless given. */
  readonly select?: string;
  /** Stops after so many seconds of media: for sources without an end. */
  readonly readS?: number;
  readonly timeoutMs?: number;
  /** Options before the input, e.g. `-live_start_index`. */
  readonly input?: readonly string[];
};

/** The streams of a file or URL. */
export async function probeStreams(source: string, options: ProbeOptions = {}): Promise<ProbedStream[]> {
  const { streams } = await probe<{ streams: ProbedStream[] }>(source, ["-show_streams"], options);
  return streams;
}

/** The streams with `nb_read_packets` and `nb_read_frames`: reads and decodes everything. */
export async function countStreams(source: string, options: ProbeOptions = {}): Promise<ProbedStream[]> {
  const args = ["-show_streams", "-count_packets", "-count_frames"];
  const { streams } = await probe<{ streams: ProbedStream[] }>(source, args, options);
  return streams;
}

/** The container. */
export async function probeFormat(source: string, options: ProbeOptions = {}): Promise<ProbedFormat> {
  const { format } = await probe<{ format: ProbedFormat }>(source, ["-show_format"], options);
  return format;
}

/** Every packet, in the order of the file. */
export async function probePackets(source: string, options: ProbeOptions = {}): Promise<ProbedPacket[]> {
  const { packets } = await probe<{ packets: ProbedPacket[] }>(source, ["-show_packets"], options);
  return packets;
}

/** Every frame, decoded. */
export async function probeFrames(source: string, options: ProbeOptions = {}): Promise<ProbedFrame[]> {
  const { frames } = await probe<{ frames: ProbedFrame[] }>(source, ["-show_frames"], options);
  return frames;
}

async function probe<T>(source: string, what: readonly string[], options: ProbeOptions): Promise<T> {
  const select = options.select === undefined ? [] : ["-select_streams", options.select];
  const interval = options.readS === undefined ? [] : ["-read_intervals", `%+${options.readS}`];
  const head = ["-hide_banner", "-v", "error", "-of", "json", ...select, ...interval];
  const args = [...head, ...(options.input ?? []), ...what, "-i", source];
  const { stdout } = await runTool("ffprobe", args, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return JSON.parse(stdout) as T;
}
