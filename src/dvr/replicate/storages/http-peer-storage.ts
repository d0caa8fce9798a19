import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Clock, Timer } from "../../../base/clock.ts";
import { assertOutsideHost, lookupOf } from "../../../base/outside-hosts.ts";
import type { OutsideHosts } from "../../../base/outside-hosts.ts";
import type { PeerReply, PeerRequest, PeerTransport } from "../peer.ts";

/** A peer that says nothing for so long is not waited for. Units: milliseconds. */
const SILENCE_MS = 20_000;
/** Of a whole reply: a peer that sends a byte now and then holds nothing up for longer. Units: milliseconds. */
const REPLY_MS = 300_000;
/** More of an error's body is not read. */
const MAX_ERROR_BYTES = 4096;

/** A peer over HTTP or HTTPS, one connection a request: they are few and long. */
export class HttpPeerStorage implements PeerTransport {
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #hosts: OutsideHosts | undefined;
  readonly #running = new Set<ClientRequest>();

  /** `origin`: `http://host:port` or `https://host:port`. `hosts`: where it may lead; absent: everywhere. */
  constructor(origin: string, clock: Clock, hosts?: OutsideHosts) {
    this.#origin = origin;
    this.#clock = clock;
    this.#hosts = hosts;
  }

  async get({ target, headers, maxBytes, signal }: PeerRequest): Promise<PeerReply> {
    signal.throwIfAborted();
    const url = new URL(`${this.#origin}${target}`);
    assertOutsideHost(this.#hosts, url.hostname);
    const make = url.protocol === "https:" ? httpsRequest : httpRequest;
    const { promise, resolve, reject } = Promise.withResolvers<PeerReply>();
    const request = make(url, { headers, agent: false, ...lookupOf(this.#hosts) });
    const fail = (reason: string): void => void request.destroy(new Error(reason));
    const timers = new Watch(this.#clock, fail);
    const onAbort = (): void => fail("it is not wanted any more");
    signal.addEventListener("abort", onAbort, { once: true });
    this.#running.add(request);
    request.on("error", reject);
    let isAnswered = false;
    request.on("close", () => {
      // Behind a response it is its body that tells whether it is whole.
      if (!isAnswered) reject(new Error("the connection ended without a reply"));
    });
    request.on("response", (response) => {
      isAnswered = true;
      timers.alive();
      readBody(response, maxBytes, timers, fail).then(resolve, reject);
    });
    request.end();
    try {
      return await promise;
    } finally {
      timers.stop();
      signal.removeEventListener("abort", onAbort);
      this.#running.delete(request);
      request.destroy();
    }
  }

  close(): void {
    for (const request of this.#running) request.destroy(new Error("it is not wanted any more"));
  }
}

/** Ends a request that stands still, or takes too long. */
class Watch {
  readonly #clock: Clock;
  readonly #fail: (reason: string) => void;
  readonly #whole: Timer;
  #silence: Timer;

  constructor(clock: Clock, fail: (reason: string) => void) {
    this.#clock = clock;
    this.#fail = fail;
    this.#whole = clock.schedule(REPLY_MS, () => fail(`its reply takes longer than ${REPLY_MS / 1000} s`));
    this.#silence = this.#listen();
  }

  alive(): void {
    this.#silence.cancel();
    this.#silence = this.#listen();
  }

  stop(): void {
    this.#whole.cancel();
    this.#silence.cancel();
  }

  #listen(): Timer {
    return this.#clock.schedule(SILENCE_MS, () =>
      this.#fail(`it has said nothing for ${SILENCE_MS / 1000} s`),
    );
  }
}

async function readBody(
  response: IncomingMessage,
  maxBytes: number,
  timers: Watch,
  fail: (reason: string) => void,
): Promise<PeerReply> {
  const status = response.statusCode ?? 0;
  const isError = status !== 200 && status !== 206;
  const most = isError ? MAX_ERROR_BYTES : maxBytes;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    timers.alive();
    bytes += piece.byteLength;
    if (bytes > most && !isError) {
      fail(`its reply is longer than ${most} bytes`);
      throw new Error(`its reply is longer than ${most} bytes`);
    }
    pieces.push(piece.subarray(0, most - bytes + piece.byteLength));
    if (bytes >= most && isError) break;
  }
  const header = (name: string): string | undefined => {
    const value = response.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  return { status, header, body: Buffer.concat(pieces) };
}
