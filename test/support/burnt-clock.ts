/** A publisher whose pictures show when they were taken: what a screen shows then tells how late it is. */
import { startProgram } from "./program.ts";
import type { Program, TestEnd } from "./program.ts";

/** Bits of the number in a picture, lowest at the left: black is 0, white is 1. */
export const CLOCK_BITS = 16;
/** The number counts these since `BurntClock.startMs`. */
export const CLOCK_STEP_MS = 10;

/** A running publisher. */
export type BurntClock = { readonly program: Program; readonly startMs: number };

/** How the clock is published. */
export type BurntClockOptions = {
  /** Pictures from one random access point to the next, at 25 a second; 25 unless given. */
  readonly gopPictures?: number;
  /** 640x360 unless given. */
  readonly size?: string;
};

/** Publishes pictures of the machine's clock, with sound, as a camera with an encoder for low latency does. */
export function publishClock(t: TestEnd, rtmpUrl: string, options: BurntClockOptions = {}): BurntClock {
  const { gopPictures = 25, size = "640x360" } = options;
  const startMs = Date.now();
  // The time is taken where the picture is made; after that pictures are 40 ms apart whatever the machine did.
  const picture = [
    `color=size=${CLOCK_BITS}x2:rate=25`,
    "settb=1/1000000",
    `setpts=(RTCTIME-${startMs}000)/(TB*1000000)`,
    `geq=lum='if(bitand(trunc(T*1000/${CLOCK_STEP_MS}),pow(2,X)),235,16)':cb=128:cr=128`,
    "setpts=N/(25*TB)",
    `scale=${size.replace("x", ":")}:flags=neighbor`,
  ].join(",");
  const program = startProgram(t, "ffmpeg", [
    ...["-hide_banner", "-nostdin", "-v", "warning"],
    ...["-re", "-f", "lavfi", "-i", picture],
    ...["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
    ...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
    ...["-r", "25", "-g", `${gopPictures}`, "-sc_threshold", "0", "-b:v", "1500k"],
    ...["-c:a", "aac", "-ac", "2", "-f", "flv", "-flvflags", "no_duration_filesize", rtmpUrl],
  ]);
  return { program, startMs };
}
