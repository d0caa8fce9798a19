/** Pictures by ffmpeg: a child process for each, that reads from a pipe and writes to one. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { concatBytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { dvrPictureErrors } from "../../dvr/pictures/errors.ts";
import type { DrawPicture } from "../../dvr/pictures/picture-desk.ts";

/** How pictures are drawn. */
export type DrawOptions = {
  readonly clock: Clock;
  /** `ffmpeg` on the PATH unless given. */
  readonly program?: string;
  /** 10 s unless given. */
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 10_000;
/** No JPEG of this width is larger; stops a program that writes without end. */
const MAX_PICTURE_BYTES = 4 * 2 ** 20;
/** What is kept of the program's own words. Units: bytes. */
const MAX_WORDS_BYTES = 2000;

/** 1 is the best that the encoder has, 31 the smallest file. */
const QUALITY = "5";

/** Reads nothing but its input, writes one picture in square pixels, and is done. */
function argumentsFor(widthPx: number): string[] {
  const scale = `scale=w=trunc(min(${widthPx}\\,iw*sar)/2)*2:h=trunc(ow/dar/2)*2,setsar=1,format=yuvj420p`;
  return [
    ...["-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1", "-protocol_whitelist", "pipe"],
    ...["-f", "mp4", "-i", "pipe:0", "-an", "-frames:v", "1", "-vf", scale],
    ...["-q:v", QUALITY, "-c:v", "mjpeg", "-f", "image2pipe", "pipe:1"],
  ];
}

/** What draws pictures with ffmpeg. It runs below the server's own priority, and is killed when it takes too long. */
export function ffmpegDraw({
  clock,
  program = "ffmpeg",
  timeoutMs = TIMEOUT_MS,
}: DrawOptions): DrawPicture {
  return (file, widthPx, signal) => {
    if (signal.aborted) return Promise.reject(unavailable("the server stops"));
    const child = started(program, argumentsFor(widthPx));
    if (child instanceof Error) return Promise.reject(child);
    const drawing = new Drawing(child);
    const timer = clock.schedule(timeoutMs, () =>
      drawing.kill(unavailable(`ffmpeg took more than ${timeoutMs} ms`)),
    );
    const stop = (): void => drawing.kill(unavailable("the server stops"));
    signal.addEventListener("abort", stop, { once: true });
    return drawing.draw(file).finally(() => {
      timer.cancel();
      signal.removeEventListener("abort", stop);
    });
  };
}

/** Some failures are thrown, where memory is short, and others come as an event. */
function started(program: string, args: readonly string[]): ChildProcess | Error {
  try {
    return spawn(program, args, { stdio: "pipe" });
  } catch (caught) {
    return startFailure(caught as NodeJS.ErrnoException);
  }
}

/** One run of the program. */
class Drawing {
  readonly #child: ChildProcess;
  readonly #pieces: Uint8Array[] = [];
  #bytes = 0;
  #words = "";
  /** Why it was killed. */
  #failure: Error | null = null;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  draw(file: Uint8Array): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const child = this.#child;
    child.on("error", (error: NodeJS.ErrnoException) => reject(startFailure(error)));
    child.on("close", (code) => {
      if (this.#failure !== null) reject(this.#failure);
      // Somebody else has killed it: a system that is short of memory does.
      else if (code === null) reject(unavailable("ffmpeg was killed"));
      else if (code !== 0 || this.#bytes === 0)
        reject(failed(this.#words.trim() || `it ended with ${code}`));
      else resolve(concatBytes(this.#pieces));
    });
    child.stdout?.on("data", (piece: Uint8Array) => this.#take(piece));
    child.stderr?.on("data", (piece: Uint8Array) => {
      if (this.#words.length < MAX_WORDS_BYTES)
        this.#words = (this.#words + Buffer.from(piece).toString("latin1")).slice(0, MAX_WORDS_BYTES);
    });
    // It has what it needs before the end of the file, or it died: how it ends says which. Where the process has no file
    // descriptors left there are no pipes, and an error comes.
    child.stdin?.on("error", () => {});
    child.stdin?.end(file);
    lowerPriority(child.pid);
    return promise;
  }

  kill(failure: Error): void {
    this.#failure ??= failure;
    this.#child.kill("SIGKILL");
  }

  #take(piece: Uint8Array): void {
    this.#bytes += piece.byteLength;
    if (this.#bytes > MAX_PICTURE_BYTES)
      this.kill(failed(`the picture has more than ${MAX_PICTURE_BYTES} bytes`));
    else this.#pieces.push(piece);
  }
}

/** What is live comes first. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is over already, or the system does not let us: it runs as it is.
  }
}

function startFailure(error: NodeJS.ErrnoException): Error {
  const isMissing = error.code === "ENOENT" || error.code === "EACCES";
  return isMissing
    ? dvrPictureErrors.error("DVR_PICTURE_NO_FFMPEG", {}, error)
    : unavailable(`ffmpeg cannot be started: ${messageOf(error)}`, error);
}

function failed(reason: string): Error {
  return dvrPictureErrors.error("DVR_PICTURE_FAILED", { reason });
}

/** It may be there when somebody asks again. */
function unavailable(reason: string, cause?: unknown): Error {
  return dvrPictureErrors.error("DVR_PICTURE_UNAVAILABLE", { reason }, cause);
}
