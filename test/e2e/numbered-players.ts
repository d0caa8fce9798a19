/** What players show of pictures that have their numbers in them: every picture, when it was shown, and of what date it is. */
import type { Page } from "playwright-core";
import { FIELD_SIZE } from "../support/clock-camera.ts";
import { NUMBER_BITS } from "../support/numbered-clip.ts";

/** A picture that was on the screen. */
export type ShownPicture = {
  /** As the picture itself has it; `null` where there is none to be read. */
  readonly number: number | null;
  readonly width: number;
  /** On the player's timeline. Units: seconds. */
  readonly mediaS: number;
  /** Of the playlist's dates where the player knows them (hls.js); else `null`. Units: milliseconds since 1970. */
  readonly dateMs: number | null;
};

type Frames = { weirPictures: ShownPicture[] };

/** Notes all pictures from now on that the browser shows; some may escape where the machine is busy. */
export async function watchPictures(page: Page): Promise<void> {
  await page.evaluate(noteAll, { bits: NUMBER_BITS, fieldSize: FIELD_SIZE });
}

/** Those that were shown so far. */
export function shownPictures(page: Page): Promise<ShownPicture[]> {
  return page.evaluate(() => (window as unknown as Frames).weirPictures);
}

function noteAll({ bits, fieldSize }: { bits: number; fieldSize: number }): void {
  type Fragment = { start: number; duration: number; programDateTime: number | null };
  type Hls = { levels: { details?: { fragments: Fragment[] } }[]; currentLevel: number };
  const video = document.querySelector("video")!;
  const canvas = document.createElement("canvas");
  canvas.width = (bits + 2) * fieldSize;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const pictures: ShownPicture[] = [];
  Object.assign(window, { weirPictures: pictures });
  const read = (): number | null => {
    context.drawImage(video, 0, fieldSize / 2, canvas.width, 1, 0, 0, canvas.width, 1);
    const pixels = context.getImageData(0, 0, canvas.width, 1).data;
    const bit = (field: number): number => (pixels[(field * fieldSize + fieldSize / 2) * 4]! > 128 ? 1 : 0);
    if (bit(0) !== 0 || bit(1) !== 1) return null;
    let number = 0;
    for (let i = bits - 1; i >= 0; i--) number = number * 2 + bit(i + 2);
    return number;
  };
  const dateOf = (seconds: number): number | null => {
    const { hls } = window as unknown as { hls?: Hls };
    const fragments = hls?.levels[Math.max(0, hls.currentLevel)]?.details?.fragments ?? [];
    // A picture stands where its fragment begins, give or take a tick; the fragment may have left the playlist.
    const found = fragments.findLast(({ start }) => start <= seconds + 0.01) ?? fragments[0];
    const dateMs = found?.programDateTime ?? null;
    return dateMs === null ? null : dateMs + (seconds - found!.start) * 1000;
  };
  const note = (_: number, { mediaTime, width }: { mediaTime: number; width: number }): void => {
    pictures.push({ number: read(), width, mediaS: mediaTime, dateMs: dateOf(mediaTime) });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}
