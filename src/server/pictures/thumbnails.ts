/** Pictures of streams over HTTP: of what is live, and of a time that is recorded. */
import type { Clock } from "../../base/clock.ts";
import { asMediaError } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpHeaders, HttpReply, HttpRequest } from "../../base/http-message.ts";
import { PerSecondLog } from "../../base/log.ts";
import type { Logger } from "../../base/log.ts";
import { dvrPictureErrors } from "../../dvr/pictures/errors.ts";
import { liveKeyFrame } from "../../dvr/pictures/key-frame.ts";
import type { KeyFrame } from "../../dvr/pictures/key-frame.ts";
import { PictureDesk } from "../../dvr/pictures/picture-desk.ts";
import type { DrawPicture } from "../../dvr/pictures/picture-desk.ts";
import type { Presentation } from "../../packaging/presentation.ts";
import type { PictureAddress } from "../archives/paths.ts";
import { ffmpegDraw } from "./draw-picture.ts";

/** What is asked for, and where it is found. */
export type PictureSource = {
  /** Tells its pictures from those of others. */
  readonly key: string;
  /** For messages. */
  readonly name: string;
  /** A key frame of what is recorded. Rejects with DVR_*. */
  recorded(atUs: number): Promise<KeyFrame>;
  /** Throws or rejects with STREAM_*. */
  live(): Promise<Presentation> | Presentation;
};

const SECOND_US = 1_000_000;
/** Widths that pictures are made in, so that few are made of one key frame. Units: pixels. */
const WIDTHS = [160, 320, 480, 640, 960, 1280] as const;
const SMALL_PX = 320;
/** The key frame at so recent a time may yet come. Units: microseconds. */
const SETTLED_US = 60_000_000;
/** Of key frames as they came, what is read at a time, waits and is kept by one thread. */
const KEY_FRAMES = { running: 4, waiting: 200, keptBytes: 8 * 2 ** 20 };
/** Who asks is answered within so long, whatever is waited for: what is live, a disk, a turn or ffmpeg. */
const ANSWER_LIMIT_MS = 5000;
const MAX_AGE_S = { settled: 86_400, recent: 5, live: 2 };

/**
 * The width of the picture: the next one that is made, from what is asked for on; the largest where that is not enough.
 * `null` when what is asked for is no number of pixels.
 */
export function pictureWidth(asked: string | null, isSmall: boolean): number | null {
  if (asked === null) return isSmall ? SMALL_PX : WIDTHS.at(-1)!;
  if (!/^[1-9]\d{0,4}$/.test(asked)) return null;
  const widthPx = Number(asked);
  return WIDTHS.find((width) => width >= widthPx) ?? WIDTHS.at(-1)!;
}

/** Calls `run` when who asks has left, or was answered without it. */
type OnLeave = (run: () => void) => void;

/** What pictures need of their thread. */
export type ThumbnailsOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends what is drawn, and nothing more is. */
  readonly stopped: AbortSignal;
  /** ffmpeg unless given. */
  readonly draw?: DrawPicture;
};

/** Answers requests for pictures; one a media thread. */
export class Thumbnails {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desk: PictureDesk;
  /** Key frames as they came: of a live one a whole segment is gone through, so that is done once for all who ask. */
  readonly #keyFrames: PictureDesk;
  readonly #failures: PerSecondLog;
  #saidMissing = false;

  constructor({ clock, log, stopped, draw = ffmpegDraw({ clock }) }: ThumbnailsOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#failures = new PerSecondLog(log, "ffmpeg could not decode key frames");
    this.#desk = new PictureDesk({ draw, stopped });
    this.#keyFrames = new PictureDesk({ draw: (file) => Promise.resolve(file), stopped, ...KEY_FRAMES });
  }

