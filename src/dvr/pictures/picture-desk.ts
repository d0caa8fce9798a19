/** Pictures on demand: a few at a time, each made once for all who ask, and kept for a while. */
import { ByteLru } from "../../base/byte-lru.ts";
import { BoundedWork } from "../../base/bounded-work.ts";
import { vodBusy } from "../../vod/busy.ts";
import { dvrPictureErrors } from "./errors.ts";
import type { KeyFrame } from "./key-frame.ts";

/**
 * Makes a JPEG of a file with one picture, no wider than so many pixels. Rejects with DVR_PICTURE_NO_FFMPEG,
 * _FAILED, _UNAVAILABLE; `signal` ends it early.
 */
export type DrawPicture = (file: Uint8Array, widthPx: number, signal: AbortSignal) => Promise<Uint8Array>;

/** Bounds of a desk, and who draws. */
export type PictureDeskOptions = {
  readonly draw: DrawPicture;
  /** Ends what is drawn, and nothing more is. */
  readonly stopped: AbortSignal;
  /** Kept in memory; 16 MiB unless given. Units: bytes. */
  readonly keptBytes?: number;
  /** Drawn at a time; 1 unless given. */
  readonly running?: number;
  /** Pictures that wait for their turn; 32 unless given. */
  readonly waiting?: number;
};

/** One who asks. */
export type PictureRequest = {
  /** Whose picture it is: with the key frame's time and the width, it tells pictures apart. */
  readonly key: string;
  readonly keyFrame: KeyFrame;
  readonly widthPx: number;
  /** Calls `run` when who asks has left; left out where nobody can tell. */
  onLeave?(run: () => void): void;
};

const KEPT = { bytes: 16 * 2 ** 20, items: 4096 };
const WAITING = 32;
/** Of a picture in the cache besides its own bytes. */
const ENTRY_BYTES = 256;

type Job = { readonly made: Promise<Uint8Array>; wanted: number };

/** The pictures of one thread. */
export class PictureDesk {
  readonly #draw: DrawPicture;
  readonly #kept: ByteLru<Uint8Array>;
  readonly #work: BoundedWork;
  readonly #jobs = new Map<string, Job>();
  readonly #mostJobs: number;
  readonly #stopped: AbortSignal;

  constructor(options: PictureDeskOptions) {
    const { draw, stopped, keptBytes = KEPT.bytes, running = 1, waiting = WAITING } = options;
    this.#stopped = stopped;
    this.#draw = draw;
    this.#kept = new ByteLru({ bytes: keptBytes, items: KEPT.items });
    this.#work = new BoundedWork({ running, waiting }, vodBusy);
    this.#mostJobs = running + waiting;
  }

  /** Bytes of the pictures that are kept. */
  get keptBytes(): number {
    return this.#kept.bytes;
  }

  /** Pictures that are drawn, or wait to be. */
  get jobs(): number {
    return this.#jobs.size;
  }

  /**
   * The picture as a JPEG. Ownership: shared, never written to.
   * Rejects with DVR_PICTURE_BUSY, with what reading the key frame rejects with, and with what drawing does.
   */
  async picture(request: PictureRequest): Promise<Uint8Array> {
    const { key, keyFrame, widthPx } = request;
    const name = `${key} ${keyFrame.startUs} ${widthPx}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const job = this.#jobs.get(name) ?? this.#begin(name, keyFrame, widthPx);
    job.wanted++;
    request.onLeave?.(() => job.wanted--);
    return await job.made;
  }

  #begin(name: string, keyFrame: KeyFrame, widthPx: number): Job {
    if (this.#jobs.size >= this.#mostJobs)
      throw dvrPictureErrors.error("DVR_PICTURE_BUSY", { waiting: this.#jobs.size });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const job: Job = { made: promise, wanted: 0 };
    this.#jobs.set(name, job);
    const make = async (): Promise<Uint8Array> => {
      if (job.wanted <= 0)
        throw dvrPictureErrors.error("DVR_PICTURE_UNAVAILABLE", { reason: "who asked has left" });
      const picture = await this.#draw(await keyFrame.read(), widthPx, this.#stopped);
      this.#kept.set(name, picture, picture.byteLength + ENTRY_BYTES);
      return picture;
    };
    // The first turn comes after the one who asks was counted.
    void Promise.resolve()
      .then(() => this.#work.run(make))
      .finally(() => this.#jobs.delete(name))
      .then(resolve, reject);
    return job;
  }
}
