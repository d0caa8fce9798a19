import { concatBytes } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { HttpReply, HttpRequest, HttpUpload, HttpUploadTaker } from "../../base/http-message.ts";
import { bodyErrors } from "./errors.ts";

/** Bounds on bodies; the defaults stop clients that send much, slowly, or on many connections. */
export type BodyLimits = {
  readonly bytes: number;
  readonly ms: number;
  /** Requests whose bodies are read or that are answered, at a time. */
  readonly requests: number;
};

const LIMITS: BodyLimits = { bytes: 64 * 1024, ms: 10_000, requests: 256 };

/**
 * Bounds on bodies that have a whole configuration in them: a file of it may have 1 MiB, and as JSON, with what is in force, it
 * is some times as much. All of them together are as much memory as all others.
 */
export const CONFIG_BODIES: Partial<BodyLimits> = { bytes: 4 * 1024 * 1024, requests: 4 };

/** Reads bodies of requests whole, for what answers the whole request. */
export class WholeBodies {
  readonly #limits: BodyLimits;
  readonly #clock: Clock;
  #open = 0;

  constructor(options: { readonly limits?: Partial<BodyLimits>; readonly clock?: Clock } = {}) {
    this.#limits = { ...LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
  }

  /** Requests that are under way. */
  get open(): number {
    return this.#open;
  }

  /**
   * The reply that takes a request's body; `answer` is asked when all of it is there.
   * Throws: HTTP_BODIES_BUSY. The upload fails with HTTP_BODY_TOO_BIG, HTTP_BODY_LATE, and what `answer` rejects with.
   */
  reply(request: HttpRequest, answer: (request: HttpRequest) => Promise<HttpReply>): HttpReply {
    const { requests: limit } = this.#limits;
    if (this.#open >= limit) throw bodyErrors.error("HTTP_BODIES_BUSY", { limit });
    return {
      status: 200,
      headers: [],
      body: [],
      upload: (upload) => this.#take(upload, (body) => answer(withBody(request, body))),
    };
  }

  #take(upload: HttpUpload, answer: (body: Uint8Array) => Promise<HttpReply>): HttpUploadTaker {
    const { bytes: limitBytes, ms: limitMs } = this.#limits;
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    let isOpen = true;
    const close = (): void => {
      timer.cancel();
      if (isOpen) this.#open--;
      isOpen = false;
    };
    this.#open++;
    const timer = this.#clock.schedule(limitMs, () => {
      close();
      upload.fail(bodyErrors.error("HTTP_BODY_LATE", { limitMs }));
    });
    return {
      write: (piece) => {
        bytes += piece.byteLength;
        if (bytes > limitBytes) throw bodyErrors.error("HTTP_BODY_TOO_BIG", { limitBytes });
        pieces.push(Uint8Array.from(piece));
      },
      end: () => {
        timer.cancel();
        return answer(concatBytes(pieces)).finally(close);
      },
      close,
    };
  }
}

/** The request with its body. */
function withBody(request: HttpRequest, body: Uint8Array): HttpRequest {
  const { method, path, query, remoteAddress, isTls = false } = request;
  return { method, path, query, remoteAddress, isTls, body, header: (name) => request.header(name) };
}
