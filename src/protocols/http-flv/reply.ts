import type { MediaError } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpBodySink, HttpHeaders, HttpReply, WebSocketSink } from "../../base/http-message.ts";
import { CLOSE_CODE } from "../../base/web-socket/errors.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { SendWindow } from "../../stream/rules.ts";
import type {
  ByteSink,
  Subscription,
  SubscriptionEnd,
  WireFormatFactory,
} from "../../stream/wire-format.ts";
import { flvFormat } from "./from-stream.ts";
import { flvMessageFormat } from "./messages.ts";

/** The word of the `protocols` directive. */
const PROTOCOL = "flv";

const CORS: HttpHeaders = [["access-control-allow-origin", "*"]];

/** What a reply is made of. */
export type FlvReplyParts = {
  readonly directory: StreamDirectory;
  /** Of the listener; `auto` when it says nothing. */
  readonly sendWindow?: SendWindow | undefined;
};

/**
 * Answers a request for a live stream as FLV: a body that ends with the stream, or when the viewer is too slow.
 *
 * Throws, here and when the body is started: STREAM_BAD_NAME, _NOT_FOUND, _DISABLED, _PROTOCOL_OFF, _NOT_ON_AIR.
 */
export function flvReply(name: string, parts: FlvReplyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 200,
    headers: [["content-type", "video/x-flv"], ["cache-control", "no-store"], ...CORS],
    body: [],
    stream: (body) => start(streamName, parts, flvFormat, body),
  };
}

/**
 * The same over a WebSocket: each binary message is the file's header, a configuration or one tag. Who watches has
 * nothing to say; what comes is ignored. Throws as `flvReply` does.
 */
export function flvSocketReply(name: string, parts: FlvReplyParts): HttpReply {
  const streamName = checkedName(name, parts);
  return {
    status: 101,
    headers: [],
    body: [],
    webSocket: (socket) => start(streamName, parts, flvMessageFormat, new SocketBody(socket)),
  };
}

function checkedName(name: string, { directory }: FlvReplyParts): StreamName {
  const streamName = parseStreamName(name);
  if (streamName === null) {
    throw streamErrors.error("STREAM_BAD_NAME", {
      reason: "it has characters or a form that names cannot have",
    });
  }
  directory.checkSubscribe({ name: streamName, protocol: PROTOCOL });
  return streamName;
}

function start(
  name: StreamName,
  { directory, sendWindow }: FlvReplyParts,
  format: WireFormatFactory,
  body: HttpBodySink,
): Subscription {
  const viewer = new FlvViewer(name, body);
  const subscription = directory.subscribe({
    name,
    protocol: PROTOCOL,
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
}

/** One viewer's body as the core sees it. */
class FlvViewer implements ByteSink {
  readonly #name: StreamName;
  readonly #body: HttpBodySink;
  #isStarting = true;
  #isRefused = false;

  constructor(name: StreamName, body: HttpBodySink) {
    this.#name = name;
    this.#body = body;
  }

  /** The subscription is made. Throws STREAM_NOT_ON_AIR when it was over at once. */
  started(): void {
    this.#isStarting = false;
    if (this.#isRefused) throw notOnAir(this.#name);
  }

  write(bytes: Uint8Array): void {
    this.#body.write(bytes);
  }

  queuedBytes(): number {
    return this.#body.queuedBytes();
  }

  end(reason: SubscriptionEnd): void {
    if (this.#isStarting) this.#isRefused = true;
    else this.#body.end(reason === "too-slow" ? undefined : refusal(this.#name));
  }
}

function notOnAir(name: StreamName): MediaError {
  return streamErrors.error("STREAM_NOT_ON_AIR", { name, reason: "nobody publishes it now" });
}

/** For a viewer that has got nothing yet; one that has sees the body end. */
function refusal(name: StreamName): HttpReply {
  const error = notOnAir(name);
  return textReply(error.httpStatus, error.message, [
    ["x-error-code", error.code],
    ["access-control-expose-headers", "x-error-code"],
    ...CORS,
  ]);
}
