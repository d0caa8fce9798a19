import { nodeHttp } from "./node-http.ts";
import { systemClock } from "../../base/clock.ts";

/** What no header value has: it would begin another header, or another reply. Spec: RFC 9110 section 5.5. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether a value of a header stays one value. */
export function isHeaderValue(value: string): boolean {
  return !NO_VALUE.test(value);
}

/** Writes the heads of replies, to the byte as `node:http` writes them. */
export class ReplyHeads {
  readonly #keepAlive: string;
  #second = -1;
  #date = "";

  /** `idleTimeoutMs`: what a client is told of how long an idle connection is kept. */
  constructor(idleTimeoutMs: number) {
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(idleTimeoutMs / 1000)}\r\n\r\n`;
  }

  /** The second whose `Date` heads have now. */
  get second(): number {
    return Math.floor(systemClock.wallUs() / 1_000_000);
  }

  /**
   * A head with the empty line behind it. `headers`: names and values in turn; `keepsOpen`: what becomes of the connection.
   * Throws: RangeError for a value that would not stay one.
   * Spec: RFC 9112 section 4; RFC 9110 section 6.6.1 (Date).
   */
  write(status: number, headers: readonly string[], keepsOpen: boolean | "upgrade"): string {
    let head = `HTTP/1.1 ${status} ${nodeHttp.STATUS_CODES[status] ?? "unknown"}\r\n`;
    for (let i = 0; i < headers.length; i += 2) {
      if (!isHeaderValue(headers[i + 1]!))
        throw new RangeError(`header ${headers[i]} has a control character`);
      head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    }
    return `${head}Date: ${this.#dateNow()}\r\n${this.#connection(keepsOpen)}`;
  }

  #connection(keepsOpen: boolean | "upgrade"): string {
    if (keepsOpen === "upgrade") return "Connection: Upgrade\r\n\r\n";
    return keepsOpen ? this.#keepAlive : "Connection: close\r\n\r\n";
  }

  #dateNow(): string {
    const { second } = this;
    if (second !== this.#second) {
      this.#second = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return this.#date;
  }
}
