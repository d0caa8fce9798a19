/** HTTP requests and replies as data, so that what answers them never touches a socket. */

/** Header names in lower case with their values. */
export type HttpHeaders = readonly (readonly [name: string, value: string])[];

/** What a handler sees of a request. */
export type HttpRequest = {
  readonly method: string;
  /** The decoded path, e.g. `/pub/camera/index.m3u8`; checked: no NUL, no dot segments, no empty segments. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** One header by its lower-case name. */
  header(name: string): string | undefined;
  /** The peer's address. */
  readonly remoteAddress: string;
  /**
   * Calls `run` once when the client leaves before it was answered: for an answer that is long in coming. Left out where
   * nobody can tell. One `run` a request.
   */
  onLeave?(run: () => void): void;
};

/** A whole reply. The body is sent as it is, in order; chunks are shared and never written to. */
export type HttpReply = {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: readonly Uint8Array[];
  /** Bytes of the body that this reply alone keeps in memory until they are sent; left out where others share them. */
  readonly ownBytes?: number;
  /** The same body gzipped, made when a client takes it; left out where it would not pay. */
  readonly gzip?: () => Uint8Array;
  /** A body whose length nobody knows, in place of `body`. Not called for HEAD. */
  readonly stream?: HttpStream;
  /**
   * The stream has an end at which the client asks for more: it is sent in chunks, and the connection is kept. Without
   * this the end of the connection ends the body.
   */
  readonly isChunked?: boolean;
};

/**
 * Starts a body whose end nobody knows, such as the bytes of a live stream. The head goes out in front of its first
 * bytes, so that `start` may still throw a `MediaError`, and `end` may still give another reply.
 * Returns: what ends it when the client leaves; never called after `HttpBodySink.end` or `abort`.
 */
export type HttpStream = (sink: HttpBodySink) => { close(): void };

/** Where the bytes of an endless body go. */
export type HttpBodySink = {
  /** Sends bytes. They are shared: the connection never writes to them, and may keep a reference. */
  write(bytes: Uint8Array): void;
  /** Bytes that the client has not taken yet. */
  queuedBytes(): number;
  /**
   * Ends the body, and the connection with it if the reply is not chunked; `instead` is sent when nothing has been
   * written yet.
   */
  end(instead?: HttpReply): void;
  /** Ends the connection at once, so that the client sees that the body is not whole. */
  abort(): void;
};

const encoder = new TextEncoder();

/** A plain-text reply in one line, the form of every error that a person may read. */
export function textReply(status: number, text: string, headers: HttpHeaders = []): HttpReply {
  return {
    status,
    headers: [["content-type", "text/plain; charset=utf-8"], ["cache-control", "no-store"], ...headers],
    body: [encoder.encode(`${text}\n`)],
  };
}

/** A JSON reply that no cache keeps. */
export function jsonReply(status: number, value: unknown, headers: HttpHeaders = []): HttpReply {
  return {
    status,
    headers: [["content-type", "application/json"], ["cache-control", "no-store"], ...headers],
    body: [encoder.encode(`${JSON.stringify(value)}\n`)],
  };
}
