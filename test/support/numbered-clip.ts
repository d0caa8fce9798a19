/** Clips whose pictures have their numbers in them, as a browser reads them back from what it shows. */
import { FIELD_SIZE } from "./clock-camera.ts";
import { makeClip } from "./ffmpeg.ts";
import type { ClipOptions } from "./ffmpeg.ts";

/** Fields of one bit each, the lowest first, behind a black and a white one: clips of 40 s at 25 pictures a second. */
export const NUMBER_BITS = 10;

/** Pictures in a second. */
export const NUMBERED_RATE = 25;

const WIDTH = (NUMBER_BITS + 2) * FIELD_SIZE;

/** Black is 16, white is 235. */
const FIELD = `floor(X/${FIELD_SIZE})`;
const BIT = `if(lt(${FIELD},2),${FIELD},mod(floor(N/pow(2,${FIELD}-2)),2))`;

/**
 * Makes a clip of 40 s, or finds it: picture N has the number N. At each full second begins a beep of a tenth of a second,
 * where it has sound. Returns its path.
 */
export function makeNumberedClip(
  options: Pick<ClipOptions, "width" | "height" | "audio" | "bFrames"> & {
    readonly extra?: readonly string[];
  } = {},
): Promise<string> {
  const { extra = [], ...rest } = options;
  const number = `crop=${WIDTH}:${FIELD_SIZE}:0:0,geq=lum='16+219*${BIT}':cb=128:cr=128`;
  const picture = ["-vf", `split[whole][strip];[strip]${number}[number];[whole][number]overlay`];
  const sound = rest.audio === null ? [] : ["-af", "volume='if(lt(mod(t,1),0.1),1,0)':eval=frame"];
  return makeClip({
    durationS: 40,
    frameRate: NUMBERED_RATE,
    gopPictures: NUMBERED_RATE,
    bFrames: 0,
    ...rest,
    extra: [...picture, ...sound, ...extra],
  });
}
