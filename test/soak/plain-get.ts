/** GET over a kept connection with as little of one's own as can be: what a crowd's clients cost is not the server's. */
import { connect } from "node:net";
import type { Socket } from "node:net";

/** An answer, whole. */
export type PlainReply = { readonly status: number; readonly body: Buffer };

const HEAD_END = Buffer.from("\r\n\r\n");
const LIMIT_MS = 60_000;

/** One connection to a server, one request at a time. Answers must say how long they are. */
export class PlainConnection {
  readonly #host: string;
  readonly #userAgent: string;
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #waiting: { resolve(reply: PlainReply): void; reject(error: Error): void } | null = null;
  #error: Error | null = null;

  /** Connects to `url`'s host; what fails, the requests say. */
  constructor(url: string, userAgent: string) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#userAgent = userAgent;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setTimeout(LIMIT_MS, () =>
      this.#socket.destroy(new Error(`no answer within ${LIMIT_MS} ms`)),
    );
    this.#socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  /** Whether another request may be sent over it. */
  get isOpen(): boolean {
    return this.#error === null;
  }

  /** `path`: with its query. Rejects where the connection fails before the answer is whole. */
  get(path: string): Promise<PlainReply> {
    if (this.#waiting !== null) throw new Error("a request is under way already");
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nuser-agent: ${this.#userAgent}\r\n\r\n`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received.push(bytes);
    const reply = readReply(this.#received);
    if (reply === null) return;
    if (reply instanceof Error) {
      this.#socket.destroy(reply);
      return;
    }
    this.#received = [];
    this.#waiting?.resolve(reply);
    this.#waiting = null;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#waiting?.reject(this.#error);
    this.#waiting = null;
  }
}

/** `null` while it is not whole; an error where it does not say how long it is. */
function readReply(pieces: Buffer[]): PlainReply | Error | null {
  const first = pieces[0]!;
  let headEnd = first.indexOf(HEAD_END);
  if (headEnd < 0) {
    if (pieces.length === 1) return null;
    const all = Buffer.concat(pieces);
    pieces.splice(0, pieces.length, all);
    headEnd = all.indexOf(HEAD_END);
    if (headEnd < 0) return null;
  }
  const head = pieces[0]!.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return new Error(`the answer does not say how long it is: ${head}`);
  const end = headEnd + HEAD_END.length + Number(length);
  const received = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (received < end) return null;
  const body = Buffer.concat(pieces).subarray(headEnd + HEAD_END.length, end);
  return { status: Number(head.slice(9, 12)), body };
}

/** The last address of a playlist that is not a hint of what comes. Throws where there is none. */
export function lastAddress(playlist: Buffer): string {
  const lines = playlist.toString().split(/\r?\n/);
  const address = lines.findLast((line) => line !== "" && !line.startsWith("#"));
  if (address === undefined) throw new Error("the playlist has no addresses yet");
  return address;
}

/** What a request for a URL asks for. */
export function pathOf({ pathname, search }: URL): string {
  return pathname + search;
}
