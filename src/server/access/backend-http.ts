import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { ASK_LIMITS } from "../../auth/backends/ask-queue.ts";
import type { AskBackend, BackendReply, BackendRequest } from "../../auth/backends/backend-request.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { lookupOf } from "../../base/outside-hosts.ts";
import type { OutsideHosts } from "../../base/outside-hosts.ts";
import { TurnShare } from "../../base/turn-share.ts";

/** Of a reply's headers; more is a failure. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Of a reply's body, which is read and thrown away so that the connection can be used again; more is a failure. */
const MAX_BODY_BYTES = 64 * 1024;
/** Connections that are kept for the next request, a server: as many as may run at once, so that no crowd connects anew. */
const MAX_FREE_SOCKETS = ASK_LIMITS.atOnce;
/** Requests that begin in one turn of the loop, each of which costs some 0.2 ms. */
const REQUESTS_A_TURN = 8;

/** What talking to backends needs. */
export type BackendHttpOptions = {
  readonly clock: Clock;
  /** Where requests may go; absent: everywhere. */
  readonly hosts?: OutsideHosts;
};

/**
 * Asks backends over HTTP/1.1 and HTTPS. Connections are kept and used again; redirects are answers and not followed.
 *
 * A reply counts when it has come whole: whatever a server does, the request is over when its time is, and has held no more than
 * the bounds above.
 */
export class BackendHttp {
  readonly #clock: Clock;
  readonly #hosts: OutsideHosts | undefined;
  readonly #agents = {
    "http:": new HttpAgent({ keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS }),
    "https:": new HttpsAgent({ keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS }),
  };
  readonly #running = new Set<ClientRequest>();
  readonly #turns = new TurnShare(REQUESTS_A_TURN);
  #isClosed = false;

  constructor({ clock, hosts }: BackendHttpOptions) {
    this.#clock = clock;
    this.#hosts = hosts;
  }

  /** Requests on their way. */
  get running(): number {
    return this.#running.size;
  }

  readonly ask: AskBackend = async (request) => {
    const url = new URL(request.url);
    if (this.#isClosed) return failed("the server stops");
    const refusal = this.#hosts?.refusal(url.hostname);
    if (refusal !== undefined) return failed(refusal);
    const deadlineUs = this.#clock.nowUs() + request.timeoutMs * 1000;
    await new Promise<void>((resolve) => this.#turns.pass(resolve));
    if (this.#isClosed) return failed("the server stops");
    const first = await this.#try(url, request, deadlineUs);
    if (first !== "stale") return first;
    const second = await this.#try(url, request, deadlineUs, true);
    return second === "stale" ? failed("the connection was closed") : second;
  };

  /** Ends everything: what is on its way fails. */
  close(): void {
    this.#isClosed = true;
    for (const request of this.#running) request.destroy(new Error("the server stops"));
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** "stale": a kept connection was closed by the server as the request was sent; it has not seen it. */
  #try(
    url: URL,
    { headers }: BackendRequest,
    deadlineUs: number,
    isFresh = false,
  ): Promise<BackendReply | "stale"> {
    const { promise, resolve } = Promise.withResolvers<BackendReply | "stale">();
    const request = this.#send(url, headers, isFresh);
    if (typeof request === "string") return Promise.resolve(failed(request));
    let isReplied = false;
    const end = (outcome: BackendReply | "stale"): void => {
      timer.cancel();
      this.#running.delete(request);
      resolve(outcome);
    };
    const leftMs = Math.max(0, (deadlineUs - this.#clock.nowUs()) / 1000);
    const timer = this.#clock.schedule(leftMs, () => {
      end({ kind: "failed", reason: "it did not answer in time", isTimeout: true });
      request.destroy();
    });
    this.#running.add(request);
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && !isReplied && error.code === "ECONNRESET" && !this.#isClosed;
      end(isStale ? "stale" : failed(error.code ?? error.message));
    });
    request.on("close", () => end(failed("the connection was closed")));
    // A server that changes the protocol, or calls itself a proxy, is none that answers.
    request.on("upgrade", (_response, socket) => {
      end(failed("it changed the protocol"));
      socket.destroy();
    });
    request.on("response", (response) => {
      isReplied = true;
      readReply(response, end, () => request.destroy());
    });
    request.end();
    return promise;
  }

  #send(url: URL, headers: BackendRequest["headers"], isFresh: boolean): ClientRequest | string {
    const isTls = url.protocol === "https:";
    const make = isTls ? httpsRequest : httpRequest;
    const agent = isFresh ? false : this.#agents[isTls ? "https:" : "http:"];
    try {
      return make(url, { agent, headers, maxHeaderSize: MAX_HEADER_BYTES, ...lookupOf(this.#hosts) });
    } catch (caught) {
      // Such as a header or path with characters that HTTP does not have.
      return messageOf(caught);
    }
  }
}

function readReply(
  response: IncomingMessage,
  end: (reply: BackendReply) => void,
  destroy: () => void,
): void {
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.byteLength;
    if (bytes <= MAX_BODY_BYTES) return;
    end(failed(`its reply is longer than ${MAX_BODY_BYTES} bytes`));
    destroy();
  });
  response.on("error", (error) => end(failed(messageOf(error))));
  response.on("end", () => {
    if (!response.complete) end(failed("its reply was cut off"));
    else end({ kind: "replied", status: response.statusCode ?? 0, headers: plainHeaders(response) });
  });
}

/** Headers as text; those that Node gives as lists are joined too. */
function plainHeaders({ headers }: { headers: IncomingHttpHeaders }): Record<string, string> {
  const rows = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(", ") : (value ?? ""),
  ]);
  return Object.fromEntries(rows) as Record<string, string>;
}

function failed(reason: string): BackendReply {
  return { kind: "failed", reason, isTimeout: false };
}