  /** Takes `ANSWER_LIMIT_MS` at most: who is told to ask again counts as one who has left. Rejects with DVR_*, STREAM_*. */
  async reply(address: PictureAddress, source: PictureSource, request: HttpRequest): Promise<HttpReply> {
    const late = Promise.withResolvers<never>();
    const asked: { leave?: () => void } = {};
    const timer = this.#clock.schedule(ANSWER_LIMIT_MS, () => {
      const reason = `it is not ready after ${ANSWER_LIMIT_MS} ms`;
      late.reject(dvrPictureErrors.error("DVR_PICTURE_UNAVAILABLE", { reason }));
      asked.leave?.();
    });
    const onLeave = (run: () => void): void => {
      let hasLeft = false;
      asked.leave = () => {
        if (!hasLeft) run();
        hasLeft = true;
      };
      request.onLeave?.(asked.leave);
    };
    const made = address.isVideo
      ? this.#video(address, source, onLeave)
      : this.#picture(address, source, request, onLeave);
    try {
      return await Promise.race([made, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** Nothing is decoded: it needs no ffmpeg. */
  async #video({ atS }: PictureAddress, source: PictureSource, onLeave: OnLeave): Promise<HttpReply> {
    const keyFrame = await this.#keyFrame(atS, source);
    const file = await this.#keyFrames.picture({
      ...{ key: source.key, keyFrame, widthPx: 0, onLeave },
    });
    const tag = `${keyFrame.startUs.toString(36)}-mp4`;
    return pictureReply(file, "video/mp4", { tag, maxAgeS: this.#maxAgeS(atS) });
  }

  async #picture(
    address: PictureAddress,
    source: PictureSource,
    request: HttpRequest,
    onLeave: OnLeave,
  ): Promise<HttpReply> {
    const widthPx = pictureWidth(request.query.get("width"), address.isSmall);
    if (widthPx === null)
      return textReply(400, "width is a number of pixels, such as 320", [
        ["access-control-allow-origin", "*"],
      ]);
    const keyFrame = await this.#keyFrame(address.atS, source);
    try {
      const picture = await this.#desk.picture({
        ...{ key: source.key, keyFrame, widthPx, onLeave },
      });
      const tag = `${keyFrame.startUs.toString(36)}-${widthPx}`;
      return pictureReply(picture, "image/jpeg", { tag, maxAgeS: this.#maxAgeS(address.atS) });
    } catch (caught) {
      const error = asMediaError(caught);
      if (error?.code === "DVR_PICTURE_FAILED")
        this.#failures.add(this.#clock.nowUs(), { name: source.name, reason: error.message });
      if (error?.code !== "DVR_PICTURE_NO_FFMPEG") throw caught;
      this.#sayMissing(error.message);
      return textReply(501, error.message, [
        ["x-error-code", error.code],
        ["access-control-expose-headers", "x-error-code"],
        ["access-control-allow-origin", "*"],
      ]);
    }
  }

  async #keyFrame(atS: number | null, source: PictureSource): Promise<KeyFrame> {
    return atS === null ? await this.#live(source) : await source.recorded(atS * SECOND_US);
  }

  async #live(source: PictureSource): Promise<KeyFrame> {
    const keyFrame = liveKeyFrame(await source.live());
    if (keyFrame !== null) return keyFrame;
    throw dvrPictureErrors.error("DVR_PICTURE_NO_KEY_FRAME", {
      name: source.name,
      time: "now",
      reason: "it has sound only, or none of its segments begins with a key frame",
    });
  }

  #maxAgeS(atS: number | null): number {
    if (atS === null) return MAX_AGE_S.live;
    const isSettled = atS * SECOND_US + SETTLED_US < this.#clock.wallUs();
    return isSettled ? MAX_AGE_S.settled : MAX_AGE_S.recent;
  }

  /** Once is enough: it stays so until somebody installs it. */
  #sayMissing(message: string): void {
    if (this.#saidMissing) return;
    this.#saidMissing = true;
    this.#log.warn(message);
  }
}

function pictureReply(
  picture: Uint8Array,
  contentType: string,
  { tag, maxAgeS }: { readonly tag: string; readonly maxAgeS: number },
): HttpReply {
  const headers: HttpHeaders = [
    ["content-type", contentType],
    ["cache-control", `public, max-age=${maxAgeS}`],
    ["etag", `"${tag}"`],
    ["access-control-allow-origin", "*"],
  ];
  return { status: 200, headers, body: [picture] };
}
