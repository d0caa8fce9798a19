import type { MediaError } from "../base/errors.ts";
import { textReply } from "../base/http-message.ts";
import type { HttpBodySink, HttpHeaders, HttpReply, WebSocketSink } from "../base/http-message.ts";
import { parseStreamName } from "../media/ids.ts";
import type { StreamName } from "../media/ids.ts";
import type { StreamDirectory } from "../stream/directory.ts";
import { streamErrors } from "../stream/errors.ts";
import type { SendWindow } from "../stream/rules.ts";
import type { ByteSink, Subscription, SubscriptionEnd, WireFormatFactory } from "../stream/wire-format.ts";
import { packagingErrors } from "./errors.ts";
import { formatTrackSelection } from "./presentation.ts";
import { SOCKET_ENDS } from "./socket-ends.ts";

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
 * Throws, here and when the body is started: STREAM_BAD_NAME, _NOT_FOUND, _DISABLED, _PROTOCOL_OFF, _NOT_ON_AIR,
 * _NOT_CARRIED, _NO_ROOM, TRACKS_NOT_THERE.
 */
export function liveBodyReply(name: string, contentType: string, parts: LiveBodyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 200,
    headers: [["content-type", contentType], ["cache-control", "no-store"], ...CORS],
    body: [],
    stream: (body) => start(streamName, parts, new HttpWay(body)),
  };
}

/** The same over a WebSocket, of a format whose bytes are whole frames. Who watches has nothing to say. */
export function liveSocketReply(name: string, parts: LiveBodyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => start(streamName, parts, new SocketWay(socket)),
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
  way: Way,
): Subscription {
  const viewer = new Viewer(way, (reason) => errorOf(reason, name, format));
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

/** How bytes go to one viewer. */
type Way = Pick<HttpBodySink, "write" | "queuedBytes"> & {
  /** The core has ended it; `instead`: for a viewer that has got nothing yet. */
  end(reason: SubscriptionEnd, instead: HttpReply): void;
};

/** One that has got something sees the body end. */
class HttpWay implements Way {
  readonly #body: HttpBodySink;

  constructor(body: HttpBodySink) {
    this.#body = body;
  }

  write(bytes: Uint8Array): void {
    this.#body.write(bytes);
  }

  queuedBytes(): number {
    return this.#body.queuedBytes();
  }

  end(reason: SubscriptionEnd, instead: HttpReply): void {
    if (reason === "too-slow") this.#body.end();
    else this.#body.end(instead);
  }
}

/** What is written to it is whole frames. */
class SocketWay implements Way {
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

  end(reason: SubscriptionEnd, instead: HttpReply): void {
    const { code, reason: words } = SOCKET_ENDS[reason];
    if (reason === "too-slow") this.#socket.close(code, words);
    else this.#socket.close(code, words, instead);
  }
}

/** One viewer as the core sees it. */
class Viewer implements ByteSink {
  readonly #way: Way;
  readonly #errorOf: (reason: SubscriptionEnd) => MediaError;
  #isStarting = true;
  #refusedFor: SubscriptionEnd | null = null;

  constructor(way: Way, error: (reason: SubscriptionEnd) => MediaError) {
    this.#way = way;
    this.#errorOf = error;
  }

  /** The subscription is made. Throws why it was over at once. */
  started(): void {
    this.#isStarting = false;
    if (this.#refusedFor !== null) throw this.#errorOf(this.#refusedFor);
  }

  write(bytes: Uint8Array): void {
    this.#way.write(bytes);
  }

  queuedBytes(): number {
    return this.#way.queuedBytes();
  }

  end(reason: SubscriptionEnd): void {
    if (this.#isStarting) this.#refusedFor = reason;
    else this.#way.end(reason, replyOf(this.#errorOf(reason)));
  }
}

function errorOf(reason: SubscriptionEnd, name: StreamName, { choice }: WireFormatFactory): MediaError {
  switch (reason) {
    case "not-carried":
      return streamErrors.error("STREAM_NOT_CARRIED", { name });
    case "tracks-not-there":
      return packagingErrors.error("TRACKS_NOT_THERE", {
        asked: formatTrackSelection([...(choice ?? [])]),
        tracks: "none of them",
      });
    case "no-room":
      return streamErrors.error("STREAM_NO_ROOM", { name });
    case "server-stopping":
      return streamErrors.error("STREAM_STOPPING", { name });
    case "stream-ended":
    case "not-on-air":
    case "too-slow":
      return streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
  }
}

function replyOf({ code, httpStatus, message }: MediaError): HttpReply {
  return textReply(httpStatus, message, [
    ["x-error-code", code],
    ["access-control-expose-headers", "x-error-code"],
    ...(httpStatus === 503 ? [["retry-after", "2"] as const] : []),
    ...CORS,
  ]);
}
