/** A server that is asked who may play: it lets everybody in, after a while. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { nowMs } from "./access-clock.ts";

/** What one viewer was asked about. Units: milliseconds since 1970. */
export type Asked = { readonly name: string; readonly atMs: number; count: number };

/** How long answers take. */
export type BackendPace = {
  readonly replyMs: number;
  /** A stream whose answers take longer than those of all others. */
  readonly slowStream: string;
  readonly slowMs: number;
};

/** Answers 200 and keeps who was asked about, by user agent. */
export class SlowBackend {
  readonly asked = new Map<string, Asked>();
  /** Requests that had no answer yet, at most. */
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #pace: BackendPace;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  constructor(pace: BackendPace) {
    this.#pace = pace;
    this.#server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", 4096, resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/may`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { searchParams } = new URL(request.url ?? "/", "http://backend");
    const [name, who] = [searchParams.get("name") ?? "", searchParams.get("user_agent") ?? ""];
    const known = this.asked.get(who);
    if (known === undefined) this.asked.set(who, { name, atMs: nowMs(), count: 1 });
    else known.count++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    const waitMs = name === this.#pace.slowStream ? this.#pace.slowMs : this.#pace.replyMs;
    setTimeout(() => {
      this.#atOnce--;
      response.writeHead(200, { "content-length": 0 }).end();
    }, waitMs);
  }
}
