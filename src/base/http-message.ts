/** HTTP requests and replies as data, so that what answers them never touches a socket. */

/** Header names in lower case with their values. */
export type HttpHeaders = readonly (readonly [name: string, value: string])[];

/** What a handler keeps from one request of a connection to the next. */
export type RequestMemory = { kept: unknown };

/** What a handler sees of a request. */
export type HttpRequest = {
  readonly method: string;
  /** The decoded path, e.g. `/pub/camera/index.m3u8`; checked: no NUL, no dot segments, no empty segments. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** One header by its lower-case name. */
  header(name: string): string | undefined;
  /** The client's address: the peer's, or what a trusted proxy says. */
  readonly remoteAddress: string;
  /** It came over TLS; left out where it did not. */
  readonly isTls?: boolean;
  /** Of the request's connection; left out where there is none. */
  readonly memory?: RequestMemory;
  /** `false`: an HTTP/1.0 client, to whom a body of unknown length ends with the connection, broken off or not. */
  readonly takesChunks?: boolean;
  /** The whole body, where it was read before the question was asked, as the API has it; left out elsewhere. */
  readonly body?: Uint8Array;
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
  /** It was made for one request and is sent once: what is made of it is not kept. */
  readonly isOnce?: boolean;
  /**
   * To be called when nobody reads the body's bytes any more, because they have all been sent or because nobody will: they
   * may become others then. A second call does nothing. Left out where they never change.
   */
  readonly release?: () => void;
  /** The same body gzipped, made when a client takes it; left out where it would not pay. */
  readonly gzip?: () => Uint8Array;
  /** A body whose length nobody knows, in place of `body`. Not called for HEAD. */
  readonly stream?: HttpStream;
  /**
   * The stream has an end at which the client asks for more: it is sent in chunks, and the connection is kept. Without
   * this the end of the connection ends the body.
   */
  readonly isChunked?: boolean;
  /** A body that is read piece by piece while it is sent, in place of `body`; ranges of it can be asked for. */
  readonly file?: HttpFile;
  /** The connection becomes a WebSocket, in place of `body`: for a request that asks for one. */
  readonly webSocket?: WebSocketStart;
  /** Takes the request's body while it comes; the reply is the one that this ends with. For methods that change something. */
  readonly upload?: HttpUploadStart;
};

/** A body of known length that is too long to be held in memory. */
export type HttpFile = {
  readonly sizeBytes: number;
  /** The bytes from a place on, up to so many, at least one before the end. Rejects when they cannot be read. */
  read(offset: number, maxBytes: number): Promise<Uint8Array>;
  /** Calls `run` when the file is taken away from its reader: the body ends at once. Returns: takes that back. */
  onRevoked?(run: () => void): () => void;
};

/**
 * Starts a body whose end nobody knows, such as the bytes of a live stream. The head goes out in front of its first
 * bytes, so that `start` may still throw a `MediaError`, and `end` may still give another reply.
 */
export type HttpStream = (sink: HttpBodySink) => HttpBodySource;

/** Who gives the bytes of an endless body. Nothing of it is called after `HttpBodySink.end` or `abort`. */
export type HttpBodySource = {
  /** The client has left. */
  close(): void;
  /** Of what waited to be sent, some has been: `HttpBodySink.queuedBytes` is less than it was. */
  drained?(): void;
};

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

/** Begins to take a body. May throw a `MediaError`, which becomes the reply. */
export type HttpUploadStart = (upload: HttpUpload) => HttpUploadTaker;

/** The connection under a body that is taken while it comes. */
export type HttpUpload = {
  /** Reads no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Answers before the body has ended; nothing more is read, and the connection is closed behind the reply. */
  finish(reply: HttpReply): void;
  /** The same with the reply that tells an error. */
  fail(error: unknown): void;
};

/** Who takes a body. After `HttpUpload.finish` or `fail` it hears nothing more. */
export type HttpUploadTaker = {
  /** The next bytes; they are good until it returns. May throw a `MediaError`, which becomes the reply. */
  write(bytes: Uint8Array): void;
  /** The body has ended. Returns: the reply, or what becomes it. May throw or reject as `write` throws. */
  end(): HttpReply | Promise<HttpReply>;
  /** The client left, or the reply tells an error: nothing more comes. Called once; never after `end` has returned. */
  close(reason: string): void;
};

/**
 * Starts a WebSocket. The handshake is accepted with the first bytes, so that `start` may still throw a `MediaError`, and
 * `close` may still give another reply.
 * Returns: who hears what the client says.
 */
export type WebSocketStart = (sink: WebSocketSink) => WebSocketPeer;

/** The server's end of a WebSocket. After `close` every call does nothing. */
export type WebSocketSink = {
  /** Accepts the handshake, where nothing has been written yet. */
  accept(): void;
  /** Sends whole frames. They are shared: the connection never writes to them, and may keep a reference. */
  write(frames: Uint8Array): void;
  /** Sends a text message. */
  sendText(text: string): void;
  /** Bytes that the client has not taken yet. */
  queuedBytes(): number;
  /**
   * Ends the connection behind what was written. `code` and `reason`: RFC 6455 section 7.4; `instead` is sent when nothing
   * has been written yet.
   */
  close(code: number, reason: string, instead?: HttpReply): void;
};

/** Who hears a client's messages. Binary ones are for nobody. */
export type WebSocketPeer = {
  /** A text of at most 64 KiB. */
  onText?(text: string): void;
  /** Of what waited to be sent, some has been: `WebSocketSink.queuedBytes` is less than it was. */
  drained?(): void;
  /** The client left. Called once; never after `WebSocketSink.close`. */
  close(): void;
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
