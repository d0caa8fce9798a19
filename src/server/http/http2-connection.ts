import { constants, performServerHandshake } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { systemClock } from "../../base/clock.ts";
import type { Timer } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { plainAddress } from "../../base/plain-address.ts";
import { FrameAllowance } from "./frame-allowance.ts";
import { answerHttp2 } from "./http2-exchange.ts";
import type { Http2Parts, OpenHttp2 } from "./https-parts.ts";

/** Requests of one connection at a time; players hold a few, a page of pictures some dozen. */
const MAX_STREAMS = 256;
/** As over HTTP/1.1: names and values of one request. Spec: RFC 9113 section 6.5.2. */
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_FIELDS = 128;
/** What the library may hold for one connection, above which it takes no more requests. Units: MiB. */
const MAX_SESSION_MIB = 10;
/**
 * Requests that a client may take back at once, and a second over time. Players take some back when somebody seeks; a
 * client that does nothing else lets the server work for nothing (CVE-2023-44487).
 */
const RESET_BURST = 200;
const RESETS_PER_SECOND = 33;
/** Over one connection of a proxy come the requests of so many clients; it bounds those of each itself. */
const PROXY_CLIENTS = 30;
/** Frames that break the protocol, and requests above the limits, after which the connection is closed. */
const MAX_INVALID_FRAMES = 100;
const MAX_REJECTED_STREAMS = 100;
/** Frames that ask for an answer and bring nothing, at once and a second over time (CVE-2019-9512, CVE-2019-9515). */
const IDLE_FRAME_BURST = 200;
const IDLE_FRAMES_PER_SECOND = 20;
/** Last words take no longer. */
const LINGER_MS = 3000;

/**
 * One HTTP/2 connection: its streams are requests, each answered as if it had come alone. A connection without a request
 * is closed after the idle time, whatever frames come on it.
 *
 * Spec: RFC 9113. Left out: push, priorities (RFC 9113 section 5.3 has them no more), WebSockets (RFC 8441).
 */
export class Http2Connection implements OpenHttp2 {
  readonly #socket: TLSSocket;
  readonly #parts: Http2Parts;
  readonly #session: ServerHttp2Session;
  #streams = 0;
  #idle: Timer | null = null;
  readonly #resets: FrameAllowance;
  readonly #idleFrames = new FrameAllowance(IDLE_FRAME_BURST, IDLE_FRAMES_PER_SECOND);

  constructor(socket: TLSSocket, parts: Http2Parts) {
    this.#socket = socket;
    this.#parts = parts;
    const isProxy = parts.proxies()?.trusts(socket.remoteAddress ?? "") === true;
    const clients = isProxy ? PROXY_CLIENTS : 1;
    const resets = { burst: RESET_BURST * clients, perSecond: RESETS_PER_SECOND * clients };
    this.#resets = new FrameAllowance(resets.burst, resets.perSecond);
    // What the session says of a broken connection is said by its error; the socket has one more.
    socket.on("error", () => {});
    const session = performServerHandshake(socket, {
      maxSessionMemory: MAX_SESSION_MIB,
      maxHeaderListPairs: MAX_FIELDS,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSessionRejectedStreams: MAX_REJECTED_STREAMS,
      // The library counts too, those of all clients as one's.
      ...(isProxy ? { streamResetBurst: resets.burst, streamResetRate: resets.perSecond } : {}),
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: MAX_HEAD_BYTES,
        enablePush: false,
      },
    });
    this.#session = session;
    session.on("stream", (stream, headers) => this.#answer(stream, headers));
    session.on("ping", () => this.#countIdleFrame());
    session.on("remoteSettings", () => this.#countIdleFrame());
    session.on("error", (error) => this.#break(messageOf(error)));
    session.on("close", () => this.#gone());
    // Who sends no more has left: the session does not look at the half of a connection.
    socket.once("end", () => this.destroy());
    this.#rest(Math.min(parts.headTimeoutMs, parts.idleTimeoutMs));
  }

  closeSoon(): void {
    if (!this.#session.closed) this.#session.close();
    if (this.#streams === 0) this.#rest(LINGER_MS);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.#idle?.cancel();
    this.#streams++;
    stream.once("close", () => {
      this.#streams--;
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR && !this.#resets.take())
        this.#calm("it took back one request after the other");
      if (this.#streams === 0) this.#rest(this.#session.closed ? LINGER_MS : this.#parts.idleTimeoutMs);
    });
    answerHttp2(stream, headers, plainAddress(this.#socket.remoteAddress ?? ""), this.#parts);
    // Who connects while the server drains has this one answered, as over HTTP/1.1.
    if (this.#parts.isStopping()) this.closeSoon();
  }

  /** Nothing is under way: closes in a while. */
  #rest(afterMs: number): void {
    this.#idle?.cancel();
    if (this.#session.destroyed) return;
    this.#idle = systemClock.schedule(afterMs, () => {
      if (this.#session.closed) this.destroy();
      else this.closeSoon();
    });
  }

  #countIdleFrame(): void {
    if (!this.#idleFrames.take()) this.#calm("it sent one frame after the other that brings nothing");
  }

  #calm(reason: string): void {
    if (this.#session.destroyed) return;
    this.#break(reason);
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #break(reason: string): void {
    this.#parts.onBroken(`HTTP/2: ${reason}`);
  }

  #gone(): void {
    this.#idle?.cancel();
    this.#socket.destroy();
    this.#parts.onGone();
  }
}
