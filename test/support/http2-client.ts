/** A client of HTTP/2 for tests. */
import { connect, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { TestEnd } from "./program.ts";

/** A reply, whole; `resetCode` is not 0 where the stream was broken off. */
export type Http2Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly resetCode: number;
};

/** Connects to a listener whose certificate nobody vouches for. */
export function http2Client(t: TestEnd, port: number): ClientHttp2Session {
  const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  client.on("error", () => {});
  t.after(() => client.destroy());
  return client;
}

/** Asks, and reads the reply to its end. */
export function ask(
  client: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: Uint8Array,
): Promise<Http2Reply> {
  const stream = client.request({ ":path": path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return replyOf(stream);
}

/** Reads the reply of a request to its end. */
export function replyOf(stream: ClientHttp2Stream): Promise<Http2Reply> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    stream.on("response", (found) => (headers = found));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("close", () => {
      const status = Number(headers[":status"] ?? 0);
      const resetCode = stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
      resolve({ status, headers, body: Buffer.concat(chunks), resetCode });
    });
  });
}
