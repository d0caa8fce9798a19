/** Requests over HTTP that nobody sent. */
import type { HttpRequest } from "../../src/base/http-message.ts";

/** A request whose client can leave. */
export class FakeRequest implements HttpRequest {
  readonly method = "GET";
  readonly path = "/x";
  readonly remoteAddress: string;
  readonly query: URLSearchParams;
  leave: () => void = () => {};

  constructor(query: string, remoteAddress = "192.0.2.1") {
    this.query = new URLSearchParams(query);
    this.remoteAddress = remoteAddress;
  }

  header(): undefined {
    return undefined;
  }

  onLeave(run: () => void): void {
    this.leave = run;
  }
}
