/** A server that is asked who may play: it lets everybody in, after a while, and takes as little CPU for it as can be. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
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

const HEAD_END = "\r\n\r\n";
const YES = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/** Answers 200 and keeps who was asked about, by user agent. */
export class SlowBackend {
  readonly asked = new Map<string, Asked>();
  /** Requests that had no answer yet, at most. */
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #pace: BackendPace;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ noDelay: true }, (socket) => this.#take(socket));

  constructor(pace: BackendPace) {
    this.#pace = pace;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1", 4096);
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/may`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let text = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      text += piece;
      for (let end = text.indexOf(HEAD_END); end >= 0; end = text.indexOf(HEAD_END)) {
        this.#answer(text.slice(0, text.indexOf("\r\n")), socket);
        text = text.slice(end + HEAD_END.length);
      }
    });
  }

  #answer(requestLine: string, socket: Socket): void {
    const query = requestLine.slice(requestLine.indexOf("?") + 1, requestLine.lastIndexOf(" "));
    const fields = new URLSearchParams(query);
    const [name, who] = [fields.get("name") ?? "", fields.get("user_agent") ?? ""];
    const known = this.asked.get(who);
    if (known === undefined) this.asked.set(who, { name, atMs: nowMs(), count: 1 });
    else known.count++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    const waitMs = name === this.#pace.slowStream ? this.#pace.slowMs : this.#pace.replyMs;
    setTimeout(() => {
      this.#atOnce--;
      socket.write(YES);
    }, waitMs);
  }
}
