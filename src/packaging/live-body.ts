import type { MediaError } from "../base/errors.ts";
import { textReply } from "../base/http-message.ts";
import type { HttpBodySink, HttpHeaders, HttpReply, WebSocketSink } from "../base/http-message.ts";
import { CLOSE_CODE } from "../base/web-socket/errors.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { StreamDirectory } from "../stream/directory.ts";
import { streamErrors } from "../stream/errors.ts";
import type { SendWindow } from "../stream/rules.ts";
import type { ByteSink, Subscription, SubscriptionEnd, WireFormatFactory } from "../stream/wire-format.ts";

const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** A live stream as a body without an end: what a protocol's reply is made of. */
export type LiveBodyParts = {
  readonly directory: StreamDirectory;
  /** The word of the `protocols` directive. */
  readonly protocol: string;
  readonly format: WireFormatFactory;
  /** Of the listener; `auto` when it says nothing. */
  readonly sendWindow?: SendWindow | undefined;
};

/**
 * Answers a request for a live stream: a body that ends with the stream, or when the viewer is too slow.
 *
 * Throws, here and when the body is started: STREAM_BAD_NAME, _NOT_FOUND, _DISABLED, _PROTOCOL_OFF, _NOT_ON_AIR.
 */
export function liveBodyReply(name: string, contentType: string, parts: LiveBodyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 200,
    headers: [["content-type", contentType], ["cache-control", "no-store"], ...CORS],
    body: [],
    stream: (body) => start(streamName, parts, body),
  };
}

/** The same over a WebSocket, of a format whose bytes are whole frames. Who watches has nothing to say. */
export function liveSocketReply(name: string, parts: LiveBodyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => start(streamName, parts, new SocketBody(socket)),
  };
}

function checkedName(name: string, { directory, protocol }: LiveBodyParts): StreamName {
  const streamName = parseStreamName(name);
  if (streamName === null) {
    throw streamErrors.error("STREAM_BAD_NAME", {
      reason: "it has characters or a form that names cannot have",
    });
  }
  directory.checkSubscribe({ name: streamName, protocol });
  return streamName;
}

function start(
  name: StreamName,
  { directory, protocol, format, sendWindow }: LiveBodyParts,
  body: HttpBodySink,
): Subscription {
  const viewer = new Viewer(name, body);
  const subscription = directory.subscribe({
    name,
    protocol,
    format,
    sink: viewer,
    waitsForPublisher: false,
    ...(sendWindow === undefined ? {} : { sendWindow }),
  });
  viewer.started();
  return subscription;
}

/** A WebSocket as a body: what is written to it is whole frames. */
class SocketBody implements HttpBodySink {
  readonly #socket: WebSocketSink;

  constructor(socket: WebSocketSink) {
    this.#socket = socket;
  }

  write(frames: Uint8Array): void {
    this.#socket.write(frames);
  }

  queuedBytes(): number {
    return this.#socket.queuedBytes();
  }

  end(instead?: HttpReply): void {
    if (instead === undefined) this.#socket.close(CLOSE_CODE.tryAgainLater, "too slow for this stream");
    else this.#socket.close(CLOSE_CODE.normal, "the stream is not on air", instead);
  }

  abort(): void {
    this.#socket.close(CLOSE_CODE.tryAgainLater, "the stream broke off");
  }
}

/** One viewer's body as the core sees it. */
class Viewer implements ByteSink {
  readonly #name: StreamName;
  readonly #body: HttpBodySink;
  #isStarting = true;
  #refusedFor: SubscriptionEnd | null = null;

  constructor(name: StreamName, body: HttpBodySink) {
    this.#name = name;
    this.#body = body;
  }

  /** The subscription is made. Throws STREAM_NOT_ON_AIR, STREAM_NOT_CARRIED when it was over at once. */
  started(): void {
    this.#isStarting = false;
    if (this.#refusedFor !== null) throw errorOf(this.#name, this.#refusedFor);
  }

  write(bytes: Uint8Array): void {
    this.#body.write(bytes);
  }

  queuedBytes(): number {
    return this.#body.queuedBytes();
  }

  end(reason: SubscriptionEnd): void {
    if (this.#isStarting) this.#refusedFor = reason;
    else this.#body.end(reason === "too-slow" ? undefined : refusal(this.#name, reason));
  }
}

function errorOf(name: StreamName, reason: SubscriptionEnd): MediaError {
  if (reason === "not-carried") return streamErrors.error("STREAM_NOT_CARRIED", { name });
  return streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
}

/** For a viewer that has got nothing yet; one that has sees the body end. */
function refusal(name: StreamName, reason: SubscriptionEnd): HttpReply {
  const error = errorOf(name, reason);
  return textReply(error.httpStatus, error.message, [
    ["x-error-code", error.code],
    ["access-control-expose-headers", "x-error-code"],
    ...CORS,
  ]);
}
