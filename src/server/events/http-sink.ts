import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { batchBody, batchSignature } from "../../api/events/batch.ts";
import { eventErrors } from "../../api/events/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { assertOutsideHost, lookupOf } from "../../base/outside-hosts.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import type { SinkTransport } from "./sink-delivery.ts";

/** What sending over HTTP needs. */
export type HttpSinkOptions = {
  /** May have user and password in it. */
  readonly url: URL;
  readonly signKey?: string | undefined;
  readonly clock: Clock;
  /** Where requests may go; absent: everywhere. */
  readonly hosts?: OutsideHosts;
  /** 10 s unless given. */
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 10_000;
/** More of a reply is not read: the connection is closed instead. */
const MAX_REPLY_BYTES = 65_536;

/** Sends batches to a server with POST, over one connection. Taken: a whole reply with a status of 200 to 299. */
export class HttpSink implements SinkTransport {
  readonly #options: HttpSinkOptions;
  readonly #agent: HttpAgent;
  readonly #url: URL;
  readonly #authorization: string | null;

  constructor(options: HttpSinkOptions) {
    this.#options = options;
    const { username, password } = options.url;
    this.#url = new URL(options.url);
    this.#url.username = "";
    this.#url.password = "";
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#authorization = pair === ":" ? null : `Basic ${Buffer.from(pair).toString("base64")}`;
    const kept = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#isTls ? new HttpsAgent(kept) : new HttpAgent(kept);
  }

  /** Rejects with EVENTS_SINK_REFUSED, EVENTS_SINK_LATE, the system's error. */
  async send(events: readonly string[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    assertOutsideHost(this.#options.hosts, this.#url.hostname);
    const body = batchBody(events);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const request = this.#request(body, signal);
    const limitMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    const timer = this.#options.clock.schedule(limitMs, () =>
      request.destroy(eventErrors.error("EVENTS_SINK_LATE", { limitMs })),
    );
    request.on("error", reject);
    let isAnswered = false;
    request.on("close", () => {
      // Behind a response it is its body that tells whether it is whole.
      if (!isAnswered) reject(new Error("the connection ended without a reply"));
    });
    request.on("response", (reply) => {
      isAnswered = true;
      void readReply(reply, request).then(resolve, reject);
    });
    request.end(body);
    try {
      await promise;
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  get #isTls(): boolean {
    return this.#url.protocol === "https:";
  }

  #request(body: Buffer, signal: AbortSignal): ClientRequest {
    const { signKey, hosts } = this.#options;
    const headers: Record<string, string | number> = {
      "content-type": "application/json",
      "content-length": body.byteLength,
      "user-agent": "weir",
    };
    if (this.#authorization !== null) headers["authorization"] = this.#authorization;
    if (signKey !== undefined) headers["x-weir-signature"] = batchSignature(body, signKey);
    const make = this.#isTls ? httpsRequest : httpRequest;
    return make(this.#url, {
      method: "POST",
      headers,
      agent: this.#agent,
      signal,
      ...lookupOf(hosts),
    });
  }
}

/** Reads a reply to its end, so that the connection can be used again. */
async function readReply(reply: IncomingMessage, request: ClientRequest): Promise<void> {
  const status = reply.statusCode ?? 0;
  let bytes = 0;
  for await (const piece of reply as AsyncIterable<Buffer>) {
    bytes += piece.byteLength;
    if (bytes > MAX_REPLY_BYTES) break;
  }
  if (bytes > MAX_REPLY_BYTES) request.destroy();
  if (status < 200 || status > 299) throw eventErrors.error("EVENTS_SINK_REFUSED", { status });
}
