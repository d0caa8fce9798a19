/**
 * A camera before a clock: every picture has the time of its making in it, as black and white fields that a browser reads
 * back from what it shows. What lies between the two is the delay from camera to screen.
 */
import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import type { TestEnd } from "./program.ts";

/** How the camera films. */
export type ClockCameraOptions = {
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  /** As many as there are pictures in a second unless given. */
  readonly gopPictures?: number;
};

/** Fields of one bit each, in the first row of pictures; the first two are always black and white. */
export const CLOCK_BITS = 24;
/** Size of a field. Units: pixels. */
export const FIELD_SIZE = 24;

const SAMPLE_RATE = 48_000;
const AHEAD_PICTURES = 5;
/** While so many wait for ffmpeg, the last one is repeated: its clock must not fall behind for those that are left out. */
const MAX_WAITING_PICTURES = 10;
/** The camera gives up when so many wait: the machine cannot film at this size. */
const MAX_BEHIND_PICTURES = 250;
const BLACK = 16;
const WHITE = 235;

/** What became of the film. */
export type ClockCamera = {
  /** Pictures that were shown twice since the machine was too slow to take another one. */
  readonly repeated: number;
};

/** Publishes over RTMP until the test ends: H.264 without delay in the encoder, and a tone. */
export function filmClock(t: TestEnd, rtmpUrl: string, options: ClockCameraOptions = {}): ClockCamera {
  const { width = 640, height = 360, frameRate = 25, gopPictures = frameRate } = options;
  const camera = spawn(
    "ffmpeg",
    [
      ...["-hide_banner", "-v", "fatal", "-fflags", "nobuffer", "-f", "rawvideo", "-pix_fmt", "yuv420p"],
      ...["-s", `${width}x${height}`, "-framerate", `${frameRate}`, "-i", "pipe:0"],
      ...["-probesize", "32", "-analyzeduration", "0", "-f", "s16le", "-ar", `${SAMPLE_RATE}`],
      ...["-ac", "1", "-i", "pipe:3"],
      ...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1"],
      ...["-g", `${gopPictures}`, "-sc_threshold", "0", "-b:v", "1000k", "-pix_fmt", "yuv420p"],
      ...["-c:a", "aac", "-b:a", "64k", "-flush_packets", "1", "-f", "flv", rtmpUrl],
    ],
    { stdio: ["pipe", "ignore", "inherit", "pipe"] },
  );
  const microphone = camera.stdio[3] as Writable;
  camera.stdin!.on("error", () => {});
  microphone.on("error", () => {});
  const pictures = new Pictures(width, height);
  const film = new Film(camera.stdin!, pictures.bytes, (count) => pictures.at(Date.now(), count));
  const startedMs = performance.now();
  let heard = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * frameRate) / 1000);
    // Sound is ahead, so that no picture waits for it in ffmpeg.
    for (; heard <= due + AHEAD_PICTURES; heard++) microphone.write(tone(heard, SAMPLE_RATE / frameRate));
    if (film.goTo(due)) return;
    console.error(
      `the camera stops: ${MAX_BEHIND_PICTURES} pictures wait for ffmpeg, the machine is too slow`,
    );
    stop();
  }, 5);
  const stop = (): void => {
    clearInterval(timer);
    camera.kill("SIGKILL");
  };
  t.after(stop);
  return film;
}

/**
 * Gives an encoder one picture for each place in time, also while it takes none: raw video has no clock but the number of
 * its pictures. What waits is the same picture again, which takes no memory of its own. Bounded: `MAX_BEHIND_PICTURES`.
 */
export class Film implements ClockCamera {
  repeated = 0;
  readonly #out: Pick<Writable, "write" | "writableLength">;
  readonly #pictureBytes: number;
  readonly #take: (count: number) => Buffer;
  #made = 0;
  #last: Buffer | null = null;

  /** `take` films the picture of a place. */
  constructor(
    out: Pick<Writable, "write" | "writableLength">,
    pictureBytes: number,
    take: (count: number) => Buffer,
  ) {
    this.#out = out;
    this.#pictureBytes = pictureBytes;
    this.#take = take;
  }

  /** Gives all pictures up to a place. Returns: false when too many wait, and none is given any more. */
  goTo(place: number): boolean {
    for (; this.#made <= place; this.#made++) {
      const waiting = this.#out.writableLength / this.#pictureBytes;
      if (waiting >= MAX_BEHIND_PICTURES) return false;
      const mayFilm = this.#last === null || waiting <= MAX_WAITING_PICTURES;
      if (mayFilm) this.#last = this.#take(this.#made);
      else this.repeated++;
      this.#out.write(this.#last!);
    }
    return true;
  }
}

/** 440 Hz, for as long as one picture is shown. */
function tone(count: number, samples: number): Buffer {
  const bytes = Buffer.alloc(samples * 2);
  for (let i = 0; i < samples; i++) {
    const at = (count * samples + i) / SAMPLE_RATE;
    bytes.writeInt16LE(Math.round(6000 * Math.sin(2 * Math.PI * 440 * at)), i * 2);
  }
  return bytes;
}

/** Draws pictures with the time in them and something that moves. */
class Pictures {
  readonly #width: number;
  readonly #height: number;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
  }

  get bytes(): number {
    return (this.#width * this.#height * 3) / 2;
  }

  at(timeMs: number, count: number): Buffer {
    const [width, height] = [this.#width, this.#height];
    const picture = Buffer.alloc((width * height * 3) / 2, 128);
    for (let y = FIELD_SIZE * 2; y < height; y++) {
      const at = y * width;
      for (let x = 0; x < width; x += 40)
        picture.fill(60 + ((x + y + count * 4) & 127), at + x, at + x + 40);
    }
    const stamp = timeMs % 2 ** CLOCK_BITS;
    for (let field = 0; field < CLOCK_BITS + 2; field++) {
      const bit = field < 2 ? field : Math.floor(stamp / 2 ** (field - 2)) & 1;
      for (let y = 0; y < FIELD_SIZE; y++) {
        const at = y * width + field * FIELD_SIZE;
        picture.fill(bit === 1 ? WHITE : BLACK, at, at + FIELD_SIZE);
      }
    }
    return picture;
  }
}
