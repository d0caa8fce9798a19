import type { MediaError } from "../../base/errors.ts";
import { textReply } from "../../base/http-message.ts";
import type { HttpBodySink, HttpHeaders, HttpReply } from "../../base/http-message.ts";
import { parseStreamName } from "../../media/ids.ts";
import type { StreamName } from "../../media/ids.ts";
import type { StreamDirectory } from "../../stream/directory.ts";
import { streamErrors } from "../../stream/errors.ts";
import type { SendWindow } from "../../stream/rules.ts";
import type { ByteSink, Subscription, SubscriptionEnd } from "../../stream/wire-format.ts";
import { flvFormat } from "./from-stream.ts";

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
  const streamName = parseStreamName(name);
  if (streamName === null) {
    throw streamErrors.error("STREAM_BAD_NAME", {
      reason: "it has characters or a form that names cannot have",
    });
  }
  parts.directory.checkSubscribe({ name: streamName, protocol: PROTOCOL });
  return {
    status: 200,
    headers: [["content-type", "video/x-flv"], ["cache-control", "no-store"], ...CORS],
    body: [],
    stream: (body) => start(streamName, parts, body),
  };
}

function start(
  name: StreamName,
  { directory, sendWindow }: FlvReplyParts,
  body: HttpBodySink,
): Subscription {
  const viewer = new FlvViewer(name, body);
  const subscription = directory.subscribe({
    name,
    protocol: PROTOCOL,
    format: flvFormat,
    sink: viewer,
    waitsForPublisher: false,
    ...(sendWindow === undefined ? {} : { sendWindow }),
  });
  viewer.started();
  return subscription;
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
